#include "app/relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "app/takeover_packet.h"

namespace rw::app {
namespace {

using Owner = sip::Ownership::Owner;

constexpr std::size_t transactions_per_packet = 200;

boost::json::array as_array(const std::vector<std::string>& texts) {
  boost::json::array all;
  for (const auto& one : texts) all.emplace_back(one);
  return all;
}

}  // namespace

Relay::Relay(boost::asio::io_context& loop, std::string mark, Host host)
    : loop_(loop), mark_(std::move(mark)), host_(std::move(host)), owners_(mark_), listener_(loop) {}

Relay::~Relay() {
  stop();
}

void Relay::stop() {
  *alive_ = false;
  boost::system::error_code ignored;
  if (listener_.is_open()) {
    listener_.close(ignored);
    ::unlink(path_.c_str());
  }
  for (const auto& link : {predecessor_.link, successor_.link, candidate_}) {
    if (link) link->close();
  }
  predecessor_.link = successor_.link = candidate_ = nullptr;
}

Result<void> Relay::listen(const std::string& path) {
  path_ = path;
  auto made = net::listen_local(path);
  if (!made) return tl::unexpected(made.error());
  listener_.assign(*made);
  boost::system::error_code ignored;
  listener_.non_blocking(true, ignored);
  wait_for_successor();
  return {};
}

void Relay::wait_for_successor() {
  listener_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this, alive = alive_](const boost::system::error_code& error) {
                         if (error || !*alive) return;
                         accept();
                         if (listener_.is_open()) wait_for_successor();
                       });
}

void Relay::accept() {
  const int one = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (one < 0) return;
  if (candidate_) candidate_->close();  // the latest counts
  candidate_ = std::make_shared<net::LocalLink>(loop_, one);
  candidate_->start({.packet =
                         [this, alive = alive_](const net::LocalPacket& packet) {
                           if (*alive) this->packet(From::successor, packet);
                         },
                     .closed =
                         [this, alive = alive_] {
                           if (*alive) gone(From::successor);
                         }});
}

void Relay::follow(Predecessor& predecessor, const HandedOver& given) {
  earlier_marks_ = given.marks;
  owners_.add_earlier(given.marks, given.transactions);
  predecessor_.link = std::make_shared<net::LocalLink>(loop_, predecessor.release());
  predecessor_.link->start({.packet =
                                [this, alive = alive_](const net::LocalPacket& packet) {
                                  if (*alive) this->packet(From::predecessor, packet);
                                },
                            .closed =
                                [this, alive = alive_] {
                                  if (*alive) gone(From::predecessor);
                                }});
}

void Relay::packet(From from, const net::LocalPacket& packet) {
  for (const int one : packet.descriptors) ::close(one);  // none is expected here
  const auto read = read_packet(packet.bytes);
  if (!read) return;
  if (read->kind == "hello" && candidate_) {
    net::LocalPacket answer;
    boost::json::array sockets;
    for (const auto& one : host_.sockets()) {
      sockets.push_back({{"kind", one.kind}, {"wanted", one.wanted}});
      answer.descriptors.push_back(one.descriptor);
    }
    answer.bytes = write_packet("sockets", {{"sockets", std::move(sockets)}});
    candidate_->send(std::move(answer));
    return;
  }
  if (read->kind == "take" && candidate_) return give(*read);
  const auto hop = hop_of(read->head);
  if (!hop) return;
  if (read->kind == "message") {
    if (hop->connection != 0) theirs_[hop->connection] = from;
    route(from, *hop, read->body);
  } else if (read->kind == "transmit") {
    send(*hop, std::string(read->body));
  } else if (read->kind == "closed") {
    theirs_.erase(hop->connection);
    host_.closed(*hop);
  }
}

void Relay::give(const TakeoverPacket& asked) {
  boost::system::error_code ignored;
  listener_.close(ignored);  // the path is the next one's
  successor_.link = std::move(candidate_);
  candidate_ = nullptr;
  std::vector<std::size_t> places;
  const auto* taken = asked.head.if_contains("taken");
  if (taken != nullptr && taken->is_array()) {
    for (const auto& one : taken->get_array()) {
      if (one.is_int64()) places.push_back(static_cast<std::size_t>(one.get_int64()));
    }
  }
  host_.give(places, [this, alive = alive_](HandedOver given) {
    if (!*alive || !successor_.link) return;
    owners_.set_own(given.transactions);
    const auto& earlier = owners_.earlier_transactions();
    given.transactions.insert(given.transactions.end(), earlier.begin(), earlier.end());
    given.marks = earlier_marks_;
    given.marks.push_back(mark_);
    for (std::size_t at = 0; at < given.transactions.size(); at += transactions_per_packet) {
      const auto end = std::min(given.transactions.size(), at + transactions_per_packet);
      const std::vector<std::string> some(given.transactions.begin() + static_cast<std::ptrdiff_t>(at),
                                          given.transactions.begin() + static_cast<std::ptrdiff_t>(end));
      successor_.link->send({write_packet("transactions", {{"transactions", as_array(some)}}), {}});
    }
    successor_.link->send(
        {write_packet("given", {{"marks", as_array(given.marks)}, {"http", given.http}, {"sessions", given.sessions}}),
         {}});
  });
}

void Relay::received(const Hop& hop, std::string_view bytes) {
  if (!predecessor_.link && !successor_.link) {
    host_.deliver(hop, bytes);
  } else {
    route(From::here, hop, bytes);
  }
}

void Relay::route(From from, const Hop& hop, std::string_view bytes) {
  const bool keep_alive = bytes.find_first_not_of("\r\n") == std::string_view::npos;
  const auto owner = keep_alive ? Owner::us : owners_.of(bytes);
  if (owner == Owner::earlier && predecessor_.link && from != From::predecessor) {
    forward(predecessor_, hop, bytes);
  } else if ((owner == Owner::later || owner == Owner::nobody) && successor_.link && from != From::successor) {
    forward(successor_, hop, bytes);
  } else {
    host_.deliver(hop, bytes);
  }
}

void Relay::forward(Peer& peer, const Hop& hop, std::string_view bytes) {
  if (hop.connection != 0) peer.ours.insert(hop.connection);
  boost::json::object head;
  put_hop(head, hop);
  peer.link->send({write_packet("message", std::move(head), bytes), {}});
}

void Relay::closed(const Hop& hop) {
  for (auto* one : {&predecessor_, &successor_}) {
    if (one->ours.erase(hop.connection) == 0 || !one->link) continue;
    boost::json::object head;
    put_hop(head, hop);
    one->link->send({write_packet("closed", std::move(head)), {}});
  }
  host_.closed(hop);
}

void Relay::send(const Hop& hop, std::string bytes) {
  const auto found = hop.connection == 0 ? theirs_.end() : theirs_.find(hop.connection);
  if (found == theirs_.end() || !peer(found->second).link) {
    host_.send(hop, std::move(bytes));
    return;
  }
  boost::json::object head;
  put_hop(head, hop);
  peer(found->second).link->send({write_packet("transmit", std::move(head), bytes), {}});
}

void Relay::gone(From from) {
  if (from == From::successor && candidate_ && !successor_.link) {  // it did not get as far as taking over
    candidate_ = nullptr;
    return;
  }
  peer(from) = {};
  for (auto at = theirs_.begin(); at != theirs_.end();) {
    if (at->second != from) {
      ++at;
      continue;
    }
    Hop hop;
    hop.protocol = net::SipTransports::Protocol::tcp;
    hop.connection = at->first;
    at = theirs_.erase(at);
    host_.closed(hop);
  }
  if (from == From::predecessor) {
    host_.predecessor_gone();
  } else {
    host_.successor_gone();
    (void)listen(path_);
  }
}

}  // namespace rw::app
