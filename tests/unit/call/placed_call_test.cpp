#include <gtest/gtest.h>

#include "connect_fixture.h"

/// Calls that the API places.
namespace rw::call {
namespace {

using std::chrono::seconds;

class PlacedCallTest : public ConnectTest {
 protected:
  Verdict place(std::string_view body = R"({"destAddr":"sip:2001@127.0.0.1:5070","sipFrom":"100","maxRingTime":20})") {
    PlacedCallOrder order;
    order.service = world.service;
    order.destination = read_destination(boost::json::parse(body).as_object()).value();
    order.trace_id = "trace-1";
    order.session_reference = boost::json::value(42);
    return world.command([&](auto& calls) { return calls.place_ivr_call(order, world.now); });
  }
};

TEST_F(PlacedCallTest, ItIsAnsweredAndTalksToTheIvr) {
  const auto verdict = place();
  ASSERT_EQ(verdict.status, 200);
  EXPECT_EQ(text(verdict.extra, "traceId"), "trace-1");
  ASSERT_EQ(world.incoming().size(), 1U);
  EXPECT_NE(world.incoming()[0].request->header("From")->find("sip:100@demo.example"), std::string::npos);
  world.ring(called(0));
  EXPECT_EQ(text(world.notice("callNotify"), "event"), "ringing");
  EXPECT_EQ(text(world.notice("callNotify"), "participantId"), text(verdict.extra, "participantId"));
  world.pick_up(called(0));
  ASSERT_EQ(world.application().count("callAnswered"), 1U);
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(text(answered, "traceId"), "trace-1");
  EXPECT_EQ(text(answered, "callingPartyNumber"), "100");
  EXPECT_EQ(text(answered, "remotePartyNumber"), "2001");
  EXPECT_EQ(text(answered, "calleeParticipantId"), text(verdict.extra, "participantId"));
  ASSERT_EQ(asked_event(), "getIvrCommand");
  EXPECT_EQ(world.question().body.at("sessionReferenceId"), 42);
  EXPECT_EQ(text(world.question().body, "sessionId"), text(verdict.extra, "sessionId"));
  world.answer(R"({"hangup":true})");
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(PlacedCallTest, ABusyPhoneIsToldWithoutAQuestion) {
  const auto verdict = place();
  world.refuse(called(0), 486);
  const auto event = world.notice("callEvent");
  EXPECT_EQ(text(event, "event"), "calledPartyFailure");
  EXPECT_EQ(event.at("sipResponseCode"), 486);
  EXPECT_EQ(text(event, "participantId"), text(verdict.extra, "participantId"));
  EXPECT_EQ(completed_reason(), "busy");
  EXPECT_EQ(world.application().notices.back().first, "sessionCompleted");
}

TEST_F(PlacedCallTest, EachFailureHasItsReason) {
  sessions = 4;
  const std::pair<int, std::string> table[] = {{480, "noAnswer"}, {503, "failed"}, {600, "busy"}, {404, "failed"}};
  for (const auto& [status, reason] : table) {
    const auto n = world.incoming().size();
    place();
    world.refuse(called(n), status);
    EXPECT_EQ(completed_reason(), reason) << status;
    EXPECT_EQ(world.notice("callEvent").at("sipResponseCode"), status);
  }
}

TEST_F(PlacedCallTest, NobodyAnswersInTime) {
  place();
  world.ring(called(0));
  world.pass(seconds(21));
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  EXPECT_EQ(world.notice("callEvent").at("sipResponseCode"), 408);
  EXPECT_EQ(completed_reason(), "noAnswer");
}

TEST_F(PlacedCallTest, ThePhoneHangsUpInTheIvr) {
  place();
  world.pick_up(called(0));
  world.hang_up(called(0));
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.application().count("callEvent"), 0U);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(PlacedCallTest, ItIsHungUpByItsReplyIdWhileItRings) {
  const auto verdict = place();
  world.ring(called(0));
  EXPECT_EQ(hang_up_participant(world.subject_of(verdict.extra)).status, 200);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(PlacedCallTest, WithoutAPortThereIsNoSession) {
  sessions = 0;
  world.media.exhausted = true;
  const auto verdict = place();
  EXPECT_EQ(verdict.status, 503);
  EXPECT_TRUE(world.incoming().empty());
  EXPECT_TRUE(world.application().notices.empty());
}

TEST_F(PlacedCallTest, AnAddressThatNothingLeadsToIsRefused) {
  sessions = 0;
  const auto verdict = place(R"({"destAddr":"tel:+461234"})");
  EXPECT_EQ(verdict.status, 400);
  EXPECT_NE(verdict.reason.find("destAddr"), std::string::npos);
}

TEST_F(PlacedCallTest, ACallerIsConnectedWithIt) {
  sessions = 2;
  const auto verdict = place();
  world.pick_up(called(0));
  const auto caller = world.call();
  std::swap(world.application().questions[0], world.application().questions[1]);
  world.answer(connect(text(verdict.extra, "participantId")));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(called(0));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

}  // namespace
}  // namespace rw::call
