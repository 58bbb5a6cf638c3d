#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

/// Where requests in a dialog go, when what they went over before is no more.
class WaysTest : public ClientTest {
 protected:
  /// A call of theirs over a connection of theirs.
  LegId accept(const std::string& contact, const std::string& extra = {}) {
    theirs = hop(Transport::tcp, "192.0.2.9:40000");
    theirs.local = options.listeners.back().local;
    theirs.connection = 7;
    agent->receive(theirs,
                   "INVITE sip:ann@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9:5066;branch=z9hG4bK1\r\nFrom: "
                   "<sip:bob@x>;tag=b1\r\nTo: <sip:ann@x>\r\nCall-ID: theirs\r\nCSeq: 1 INVITE\r\nContact: " +
                       contact + "\r\n" + extra + "Content-Type: application/sdp\r\nContent-Length: " +
                       std::to_string(offer_sdp.size()) + "\r\n\r\n" + std::string(offer_sdp),
                   now);
    drain();
    ++legs_started;
    const auto leg = find<IncomingInvite>()->leg;
    agent->answer(leg, std::string(answer_sdp), {}, now);
    drain();
    tag = to_tag_of(sent.back());
    say("ACK", 1, theirs);
    return leg;
  }
  void say(const std::string& method, int cseq, const Flow& over) {
    agent->receive(over,
                   method + " sip:ann@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9:5066;branch=z9hG4bK" + method +
                       std::to_string(cseq) + "\r\nFrom: <sip:bob@x>;tag=b1\r\nTo: <sip:ann@x>;tag=" + tag +
                       "\r\nCall-ID: theirs\r\nCSeq: " + std::to_string(cseq) + " " + method +
                       "\r\nContent-Length: 0\r\n\r\n",
                   now);
    drain();
  }
  static std::string to_tag_of(const Message& message) { return tag_of(*message.header("To")); }
  void close(const Flow& flow) {
    agent->connection_closed(flow, now);
    drain();
  }
  void bye(LegId leg) {
    EXPECT_TRUE(agent->bye(leg, {}, now));
    drain();
  }
  void take_bye() { receive(response_to(last("BYE"), 200)); }
  void resolve(std::vector<Flow> hops) {
    ASSERT_FALSE(lookups.empty());
    agent->resolved(lookups.back().id, std::move(hops), now);
    drain();
  }

  Flow theirs;
  std::string tag;
};

TEST_F(WaysTest, AConnectionIsUsedWhileItLives) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>");
  bye(leg);
  EXPECT_EQ(flow_of("BYE").connection, 7U);
  take_bye();
}

TEST_F(WaysTest, WithoutItTheContactIsCalled) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>");
  close(theirs);
  bye(leg);
  EXPECT_EQ(flow_of("BYE").connection, 0U);
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "10.0.0.9:5062");
  EXPECT_EQ(flow_of("BYE").local, theirs.local);
  take_bye();
}

TEST_F(WaysTest, AContactThatNamesNoTransportIsCalledByUdp) {
  const auto leg = accept("<sip:bob@10.0.0.9>");
  close(theirs);
  bye(leg);
  EXPECT_EQ(flow_of("BYE").transport, Transport::udp);
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "10.0.0.9:5060");
  EXPECT_TRUE(last("BYE").header("Via")->starts_with("SIP/2.0/UDP")) << *last("BYE").header("Via");
  take_bye();
}

TEST_F(WaysTest, ButByTcpWhereThereIsNothingElse) {
  options.listeners.erase(options.listeners.begin());
  restart();
  const auto leg = accept("<sip:bob@10.0.0.9>");
  close(theirs);
  bye(leg);
  EXPECT_EQ(flow_of("BYE").transport, Transport::tcp);
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "10.0.0.9:5060");
  take_bye();
}

TEST_F(WaysTest, TheLossIsLearntFromTheRequestThatFails) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>");
  bye(leg);
  const auto first = last("BYE");
  close(flow_of("BYE"));
  EXPECT_EQ(count_sent("BYE"), 2U);
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "10.0.0.9:5062");
  EXPECT_NE(branch_of(last("BYE")), branch_of(first));
  EXPECT_NE(*last("BYE").header("CSeq"), *first.header("CSeq")) << "nobody knows whether the first one arrived";
  take_bye();
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(WaysTest, ANewConnectionOfTheirsIsTheWayFromThenOn) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>");
  close(theirs);
  auto again = theirs;
  again.connection = 8;
  say("INFO", 2, again);
  close(theirs);  // told late: that is the old one
  bye(leg);
  EXPECT_EQ(flow_of("BYE").connection, 8U);
  take_bye();
}

TEST_F(WaysTest, TheFirstRouteGoesBeforeTheContact) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>",
                          "Record-Route: <sip:192.0.2.50:5070;transport=tcp;lr>, <sip:192.0.2.51;lr>\r\n");
  close(theirs);
  bye(leg);
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "192.0.2.50:5070");
  EXPECT_EQ(last("BYE").headers("Route").size(), 2U);
  take_bye();
}

TEST_F(WaysTest, WhomNobodyCanReachIsLet) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>");
  close(theirs);
  bye(leg);
  close(flow_of("BYE"));
  ASSERT_EQ(count<Ended>(), 1U);
  EXPECT_EQ(find<Ended>()->status, 503);
}

TEST_F(WaysTest, AUriThatLeadsNowhereIsNoReasonToWait) {
  const auto leg = accept("<tel:+46701>");
  close(theirs);
  bye(leg);
  pass(seconds(1));
  EXPECT_EQ(count_sent("BYE"), 0U);
  ASSERT_EQ(count<Ended>(), 1U);
}

TEST_F(WaysTest, ANameIsLookedUp) {
  const auto leg = accept("<sip:bob@pbx.example;transport=tcp>");
  close(theirs);
  bye(leg);
  EXPECT_EQ(count_sent("BYE"), 0U);
  EXPECT_EQ(lookups.back().uri, "sip:pbx.example;transport=tcp");
  resolve({hop(Transport::tcp, "192.0.2.70:5060"), hop(Transport::tcp, "192.0.2.71:5060")});
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "192.0.2.70:5060");
  close(flow_of("BYE"));
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "192.0.2.71:5060");
  take_bye();
}

TEST_F(WaysTest, WhatWaitsForANameKeepsItsOrder) {
  const auto leg = call();
  reply(200, "b1", "Contact: <sip:bob@pbx.example>\r\n", answer_sdp);
  EXPECT_EQ(count_sent("ACK"), 0U);
  bye(leg);
  EXPECT_EQ(lookups.size(), 1U) << "one look-up is enough for both";
  resolve({hop(Transport::udp, "192.0.2.70:5060")});
  ASSERT_GE(sent.size(), 2U);
  EXPECT_EQ(sent[sent.size() - 2].method(), "ACK");
  EXPECT_EQ(sent.back().method(), "BYE");
  EXPECT_EQ(flow_of("ACK").remote.to_string(), "192.0.2.70:5060");
  take_bye();
}

TEST_F(WaysTest, ANameThatNobodyKnowsLeavesTheOldWay) {
  const auto leg = call();
  reply(200, "b1", "Contact: <sip:bob@pbx.invalid>\r\n", answer_sdp);
  pass(seconds(40));  // nobody answers the look-up
  EXPECT_EQ(flow_of("ACK").remote.to_string(), "192.0.2.9:5060");
  bye(leg);
  resolve({});
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "192.0.2.9:5060");
  take_bye();
}

TEST_F(WaysTest, AContactBehindAProxyThatRecordsNoRouteIsCalledDirectly) {
  wanted.target = "sip:bob@192.0.2.9;transport=tcp";
  const auto leg = call();
  reply(200, "b1", "Contact: <sip:bob@192.0.2.80:5062;transport=tcp>\r\n", answer_sdp);
  EXPECT_EQ(flow_of("ACK").remote.to_string(), "192.0.2.80:5062");
  bye(leg);
  close(flow_of("BYE"));  // nobody there: where the INVITE went, they may know more
  EXPECT_EQ(flow_of("BYE").remote.to_string(), "192.0.2.9:5060");
  take_bye();
}

TEST_F(WaysTest, AContactOnTheSameHostThatNamesNoTransportKeepsTheConnection) {
  wanted.target = "sip:bob@192.0.2.9;transport=tcp";
  const auto leg = call();
  reply(200, "b1", "Contact: <sip:bob@192.0.2.9:5062>\r\n", answer_sdp);
  EXPECT_EQ(flow_of("ACK").transport, Transport::tcp);
  EXPECT_EQ(flow_of("ACK").remote.to_string(), "192.0.2.9:5060");
  bye(leg);
  take_bye();
}

TEST_F(WaysTest, AResponseSaysWhereElseItMayGo) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>");
  const auto& answer = flows[static_cast<std::size_t>(std::ranges::find(sent, 200, &Message::status) - sent.begin())];
  EXPECT_EQ(answer.connection, 7U);
  EXPECT_EQ(answer.instead.to_string(), "192.0.2.9:5066");
  bye(leg);
  take_bye();
}

TEST_F(WaysTest, AReinviteTakesTheNextWayWithItsAck) {
  const auto leg = accept("<sip:bob@10.0.0.9:5062;transport=tcp>");
  EXPECT_TRUE(agent->offer(leg, std::string(offer_sdp), now));
  drain();
  const auto first = last("INVITE");
  close(flow_of("INVITE"));
  const auto second = last("INVITE");
  EXPECT_NE(*second.header("CSeq"), *first.header("CSeq"));
  receive(response_to(second, 200, "", "Contact: <sip:bob@10.0.0.9:5062;transport=tcp>\r\n", answer_sdp));
  EXPECT_EQ(count<OfferAnswered>(), 1U);
  const auto cseq = *second.header("CSeq");
  EXPECT_EQ(*last("ACK").header("CSeq"), cseq.substr(0, cseq.find(' ')) + " ACK");
  EXPECT_EQ(flow_of("ACK").remote.to_string(), "10.0.0.9:5062");
  receive(response_to(second, 200, "", "Contact: <sip:bob@10.0.0.9:5062;transport=tcp>\r\n", answer_sdp));
  EXPECT_EQ(count_sent("ACK"), 2U) << "again, since the 200 came again";
  bye(leg);
  take_bye();
}

}  // namespace
}  // namespace rw::sip
