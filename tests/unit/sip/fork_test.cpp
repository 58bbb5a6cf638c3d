#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

/// RFC 3261 13.2.2.4 and RFC 3262, as the one who calls.
class ForkTest : public ClientTest {
 protected:
  static std::string reliable(int rseq) { return "Require: 100rel\r\nRSeq: " + std::to_string(rseq) + "\r\n"; }
  static std::string cseq_number(const Message& message) {
    const auto& cseq = *message.header("CSeq");
    return cseq.substr(0, cseq.find(' '));
  }
};

TEST_F(ForkTest, TheFirst2xxWinsAndTheOthersAreAcknowledgedAndHungUp) {
  call();
  reply(180, "b1");
  reply(180, "b2", "Contact: <sip:two@192.0.2.42>\r\n");
  reply(200, "b2", "Contact: <sip:two@192.0.2.42>\r\n", answer_sdp);
  EXPECT_EQ(last("ACK").request_uri(), "sip:two@192.0.2.42");
  EXPECT_EQ(tag_of(*last("ACK").header("To")), "b2");
  reply(200, "b1", "Contact: <sip:one@192.0.2.41>\r\n", answer_sdp);
  EXPECT_EQ(count<Answered>(), 1U);
  EXPECT_EQ(last("ACK").request_uri(), "sip:one@192.0.2.41");
  EXPECT_EQ(tag_of(*last("BYE").header("To")), "b1");
  reply(200, "b1", "Contact: <sip:one@192.0.2.41>\r\n", answer_sdp);
  EXPECT_EQ(count_sent("ACK"), 3U);
  EXPECT_EQ(count_sent("BYE"), 1U);
  receive(response_to(last("BYE"), 200));
  EXPECT_EQ(count<Ended>(), 0U);
  receive(request("BYE", 1, {}, {}, "b2"));
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(ForkTest, A2xxThatComesWhenAllIsOverIsStillHungUp) {
  establish();
  hang_up();
  reply(200, "b2", {}, answer_sdp);
  EXPECT_EQ(tag_of(*last("ACK").header("To")), "b2");
  EXPECT_EQ(tag_of(*last("BYE").header("To")), "b2");
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(ForkTest, ReliableProvisionalsAreAcknowledgedInTheirOwnDialogs) {
  call();
  reply(183, "b1", reliable(7) + "Contact: <sip:one@192.0.2.41>\r\n", answer_sdp);
  ASSERT_EQ(count_sent("PRACK"), 1U);
  EXPECT_EQ(*last("PRACK").header("RAck"), "7 " + cseq_number(first("INVITE")) + " INVITE");
  EXPECT_EQ(last("PRACK").request_uri(), "sip:one@192.0.2.41");
  EXPECT_EQ(find<Progress>()->sdp, answer_sdp);
  reply(183, "b2", reliable(900) + "Contact: <sip:two@192.0.2.42>\r\nRecord-Route: <sip:192.0.2.60;lr>\r\n");
  EXPECT_EQ(last("PRACK").request_uri(), "sip:two@192.0.2.42");
  EXPECT_EQ(*last("PRACK").header("Route"), "<sip:192.0.2.60;lr>");
  reply(180, "b1", reliable(8));
  EXPECT_EQ(*last("PRACK").header("RAck"), "8 " + cseq_number(first("INVITE")) + " INVITE");
  EXPECT_EQ(count<Progress>(), 3U);
  reply(180, "b2", reliable(901));
  reply(200, "b1", "Contact: <sip:one@192.0.2.41>\r\n");  // its answer was in the 183; b2 has spoken since
  ASSERT_NE(find<Answered>(), nullptr);
  EXPECT_EQ(find<Answered>()->sdp, answer_sdp);
  hang_up();
}

TEST_F(ForkTest, ARepeatedReliableProvisionalIsReportedOnce) {
  call();
  reply(183, "b1", reliable(7), answer_sdp);
  reply(183, "b1", reliable(7), answer_sdp);
  EXPECT_EQ(count_sent("PRACK"), 1U) << "its transaction repeats it (RFC 3262 section 4)";
  reply(180, "b1", reliable(9));  // 8 is missing
  EXPECT_EQ(count_sent("PRACK"), 1U);
  EXPECT_EQ(count<Progress>(), 1U);
  reply(200);
  EXPECT_TRUE(find<Answered>()->sdp.empty());
  hang_up();
}

// RFC 3311: an UPDATE with an offer, when the first offer has been answered reliably
TEST_F(ForkTest, AnUpdateInAnEarlyDialogIsAnswered) {
  const auto leg = call();
  reply(180);
  receive(request("UPDATE", 1, {}, answer_sdp));
  EXPECT_EQ(count_status(491), 1U);
  reply(183, "b1", reliable(1), answer_sdp);
  receive(request("UPDATE", 2, {}, answer_sdp));
  ASSERT_NE(find<OfferReceived>(), nullptr);
  EXPECT_TRUE(agent->answer_offer(leg, std::string(offer_sdp), now));
  drain();
  EXPECT_EQ(sent.back().status(), 200);
  EXPECT_EQ(sent.back().body(), offer_sdp);
  receive(request("UPDATE", 3, {}, answer_sdp));
  EXPECT_TRUE(agent->reject_offer(leg, 488, {}, now));
  drain();
  EXPECT_EQ(sent.back().status(), 488);
  receive(request("INVITE", 4, {}, answer_sdp));  // RFC 3261 14.2
  EXPECT_EQ(sent.back().status(), 491);
  receive(request("ACK", 4));
  reply(486);
  EXPECT_EQ(find<Ended>()->status, 486);
}

TEST_F(ForkTest, ARefusalWithAnUpdateOpenLeavesNothing) {
  call();
  reply(183, "b1", reliable(1), answer_sdp);
  receive(request("UPDATE", 1, {}, answer_sdp));
  reply(486);
  EXPECT_EQ(count<Ended>(), 1U);
  EXPECT_GE(sent.size(), 4U);
}

TEST_F(ForkTest, AnUpdateThatIsOpenWhenTheNextHopIsTriedIsAnswered) {
  wanted.target = "sip:bob@example.com";
  const auto leg = call();
  agent->resolved(lookups[0].id, {hop(Transport::udp, "192.0.2.21:5060"), hop(Transport::udp, "192.0.2.22:5060")}, now);
  drain();
  reply(183, "b1", reliable(1), answer_sdp);
  receive(request("UPDATE", 1, {}, answer_sdp));
  reply(503);
  EXPECT_EQ(count_status(481), 1U);
  EXPECT_FALSE(agent->answer_offer(leg, std::string(offer_sdp), now));
  EXPECT_EQ(flow_of("INVITE").remote.to_string(), "192.0.2.22:5060");
  reply(486);
}

TEST_F(ForkTest, AByeThatOvertakesThe2xxEndsTheCall) {
  call();
  reply(180, "b1");
  receive(request("BYE", 1, {}, {}, "b2"));
  EXPECT_EQ(count_status(200), 1U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::remote_bye);
  EXPECT_EQ(count_sent("CANCEL"), 1U);
  reply(200, "b2", {}, answer_sdp);
  EXPECT_EQ(count_sent("ACK"), 1U);
}

TEST_F(ForkTest, ManyBranchesAreBounded) {
  call();
  for (int at = 0; at < 100; ++at) reply(180, "t" + std::to_string(at));
  EXPECT_LE(count<Progress>(), 40U);
  for (int at = 0; at < 100; ++at) reply(200, "t" + std::to_string(at), {}, answer_sdp);
  EXPECT_EQ(count<Answered>(), 1U);
  EXPECT_LE(count_sent("BYE"), 32U);
  receive(request("BYE", 1, {}, {}, "t0"));
}

TEST_F(ForkTest, A2xxWithoutAnyDescriptionIsHungUp) {
  call();
  reply(200);
  EXPECT_EQ(count_sent("ACK"), 1U);
  EXPECT_EQ(count_sent("BYE"), 1U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::failed);
  EXPECT_EQ(find<Ended>()->status, 488);
}

}  // namespace
}  // namespace rw::sip
