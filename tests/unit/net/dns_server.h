#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/address.h"

namespace rw::net {

/// A small DNS server for tests, on the test's own loop: UDP and TCP on one loopback port.
class DnsServer {
 public:
  static constexpr std::uint16_t a = 1, cname = 5, aaaa = 28, srv = 33, naptr = 35;
  enum class Manner { answer, silence, truncate, garbage, server_failure };

  explicit DnsServer(boost::asio::io_context& loop) : udp_(loop), tcp_(loop) {
    while (!bind()) {
    }
    tcp_.listen();
    read();
    accept();
  }

  Address address() const { return *Address::from("127.0.0.1", udp_.local_endpoint().port()); }
  void stop() {
    udp_.close();
    tcp_.close();
  }

  void add_a(const std::string& name, std::array<unsigned char, 4> bytes, std::uint32_t ttl = 60) {
    add(name, a, std::string(bytes.begin(), bytes.end()), ttl);
  }
  void add_aaaa(const std::string& name, unsigned char last, std::uint32_t ttl = 60) {
    std::string bytes(16, '\0');
    bytes[0] = 0x20;
    bytes[1] = 0x01;
    bytes[15] = static_cast<char>(last);
    add(name, aaaa, bytes, ttl);
  }
  void add_cname(const std::string& name, const std::string& target) { add(name, cname, wire_name(target), 60); }
  void add_srv(const std::string& name, std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
               const std::string& target, std::uint32_t ttl = 60) {
    add(name, srv, word(priority) + word(weight) + word(port) + wire_name(target), ttl);
  }
  void add_naptr(const std::string& name, std::uint16_t order, std::uint16_t preference, const std::string& service,
                 const std::string& replacement) {
    add(name, naptr, word(order) + word(preference) + text("s") + text(service) + text("") + wire_name(replacement),
        60);
  }
  void behave(const std::string& name, std::uint16_t type, Manner manner) { manners_[{name, type}] = manner; }

  /// How often a question came, by UDP or TCP.
  int asked(const std::string& name, std::uint16_t type) const {
    const auto found = asked_.find({name, type});
    return found == asked_.end() ? 0 : found->second;
  }
  int asked_by_tcp() const { return by_tcp_; }

 private:
  /// One port for both; false if somebody has its TCP half.
  bool bind() {
    using boost::asio::ip::address_v4;
    udp_ = boost::asio::ip::udp::socket(udp_.get_executor(), {address_v4::loopback(), 0});
    tcp_ = boost::asio::ip::tcp::acceptor(tcp_.get_executor(), boost::asio::ip::tcp::v4());
    boost::system::error_code taken;
    tcp_.bind({address_v4::loopback(), udp_.local_endpoint().port()}, taken);
    return !taken;
  }

  using Question = std::pair<std::string, std::uint16_t>;
  using Tcp = boost::asio::ip::tcp::socket;
  struct Record {
    std::uint16_t type;
    std::string data;
    std::uint32_t ttl;
  };

  static std::string word(std::uint16_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
  }
  static std::string text(const std::string& value) { return static_cast<char>(value.size()) + value; }
  static std::string wire_name(const std::string& name) {
    std::string out;
    for (std::size_t at = 0; at < name.size();) {
      const auto dot = std::min(name.find('.', at), name.size());
      out += text(name.substr(at, dot - at));
      at = dot + 1;
    }
    return out + '\0';
  }
  void add(const std::string& name, std::uint16_t type, std::string data, std::uint32_t ttl) {
    records_[name].push_back({type, std::move(data), ttl});
  }

  /// The answer, or nothing to stay silent.
  std::string answer(const std::string& query, bool tcp) {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<unsigned char>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
      at += 1U + length;
    }
    const auto type = static_cast<std::uint16_t>(static_cast<unsigned char>(query[at + 1]) << 8 |
                                                 static_cast<unsigned char>(query[at + 2]));
    const auto question = query.substr(12, at + 5 - 12);
    ++asked_[{name, type}];
    by_tcp_ += tcp ? 1 : 0;
    const auto manner = manners_.contains({name, type}) ? manners_[{name, type}] : Manner::answer;
    if (manner == Manner::silence) return {};
    std::string records;
    std::uint16_t count = 0;
    for (const auto& record : records_[name]) {
      if (record.type != type && record.type != cname) continue;
      ++count;
      records += wire_name(name) + word(record.type) + word(1) + word(static_cast<std::uint16_t>(record.ttl >> 16)) +
                 word(static_cast<std::uint16_t>(record.ttl & 0xffff)) +
                 word(static_cast<std::uint16_t>(record.data.size())) + record.data;
    }
    std::uint16_t flags = records_[name].empty() ? 0x8583 : 0x8580;  // NXDOMAIN, or whatever there is
    if (manner == Manner::server_failure)
      return query.substr(0, 2) + word(0x8182) + word(1) + word(0) + word(0) + word(0) + question;
    if (manner == Manner::truncate && !tcp) {
      return query.substr(0, 2) + word(flags | 0x0200) + word(1) + word(0) + word(0) + word(0) + question;
    }
    if (manner == Manner::garbage) records = std::string(records.size(), '\xff');
    return query.substr(0, 2) + word(flags) + word(1) + word(count) + word(0) + word(0) + question + records;
  }

  void read() {
    udp_.async_receive_from(boost::asio::buffer(buffer_), sender_,
                            [this](const boost::system::error_code& error, std::size_t bytes) {
                              if (error) return;
                              const auto reply = answer(std::string(buffer_.data(), bytes), false);
                              if (!reply.empty()) udp_.send_to(boost::asio::buffer(reply), sender_);
                              read();
                            });
  }

  void accept() {
    tcp_.async_accept([this](const boost::system::error_code& error, Tcp socket) {
      if (error) return;
      serve(std::make_shared<Tcp>(std::move(socket)));
      accept();
    });
  }

  void serve(const std::shared_ptr<Tcp>& socket) {
    const auto length = std::make_shared<std::array<unsigned char, 2>>();
    boost::asio::async_read(*socket, boost::asio::buffer(*length), [this, socket, length](auto error, std::size_t) {
      if (error) return;
      std::string query(static_cast<std::size_t>((*length)[0] << 8 | (*length)[1]), '\0');
      boost::system::error_code ignored;
      boost::asio::read(*socket, boost::asio::buffer(query), ignored);  // it has been sent as one piece
      const auto reply = answer(query, true);
      boost::asio::write(*socket, boost::asio::buffer(word(static_cast<std::uint16_t>(reply.size())) + reply), ignored);
      serve(socket);
    });
  }

  boost::asio::ip::udp::socket udp_;
  boost::asio::ip::tcp::acceptor tcp_;
  boost::asio::ip::udp::endpoint sender_;
  std::array<char, 4096> buffer_{};
  std::map<std::string, std::vector<Record>> records_;
  std::map<Question, Manner> manners_;
  std::map<Question, int> asked_;
  int by_tcp_ = 0;
};

}  // namespace rw::net
