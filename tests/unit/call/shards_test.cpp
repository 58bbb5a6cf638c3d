#include <gtest/gtest.h>

#include "connect_fixture.h"

/// Connections of which each half lives on another shard.
namespace rw::call {
namespace {

using std::chrono::seconds;

class ShardsTest : public ConnectTest {
 protected:
  ShardsTest() : ConnectTest(2) { sessions = 2; }

  /// A caller in the IVR of shard 0; `target` is its participant.
  void wait() {
    waiting = to_the_ivr(0);
    target = asked_participant(0);
  }
  /// A second caller, on shard 1, that is connected with it.
  void join() {
    wait();
    second = dial(connect(target), 1);
  }
  /// Delivers the letters that are on their way between the shards now, but not what comes of them.
  void carry_once() {
    for (auto letters = std::exchange(world.letters, {}); auto& [to, letter] : letters)
      world.shards[to]->calls.receive(std::move(letter), world.now);
  }
  /// The second caller's question is answered, but nothing is delivered yet.
  void decide_to_connect() {
    second = world.call(1);
    world.shards[1]->calls.run([&] { world.application(1).answer(connect(target)); }, world.now);
  }

  sip::LegId waiting = 0, second = 0;
  std::string target;
};

TEST_F(ShardsTest, TwoAreConnectedAndEachSessionHearsOfIt) {
  join();
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.application(0).count("callAnswered"), 2U);
  EXPECT_EQ(world.application(1).count("callAnswered"), 1U);
  EXPECT_EQ(text(world.notice("callAnswered", 0), "connectionId"),
            text(world.notice("callAnswered", 1), "connectionId"));
  world.hang_up(waiting);
  EXPECT_TRUE(world.media.joined.empty());
  ASSERT_EQ(asked_event(1), "calledPartyDrop");
  world.answer(drop, 1);
  EXPECT_TRUE(is_over(second));
}

TEST_F(ShardsTest, HoldAndKeysGoAcross) {
  world.service->hold_music = "music";
  join();
  ASSERT_TRUE(world.phones.offer(second, std::string(phone_sdp_on_hold), world.now));
  world.deliver();
  EXPECT_TRUE(world.notice("callNotify", 1).at("hold").as_bool());
  EXPECT_EQ(world.sounds.asked.back(), "music");
  EXPECT_EQ(world.media.background_leg, 1U);
  world.hang_up(second);
  ASSERT_EQ(asked_event(0), "callingPartyDrop");
  world.answer(drop, 0);
}

TEST_F(ShardsTest, BothHangUpAtOnce) {
  join();
  world.phones.bye(waiting, "", world.now);
  world.hang_up(second);
  EXPECT_FALSE(world.asked(0));
  EXPECT_FALSE(world.asked(1));
}

TEST_F(ShardsTest, TheRemoteParticipantIsOnTheOtherShard) {
  join();
  EXPECT_EQ(hang_up_remote(world.subject_of(world.notice("callAnswered", 1)), "", 1).status, 200);
  EXPECT_TRUE(is_over(waiting));
  ASSERT_EQ(asked_event(1), "calledPartyDrop");
  EXPECT_EQ(text(world.question(1).body, "errorDescr"), "Hung up by the application");
  world.answer(drop, 1);
}

TEST_F(ShardsTest, ASplitReachesTheOtherHalf) {
  join();
  const auto about = world.subject_of(world.notice("callAnswered", 1));
  EXPECT_EQ(world.command([&](auto& calls) { return calls.split_connection(about, "", world.now); }, 1).status, 200);
  EXPECT_EQ(asked_event(1), "callerConnectionSplit");
  EXPECT_EQ(asked_event(0), "calleeConnectionSplit");
  world.answer(drop, 0);
  world.answer(drop, 1);
}

TEST_F(ShardsTest, BothHalvesAreSplitAtOnce) {
  join();
  const auto first = world.subject_of(world.notice("callAnswered", 0));
  const auto other = world.subject_of(world.notice("callAnswered", 1));
  world.shards[0]->calls.split_connection(first, "", world.now);
  world.shards[1]->calls.split_connection(other, "", world.now);
  world.deliver();
  EXPECT_EQ(world.application(0).questions.size(), 1U);
  EXPECT_EQ(world.application(1).questions.size(), 1U);
  world.answer(drop, 0);
  world.answer(drop, 1);
}

TEST_F(ShardsTest, NobodyKnowsTheParticipantOnAnyShard) {
  sessions = 1;
  second = dial(connect("nobody"), 1);
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(alarm(1), "newCall request failed");
}

TEST_F(ShardsTest, TheTargetGoesBeforeItIsAsked) {
  wait();
  const auto about = world.subject_of(world.question(0).body);
  decide_to_connect();
  world.shards[0]->calls.hang_up_participant(about, "", "", world.now);
  world.deliver();
  EXPECT_TRUE(is_over(waiting));
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(alarm(1), "newCall request failed");
  EXPECT_TRUE(world.media.joined.empty());
}

TEST_F(ShardsTest, WhoAsksGoesBeforeItIsAccepted) {
  wait();
  second = world.call(1);
  const auto about = world.subject_of(world.question(1).body);
  world.shards[1]->calls.run([&] { world.application(1).answer(connect(target)); }, world.now);
  carry_once();  // the request
  world.shards[1]->calls.hang_up_participant(about, "", "", world.now);
  world.deliver();
  EXPECT_TRUE(is_over(second));
  EXPECT_FALSE(is_over(waiting));
  EXPECT_TRUE(world.media.joined.empty());
  ASSERT_EQ(asked_event(0), "callingPartyDrop");
  world.answer(drop, 0);
}

TEST_F(ShardsTest, TheTargetGoesWhenItHasAccepted) {
  wait();
  const auto about = world.subject_of(world.question(0).body);
  decide_to_connect();
  carry_once();  // the request
  world.shards[0]->calls.hang_up_participant(about, "", "", world.now);
  world.deliver();
  EXPECT_TRUE(is_over(waiting));
  ASSERT_EQ(asked_event(1), "calledPartyDrop");
  EXPECT_TRUE(world.media.joined.empty());
  world.answer(drop, 1);
}

TEST_F(ShardsTest, HoldDuringTheHandshakeIsNotLost) {
  world.service->hold_music = "music";
  wait();
  decide_to_connect();
  carry_once();  // the request: it says that the second caller does not hold
  world.now += std::chrono::milliseconds(1);
  auto letters = std::exchange(world.letters, {});  // the acceptance stays on its way
  world.deliver();
  ASSERT_TRUE(world.phones.offer(second, std::string(phone_sdp_on_hold), world.now));
  world.deliver();
  world.letters = std::move(letters);
  world.deliver();
  EXPECT_TRUE(world.media.joined.empty());  // the music is heard in place of the other
  EXPECT_NE(world.media.background_sound, nullptr);
  EXPECT_EQ(world.media.background_leg, 1U);
  world.hang_up(second);
  world.answer(drop, 0);
}

TEST_F(ShardsTest, EachIsToldToConnectWithTheOther) {
  waiting = talk(0, 0);  // one that can be asked about
  world.hang_up(called(0));
  const auto first = asked_participant(0);
  second = talk(1, 1);
  world.hang_up(called(1));
  const auto other = asked_participant(1);
  world.shards[0]->calls.run([&] { world.application(0).answer(connect(other)); }, world.now);
  world.shards[1]->calls.run([&] { world.application(1).answer(connect(first)); }, world.now);
  world.deliver();
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_TRUE(world.application(0).alarms.empty());
  EXPECT_TRUE(world.application(1).alarms.empty());
  world.pass(seconds(10));
  EXPECT_FALSE(is_over(waiting));
  EXPECT_FALSE(is_over(second));
  world.hang_up(waiting);
  world.answer(drop, 1);
}

TEST_F(ShardsTest, AShardThatDoesNotAnswerIsNotWaitedForForever) {
  sessions = 1;
  second = world.call(1);
  world.shards[1]->calls.run([&] { world.application(1).answer(connect("somebody")); }, world.now);
  world.letters.clear();
  world.pass(seconds(6));
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(alarm(1), "newCall request failed");
}

}  // namespace
}  // namespace rw::call
