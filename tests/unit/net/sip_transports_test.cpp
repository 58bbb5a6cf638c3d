#include "net/sip_transports.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <optional>

namespace rw::net {
namespace {

using Hop = SipTransports::Hop;
using Protocol = SipTransports::Protocol;

/// Two ends on one loop; messages end with a line feed.
class SipTransportsTest : public testing::Test {
 protected:
  struct End {
    explicit End(boost::asio::io_context& loop)
        : transports(loop, {[this](const Hop& hop, std::string_view bytes) {
                              last = hop;
                              received += bytes;
                            },
                            [this](const Hop& hop) { closed.push_back(hop); },
                            [](std::string_view bytes) -> Result<std::size_t> {
                              return bytes.find('\n') + 1;  // npos + 1: not complete
                            }}) {}
    std::string received;
    std::optional<Hop> last;
    std::vector<Hop> closed;
    SipTransports transports;
  };

  ~SipTransportsTest() override {
    ours.transports.stop();
    theirs.transports.stop();
    loop.poll();
  }
  void until(const std::function<bool()>& condition) {
    while (!condition()) loop.run_one();
  }

  boost::asio::io_context loop;
  End ours{loop}, theirs{loop};
};

TEST_F(SipTransportsTest, OpensAConnectionAndUsesItAgain) {
  const auto local = *ours.transports.listen(Protocol::tcp, *Address::parse("127.0.0.2:0"));
  const auto remote = *theirs.transports.listen(Protocol::tcp, *Address::parse("127.0.0.1:0"));
  ours.transports.send({Protocol::tcp, local, remote, 0}, "one\n");
  ours.transports.send({Protocol::tcp, local, remote, 0}, "two\n");
  until([&] { return theirs.received == "one\ntwo\n"; });
  EXPECT_EQ(theirs.last->remote.host(), "127.0.0.2") << "we come from the address that we listen on";
  EXPECT_EQ(theirs.last->connection, 1U) << "there is but one connection";
  theirs.transports.send(*theirs.last, "answer\n");
  until([&] { return ours.received == "answer\n"; });
  EXPECT_EQ(ours.last->remote, remote);
  EXPECT_EQ(ours.last->local, local);
  ours.transports.send(*ours.last, "three\n");
  until([&] { return theirs.received == "one\ntwo\nthree\n"; });
  EXPECT_EQ(theirs.last->connection, 1U);
}

TEST_F(SipTransportsTest, AConnectionThatIsRefusedIsReported) {
  boost::asio::ip::tcp::acceptor nobody(loop);
  nobody.open(boost::asio::ip::tcp::v4());
  nobody.bind({boost::asio::ip::address_v4::loopback(), 0});  // bound, but not listening
  const auto remote = *Address::from("127.0.0.1", nobody.local_endpoint().port());
  ours.transports.send({Protocol::tcp, *Address::parse("127.0.0.1:5060"), remote, 0}, "one\n");
  EXPECT_TRUE(ours.closed.empty()) << "never from inside";
  until([&] { return !ours.closed.empty(); });
  EXPECT_EQ(ours.closed.front().remote, remote);
  EXPECT_EQ(ours.closed.front().protocol, Protocol::tcp);
}

TEST_F(SipTransportsTest, ALostConnectionIsReportedAndOpenedAnewAtNeed) {
  const auto remote = *theirs.transports.listen(Protocol::tcp, *Address::parse("127.0.0.1:0"));
  ours.transports.send({Protocol::tcp, {}, remote, 0}, "one\n");
  until([&] { return theirs.received == "one\n"; });
  ours.transports.send({Protocol::tcp, {}, remote, 0}, std::string(2 * 1024 * 1024, 'x'));  // more than may wait
  until([&] { return !ours.closed.empty(); });
  const auto lost = ours.closed.front();
  EXPECT_NE(lost.connection, 0U);
  ours.transports.send({Protocol::tcp, {}, remote, 0}, "two\n");
  until([&] { return theirs.received == "one\ntwo\n"; });
}

TEST_F(SipTransportsTest, AConnectionThatHasGoneIsReportedOrReplaced) {
  const auto remote = *theirs.transports.listen(Protocol::tcp, *Address::parse("127.0.0.1:0"));
  const Hop gone{Protocol::tcp, {}, *Address::parse("127.0.0.1:9"), 4711};
  ours.transports.send(gone, "lost\n");
  until([&] { return !ours.closed.empty(); });
  EXPECT_EQ(ours.closed.front().connection, 4711U);
  auto replaced = gone;
  replaced.instead = remote;
  ours.transports.send(replaced, "one\n");
  until([&] { return theirs.received == "one\n"; });
}

TEST_F(SipTransportsTest, WhatWaitedOnAConnectionGoesOverAnotherOne) {
  boost::asio::ip::tcp::acceptor nobody(loop);
  nobody.open(boost::asio::ip::tcp::v4());
  nobody.bind({boost::asio::ip::address_v4::loopback(), 0});
  const auto remote = *theirs.transports.listen(Protocol::tcp, *Address::parse("127.0.0.1:0"));
  Hop hop{Protocol::tcp, {}, *Address::from("127.0.0.1", nobody.local_endpoint().port()), 0};
  ours.transports.send(hop, "nowhere else\n");
  hop.instead = remote;
  ours.transports.send(hop, "one\n");
  until([&] { return theirs.received == "one\n" && !ours.closed.empty(); });
}

TEST_F(SipTransportsTest, AnIPv6PeerIsReachedToo) {
  const auto remote = theirs.transports.listen(Protocol::tcp, *Address::parse("[::1]:0"));
  if (!remote) GTEST_SKIP() << "no IPv6 here";
  ours.transports.send({Protocol::tcp, *Address::parse("127.0.0.1:5060"), *remote, 0}, "one\n");
  until([&] { return theirs.received == "one\n"; });
}

}  // namespace
}  // namespace rw::net
