// What clients send to the HTTP server, in any cut: wherever it is cut, the same requests are seen, and the connection
// comes to its end. The first octet says how long the pieces are.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/connection.h"

namespace {

using boost::asio::ip::tcp;
using namespace std::chrono_literals;

constexpr std::size_t longest_input = 64 * 1024;

void must(bool holds) {
  if (!holds) std::abort();
}

/// Notes the bodies of uploads.
class Sink final : public rw::http::BodySink {
 public:
  Sink(std::string& into, rw::http::Responder respond) : into_(into), respond_(std::move(respond)) {}
  void write(std::string piece, Next next) override {
    into_ += piece;
    next(true);
  }
  void finish() override { respond_({.status = 200, .headers = {}, .body = "ok", .source = {}}); }

 private:
  std::string& into_;
  rw::http::Responder respond_;
};

/// A server for one connection, and what it saw of it.
class Exchange {
 public:
  Exchange() : context_(std::make_shared<rw::http::ConnectionContext>()) {
    for (const auto* method : {"GET", "POST"}) {
      context_->router.add(method, "/a/{b}", [this](const auto& request, const rw::http::Responder& respond) {
        seen.push_back(request.method + " " + request.capture("b") + " " + request.body);
        respond({.status = 200, .headers = {}, .body = "ok", .source = {}});
      });
    }
    context_->router.add_upload(
        "PUT", "/u",
        [this](const auto& request, const rw::http::Responder& respond) {
          seen.push_back(request.method + " ");
          uploads_.push_back(std::make_unique<std::string>());
          return std::make_unique<Sink>(*uploads_.back(), respond);
        },
        longest_input);
  }

  void run(std::string_view octets, std::size_t piece) {
    tcp::acceptor acceptor(loop_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    tcp::socket client(loop_);
    client.connect(acceptor.local_endpoint());
    auto accepted = acceptor.accept();
    auto connection =
        rw::http::make_plain_connection(std::move(accepted), *rw::net::Address::parse("127.0.0.1:9"), context_);
    context_->open.add(connection, "127.0.0.1");
    connection->start();
    connection.reset();
    for (; !octets.empty() && !context_->open.empty(); octets.remove_prefix(std::min(piece, octets.size()))) {
      (void)::send(client.native_handle(), octets.data(), std::min(piece, octets.size()), MSG_NOSIGNAL);
      turn();
    }
    (void)::shutdown(client.native_handle(), SHUT_WR);
    const auto late = std::chrono::steady_clock::now() + 20s;
    while (!context_->open.empty()) {
      must(std::chrono::steady_clock::now() < late);
      drain(client.native_handle());
      loop_.restart();
      loop_.run_one_for(1ms);
    }
    for (const auto& upload : uploads_) seen.push_back(*upload);
  }

  std::vector<std::string> seen;

 private:
  void turn() {
    loop_.restart();
    while (loop_.poll() > 0) loop_.restart();
  }
  static void drain(int socket) {
    char buffer[4096];
    while (::recv(socket, buffer, sizeof buffer, MSG_DONTWAIT) > 0) {
    }
  }

  boost::asio::io_context loop_{1};
  std::shared_ptr<rw::http::ConnectionContext> context_;
  std::vector<std::unique_ptr<std::string>> uploads_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > longest_input) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  Exchange whole, cut;
  whole.run(octets, longest_input);
  cut.run(octets, std::max<std::size_t>(data[0], octets.size() / 2000 + 1));
  must(whole.seen == cut.seen);
  return 0;
}
