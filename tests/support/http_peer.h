#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <thread>
#include <utility>

#include "http/server.h"

namespace rw::testing_support {

/// An HTTP server on loopback for what a test sends; runs until it is destroyed.
class HttpPeer {
 public:
  explicit HttpPeer(http::Router router, const std::string& ip = "127.0.0.1")
      : server_(loop_, std::move(router),
                {.headers = {},
                 .error =
                     [](int status, std::string reason) {
                       return http::Answer{.status = status, .headers = {}, .body = std::move(reason), .source = {}};
                     }}),
        address_(*server_.listen(*net::Address::parse(ip + ":0"))),
        thread_([this] { loop_.run(); }) {}
  ~HttpPeer() {
    server_.stop(std::chrono::milliseconds(0));
    thread_.join();
  }
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  std::string host() const { return address_.to_string(); }
  std::string url(const std::string& path = "") const { return "http://" + host() + path; }

 private:
  boost::asio::io_context loop_{1};
  http::Server server_;
  net::Address address_;
  std::thread thread_;
};

/// A plain answer.
inline http::Answer answer(int status, std::string body = {},
                           std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body), .source = {}};
}

}  // namespace rw::testing_support
