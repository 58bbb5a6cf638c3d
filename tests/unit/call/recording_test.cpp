#include "call/recording.h"

#include <gtest/gtest.h>

#include "connect_fixture.h"

/// Recordings of connections, as calls begin and end them.
namespace rw::call {
namespace {

constexpr std::string_view call_recorded =
    R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","callRecording":true,"recordingFileName":"talk.wav"})";

class RecordingTest : public ConnectTest {
 protected:
  const fake::Recordings::Kept& recording(std::size_t n) const { return *world.recordings.all.at(n); }
  std::size_t count() const { return world.recordings.all.size(); }
  Verdict start(const ReplySubject& about, const std::string& name = {}, const std::string& connection = {}) {
    return world.command([&](auto& calls) { return calls.start_recording(about, connection, name, world.now); });
  }
  Verdict stop(const ReplySubject& about) {
    return world.command([&](auto& calls) { return calls.stop_recording(about, {}, world.now); });
  }
  ReplySubject answered() { return world.subject_of(world.notice("callAnswered")); }
  /// Channel and side of what is recorded of a leg; "" if nothing is.
  std::string recorded(media::LegId leg) const {
    std::string all;
    for (const auto& [of, record] : world.media.records)
      if (of == leg)
        all += std::to_string(record.channel) + (record.side == media::RecordedSide::heard ? " heard;" : " sent;");
    return all;
  }
};

TEST(RecordingName, GetsAnExtensionThatTellsTheFormat) {
  EXPECT_EQ(with_extension("a"), "a.mp3");
  EXPECT_EQ(with_extension("a.WAV"), "a.WAV");
  EXPECT_EQ(with_extension("call 12.3"), "call 12.3.mp3");
  EXPECT_EQ(with_extension("mp3"), "mp3.mp3");
  EXPECT_TRUE(check_recording_name("a.ogg"));
  EXPECT_FALSE(check_recording_name("a/b"));
  EXPECT_FALSE(check_recording_name(std::string(252, 'a')));  // with its extension it has 256 characters
}

TEST_F(RecordingTest, CallRecordingRecordsTheCallerLeftAndTheCalleeRight) {
  const auto caller = dial(call_recorded);
  EXPECT_EQ(count(), 0U);
  world.pick_up(called(0));
  ASSERT_EQ(count(), 1U);
  const auto& order = recording(0).order;
  EXPECT_EQ(order.file_name, "talk.wav");
  EXPECT_TRUE(order.two_channels);
  EXPECT_FALSE(order.wideband);
  EXPECT_EQ(order.members.at("connectionId"), world.notice("callAnswered").at("connectionId"));
  EXPECT_EQ(order.members.at("sessionId"), world.notice("callAnswered").at("sessionId"));
  EXPECT_EQ(recorded(1), "0 heard;");
  EXPECT_EQ(recorded(2), "1 heard;");
  world.hang_up(caller);
  EXPECT_TRUE(recording(0).finished);
  drop_the_rest();
}

TEST_F(RecordingTest, EveryEndOfAConnectionEndsItsRecording) {
  sessions = 5;
  for (const int way : {0, 1, 2, 3, 4}) {
    const auto caller = dial(call_recorded);
    world.pick_up(called(static_cast<std::size_t>(way)));
    const auto about = answered();
    if (way == 0) world.hang_up(caller);
    if (way == 1) world.hang_up(called(1));
    if (way == 2) split(about);
    if (way == 3) hang_up_remote(about);
    if (way == 4) world.command([&](auto& calls) { return calls.hang_up_call(about, world.now); });
    EXPECT_TRUE(recording(static_cast<std::size_t>(way)).finished) << way;
    while (world.asked()) world.answer(drop);
  }
}

TEST_F(RecordingTest, MayBeStartedAndStoppedManyTimes) {
  const auto caller = talk();
  const auto about = answered();
  EXPECT_EQ(stop(about).status, 409);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(start(about).status, 200);
    EXPECT_EQ(start(about).status, 409);
    EXPECT_EQ(world.recordings.running(), 1U);
    EXPECT_EQ(stop(about).status, 200);
    EXPECT_TRUE(recording(n).finished);
  }
  const auto base = about.session + "-" + about.connection;
  EXPECT_EQ(recording(0).order.file_name, base + ".mp3");
  EXPECT_EQ(recording(1).order.file_name, base + "-2.mp3");
  EXPECT_EQ(recording(2).order.file_name, base + "-3.mp3");
  EXPECT_EQ(start(about, "named").status, 200);
  EXPECT_EQ(recording(3).order.file_name, "named.mp3");
  world.hang_up(caller);
  drop_the_rest();
  EXPECT_EQ(start(about).status, 404);
}

TEST_F(RecordingTest, StoppingEndsTheOneThatTheReplyBegan) {
  const auto caller = dial(call_recorded);
  world.pick_up(called(0));
  EXPECT_EQ(start(answered()).status, 409);
  EXPECT_EQ(stop(answered()).status, 200);
  EXPECT_TRUE(recording(0).finished);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(RecordingTest, TheNextConnectionIsRecordedOnlyIfThatIsWanted) {
  const auto caller = dial(call_recorded);
  world.pick_up(called(0));
  const auto first = world.notice("callAnswered");
  split(world.subject_of(first));
  EXPECT_TRUE(recording(0).finished);
  world.answer(connect(text(first, "calleeParticipantId")));
  EXPECT_EQ(count(), 1U);
  split(answered());
  world.answer(R"({"action":"connect","callRecording":true,"participantId":")" + text(first, "calleeParticipantId") +
               "\"}");
  ASSERT_EQ(count(), 2U);
  EXPECT_EQ(recording(1).order.file_name, answered().session + "-" + answered().connection + ".mp3");
  world.hang_up(caller);
  drop_the_rest();
  EXPECT_TRUE(recording(1).finished);
}

TEST_F(RecordingTest, AConnectionWithTheIvrIsRecordedWithWhatIsPlayed) {
  const auto caller = dial(R"({"action":"ivr","callRecording":true,"recordingFileName":"ivr.ogg"})");
  ASSERT_EQ(count(), 1U);
  EXPECT_EQ(recording(0).order.file_name, "ivr.ogg");
  EXPECT_EQ(recorded(1), "0 heard;1 sent;");
  EXPECT_EQ(stop(answered()).status, 200);
  EXPECT_EQ(start(answered(), "again.wav").status, 200);
  EXPECT_EQ(recorded(1), "0 heard;1 sent;");
  world.hang_up(caller);
  EXPECT_TRUE(recording(1).finished);
}

TEST_F(RecordingTest, WhatCanNotBeginIsTold) {
  world.recordings.refusal = "the disk is full";
  const auto caller = dial(call_recorded);
  world.pick_up(called(0));
  const auto ready = world.notice("recordingReady");
  EXPECT_EQ(text(ready, "event"), "recordingFailed");
  EXPECT_EQ(text(ready, "reason"), "the disk is full");
  EXPECT_EQ(text(ready, "recordingFileName"), "talk.wav");
  const auto verdict = start(answered());
  EXPECT_EQ(verdict.status, 409);
  EXPECT_NE(verdict.reason.find("the disk is full"), std::string::npos);
  EXPECT_EQ(world.application().count("recordingReady"), 1U);
  EXPECT_EQ(world.media.joined.size(), 2U);  // the call goes on
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(RecordingTest, AnUnusableNameMakesTheReplyUnusable) {
  dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","callRecording":true,"recordingFileName":"../x.wav"})");
  EXPECT_EQ(alarm(), "newCall request failed");
  EXPECT_EQ(world.application().alarms.back().at("errorDetails").at("field"), "recordingFileName");
}

}  // namespace
}  // namespace rw::call
