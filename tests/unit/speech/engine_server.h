#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <cctype>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rw::speech {

/// A speech service on a port of its own that answers with whatever bytes the test wants, right or wrong. One
/// connection at a time, one request each.
class EngineServer {
 public:
  struct Request {
    std::string line;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    boost::json::object json() const { return boost::json::parse(body).as_object(); }
  };
  /// The whole answer, as bytes; sent, then the connection is closed.
  using Answer = std::function<std::string(const Request&)>;

  explicit EngineServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 16);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~EngineServer() {
    released_.set_value();
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  EngineServer(const EngineServer&) = delete;
  EngineServer& operator=(const EngineServer&) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + host(); }
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// An answer that never comes: waits until the test is over.
  std::string never() {
    over_.wait();
    return {};
  }

  static std::string ok(const std::string& body, const std::string& type = "application/octet-stream") {
    return answer("200 OK", body, type);
  }
  static std::string answer(const std::string& status, const std::string& body, const std::string& type,
                            const std::string& more = {}) {
    return "HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\n" + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
  }

 private:
  void serve() {
    for (;;) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      Request request;
      if (read(connection, request)) {
        {
          const std::lock_guard lock(mutex_);
          requests_.push_back(request);
        }
        const auto bytes = answer_(request);
        for (std::size_t at = 0; at < bytes.size();) {
          const auto sent = ::send(connection, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
          if (sent <= 0) break;
          at += static_cast<std::size_t>(sent);
        }
      }
      ::shutdown(connection, SHUT_WR);
      ::close(connection);
    }
  }

  static bool read(int connection, Request& request) {
    std::string bytes(65'536, '\0'), all;
    std::size_t head = std::string::npos, wanted = 0;
    while (head == std::string::npos || all.size() < head + 4 + wanted) {
      const auto got = ::recv(connection, bytes.data(), bytes.size(), 0);
      if (got <= 0) return false;
      all.append(bytes, 0, static_cast<std::size_t>(got));
      if (head != std::string::npos || (head = all.find("\r\n\r\n")) == std::string::npos) continue;
      parse_head(all.substr(0, head), request);
      if (request.headers.contains("content-length")) wanted = std::stoul(request.headers["content-length"]);
    }
    request.body = all.substr(head + 4);
    return true;
  }

  static void parse_head(const std::string& head, Request& request) {
    for (std::size_t at = 0; at < head.size();) {
      const auto end = std::min(head.find("\r\n", at), head.size());
      const auto line = head.substr(at, end - at);
      at = end + 2;
      const auto colon = line.find(": ");
      if (request.line.empty()) {
        request.line = line;
      } else if (colon != std::string::npos) {
        auto name = line.substr(0, colon);
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        request.headers[name] = line.substr(colon + 2);
      }
    }
  }

  Answer answer_;
  std::promise<void> released_;
  std::shared_future<void> over_{released_.get_future().share()};
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace rw::speech
