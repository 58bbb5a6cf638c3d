#include <gtest/gtest.h>

#include "call_flow_fixture.h"

/// Several destinations, one after the other or all at once.
namespace rw::call {
namespace {

using std::chrono::seconds;

TEST_F(CallFlowTest, DestinationsAreTriedOneAfterTheOther) {
  const auto caller = hunt("abc");
  ASSERT_EQ(world.incoming().size(), 1U);
  EXPECT_EQ(called_user(0), "a");
  world.refuse(called(0), 503);
  ASSERT_EQ(world.incoming().size(), 2U);
  EXPECT_EQ(called_user(1), "b");
  EXPECT_FALSE(world.asked());
  world.refuse(called(1), 404);
  ASSERT_EQ(world.incoming().size(), 3U);
  world.pick_up(called(2));
  EXPECT_EQ(text(world.notice("callAnswered"), "remotePartyNumber"), "c");
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, ABusyDestinationEndsTheHunt) {
  hunt("ab");
  world.refuse(called(0), 486);
  EXPECT_EQ(world.incoming().size(), 1U);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 486);
  world.answer(drop);
}

TEST_F(CallFlowTest, AHuntGoesOnPastTheBusyIfThatIsWanted) {
  const auto caller = hunt("ab", R"(,"continueOn":["busy"])");
  world.refuse(called(0), 486);
  ASSERT_EQ(world.incoming().size(), 2U);
  EXPECT_FALSE(world.asked());
  world.pick_up(called(1));
  EXPECT_EQ(text(world.notice("callAnswered"), "remotePartyNumber"), "b");
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, AHuntGoesOnPastWhatIsNamedOnly) {
  hunt("abcd", R"(,"continueOn":["declined"])");
  world.refuse(called(0), 603);
  world.refuse(called(1), 600);
  world.refuse(called(2), 486);
  EXPECT_EQ(world.incoming().size(), 3U);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 603);
  EXPECT_EQ(text(world.question().body, "user"), "a");
  world.answer(drop);
}

TEST_F(CallFlowTest, TheLastFailureIsTold) {
  hunt("ab");
  world.refuse(called(0), 503);
  world.refuse(called(1), 404);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 404);
  EXPECT_EQ(text(world.question().body, "user"), "b");
  world.answer(drop);
}

TEST_F(CallFlowTest, EachDestinationHasItsOwnRingTimeAndHeaders) {
  const auto caller = dial(R"({"action":"call","maxRingTime":30,"xHeaders":{"x-all":"1"},"destAddr":[
      {"destAddr":"sip:a@127.0.0.1:5070","maxRingTime":5,"xHeaders":{"x-one":"2"}},"sip:b@127.0.0.1:5070"]})");
  EXPECT_NE(world.incoming()[0].request->header("X-One"), nullptr);
  EXPECT_EQ(world.incoming()[0].request->header("X-All"), nullptr);
  world.ring(called(0));
  world.pass(seconds(6));
  ASSERT_EQ(world.incoming().size(), 2U);
  EXPECT_NE(world.incoming()[1].request->header("X-All"), nullptr);
  world.ring(called(1));
  world.pass(seconds(20));
  EXPECT_FALSE(world.asked());
  world.cancel(caller);
}

TEST_F(CallFlowTest, AllAtOnceTheFirstToAnswerIsKept) {
  const auto caller = hunt("abc", R"(,"strategy":"parallel")");
  ASSERT_EQ(world.incoming().size(), 3U);
  world.ring(called(0));
  world.ring(called(2));
  EXPECT_EQ(world.application().count("callNotify"), 2U);
  world.pick_up(called(1));
  EXPECT_EQ(reason_of_end(called(0)), "SIP;cause=200;text=\"Call completed elsewhere\"");
  EXPECT_EQ(reason_of_end(called(2)), "SIP;cause=200;text=\"Call completed elsewhere\"");
  EXPECT_FALSE(is_over(called(1)));
  EXPECT_EQ(text(world.notice("callAnswered"), "remotePartyNumber"), "b");
  EXPECT_FALSE(world.asked());
  world.hang_up(called(1));
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(CallFlowTest, TwoAnswerAtTheSameTimeAndOneIsEnded) {
  const auto caller = hunt("ab", R"(,"strategy":"parallel")");
  world.ring(called(0));
  world.ring(called(1));
  world.phones.answer(called(1), std::string(phone_sdp), {}, world.now);
  world.pick_up(called(0));
  EXPECT_EQ(world.application().count("callAnswered"), 1U);
  EXPECT_NE(is_over(called(0)), is_over(called(1)));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, AllAtOnceTheBusyOneIsToldWhenAllHaveFailed) {
  hunt("abc", R"(,"strategy":"parallel")");
  world.refuse(called(0), 503);
  world.refuse(called(1), 486);
  EXPECT_FALSE(world.asked());
  world.refuse(called(2), 404);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 486);
  EXPECT_EQ(text(world.question().body, "user"), "b");
  world.answer(drop);
}

TEST_F(CallFlowTest, TheCallerCancelsAllThatRing) {
  const auto caller = hunt("ab", R"(,"strategy":"parallel")");
  world.ring(called(0));
  world.ring(called(1));
  world.cancel(caller);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_TRUE(is_over(called(1)));
  EXPECT_EQ(completed_reason(), "cancelled");
}

TEST_F(CallFlowTest, AStopDoesNotTryTheNextDestination) {
  hunt("ab");
  world.ring(called(0));
  world.shards[0]->calls.end_all(world.now);
  world.deliver();
  EXPECT_EQ(world.incoming().size(), 1U);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "shutdown");
}

TEST_F(CallFlowTest, TheRemotePartyOfACallerIsHungUpWhileItRings) {
  const auto caller = hunt("ab");
  world.ring(called(0));
  auto about = world.subject_of(world.notice("callNotify"));
  about.participant = text(world.notice("callNotify"), "remoteParticipantId");
  EXPECT_EQ(world.command([&](auto& calls) { return calls.hang_up_remote_participant(about, "", world.now); }).status,
            200);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(world.incoming().size(), 1U);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(text(world.question().body, "errorDescr"), "Hung up by the application");
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

}  // namespace
}  // namespace rw::call
