#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

class OutgoingInviteTest : public ClientTest {};

TEST_F(OutgoingInviteTest, ACallIsPlacedAnsweredAndHungUp) {
  const auto leg = call();
  const auto& invite = last("INVITE");
  EXPECT_EQ(invite.request_uri(), "sip:bob@192.0.2.9");
  EXPECT_EQ(invite.body(), offer_sdp);
  EXPECT_TRUE(invite.header("Call-ID")->starts_with("s7"));
  EXPECT_EQ(agent->call_id(leg), *invite.header("Call-ID"));
  EXPECT_TRUE(tag_of(*invite.header("From")).starts_with("s7"));
  EXPECT_TRUE(branch_of(invite).starts_with("branch=z9hG4bKs7"));
  EXPECT_TRUE(invite.header("Via")->starts_with("SIP/2.0/UDP 192.0.2.1:5060;"));
  EXPECT_EQ(*invite.header("Contact"), "<sip:ann@192.0.2.1:5060>");
  EXPECT_EQ(*invite.header("From"), "\"Ann\" <sip:ann@example.com>;tag=" + tag_of(*invite.header("From")));
  EXPECT_EQ(flow_of("INVITE").remote, *net::Address::parse("192.0.2.9:5060"));

  reply(100, "");
  EXPECT_TRUE(events.empty());
  reply(180);
  ASSERT_NE(find<Progress>(), nullptr);
  EXPECT_EQ(find<Progress>()->status, 180);
  reply(200, "b1", {}, answer_sdp);
  ASSERT_NE(find<Answered>(), nullptr);
  EXPECT_EQ(find<Answered>()->sdp, answer_sdp);
  const auto& ack = last("ACK");
  EXPECT_EQ(ack.request_uri(), "sip:bob@192.0.2.9:5080");
  EXPECT_NE(branch_of(ack), branch_of(first("INVITE")));
  EXPECT_EQ(ack.header("CSeq")->substr(0, ack.header("CSeq")->find(' ')),
            first("INVITE").header("CSeq")->substr(0, first("INVITE").header("CSeq")->find(' ')));
  EXPECT_EQ(flow_of("ACK").remote, *net::Address::parse("192.0.2.9:5080"));

  EXPECT_TRUE(agent->bye(leg, "Q.850;cause=16", now));
  drain();
  EXPECT_EQ(*last("BYE").header("Reason"), "Q.850;cause=16");
  receive(response_to(last("BYE"), 200));
  EXPECT_EQ(find<Ended>()->cause, EndCause::local_bye);
}

TEST_F(OutgoingInviteTest, ARepeated2xxGetsTheSameAck) {
  establish();
  reply(200, "b1", {}, answer_sdp);
  EXPECT_EQ(count_sent("ACK"), 2U);
  EXPECT_EQ(branch_of(first("ACK")), branch_of(last("ACK")));
  EXPECT_EQ(count<Answered>(), 1U);
  hang_up();
}

TEST_F(OutgoingInviteTest, ARefusalEndsWithItsStatusPhraseAndReason) {
  call();
  reply(486, "b1", "Reason: Q.850;cause=17\r\n");
  ASSERT_NE(find<Ended>(), nullptr);
  EXPECT_EQ(find<Ended>()->cause, EndCause::failed);
  EXPECT_EQ(find<Ended>()->status, 486);
  EXPECT_EQ(find<Ended>()->phrase, "Busy Here");
  EXPECT_EQ(find<Ended>()->reason, "Q.850;cause=17");
  EXPECT_EQ(branch_of(last("ACK")), branch_of(first("INVITE")));  // RFC 3261 17.1.1.3
}

TEST_F(OutgoingInviteTest, NothingAtAllIs408) {
  call();
  pass(seconds(33));
  EXPECT_EQ(count_sent("INVITE"), 7U);  // RFC 3261 17.1.1.2
  ASSERT_NE(find<Ended>(), nullptr);
  EXPECT_EQ(find<Ended>()->status, 408);
}

// RFC 3261 9.1
TEST_F(OutgoingInviteTest, CancelWaitsForTheFirstProvisional) {
  const auto leg = call();
  EXPECT_TRUE(agent->cancel(leg, "SIP;cause=200", now));
  EXPECT_FALSE(agent->cancel(leg, "", now));
  drain();
  EXPECT_EQ(count_sent("CANCEL"), 0U);
  reply(180);
  ASSERT_EQ(count_sent("CANCEL"), 1U);
  EXPECT_EQ(*last("CANCEL").header("Via"), *last("INVITE").header("Via"));
  EXPECT_EQ(*last("CANCEL").header("Reason"), "SIP;cause=200");
  receive(response_to(last("CANCEL"), 200));
  EXPECT_EQ(count<Ended>(), 0U);
  reply(487);
  ASSERT_EQ(count<Ended>(), 1U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::cancelled);
  EXPECT_EQ(count<Progress>(), 0U);
}

TEST_F(OutgoingInviteTest, AnAnswerThatCrossesOurCancelIsAcknowledgedAndHungUp) {
  const auto leg = call();
  reply(180);
  agent->cancel(leg, "", now);
  drain();
  reply(200, "b1", {}, answer_sdp);
  EXPECT_EQ(count_sent("ACK"), 1U);
  EXPECT_EQ(count_sent("BYE"), 1U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::cancelled);
  EXPECT_EQ(count<Answered>(), 0U);
}

TEST_F(OutgoingInviteTest, ACancelThatIsRefusedHasFailed) {
  const auto leg = call();
  reply(180);
  agent->cancel(leg, "", now);
  drain();
  receive(response_to(last("CANCEL"), 403));
  EXPECT_EQ(find<Ended>()->cause, EndCause::cancel_failed);
  EXPECT_EQ(find<Ended>()->status, 403);
  reply(200, "b1", {}, answer_sdp);  // and then it answers all the same
  EXPECT_EQ(count_sent("ACK"), 1U);
  EXPECT_EQ(count_sent("BYE"), 1U);
}

TEST_F(OutgoingInviteTest, ACancelAfterWhichNothingComesHasFailed) {
  const auto leg = call();
  reply(180);
  agent->cancel(leg, "", now);
  drain();
  receive(response_to(last("CANCEL"), 200));
  pass(seconds(31));
  EXPECT_EQ(count<Ended>(), 0U);
  pass(seconds(2));
  ASSERT_EQ(count<Ended>(), 1U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::cancel_failed);
}

TEST_F(OutgoingInviteTest, WhatCanNotBeSentIsAnErrorThatNamesIt) {
  const auto error_with = [&](auto change) {
    auto broken = wanted;
    change(broken);
    const auto leg = agent->invite(broken, now);
    return leg ? std::string() : leg.error().message;
  };
  EXPECT_TRUE(error_with([](auto& one) { one.target = "tel:+4912"; }).starts_with("target: "));
  EXPECT_TRUE(error_with([](auto& one) { one.target = "sip:a@b;transport=sctp"; }).starts_with("target: "));
  EXPECT_TRUE(error_with([](auto& one) { one.from = "\"x"; }).starts_with("from: "));
  EXPECT_TRUE(error_with([](auto& one) { one.to = ""; }).starts_with("to: "));
  EXPECT_TRUE(error_with([](auto& one) { one.routes = {"<x"}; }).starts_with("routes: "));
  EXPECT_TRUE(error_with([](auto& one) { one.sdp = ""; }).starts_with("sdp: "));
  EXPECT_TRUE(error_with([](auto& one) { one.contact_user = "a b"; }).starts_with("contact_user: "));
  EXPECT_TRUE(error_with([](auto& one) { one.headers = {{"X", "a\r\nb"}}; }).starts_with("headers: "));
}

}  // namespace
}  // namespace rw::sip
