#include <gtest/gtest.h>

#include "connect_fixture.h"

/// A third leg that listens.
namespace rw::call {
namespace {

using std::chrono::seconds;

class MonitorTest : public ConnectTest {
 protected:
  sip::LegId monitored() {
    const auto caller = dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","xHeaders":{"x-case":"7"},
        "monitorDestAddr":"sip:ear@127.0.0.1:5070","monitorSipFrom":"watch"})");
    world.pick_up(called(0));
    return caller;
  }
};

TEST_F(MonitorTest, AThirdLegHearsBothSides) {
  const auto caller = monitored();
  ASSERT_EQ(world.incoming().size(), 2U);
  const auto& invite = *world.incoming()[1].request;
  EXPECT_EQ(invite.request_uri(), "sip:ear@127.0.0.1:5070");
  EXPECT_NE(invite.header("From")->find("sip:watch@demo.example"), std::string::npos);
  EXPECT_NE(invite.header("P-Asserted-Identity")->find("sip:watch@demo.example"), std::string::npos);
  EXPECT_EQ(*invite.header("X-Case"), "7");
  EXPECT_TRUE(world.media.listeners.empty());
  world.ring(called(1));
  EXPECT_TRUE(world.notice("callNotify").at("monitoringParticipant").as_bool());
  world.pick_up(called(1));
  ASSERT_EQ(world.media.listeners.size(), 1U);
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.media.joined.count(world.media.listeners.begin()->second.first), 1U);
  ASSERT_EQ(world.application().count("callAnswered"), 2U);
  EXPECT_TRUE(world.notice("callAnswered").at("monitoringParticipant").as_bool());
  world.hang_up(caller);
  EXPECT_TRUE(is_over(called(1)));
  ASSERT_EQ(asked_event(), "callingPartyDrop");
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(MonitorTest, ItEndsWithTheCalleeToo) {
  const auto caller = monitored();
  world.pick_up(called(1));
  world.hang_up(called(0));
  EXPECT_TRUE(is_over(called(1)));
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(MonitorTest, ItRingsNoLongerThanTheCall) {
  const auto caller = monitored();
  world.ring(called(1));
  world.hang_up(caller);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(1)), nullptr);
  world.answer(drop);
}

TEST_F(MonitorTest, ItsFailureDisturbsNobody) {
  const auto caller = monitored();
  world.refuse(called(1), 486);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(MonitorTest, ItMayHangUp) {
  const auto caller = monitored();
  world.pick_up(called(1));
  world.hang_up(called(1));
  EXPECT_TRUE(world.media.listeners.empty());
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  world.answer(drop);
}

TEST_F(MonitorTest, WithoutAPortTheCallGoesOn) {
  const auto caller = dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070",
      "monitorDestAddr":"sip:ear@127.0.0.1:5070"})");
  world.media.exhausted = true;
  world.pick_up(called(0));
  EXPECT_EQ(world.incoming().size(), 1U);
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  world.answer(drop);
}

TEST_F(MonitorTest, ASplitEndsIt) {
  const auto caller = monitored();
  const auto about = world.subject_of(world.notice("callAnswered"));
  world.pick_up(called(1));
  EXPECT_EQ(split(about).status, 200);
  EXPECT_TRUE(is_over(called(1)));
  world.answer(drop);
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(MonitorTest, AStopEndsAllThree) {
  const auto caller = monitored();
  world.pick_up(called(1));
  world.shards[0]->calls.end_all(world.now);
  world.deliver();
  EXPECT_TRUE(is_over(caller));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_TRUE(is_over(called(1)));
  EXPECT_EQ(completed_reason(), "shutdown");
}

}  // namespace
}  // namespace rw::call
