#include "http/client.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/executor_work_guard.hpp>
#include <mutex>

#include "media/file_descriptor.h"
#include "support/http_peer.h"

namespace rw::http {
namespace {

using std::chrono::milliseconds;
using testing_support::answer;
using Outcome = tl::expected<ClientResponse, ClientError>;

constexpr const char* refused = "its address is not one that may be used";

net::AddressPolicy also(const char* network) {
  return net::AddressPolicy({*net::Network::parse(network)});
}

/// Listens at a port of loopback and only tells whether anybody came.
class Trap {
 public:
  Trap() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ":" + std::to_string(ntohs(address.sin_port)) + "/";
    EXPECT_EQ(::fcntl(socket_.get(), F_SETFL, O_NONBLOCK), 0);
  }
  std::string url(const std::string& host) const { return "http://" + host + port_; }
  bool sprung() const { return media::FileDescriptor(::accept(socket_.get(), nullptr, nullptr)).get() >= 0; }

 private:
  media::FileDescriptor socket_;
  std::string port_;
};

class ClientTest : public testing::Test {
 protected:
  static Router routes(std::mutex& mutex, std::vector<Responder>& parked) {
    Router router;
    router.add("POST", "/hello", [](const IncomingRequest& request, const Responder& respond) {
      respond(answer(200, "hello " + request.body + std::string(request.header("Authorization").value_or(""))));
    });
    router.add("POST", "/moved", [](const IncomingRequest&, const Responder& respond) {
      respond(answer(307, "", {{"Location", "/hello"}}));
    });
    router.add("POST", "/big", [](const IncomingRequest&, const Responder& respond) {
      respond(answer(200, std::string(Client::max_body + 1, 'x')));
    });
    router.add("POST", "/never", [&](const IncomingRequest&, Responder respond) {
      const std::lock_guard lock(mutex);
      parked.push_back(std::move(respond));
    });
    return router;
  }

  Outcome post(Client& client, const std::string& url, bool trusted = false, milliseconds time = milliseconds(8000)) {
    std::optional<Outcome> come;
    ClientRequest request;
    request.url = url;
    request.body = "you";
    request.trusted = trusted;
    request.total_timeout = time;
    client.post(std::move(request), [&](Outcome result) { come = std::move(result); });
    EXPECT_FALSE(come) << "the handler is not called from inside post()";
    while (!come) loop.run_one();
    return *come;
  }

  ClientLibrary library;
  std::mutex mutex;
  std::vector<Responder> parked;  ///< of requests that are never answered
  testing_support::HttpPeer peer{routes(mutex, parked)};
  boost::asio::io_context loop{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{loop.get_executor()};
  Client outside{loop, net::AddressPolicy({})};
  Client inside{loop, also("127.0.0.0/8")};
};

TEST_F(ClientTest, ConnectsToNoAddressThatThePolicyRefuses) {
  const Trap trap;
  for (const auto* host : {"127.0.0.1",
                           "127.1",
                           "0.0.0.0",
                           "0",
                           "2130706433",
                           "0x7f000001",
                           "0x7f.1",
                           "0177.0.0.1",
                           "017700000001",
                           "localhost",
                           "%31%32%37.0.0.1",
                           "[::1]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]",
                           "169.254.169.254",
                           "[64:ff9b::a9fe:a9fe]",
                           "[fe80::1]",
                           "[fd00::1]",
                           "10.0.0.1",
                           "172.16.0.1",
                           "192.168.0.1",
                           "100.64.0.1",
                           "224.0.0.1",
                           "255.255.255.255"}) {
    const auto result = post(outside, trap.url(host));
    ASSERT_FALSE(result) << host;
    EXPECT_EQ(result.error().message, refused) << host;
    EXPECT_EQ(result.error().kind, ClientError::Kind::unreachable) << host;
  }
  EXPECT_FALSE(trap.sprung());
}

TEST_F(ClientTest, ConnectsWhereThePolicyAllows) {
  EXPECT_EQ(post(inside, peer.url("/hello"))->body, "hello you");
  const auto port = peer.host().substr(peer.host().find(':'));
  for (const auto* host : {"localhost", "2130706433", "[::ffff:127.0.0.1]"})
    EXPECT_EQ(post(inside, "http://" + (host + port) + "/hello")->body, "hello you") << host;
  Client narrow(loop, also("127.0.0.2/32"));
  EXPECT_EQ(post(narrow, peer.url("/hello")).error().message, refused);
}

TEST_F(ClientTest, TheOperatorsUrlLeadsAnywhere) {
  EXPECT_EQ(post(outside, peer.url("/hello"), true)->body, "hello you");
}

TEST_F(ClientTest, AConnectionForTheOperatorsUrlServesNoOther) {
  ASSERT_EQ(post(outside, peer.url("/hello"), true)->status, 200);  // and is kept open
  EXPECT_EQ(post(outside, peer.url("/hello")).error().message, refused);
  EXPECT_EQ(post(outside, peer.url("/hello"), true)->status, 200);
}

TEST_F(ClientTest, OnlyTheOperatorsUrlMayHaveAUserAndAPassword) {
  const auto url = "http://user:password@" + peer.host() + "/hello";
  EXPECT_EQ(post(inside, url, true)->body, "hello youBasic dXNlcjpwYXNzd29yZA==");
  EXPECT_FALSE(post(inside, url));
}

TEST_F(ClientTest, FollowsNoRedirect) {
  const auto moved = post(inside, peer.url("/moved"));
  EXPECT_EQ(moved->status, 307);
  EXPECT_EQ(moved->body, "");
}

TEST_F(ClientTest, TakesNothingButHttp) {
  for (const auto* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/", ""}) {
    EXPECT_FALSE(post(inside, url)) << url;
    EXPECT_FALSE(post(inside, url, true)) << url;
  }
}

TEST_F(ClientTest, BoundsTheAnswerAndItsTime) {
  EXPECT_EQ(post(inside, peer.url("/big")).error().kind, ClientError::Kind::too_large);
  EXPECT_EQ(post(inside, peer.url("/never"), false, milliseconds(30)).error().kind, ClientError::Kind::timed_out);
}

TEST_F(ClientTest, WhatIsCancelledIsNotToldOf) {
  for (const bool trusted : {false, true}) {
    ClientRequest request;
    request.url = peer.url("/never");
    request.trusted = trusted;
    const auto id = inside.post(request, [](const Outcome&) { ADD_FAILURE(); });
    EXPECT_EQ(inside.in_flight(), 1U);
    inside.cancel(id);
    EXPECT_EQ(inside.in_flight(), 0U);
    EXPECT_EQ(post(inside, peer.url("/hello"), trusted)->status, 200);
  }
}

}  // namespace
}  // namespace rw::http
