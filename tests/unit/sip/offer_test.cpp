#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

/// RFC 3261 section 14 and RFC 6337, as the one who offers.
class OfferTest : public ClientTest {
 protected:
  static constexpr std::string_view held = "v=0\r\nm=audio 4000 RTP/AVP 8\r\na=sendonly\r\n";
  LegId leg = 0;
  void up(const std::string& extra = {}) { leg = establish(extra); }
  bool offer() {
    const bool done = agent->offer(leg, std::string(held), now);
    drain();
    return done;
  }
};

TEST_F(OfferTest, AReinviteIsAnsweredAndAcknowledged) {
  up();
  ASSERT_TRUE(offer());
  EXPECT_FALSE(offer());
  EXPECT_EQ(last("INVITE").body(), held);
  EXPECT_EQ(last("INVITE").request_uri(), "sip:bob@192.0.2.9:5080");
  reply(100, "");
  reply(200, "", "Contact: <sip:moved@192.0.2.9:5081>\r\n", answer_sdp);
  ASSERT_EQ(count<OfferAnswered>(), 1U);
  EXPECT_EQ(find<OfferAnswered>()->status, 200);
  EXPECT_EQ(find<OfferAnswered>()->sdp, answer_sdp);
  EXPECT_EQ(count_sent("ACK"), 2U);
  EXPECT_EQ(last("ACK").request_uri(), "sip:moved@192.0.2.9:5081");
  reply(200, "", {}, answer_sdp);
  EXPECT_EQ(count_sent("ACK"), 3U);
  EXPECT_EQ(count<OfferAnswered>(), 1U);
  EXPECT_TRUE(offer());
  reply(200, "", {}, answer_sdp);
  hang_up();
}

TEST_F(OfferTest, ARefusedOfferLeavesTheCallAlive) {
  up();
  offer();
  reply(488, "");
  EXPECT_EQ(find<OfferAnswered>()->status, 488);
  EXPECT_EQ(count<Ended>(), 0U);
  EXPECT_TRUE(offer());
  reply(500, "");
  hang_up();
}

// RFC 3261 14.1: the Call-ID is ours
TEST_F(OfferTest, GlareIsWaitedOutFrom2100To4000Milliseconds) {
  up();
  offer();
  reply(491, "");
  pass(milliseconds(2090));
  EXPECT_EQ(count_sent("INVITE"), 2U);
  EXPECT_FALSE(offer());
  receive(request("INVITE", 1, {}, answer_sdp));  // meanwhile theirs comes, and goes first
  ASSERT_NE(find<OfferReceived>(), nullptr);
  pass(milliseconds(2000));
  EXPECT_EQ(count_sent("INVITE"), 2U);
  agent->answer_offer(leg, std::string(offer_sdp), now);
  drain();
  receive(request("ACK", 1));
  for (int at = 0; at < 41 && count_sent("INVITE") == 2; ++at) pass(milliseconds(100));
  EXPECT_EQ(count_sent("INVITE"), 3U);
  reply(200, "", {}, answer_sdp);
  EXPECT_EQ(find<OfferAnswered>()->status, 200);
  hang_up();
}

TEST_F(OfferTest, GlareWithoutAnEndIsReported) {
  up();
  offer();
  for (int at = 0; at < 20 && count<OfferAnswered>() == 0; ++at) {
    reply(491, "");
    pass(milliseconds(4100));
  }
  EXPECT_EQ(find<OfferAnswered>()->status, 491);
  hang_up();
}

TEST_F(OfferTest, TheirsMeetsOursWith491) {
  up();
  offer();
  receive(request("INVITE", 1, {}, answer_sdp));
  EXPECT_EQ(sent.back().status(), 491);
  acks_success = false;
  receive(request("ACK", 1));
  receive(request("UPDATE", 2, {}, answer_sdp));
  EXPECT_EQ(sent.back().status(), 491);
  receive(request("UPDATE", 3));
  EXPECT_EQ(sent.back().status(), 200);
  reply(200, "", {}, answer_sdp);
  hang_up();
}

TEST_F(OfferTest, NoOfferWhileTheirsIsOpen) {
  up();
  receive(request("UPDATE", 1, {}, answer_sdp));
  EXPECT_FALSE(offer());
  agent->reject_offer(leg, 488, {}, now);
  EXPECT_TRUE(offer());
  reply(488, "");
  hang_up();
}

TEST_F(OfferTest, ADialogThatIsGoneEnds) {
  for (const int status : {481, 408}) {
    events.clear();
    sent.clear();
    flows.clear();
    up();
    offer();
    reply(status, "");
    ASSERT_EQ(count<Ended>(), 1U);
    EXPECT_EQ(find<Ended>()->cause, EndCause::failed);
    EXPECT_EQ(find<Ended>()->status, status);
    EXPECT_EQ(count_sent("BYE"), 1U);
  }
}

TEST_F(OfferTest, AReinviteThatIsOnlyWorkedOnEnds) {
  up();
  offer();
  reply(100, "");
  pass(std::chrono::minutes(3));
  EXPECT_EQ(find<Ended>()->status, 408);
}

TEST_F(OfferTest, AByeWhileAnOfferIsOpen) {
  up();
  offer();
  agent->bye(leg, "", now);
  drain();
  receive(response_to(last("BYE"), 200));
  reply(200, "", {}, answer_sdp);  // crossed: acknowledged all the same
  EXPECT_EQ(count_sent("ACK"), 2U);
  EXPECT_EQ(count<OfferAnswered>(), 0U);
  EXPECT_EQ(count<Ended>(), 1U);
}

// RFC 4028 7.4: any re-INVITE may meet a 422
TEST_F(OfferTest, ALongerSessionIntervalIsAgreedTo) {
  up("Session-Expires: 100;refresher=uac\r\nRequire: timer\r\n");
  offer();
  EXPECT_EQ(*last("INVITE").header("Session-Expires"), "100;refresher=uac");
  reply(422, "", "Min-SE: 300\r\n");
  ASSERT_EQ(count_sent("INVITE"), 3U);
  EXPECT_EQ(last("INVITE").body(), held);
  EXPECT_EQ(*last("INVITE").header("Session-Expires"), "300;refresher=uac");
  reply(200, "", "Session-Expires: 300;refresher=uac\r\n", answer_sdp);
  EXPECT_EQ(find<OfferAnswered>()->status, 200);
  EXPECT_EQ(agent->session_interval(leg), 300U);
  offer();
  reply(422, "", "Min-SE: 300\r\n");  // which it has already
  EXPECT_EQ(count_sent("INVITE"), 4U);
  EXPECT_EQ(count<OfferAnswered>(), 2U);
  hang_up();
}

TEST_F(OfferTest, AnOfferRefreshesTheSession) {
  up("Session-Expires: 100;refresher=uac\r\nRequire: timer\r\n");
  pass(seconds(40));
  offer();
  reply(200, "", "Session-Expires: 100;refresher=uac\r\n", answer_sdp);
  pass(seconds(30));
  EXPECT_EQ(count_sent("INVITE"), 2U);  // the next refresh counts from there
  pass(milliseconds(20'100));
  EXPECT_EQ(count_sent("INVITE"), 3U);
  EXPECT_EQ(last("INVITE").body(), held);  // and repeats what was offered last
  reply(200, "", {}, answer_sdp);
  hang_up();
}

// RFC 3264 4: one offer at a time. Ours waits for the answer to the one before, which their ACK brings.
TEST_F(OfferTest, AnOfferWaitsForTheAnswerToOurLateOne) {
  up();
  receive(request("INVITE", 1));
  ASSERT_NE(find<OfferReceived>(), nullptr);
  EXPECT_FALSE(offer());
  agent->answer_offer(leg, std::string(offer_sdp), now);
  EXPECT_TRUE(offer());
  EXPECT_EQ(count_sent("INVITE"), 1U);
  receive(request("ACK", 1, {}, answer_sdp));
  ASSERT_NE(find<Acknowledged>(), nullptr);
  EXPECT_EQ(find<Acknowledged>()->sdp, answer_sdp);
  EXPECT_EQ(count_sent("INVITE"), 2U);
  reply(200, "", {}, answer_sdp);
  EXPECT_EQ(find<OfferAnswered>()->status, 200);
  hang_up();
}

TEST_F(OfferTest, AnAnswerWithoutADescriptionIsReportedAsSuch) {
  up();
  offer();
  reply(200);
  EXPECT_EQ(count_sent("ACK"), 2U);
  EXPECT_EQ(find<OfferAnswered>()->status, 200);
  EXPECT_EQ(find<OfferAnswered>()->sdp, "");
  hang_up();
}

TEST_F(OfferTest, TheirByeWhileAnOfferIsOpen) {
  up();
  offer();
  reply(100, "");
  hang_up();
  EXPECT_EQ(find<Ended>()->cause, EndCause::remote_bye);
  reply(487, "");  // which is all that becomes of it (RFC 3261 15.1.2)
  EXPECT_EQ(count_sent("BYE"), 0U);
  EXPECT_EQ(count<OfferAnswered>(), 0U);
  EXPECT_FALSE(offer());
}

TEST_F(OfferTest, AByeWhileGlareIsWaitedOut) {
  up();
  offer();
  reply(491, "");
  agent->bye(leg, "", now);
  drain();
  receive(response_to(last("BYE"), 200));
  pass(seconds(10));
  EXPECT_EQ(count_sent("INVITE"), 2U);
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(OfferTest, AProxyThatFailsRefusesTheOfferOnly) {
  for (const int status : {300, 302, 404, 500, 503, 603}) {
    if (leg == 0) up();
    offer();
    reply(status, "", "Contact: <sip:other@192.0.2.77>\r\n");
    EXPECT_EQ(std::get<OfferAnswered>(events.back()).status, status);
  }
  EXPECT_EQ(last("INVITE").request_uri(), "sip:bob@192.0.2.9:5080");
  hang_up();
}

}  // namespace
}  // namespace rw::sip
