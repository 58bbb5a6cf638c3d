#include "net/tcp_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace rw::net {
namespace {

constexpr std::size_t most_buffered = 128 * 1024;
constexpr std::size_t most_queued = 1024 * 1024;  ///< a peer that does not read is let go
constexpr std::size_t read_step = 8 * 1024;
constexpr auto connect_time = std::chrono::seconds(4);
constexpr auto silent_time = std::chrono::seconds(900);  ///< calls may be quiet for long; session timers are shorter
constexpr auto partial_time = std::chrono::seconds(10);  ///< for the rest of a message that has begun

boost::asio::ip::tcp::endpoint endpoint_of(const Address& address) {
  boost::asio::ip::tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), address.raw(), address.length());
  endpoint.resize(address.length());
  return endpoint;
}

}  // namespace

TcpConnection::TcpConnection(boost::asio::ip::tcp::socket socket, SipTransports::Hop hop,
                             const SipTransports::Handlers& handlers, Closed closed)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      hop_(hop),
      handlers_(handlers),
      closed_(std::move(closed)) {}

void TcpConnection::start() {
  accepted_ = true;
  open_ = true;
  watch(partial_time);
  read();
}

void TcpConnection::connect() {
  watch(connect_time);
  bind_source();
  socket_.async_connect(endpoint_of(hop_.remote), [self = shared_from_this()](const boost::system::error_code& error) {
    if (self->ended_) return;
    if (error) {
      self->close();
      return;
    }
    self->open_ = true;
    self->watch(silent_time);
    self->read();
    self->write();
  });
}

void TcpConnection::bind_source() {
  // Peers know us by the address that we listen on. If that can't be had, the kernel's choice may do.
  if (hop_.local.is_unspecified() || hop_.local.is_v6() != hop_.remote.is_v6()) return;
  auto source = hop_.local;
  source.set_port(0);
  boost::system::error_code ignored;
  socket_.open(source.is_v6() ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), ignored);
  socket_.bind(endpoint_of(source), ignored);
}

void TcpConnection::send(std::string bytes, const Address& instead) {
  if (ended_) return;
  queued_ += bytes.size();
  if (queued_ > most_queued) {
    for (auto& [waiting, elsewhere] : queue_) elsewhere = {};  // it would not read them there either
    close();
    return;
  }
  queue_.emplace_back(std::move(bytes), instead);
  if (open_) write();
}

void TcpConnection::close() {
  if (std::exchange(ended_, true)) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  Unsent unsent;
  for (const auto& one : queue_) {
    if (one.second.port() != 0) unsent.push_back(one);  // a copy: the socket may still hold the first one's bytes
  }
  closed_(hop_, unsent);
}

void TcpConnection::read() {
  if (buffer_.size() < filled_ + read_step) buffer_.resize(filled_ + read_step);
  socket_.async_read_some(boost::asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
                            if (self->ended_) return;
                            if (error) {
                              self->close();
                            } else {
                              self->received(bytes);
                            }
                          });
}

void TcpConnection::received(std::size_t bytes) {
  filled_ += bytes;
  last_heard_ = std::chrono::steady_clock::now();
  std::size_t used = 0;
  while (!ended_ && used < filled_) {
    const std::string_view rest(buffer_.data() + used, filled_ - used);
    const auto length = handlers_.cut(rest);
    if (!length || filled_ > most_buffered) {
      close();
      return;
    }
    if (*length == 0) break;
    handlers_.message(hop_, rest.substr(0, *length));
    used += *length;
  }
  if (ended_) return;
  buffer_.erase(0, used);
  filled_ -= used;
  watch(filled_ > 0 ? partial_time : silent_time);
  read();
}

void TcpConnection::write() {
  if (writing_ || queue_.empty()) return;
  writing_ = true;
  boost::asio::async_write(socket_, boost::asio::buffer(queue_.front().first),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                             if (self->ended_) return;
                             self->writing_ = false;
                             if (error) {
                               self->close();
                               return;
                             }
                             self->queued_ -= self->queue_.front().first.size();
                             self->queue_.pop_front();
                             self->write();
                           });
}

void TcpConnection::watch(std::chrono::seconds time) {
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->close();
  });
}

}  // namespace rw::net
