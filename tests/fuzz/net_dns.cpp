// DNS answers from anybody: what is read of them is bounded, and whoever asked is told once.
//
// The bytes are the flags, the counts and all that follows the question; a server on the loopback answers every
// question with them. They are read as a whole message as well.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "net/dns_answer.h"
#include "net/resolver.h"

namespace {

using boost::asio::ip::udp;
using rw::net::DnsClient;
using rw::net::Resolver;

constexpr std::size_t header = 12, counts = 10;

class Server {
 public:
  Server(boost::asio::io_context& loop, std::string answer)
      : socket_(loop, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)), answer_(std::move(answer)) {
    receive();
  }
  std::uint16_t port() const { return socket_.local_endpoint().port(); }
  void close() { socket_.close(); }

 private:
  void receive() {
    socket_.async_receive_from(boost::asio::buffer(question_), from_, [this](const auto& error, std::size_t size) {
      if (error) return;
      boost::system::error_code ignored;
      socket_.send_to(boost::asio::buffer(reply(size)), from_, 0, ignored);
      receive();
    });
  }
  std::string reply(std::size_t size) const {
    const std::string asked(question_.begin(), question_.begin() + static_cast<std::ptrdiff_t>(size));
    if (size < header) return asked;
    std::size_t end = header;
    while (end < size && asked[end] != 0) end += 1U + static_cast<unsigned char>(asked[end]);
    std::string text = asked.substr(0, 2) + answer_.substr(0, counts);
    text[2] = static_cast<char>((text[2] | 0x80) & ~0x02);  // an answer, and not a part of one: there is no TCP here
    text[4] = 0;
    text[5] = 1;
    return text + asked.substr(header, end + 5 - header) + answer_.substr(counts);
  }

  udp::socket socket_;
  udp::endpoint from_;
  std::vector<char> question_ = std::vector<char>(2048);
  std::string answer_;
};

void resolve(const std::string& answer, Resolver::Target target) {
  boost::asio::io_context loop;
  Server server(loop, answer);
  Resolver::Options options;
  options.servers = {*rw::net::Address::from("127.0.0.1", server.port())};
  options.ways = {
      {Resolver::Transport::udp, false}, {Resolver::Transport::udp, true}, {Resolver::Transport::tcp, false}};
  options.time_limit = std::chrono::milliseconds(300);
  int told = 0;
  auto resolver = std::make_unique<Resolver>(loop, options);
  resolver->resolve(std::move(target), [&](const std::vector<Resolver::Hop>& hops) {
    ++told;
    if (hops.size() > Resolver::most_hops) std::abort();
    server.close();
  });
  while (told == 0) loop.run_one();
  resolver.reset();
  loop.poll();
  if (told != 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto type : {DnsClient::Type::srv, DnsClient::Type::naptr}) {
    DnsClient::Records records;
    rw::net::read_answer(type, {data, size}, records);
    if (std::max(records.srv.size(), records.naptr.size()) > DnsClient::most_records) std::abort();
  }
  (void)rw::net::answer_ttl({data, size});
  if (size < counts || size > 1200) return 0;
  const std::string answer(reinterpret_cast<const char*>(data), size);
  resolve(answer, {"example.test", 0, std::nullopt, false});
  resolve(answer, {"example.test", 5060, Resolver::Transport::udp, false});
  return 0;
}
