#include "http/server.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "http/answer_message.h"
#include "http/file_source.h"

namespace rw::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;

/// What a sink saw, for the test's thread.
class Upload {
 public:
  void add(std::string_view piece) {
    const std::lock_guard lock(mutex_);
    bytes_ += piece.size();
    largest_ = std::max(largest_, piece.size());
    ++pieces_;
  }
  void destroyed() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    changed_.notify_all();
  }
  void await_destruction() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return gone_; });
  }
  std::size_t bytes() {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }
  std::size_t largest() {
    const std::lock_guard lock(mutex_);
    return largest_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t bytes_ = 0, largest_ = 0, pieces_ = 0;
  bool gone_ = false;
};

/// Counts; asks for the next piece from another thread, as a sink that works on a pool does.
class CountingSink final : public BodySink {
 public:
  CountingSink(Upload& upload, Responder responder, std::size_t limit)
      : upload_(upload), responder_(std::move(responder)), limit_(limit) {}
  ~CountingSink() override { upload_.destroyed(); }
  void write(std::string piece, Next next) override {
    upload_.add(piece);
    const bool more = upload_.bytes() <= limit_;
    if (!more) responder_(Answer{.status = 415, .headers = {}, .body = "no", .source = {}});
    std::thread([next = std::move(next), more] { next(more); }).detach();
  }
  void finish() override { responder_(Answer{.status = 200, .headers = {}, .body = "done", .source = {}}); }

 private:
  Upload& upload_;
  Responder responder_;
  std::size_t limit_;
};

struct Reply {
  int status = 0;
  std::string head, body;
  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    options_.headers = {{"Access-Control-Allow-Origin", "*"}};
    options_.error = [](int status, std::string reason) {
      return Answer{.status = status, .headers = {}, .body = std::move(reason), .source = {}};
    };
    router_.add("GET", "/hello/{name}", [](const IncomingRequest& request, const Responder& respond) {
      respond(Answer{.status = 200, .headers = {{"X-Test", "1"}}, .body = request.capture("name"), .source = {}});
    });
    router_.add("POST", "/echo", [](IncomingRequest request, const Responder& respond) {
      respond(Answer{.status = 200, .headers = {}, .body = std::move(request.body), .source = {}});
    });
    router_.add(
        "POST", "/small", [](const IncomingRequest&, const Responder& respond) { respond({}); }, 10);
    router_.add("GET", "/later", [](const IncomingRequest&, const Responder& respond) {
      std::thread([respond] { respond(Answer{.status = 200, .headers = {}, .body = "later", .source = {}}); }).detach();
    });
    router_.add("GET", "/twice", [](const IncomingRequest&, const Responder& respond) {
      respond(Answer{.status = 200, .headers = {}, .body = "first", .source = {}});
      respond(Answer{.status = 200, .headers = {}, .body = "second", .source = {}});
    });
    router_.add("GET", "/dropped", [](const IncomingRequest&, const Responder&) {});
    router_.add("GET", "/parked",
                [this](const IncomingRequest&, Responder respond) { parked_.set_value(std::move(respond)); });
    router_.add("GET", "/file", [this](const IncomingRequest&, const Responder& respond) {
      auto source = FileSource::open(file_);
      respond(source ? Answer{.status = 200, .headers = {}, .body = {}, .source = *source}
                     : Answer{.status = 404, .headers = {}, .body = {}, .source = {}});
    });
    router_.add_upload(
        "PUT", "/upload",
        [this](const IncomingRequest& request, Responder respond) -> std::unique_ptr<BodySink> {
          if (request.header("X-Refuse")) {
            respond(Answer{.status = 401, .headers = {}, .body = "refused", .source = {}});
            return nullptr;
          }
          return std::make_unique<CountingSink>(upload_, std::move(respond), 4'000'000);
        },
        10'000'000);
  }

  void serve() {
    server_.emplace(loop_, std::move(router_), options_);
    const auto address = server_->listen(*net::Address::from("127.0.0.1", 0));
    ASSERT_TRUE(address) << address.error().message;
    port_ = address->port();
    thread_ = std::thread([this] { loop_.run(); });
  }

  ~ServerTest() override {
    if (server_) server_->stop(milliseconds(0));
    if (thread_.joinable()) thread_.join();
    if (!file_.empty()) ::unlink(file_.c_str());
  }

  tcp::socket connect() {
    tcp::socket socket(client_loop_);
    socket.connect({asio::ip::address_v4::loopback(), port_});
    return socket;
  }

  static void send(tcp::socket& socket, std::string_view text) {
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
  }

  /// One answer with a Content-Length; status 0 if the connection was closed.
  Reply receive(tcp::socket& socket, bool head_only = false) {
    Reply reply;
    boost::system::error_code error;
    const auto length = asio::read_until(socket, asio::dynamic_buffer(received_), "\r\n\r\n", error);
    if (error) return reply;
    reply.head = received_.substr(0, length);
    received_.erase(0, length);
    reply.status = std::stoi(reply.head.substr(9, 3));
    const auto at = reply.head.find("Content-Length: ");
    if (at == std::string::npos || head_only) return reply;
    const auto size = static_cast<std::size_t>(std::stoul(reply.head.substr(at + 16)));
    if (received_.size() < size)
      asio::read(socket, asio::dynamic_buffer(received_), asio::transfer_exactly(size - received_.size()), error);
    reply.body = received_.substr(0, size);
    received_.erase(0, std::min(size, received_.size()));
    return reply;
  }

  Reply ask(std::string_view request, bool head_only = false) {
    auto socket = connect();
    send(socket, request);
    return receive(socket, head_only);
  }

  static bool closed(tcp::socket& socket) {
    char byte = 0;
    boost::system::error_code error;
    asio::read(socket, asio::buffer(&byte, 1), error);
    return error == asio::error::eof || error == asio::error::connection_reset;
  }

  void make_file(std::size_t size) {
    char name[] = "/tmp/ringwright-http-XXXXXX";
    const int descriptor = mkstemp(name);
    file_ = name;
    content_.resize(size);
    for (std::size_t at = 0; at < size; ++at) content_[at] = static_cast<char>('a' + at % 26);
    ASSERT_EQ(::write(descriptor, content_.data(), size), static_cast<ssize_t>(size));
    ::close(descriptor);
  }

  asio::io_context loop_{1}, client_loop_;
  ServerOptions options_;
  Router router_;
  std::optional<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::string received_, file_, content_;
  Upload upload_;
  std::promise<Responder> parked_;
};

TEST_F(ServerTest, AnswersWithItsHeadersAndThoseOfTheHandler) {
  serve();
  const auto reply = ask("GET /hello/a%20b?x=1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "a b");
  EXPECT_TRUE(reply.has("X-Test: 1\r\n"));
  EXPECT_TRUE(reply.has("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_TRUE(reply.has("Date: "));
}

TEST_F(ServerTest, KeepsTheConnectionAndServesPipelinedRequestsInOrder) {
  serve();
  auto socket = connect();
  send(socket, "GET /later HTTP/1.1\r\nHost: h\r\n\r\nGET /hello/2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(socket).body, "later");
  EXPECT_EQ(receive(socket).body, "2");
  send(socket, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(receive(socket).body, "abc");
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
  serve();
  auto socket = connect();
  send(socket, "GET /hello/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(receive(socket).has("Connection: close"));
  EXPECT_TRUE(closed(socket));
}

TEST_F(ServerTest, OnlyTheFirstAnswerCounts) {
  serve();
  auto socket = connect();
  send(socket, "GET /twice HTTP/1.1\r\nHost: h\r\n\r\nGET /hello/next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(socket).body, "first");
  EXPECT_EQ(receive(socket).body, "next");
}

TEST_F(ServerTest, ADroppedResponderIs500) {
  serve();
  EXPECT_EQ(ask("GET /dropped HTTP/1.1\r\nHost: h\r\n\r\n").status, 500);
}

TEST_F(ServerTest, RefusesWhatItDoesNotServe) {
  serve();
  EXPECT_EQ(ask("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n").status, 404);
  const auto wrong_method = ask("DELETE /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_TRUE(wrong_method.has("Allow: POST\r\n"));
  EXPECT_TRUE(wrong_method.has("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_EQ(ask("GET /hello/%zz HTTP/1.1\r\nHost: h\r\n\r\n").status, 400);
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  serve();
  for (const auto* text :
       {"\r\n\r\nrubbish\r\n\r\n", "GET\r\n\r\n", "GET /hello/1 HTTP/1.1\r\n\r\n",
        "GET /hello/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /hello/1 HTTP/1.1\r\nHost h\r\n\r\n",
        "GET host:1 HTTP/1.1\r\nHost: h\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"}) {
    EXPECT_EQ(ask(text).status, 400) << text;
    received_.clear();
  }
}

TEST_F(ServerTest, BoundsTheHead) {
  serve();
  EXPECT_EQ(ask("GET /hello/1 HTTP/1.1\r\nHost: h\r\nX-Long: " + std::string(20'000, 'x') + "\r\n\r\n").status, 431);
}

TEST_F(ServerTest, BoundsTheBody) {
  serve();
  EXPECT_EQ(ask("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789").status, 200);
  EXPECT_EQ(ask("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n0123456789a").status, 413);
  EXPECT_EQ(ask("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999\r\n\r\n").status, 413);
  EXPECT_EQ(ask("POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n")
                .status,
            413);
}

TEST_F(ServerTest, ReadsChunkedBodies) {
  serve();
  const auto reply =
      ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(reply.body, "abcde");
}

TEST_F(ServerTest, WhatFollowsABodyWithoutAnEndIsNoRequest) {
  serve();
  const std::string hidden = "GET /hello/hidden HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string head :
       {"Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n", "Transfer-Encoding: gzip\r\nContent-Length: 0\r\n",
        "Transfer-Encoding:\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"}) {
    auto socket = connect();
    send(socket, "POST /echo HTTP/1.1\r\nHost: h\r\n" + head + "\r\n" + hidden);
    const auto refused = receive(socket);
    EXPECT_EQ(refused.status, 400) << head;
    EXPECT_TRUE(refused.has("Connection: close")) << head;
    EXPECT_TRUE(closed(socket)) << head;
  }
  for (const std::string body : {"0\r\nabc\r\n0@\r\n\r\n", "0@\r\n\r\n", "1\nx\n0\n\n"}) {
    auto socket = connect();
    send(socket, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body + hidden);
    EXPECT_EQ(receive(socket).status, 400) << body;
    EXPECT_TRUE(closed(socket)) << body;
  }
  EXPECT_EQ(ask("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400);
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n").status, 501);
}

TEST_F(ServerTest, ARequestBehindChunksIsServed) {
  serve();
  auto socket = connect();
  send(socket, "PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n8000;a=b\r\n" +
                   std::string(32 * 1024, 'x') +
                   "\r\n0\r\nX-Trailer: 1\r\n\r\nGET /hello/next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(socket).status, 200);
  EXPECT_EQ(upload_.bytes(), 32U * 1024);
  EXPECT_EQ(receive(socket).body, "next");
}

TEST_F(ServerTest, ASlowHeadEndsTheConnection) {
  options_.header_timeout = milliseconds(20);
  serve();
  auto socket = connect();
  send(socket, "GET /hello/1 HTTP/1.1\r\nHost:");
  EXPECT_TRUE(closed(socket));
}

TEST_F(ServerTest, ALaterSlowHeadEndsTheConnectionAsSoon) {
  options_.header_timeout = milliseconds(20);
  options_.idle_timeout = milliseconds(5000);
  serve();
  auto socket = connect();
  send(socket, "GET /hello/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(socket).status, 200);
  const auto begun = std::chrono::steady_clock::now();
  send(socket, "G");
  EXPECT_TRUE(closed(socket));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, options_.idle_timeout / 2);
}

TEST_F(ServerTest, APeerThatDoesNotReadIsClosed) {
  options_.idle_timeout = milliseconds(20);
  make_file(16 << 20);  // more than the kernel takes
  serve();
  auto socket = connect();
  send(socket, "GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
  // What is to be seen of it without reading: the connection has come to its end.
  char byte = 0;
  boost::system::error_code error;
  while (!error) {
    std::this_thread::sleep_for(milliseconds(1));
    asio::write(socket, asio::buffer(&byte, 1), error);
  }
  EXPECT_TRUE(error == asio::error::connection_reset || error == asio::error::broken_pipe) << error.message();
}

TEST_F(ServerTest, ASlowBodyEndsTheConnection) {
  options_.body_timeout = milliseconds(20);
  serve();
  auto socket = connect();
  send(socket, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_TRUE(closed(socket));
}

TEST_F(ServerTest, ABodyThatTakesTooLongAsAWholeIs408) {
  options_.upload_timeout = milliseconds(0);
  serve();
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").status, 408);
}

TEST_F(ServerTest, ABodyThatDripsIs408) {
  options_.rate_patience = milliseconds(-1);
  serve();
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").status, 408);
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  options_.idle_timeout = milliseconds(20);
  serve();
  auto socket = connect();
  send(socket, "GET /hello/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(socket).status, 200);
  EXPECT_TRUE(closed(socket));
}

TEST_F(ServerTest, ConnectionsBeyondTheLimitWait) {
  options_.max_connections = 1;
  serve();
  auto first = connect();
  send(first, "GET /hello/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(first).status, 200);
  auto second = connect();
  send(second, "GET /hello/2 HTTP/1.1\r\nHost: h\r\n\r\n");
  first.close();
  EXPECT_EQ(receive(second).body, "2");
}

TEST_F(ServerTest, HeadHasNoBody) {
  serve();
  auto socket = connect();
  send(socket, "HEAD /hello/abc HTTP/1.1\r\nHost: h\r\n\r\nGET /hello/2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(receive(socket, true).has("Content-Length: 3\r\n"));
  EXPECT_EQ(receive(socket).body, "2");
}

TEST_F(ServerTest, SendsFilesInPieces) {
  make_file(300'000);
  serve();
  const auto reply = ask("GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, content_);
  EXPECT_TRUE(reply.has("Accept-Ranges: bytes"));
}

TEST_F(ServerTest, SendsEmptyFiles) {
  make_file(0);
  serve();
  auto socket = connect();
  send(socket, "GET /file HTTP/1.1\r\nHost: h\r\n\r\nGET /hello/2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(socket).body, "");
  EXPECT_EQ(receive(socket).body, "2");
}

TEST_F(ServerTest, SendsRangesOfFiles) {
  make_file(100'000);
  serve();
  const auto part = ask("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=1000-50999\r\n\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, content_.substr(1000, 50'000));
  EXPECT_TRUE(part.has("Content-Range: bytes 1000-50999/100000"));
  const auto beyond = ask("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=100000-\r\n\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_TRUE(beyond.has("Content-Range: bytes */100000"));
}

TEST_F(ServerTest, AnUploadArrivesInPieces) {
  serve();
  const std::string body(3'000'000, 'x');
  const auto reply = ask("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + body);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(upload_.bytes(), body.size());
  EXPECT_LE(upload_.largest(), 32U * 1024);
}

TEST_F(ServerTest, AnUploadMayWaitForContinue) {
  serve();
  auto socket = connect();
  send(socket, "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(receive(socket).status, 100);
  send(socket, "abc");
  EXPECT_EQ(receive(socket).status, 200);
}

TEST_F(ServerTest, ARefusedUploadIsNotRead) {
  serve();
  auto socket = connect();
  send(socket, "PUT /upload HTTP/1.1\r\nHost: h\r\nX-Refuse: 1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(receive(socket).status, 401);
}

TEST_F(ServerTest, ASinkCanStopAnUpload) {
  serve();
  const std::string body(6'000'000, 'x');
  const auto reply = ask("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 6000000\r\n\r\n" + body);
  EXPECT_EQ(reply.status, 415);
  EXPECT_EQ(reply.body, "no");
}

TEST_F(ServerTest, AnUploadNeedsALengthWithinTheLimit) {
  serve();
  EXPECT_EQ(ask("PUT /upload HTTP/1.1\r\nHost: h\r\n\r\n").status, 411);
  EXPECT_EQ(ask("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 10000001\r\n\r\n").status, 413);
}

TEST_F(ServerTest, ABrokenOffUploadIsDropped) {
  serve();
  {
    auto socket = connect();
    send(socket, "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(200'000, 'x'));
  }
  upload_.await_destruction();
}

TEST_F(ServerTest, StoppingLetsTheExchangeUnderWayFinish) {
  serve();
  auto idle = connect();
  send(idle, "GET /hello/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receive(idle).status, 200);
  auto busy = connect();
  send(busy, "GET /parked HTTP/1.1\r\nHost: h\r\n\r\n");
  auto respond = parked_.get_future().get();
  server_->stop(milliseconds(60'000));
  EXPECT_TRUE(closed(idle));
  respond(Answer{.status = 200, .headers = {}, .body = "in the end", .source = {}});
  const auto reply = receive(busy);
  EXPECT_EQ(reply.body, "in the end");
  EXPECT_TRUE(reply.has("Connection: close"));
  thread_.join();  // nothing is left
}

TEST_F(ServerTest, StoppingEndsWhatDoesNotFinish) {
  serve();
  auto busy = connect();
  send(busy, "GET /parked HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto respond = parked_.get_future().get();
  server_->stop(milliseconds(1));
  EXPECT_TRUE(closed(busy));
  thread_.join();
  respond(Answer{});  // too late, and harmless
}

TEST(HttpDate, IsInTheFormOfTheRfc) {
  EXPECT_EQ(http_date(std::chrono::system_clock::from_time_t(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Listen, AnAddressThatCannotBeBoundIsNamed) {
  asio::io_context loop;
  Server server(loop, {}, {});
  const auto address = server.listen(*net::Address::from("192.0.2.1", 80));
  ASSERT_FALSE(address);
  EXPECT_NE(address.error().message.find("192.0.2.1:80"), std::string::npos);
}

}  // namespace
}  // namespace rw::http
