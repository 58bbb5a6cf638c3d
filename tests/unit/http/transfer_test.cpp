#include "http/transfer.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <mutex>
#include <thread>

#include "media/file_descriptor.h"
#include "support/http_peer.h"

namespace rw::http {
namespace {

using std::chrono::milliseconds;
using testing_support::answer;

class TransferTest : public testing::Test {
 protected:
  static Router routes(std::mutex& mutex, std::vector<Responder>& parked) {
    Router router;
    router.add("GET", "/hello", [](const IncomingRequest& request, const Responder& respond) {
      respond(answer(200, "hello " + std::string(request.header("X-Who").value_or("nobody")), {{"X-Test", "one"}}));
    });
    router.add("GET", "/missing", [](const IncomingRequest&, const Responder& respond) { respond(answer(404, "no")); });
    router.add("GET", "/big", [](const IncomingRequest&, const Responder& respond) {
      respond(answer(200, std::string(100'000, 'x')));
    });
    router.add("GET", "/hop/{count}", [](const IncomingRequest& request, const Responder& respond) {
      const int left = std::stoi(request.capture("count"));
      respond(answer(302, "moved", {{"Location", left == 0 ? "/hello" : "/hop/" + std::to_string(left - 1)}}));
    });
    router.add("GET", "/to/{host}", [](const IncomingRequest& request, const Responder& respond) {
      respond(answer(302, "", {{"Location", "http://" + request.capture("host") + "/hello"}}));
    });
    router.add("GET", "/inside", [](const IncomingRequest&, const Responder& respond) {
      respond(answer(302, "", {{"Location", "file:///etc/passwd"}}));
    });
    router.add("GET", "/never", [&](const IncomingRequest&, Responder respond) {
      const std::lock_guard lock(mutex);
      parked.push_back(std::move(respond));
    });
    for (const auto* method : {"PUT", "POST", "DELETE"}) {
      router.add(method, "/echo", [method](const IncomingRequest& request, const Responder& respond) {
        respond(answer(200, method + (" " + std::to_string(request.body.size())) + " " +
                                std::string(request.header("Content-Length").value_or("none"))));
      });
    }
    return router;
  }

  tl::expected<TransferResponse, ClientError> get(const std::string& path, TransferRequest request = {}) {
    request.url = peer.url(path);
    return transfers.run(request);
  }

  ClientLibrary library;
  std::mutex mutex;
  std::vector<Responder> parked;  ///< of requests that are never answered
  testing_support::HttpPeer peer{routes(mutex, parked)};
  Transfers transfers;
};

TEST_F(TransferTest, AnyStatusIsAResponse) {
  TransferRequest request;
  request.headers = {"X-Who: there"};
  const auto found = get("/hello", request);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->status, 200);
  EXPECT_EQ(found->body, "hello there");
  EXPECT_EQ(found->header("x-test"), "one");
  EXPECT_FALSE(found->header("x-other"));
  EXPECT_TRUE(found->complete);
  const auto missing = get("/missing");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(missing->body, "no");
}

TEST_F(TransferTest, FollowsAsManyRedirectsAsAreAllowed) {
  TransferRequest request;
  EXPECT_EQ(get("/hop/0", request)->status, 302);  // none
  request.most_redirects = 3;
  const auto found = get("/hop/2", request);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->body, "hello nobody");
  EXPECT_FALSE(found->header("location"));  // of the last answer only
  EXPECT_FALSE(get("/hop/3", request));
  EXPECT_FALSE(get("/inside", request));  // another scheme
}

TEST_F(TransferTest, HeadersOfARedirectAreNotTheAnswers) {
  TransferRequest request;
  request.most_redirects = 5;
  std::vector<int> seen;
  request.headers_came = [&](const TransferResponse& response) {
    seen.push_back(response.status);
    return true;
  };
  ASSERT_TRUE(get("/hop/1", request));
  EXPECT_EQ(seen, std::vector<int>{200});
}

TEST_F(TransferTest, BoundsTheAnswer) {
  TransferRequest request;
  request.most_bytes = 99'999;
  const auto refused = get("/big", request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ClientError::Kind::too_large);
  request.most_bytes = 100'000;
  EXPECT_EQ(get("/big", request)->body.size(), 100'000U);
}

TEST_F(TransferTest, HandsOverPieceByPieceUntilThereIsEnough) {
  std::string got;
  TransferRequest request;
  request.take = [&](std::span<const char> piece) {
    got.append(piece.data(), piece.size());
    return true;
  };
  const auto whole = get("/big", request);
  ASSERT_TRUE(whole);
  EXPECT_EQ(got.size(), 100'000U);
  EXPECT_TRUE(whole->body.empty());
  request.take = [](std::span<const char>) { return false; };
  const auto part = get("/big", request);
  ASSERT_TRUE(part);
  EXPECT_FALSE(part->complete);
  request.take = nullptr;
  request.headers_came = [](const TransferResponse&) { return false; };
  const auto head = get("/big", request);
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->complete);
  // What is not wanted of an error stays with the response.
  request.headers_came = nullptr;
  request.take = [](std::span<const char>) -> bool { throw std::logic_error("not for errors"); };
  EXPECT_EQ(get("/missing", request)->body, "no");
}

TEST_F(TransferTest, SendsWhatItReads) {
  TransferRequest request;
  request.method = "PUT";
  request.upload_size = 300'000;
  request.upload = [left = 300'000UL](std::span<char> into) mutable {
    const auto count = std::min(into.size(), left);
    std::fill_n(into.begin(), count, 'u');
    left -= count;
    return count;
  };
  EXPECT_EQ(get("/echo", request)->body, "PUT 300000 300000");
}

TEST_F(TransferTest, AnUploadThatEndsEarlyIsAnError) {
  TransferRequest request;
  request.method = "PUT";
  request.upload_size = 1000;
  request.upload = [](std::span<char>) -> std::size_t { return 0; };
  request.stall_timeout = std::chrono::seconds(1);
  EXPECT_FALSE(get("/echo", request));
}

TEST_F(TransferTest, KnowsTheMethods) {
  TransferRequest request;
  request.body = "body";
  request.method = "POST";
  EXPECT_EQ(get("/echo", request)->body, "POST 4 4");
  request.method = "PUT";
  EXPECT_EQ(get("/echo", request)->body, "PUT 4 4");
  request.body = "";
  EXPECT_EQ(get("/echo", request)->body, "PUT 0 0");
  request.method = "DELETE";
  EXPECT_TRUE(get("/echo", request)->body.starts_with("DELETE 0"));
  request.method = "HEAD";
  const auto head = get("/big", request);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("content-length"), "100000");
  EXPECT_TRUE(head->body.empty());
}

TEST_F(TransferTest, GivesUpOnASilentPeer) {
  TransferRequest request;
  request.stall_timeout = std::chrono::seconds(1);
  const auto stalled = get("/never", request);
  ASSERT_FALSE(stalled);
  EXPECT_EQ(stalled.error().kind, ClientError::Kind::timed_out);
  request.stall_timeout = std::chrono::seconds(30);
  request.total_timeout = milliseconds(200);
  EXPECT_EQ(get("/never", request).error().kind, ClientError::Kind::timed_out);
}

TEST_F(TransferTest, CanBeGivenUp) {
  std::atomic<bool> cancel{false};
  TransferRequest request;
  request.cancel = &cancel;
  request.stall_timeout = std::chrono::seconds(60);
  request.total_timeout = milliseconds(60'000);
  auto ended = std::async(std::launch::async, [&] { return get("/never", request); });
  cancel = true;
  const auto result = ended.get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "it was given up");
}

TEST_F(TransferTest, AConnectionThatIsRefusedIsUnreachable) {
  const media::FileDescriptor bound(::socket(AF_INET, SOCK_STREAM, 0));  // a port that nobody listens at
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(bound.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(::getsockname(bound.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  TransferRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/?secret=x";
  const auto refused = transfers.run(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ClientError::Kind::unreachable);
  EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
}

/// Answers one request with `answer`, in parts of `part` octets, and closes.
tl::expected<TransferResponse, ClientError> answered_with(Transfers& transfers, std::string_view answer,
                                                          std::size_t part) {
  namespace asio = boost::asio;
  asio::io_context loop;
  asio::ip::tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
  TransferRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
  auto ended = std::async(std::launch::async, [&] { return transfers.run(request); });
  auto socket = acceptor.accept();
  socket.set_option(asio::ip::tcp::no_delay(true));
  std::string head;
  asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n");
  boost::system::error_code closed;
  for (; !answer.empty() && !closed; answer.remove_prefix(std::min(part, answer.size())))
    asio::write(socket, asio::buffer(answer.substr(0, part)), closed);
  socket.shutdown(asio::ip::tcp::socket::shutdown_send, closed);
  return ended.get();
}

TEST_F(TransferTest, ABodyWithoutItsEndIsNoResponseHoweverItIsCut) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::size_t part : {1U, 1000U}) {
    const auto whole = answered_with(transfers, chunked + "3;x\r\nabc\r\n0\r\nA: b\r\n\r\n", part);
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(whole->body, "abc");
    for (const auto* body : {"3\r\nabc\r\n", "3\r\nabc\r\n0\r\n", "3\r\nabcd\r\n0\r\n\r\n", "zz\r\nabc\r\n0\r\n\r\n"})
      EXPECT_FALSE(answered_with(transfers, chunked + body, part)) << body;
    for (const auto* coding : {"xchunked", "\"chunked\"", "chunked, gzip"})
      EXPECT_FALSE(answered_with(
          transfers, std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: ") + coding + "\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          part))
          << coding;
    EXPECT_FALSE(answered_with(transfers, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", part));
  }
}

TEST_F(TransferTest, ThePolicyHoldsForEachConnection) {
  const net::AddressPolicy outside({});
  TransferRequest request;
  request.policy = &outside;
  const auto refused = get("/hello", request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "its address is not one that may be used");
  request.url = "http://localhost" + peer.host().substr(peer.host().find(':')) + "/hello";
  EXPECT_FALSE(transfers.run(request));  // by whatever name
  const net::AddressPolicy inside({*net::Network::parse("127.0.0.0/8")});
  request.policy = &inside;
  ASSERT_TRUE(get("/hello", request));
  // The connection that is kept open now was allowed to that request only.
  request.policy = &outside;
  EXPECT_FALSE(get("/hello", request));
}

TEST_F(TransferTest, ARedirectUsesNoConnectionThatAnotherRequestOpened) {
  const net::AddressPolicy second({*net::Network::parse("127.0.0.2/32")});
  TransferRequest request;
  ASSERT_TRUE(get("/hello", request));  // any address; the connection is kept open
  request.policy = &second;
  request.most_redirects = 1;
  testing_support::HttpPeer entry{routes(mutex, parked), "127.0.0.2"};
  request.url = entry.url("/hello");
  ASSERT_TRUE(transfers.run(request));
  request.url = entry.url("/to/" + peer.host());
  const auto refused = transfers.run(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "its address is not one that may be used");
}

TEST_F(TransferTest, RefusesWhatIsNoHttp) {
  TransferRequest request;
  for (const auto* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "nonsense", ""}) {
    request.url = url;
    EXPECT_FALSE(transfers.run(request)) << url;
  }
  request.url = peer.url("/" + std::string(longest_url, 'a'));
  EXPECT_FALSE(transfers.run(request));
}

}  // namespace
}  // namespace rw::http
