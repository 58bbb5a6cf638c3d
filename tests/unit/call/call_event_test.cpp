#include <gtest/gtest.h>

#include "call_flow_fixture.h"

/// The replies to callEvent.
namespace rw::call {
namespace {

using std::chrono::seconds;

TEST_F(CallFlowTest, AnotherIsCalledAfterAFailure) {
  const auto caller = dial(call_one);
  world.refuse(called(0), 486);
  world.answer(R"({"action":"call","destAddr":"sip:voicemail@127.0.0.1:5070","sessionReferenceId":7})");
  ASSERT_EQ(world.incoming().size(), 2U);
  world.pick_up(called(1));
  ASSERT_NE(world.last<sip::Answered>(caller), nullptr);
  EXPECT_EQ(text(world.notice("callAnswered"), "remotePartyNumber"), "voicemail");
  EXPECT_EQ(world.notice("callAnswered").at("sessionReferenceId"), 7);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, AnotherIsCalledForAnAnsweredCaller) {
  const auto caller = talk();
  world.hang_up(called(0));
  world.answer(R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070"})");
  ASSERT_EQ(world.incoming().size(), 2U);
  EXPECT_NE(world.media.background_sound, nullptr);
  world.pick_up(called(1));
  EXPECT_EQ(world.media.background_sound, nullptr);
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, AnAnsweredCallerHearsSilenceWhileTheApplicationDecides) {
  talk();
  world.hang_up(called(0));
  world.answer(R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070"})");
  world.refuse(called(1), 486);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.media.background_sound, nullptr);
  world.answer(drop);
}

TEST_F(CallFlowTest, TheCalleeThatIsLeftCallsSomebodyElse) {
  const auto caller = talk();
  world.hang_up(caller);
  world.answer(R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070"})");
  ASSERT_EQ(world.incoming().size(), 2U);
  EXPECT_NE(world.incoming()[1].request->header("From"), nullptr);
  world.pick_up(called(1));
  EXPECT_EQ(text(world.notice("callAnswered"), "callingPartyNumber"), "2001");
  world.hang_up(called(1));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  world.answer(drop);
  EXPECT_TRUE(is_over(called(0)));
}

TEST_F(CallFlowTest, TheIvrTakesOverAfterTheCallee) {
  const auto caller = talk();
  world.hang_up(called(0));
  world.answer(R"({"action":"ivr"})");
  EXPECT_EQ(asked_event(), "getIvrCommand");
  EXPECT_EQ(world.application().count("callAnswered"), 2U);
  EXPECT_FALSE(is_over(caller));
  world.answer(R"({"hangup":true})");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(CallFlowTest, TheIvrTakesOverFromABusyCallee) {
  const auto caller = dial(call_one);
  world.refuse(called(0), 486);
  world.answer(R"({"action":"ivr"})");
  EXPECT_NE(world.last<sip::Answered>(caller), nullptr);
  EXPECT_EQ(world.media.background_sound, nullptr);
  EXPECT_EQ(asked_event(), "getIvrCommand");
  world.hang_up(caller);
}

TEST_F(CallFlowTest, NoUsableAnswerToCallEventEndsTheCall) {
  const auto caller = talk();
  world.hang_up(called(0));
  world.answer(R"({"nothing":1})");
  EXPECT_EQ(alarm(), "No action provided in callEvent response");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(CallFlowTest, NoAnswerToCallEventIsAnAlarmOfItsOwn) {
  const auto caller = talk();
  world.hang_up(called(0));
  world.shards[0]->calls.run([&] { world.application().refuse(callbacks::Failure::Kind::unreachable); }, world.now);
  world.deliver();
  EXPECT_EQ(alarm(), "No response to callEvent request");
  EXPECT_TRUE(is_over(caller));
}

}  // namespace
}  // namespace rw::call
