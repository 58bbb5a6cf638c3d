#include "call/ivr.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "support/call_fakes.h"

namespace rw::call {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Host : public IvrHost {
 public:
  Host() {
    auto service = std::make_shared<tenant::Mediaservice>();
    service->domain = "demo.example";
    context.service = service;
    context.session_id = "session-1";
  }
  media::LegId media_leg() const override { return 1; }
  rtp::Codec codec() const override { return rtp::Codec::pcma; }
  const callbacks::Context& application() const override { return context; }
  PhraseContext phrase_context() const override { return {"demo.example", "eu"}; }
  ReplySubject reply_subject() const override { return {}; }
  const std::string& called_party() const override { return called; }
  const boost::json::value* session_reference() const override { return reference.is_null() ? nullptr : &reference; }
  void set_session_reference(boost::json::value value) override { reference = std::move(value); }
  void check_members(std::string_view, const boost::json::object&) override {}
  void alarm(std::string_view, std::string_view error, boost::json::object) override { alarms.emplace_back(error); }
  void connected_to_ivr(const std::string& ivr) override { id_of_ivr = ivr; }
  void left_ivr(CallEvent event, bool) override { left = std::string(event.event); }
  void leave_ivr(const Action& action) override { action_done = action; }
  bool refer_from_ivr(const sip::ReferReceived&, CallEvent) override { return false; }
  void hang_up(EndReason reason) override { ended = reason; }
  void without_command() override { ended = EndReason::error; }
  bool is_caller() const override { return true; }
  RecordingOrder ivr_recording(const std::string&) override { return {}; }
  RecordingOrder file_recording(const std::string& file_name, bool tell) override {
    RecordingOrder order;
    order.kind = RecordingOrder::Kind::phrase;
    order.application = context;
    order.tell = tell;
    order.two_channels = false;
    order.file_name = with_extension(file_name);
    return order;
  }

  callbacks::Context context;
  std::string called = "100";
  boost::json::value reference;
  std::vector<std::string> alarms;
  std::optional<EndReason> ended;
  std::string id_of_ivr;
  std::string left;
  std::optional<Action> action_done;
};

/// An Ivr that has asked its first question, with a clock that moves only when told.
class IvrTest : public testing::Test {
 protected:
  IvrTest() { ivr.confirmed(); }

  void reply(std::string_view json) { channel.answer(json); }
  void press(std::string_view digits) {
    for (const char digit : digits) ivr.digit_pressed(digit);
  }
  void pass(Duration time) {
    services.now += time;
    services.timers.advance(services.now);
  }
  /// The phrase at the head of the leg's queue has been heard.
  void heard() {
    const auto id = media.queue.front().id;
    media.queue.erase(media.queue.begin());
    ivr.play_ended(id);
  }
  const boost::json::object& question() { return channel.questions.at(0).body; }
  bool asking() const { return channel.questions.size() == 1; }
  std::string match() { return std::string(question().at("dtmfParams").at("dtmfMatch").as_string()); }
  std::string reason() { return std::string(question().at("dtmfParams").at("reason").as_string()); }

  Settings settings;
  sip::UserAgent user_agent{{}};
  fake::Media media;
  fake::Sounds sounds;
  fake::Channel channel;
  fake::Recordings recordings;
  ReplyTokens tokens{"secret"};
  ops::Metrics metrics;
  Services services{.settings = settings,
                    .sip = user_agent,
                    .media = media,
                    .sounds = sounds,
                    .application = channel,
                    .recordings = recordings,
                    .tokens = tokens,
                    .metrics = metrics,
                    .log = ops::Log(ops::Log::Format::text, ops::Level::error)};
  Host host;
  Ivr ivr{services, host, std::nullopt};
};

TEST_F(IvrTest, AsksAgainWhenThePhrasesHaveBeenHeard) {
  reply(R"({"phrases":[{"fileName":"a"},{"fileName":"b"}]})");
  EXPECT_EQ(media.queue.size(), 2U);
  heard();
  EXPECT_FALSE(asking());
  heard();
  EXPECT_TRUE(asking());
}

TEST_F(IvrTest, WaitsASecondAfterAnEmptyCommand) {
  reply("{}");
  EXPECT_FALSE(asking());
  pass(milliseconds(999));
  EXPECT_FALSE(asking());
  pass(milliseconds(1));
  EXPECT_TRUE(asking());
}

TEST_F(IvrTest, DoesNotAskInABusyLoopWhenNothingCanBePlayed) {
  sounds.missing = "gone";
  reply(R"({"phrases":[{"fileName":"gone"}]})");
  EXPECT_FALSE(asking());
  EXPECT_EQ(host.alarms, (std::vector<std::string>{"phraseError", "IVR command failed"}));
  pass(seconds(1));
  EXPECT_TRUE(asking());
}

TEST_F(IvrTest, GoesOnWithTheNextPhraseWhenOneFails) {
  sounds.missing = "gone";
  reply(R"({"phrases":[{"fileName":"gone"},{"format":"nonsense"},{"fileName":"b"}]})");
  EXPECT_EQ(host.alarms.size(), 2U);
  ASSERT_EQ(media.queue.size(), 1U);
  EXPECT_EQ(media.queue[0].sound, sounds.sound("b"));
}

TEST_F(IvrTest, GivesUpAPhraseThatIsNotReadyWithinTenSeconds) {
  sounds.hold = true;
  reply(R"({"phrases":[{"fileName":"slow"}],"getIVRCommandAfter":5})");
  pass(seconds(10));
  EXPECT_EQ(host.alarms, (std::vector<std::string>{"phraseRemoteCacheTimeout", "IVR command failed"}));
  sounds.held[0](sounds.sound("slow"));  // too late: it is not played any more
  EXPECT_TRUE(media.queue.empty());
  pass(seconds(5));
  EXPECT_TRUE(asking());
}

TEST_F(IvrTest, HangsUpAfterThePhrases) {
  reply(R"({"phrases":[{"fileName":"bye"}],"hangup":true})");
  EXPECT_FALSE(host.ended);
  heard();
  EXPECT_EQ(host.ended, EndReason::normal);
}

TEST_F(IvrTest, MatchesMaxDigitsAfterThePhrases) {
  reply(R"({"phrases":[{"fileName":"menu"}],"dtmf":{"maxDigits":2}})");
  press("1");
  heard();
  EXPECT_FALSE(asking());
  press("2");
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "12");
  EXPECT_EQ(reason(), "maxDigits");
  EXPECT_EQ(question().at("dtmfBuffer"), "12");
}

TEST_F(IvrTest, PlaysAllPhrasesWithoutBargeIn) {
  reply(R"({"phrases":[{"fileName":"a"},{"fileName":"b"}],"dtmf":{"maxDigits":1}})");
  press("5");
  EXPECT_TRUE(media.stopped.empty());
  heard();
  heard();
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "5");
}

TEST_F(IvrTest, BargeInCurrentStopsOnePhrase) {
  reply(R"({"phrases":[{"fileName":"a"},{"fileName":"b"}],"dtmf":{"maxDigits":1},"bargeIn":"current"})");
  press("5");
  ASSERT_EQ(media.stopped.size(), 1U);
  EXPECT_EQ(media.stopped[0], media.queue[0].id);
  heard();
  EXPECT_FALSE(asking());
  heard();
  EXPECT_TRUE(asking());
}

TEST_F(IvrTest, BargeInAllEndsTheCommand) {
  reply(R"({"phrases":[{"fileName":"a"},{"fileName":"b"}],"dtmf":{"terminationKey":"#*"},"bargeIn":"all"})");
  press("42*");
  EXPECT_TRUE(media.queue.empty());
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "42");
  EXPECT_EQ(question().at("dtmfParams").at("matchedTerminationKey"), "*");
}

TEST_F(IvrTest, BargeInOnDigitStopsThePhrasesAndGoesOnCollecting) {
  reply(R"({"phrases":[{"fileName":"a"}],"dtmf":{"maxDigits":3},"bargeIn":"all","bargeInOn":"digit"})");
  press("1");
  EXPECT_TRUE(media.queue.empty());
  EXPECT_FALSE(asking());
  press("23");
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "123");
}

TEST_F(IvrTest, CountsTypeAheadUnlessFlushed) {
  press("7");  // while the application is asked
  reply(R"({"dtmf":{"maxDigits":1}})");
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "7");
  press("8");
  reply(R"({"dtmf":{"maxDigits":1,"flush":true}})");
  EXPECT_FALSE(asking());
  press("9");
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "9");
  EXPECT_EQ(question().at("dtmfBuffer"), "9");
}

TEST_F(IvrTest, AMatchConsumesItsDigitsButTheBufferShowsThem) {
  press("12");
  reply(R"({"dtmf":{"maxDigits":1}})");
  EXPECT_EQ(match(), "1");
  reply(R"({"dtmf":{"maxDigits":1}})");
  EXPECT_EQ(match(), "2");
  EXPECT_EQ(question().at("dtmfBuffer"), "12");
}

constexpr auto four_and_key = R"({"dtmf":{"maxDigits":4,"terminationKey":"#","betweenTimeout":2}})";

TEST_F(IvrTest, TheKeyThatFollowsAMatchOfMaxDigitsBelongsToIt) {
  reply(four_and_key);
  press("1234");
  EXPECT_EQ(match(), "1234");
  pass(milliseconds(1900));
  press("#");  // while the application is asked
  reply(four_and_key);
  EXPECT_FALSE(asking());
  press("56#");
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "56");
  EXPECT_EQ(reason(), "terminationKey");
  EXPECT_EQ(question().at("dtmfBuffer"), "1234#56#");
}

TEST_F(IvrTest, TheKeyBelongsToTheMatchWhenAllWasPressedAhead) {
  press("1234#5678#");
  reply(four_and_key);
  EXPECT_EQ(match(), "1234");
  reply(four_and_key);
  EXPECT_EQ(match(), "5678");
  reply(four_and_key);
  EXPECT_FALSE(asking());
}

TEST_F(IvrTest, TheKeyBelongsToTheMatchThoughTheNextCommandFlushes) {
  reply(four_and_key);
  press("1234");
  reply(R"({"dtmf":{"terminationKey":"#","flush":true}})");
  press("#");
  EXPECT_FALSE(asking());
  press("9#");
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "9");
  EXPECT_EQ(question().at("dtmfBuffer"), "9#");
}

TEST_F(IvrTest, TheKeyThatBelongsToTheMatchStopsNothing) {
  reply(four_and_key);
  press("1234");
  reply(R"({"phrases":[{"fileName":"a"}],"dtmf":{"maxDigits":3},"bargeIn":"all","bargeInOn":"digit"})");
  press("#");
  EXPECT_EQ(media.queue.size(), 1U);
}

TEST_F(IvrTest, ASecondKeyOrALateOneOrOneBehindAnotherDigitCounts) {
  for (const std::string_view pressed : {"##", "late#", "7#"}) {
    reply(four_and_key);
    press("1234");
    ASSERT_TRUE(asking());
    reply(four_and_key);
    if (pressed == "late#") pass(milliseconds(2001));
    press(pressed == "late#" ? "#" : pressed);
    ASSERT_TRUE(asking()) << pressed;
    EXPECT_EQ(match(), pressed == "7#" ? "7" : "");
    EXPECT_EQ(reason(), "terminationKey");
  }
}

TEST_F(IvrTest, FirstTimeoutRunsFromTheEndOfThePhrases) {
  reply(R"({"phrases":[{"fileName":"a"}],"dtmf":{"maxDigits":4,"firstTimeout":2.5}})");
  pass(seconds(5));
  EXPECT_FALSE(asking());
  heard();
  pass(milliseconds(2499));
  EXPECT_FALSE(asking());
  pass(milliseconds(1));
  ASSERT_TRUE(asking());
  EXPECT_EQ(reason(), "firstTimeout");
  EXPECT_EQ(match(), "");
}

TEST_F(IvrTest, BetweenTimeoutRunsFromTheLastDigit) {
  reply(R"({"phrases":[{"fileName":"a"}],"dtmf":{"maxDigits":4,"firstTimeout":9,"betweenTimeout":2}})");
  heard();
  press("1");
  pass(milliseconds(1900));
  press("2");
  pass(milliseconds(1900));
  EXPECT_FALSE(asking());
  pass(milliseconds(100));
  ASSERT_TRUE(asking());
  EXPECT_EQ(reason(), "betweenTimeout");
  EXPECT_EQ(match(), "12");
}

TEST_F(IvrTest, GetIvrCommandAfterEndsACollection) {
  reply(R"({"dtmf":{"maxDigits":4,"firstTimeout":9},"getIVRCommandAfter":3})");
  pass(seconds(3));
  ASSERT_TRUE(asking());
  EXPECT_FALSE(question().contains("dtmfParams"));
}

TEST_F(IvrTest, EncryptedDigitsAreHashedWithTheSaltInFront) {
  reply(R"({"dtmf":{"maxDigits":4,"encryption":{"type":"md5","salt":"pepper"}}})");
  press("1234");
  ASSERT_TRUE(asking());
  EXPECT_EQ(match(), "bdecdf17bef039036f633933b6e348d5");  // md5("pepper1234")
  EXPECT_EQ(question().at("dtmfBuffer"), boost::json::value(match()));
  EXPECT_EQ(question().at("dtmfParams").at("encryption").at("salt"), "pepper");
}

TEST_F(IvrTest, DigitsThatWereHiddenStayHiddenUntilFlushed) {
  reply(R"({"dtmf":{"maxDigits":1,"encryption":{"type":"sha256","salt":"s"}}})");
  press("1");
  reply(R"({"phrases":[{"fileName":"a"}]})");
  heard();
  EXPECT_NE(question().at("dtmfBuffer"), "1");
  reply(R"({"dtmf":{"maxDigits":1,"flush":true}})");
  press("2");
  EXPECT_EQ(question().at("dtmfBuffer"), "2");
}

TEST_F(IvrTest, TheBackgroundStartsAfterThePhrasesAndStopsOnCommand) {
  reply(R"({"phrases":[{"fileName":"a"}],"backgroundPrompt":{"fileName":"music","repeatPause":1.5}})");
  EXPECT_EQ(media.background_sound, nullptr);
  heard();
  EXPECT_EQ(media.background_sound, sounds.sound("music"));
  EXPECT_EQ(media.background_pause, milliseconds(1500));
  reply(R"({"backgroundPrompt":{"stop":true}})");
  EXPECT_EQ(media.background_sound, nullptr);
}

TEST_F(IvrTest, InterruptEndsTheCommandThatRuns) {
  const auto command_of = [this] {
    const auto token = std::string(question().at("replyId").as_string());
    return tokens.verify(token)->command;
  };
  const auto first = command_of();
  EXPECT_EQ(ivr.interrupt(first), Ivr::Interruption::too_early);
  reply(R"({"phrases":[{"fileName":"long"}]})");
  EXPECT_EQ(ivr.interrupt("another"), Ivr::Interruption::over);
  EXPECT_EQ(ivr.interrupt(first), Ivr::Interruption::done);
  EXPECT_TRUE(media.queue.empty());
  ASSERT_TRUE(asking());
  EXPECT_EQ(ivr.interrupt(first), Ivr::Interruption::over);
}

TEST_F(IvrTest, AnUnusableMemberIsAFailedRequest) {
  reply(R"({"dtmf":{"maxDigits":"many"}})");
  EXPECT_EQ(host.alarms, std::vector<std::string>{"getIvrCommand request error"});
  EXPECT_EQ(host.ended, EndReason::error);
}

TEST_F(IvrTest, AnEmptyBodyHasItsOwnAlarm) {
  channel.refuse(callbacks::Failure::Kind::empty);
  EXPECT_EQ(host.alarms, std::vector<std::string>{"Empty body in getIvrCommand response"});
  EXPECT_EQ(host.ended, EndReason::error);
}

TEST_F(IvrTest, NothingIsLeftWhenItStops) {
  reply(R"({"phrases":[{"fileName":"a"}],"dtmf":{"maxDigits":1,"firstTimeout":5},"getIVRCommandAfter":7})");
  heard();
  EXPECT_GT(services.timers.size(), 0U);
  ivr.stop(nullptr);
  EXPECT_EQ(services.timers.size(), 0U);
  EXPECT_TRUE(channel.questions.empty());
}

// ---- the record phrase

constexpr const char* record =
    R"({"recordedCallback":true,"phrases":[{"format":"record","fileName":"msg","maxDuration":30,
  "silenceTimeout":4,"terminationKey":"#*"},{"fileName":"thanks"}]})";

class RecordPhraseTest : public IvrTest {
 protected:
  const fake::Recordings::Kept& recording() { return *recordings.all.at(0); }
};

TEST_F(RecordPhraseTest, BeginsAfterTheBeepAndEndsWithTheSilenceThatIsPlayed) {
  reply(record);
  ASSERT_EQ(media.queue.size(), 1U);  // the beep; nothing is queued behind it
  EXPECT_TRUE(recordings.all.empty());
  heard();
  ASSERT_EQ(recordings.all.size(), 1U);
  EXPECT_EQ(recording().order.file_name, "msg.mp3");
  EXPECT_TRUE(recording().order.tell);
  EXPECT_FALSE(recording().order.two_channels);
  EXPECT_EQ(media.records.size(), 1U);
  ASSERT_EQ(media.queue.size(), 1U);
  EXPECT_EQ(media.queue[0].silence, seconds(30));
  EXPECT_EQ(media.silence_watched, seconds(4));
  heard();
  EXPECT_TRUE(recording().finished);
  EXPECT_EQ(media.silence_watched, seconds(0));
  EXPECT_TRUE(media.records.empty());
  ASSERT_EQ(media.queue.size(), 1U);
  EXPECT_EQ(media.queue[0].sound, sounds.sound("thanks"));
  heard();
  EXPECT_TRUE(asking());
}

TEST_F(RecordPhraseTest, ATerminationKeyEndsItAndIsNoDigit) {
  reply(record);
  heard();
  press("1");
  EXPECT_FALSE(recording().finished);
  press("*");
  ASSERT_EQ(media.stopped.size(), 1U);
  EXPECT_EQ(media.stopped[0], media.queue[0].id);
  heard();
  EXPECT_TRUE(recording().finished);
  heard();
  EXPECT_EQ(question().at("dtmfBuffer").as_string(), "1");
}

TEST_F(RecordPhraseTest, TheKeyThatBelongsToTheMatchBeforeDoesNotEndIt) {
  reply(R"({"dtmf":{"maxDigits":4,"terminationKey":"*"}})");
  press("1234");
  reply(record);
  heard();
  press("*");
  EXPECT_FALSE(recording().finished);
  EXPECT_TRUE(media.stopped.empty());
  press("*");
  EXPECT_EQ(media.stopped.size(), 1U);
}

TEST_F(RecordPhraseTest, SilenceEndsIt) {
  reply(record);
  heard();
  ivr.fell_silent();
  EXPECT_EQ(media.stopped.size(), 1U);
  heard();
  EXPECT_TRUE(recording().finished);
}

TEST_F(RecordPhraseTest, OneThatIsSkippedDuringItsBeepIsNotMade) {
  reply(
      R"({"phrases":[{"format":"record","fileName":"msg"},{"fileName":"thanks"}],"dtmf":{"maxDigits":1},"bargeIn":"current"})");
  press("5");
  EXPECT_EQ(media.stopped.size(), 1U);
  heard();  // the beep's end comes late
  EXPECT_TRUE(recordings.all.empty());
  ASSERT_EQ(media.queue.size(), 1U);
  EXPECT_EQ(media.queue[0].sound, sounds.sound("thanks"));
}

TEST_F(RecordPhraseTest, WithoutABeepItBeginsAtOnce) {
  reply(R"({"phrases":[{"fileName":"say"},{"format":"record","fileName":"a.wav","beep":false,"silenceTimeout":0}]})");
  EXPECT_TRUE(recordings.all.empty());
  EXPECT_EQ(media.queue.size(), 1U);
  heard();
  ASSERT_EQ(recordings.all.size(), 1U);
  EXPECT_FALSE(recording().order.tell);
  EXPECT_EQ(media.silence_watched, seconds(0));
  heard();
  EXPECT_TRUE(recording().finished);
  EXPECT_TRUE(asking());
}

TEST_F(RecordPhraseTest, EndsWithTheCallAndWithTheCommand) {
  reply(record);
  heard();
  ivr.stop(nullptr);
  EXPECT_TRUE(recording().finished);
  EXPECT_TRUE(media.records.empty());
}

TEST_F(RecordPhraseTest, ARecordingThatCanNotBeginIsToldAndTheFlowGoesOn) {
  recordings.refusal = "no space";
  reply(record);
  heard();
  ASSERT_EQ(channel.notices.size(), 1U);
  EXPECT_EQ(channel.notices[0].first, "fileRecorded");
  EXPECT_EQ(channel.notices[0].second.at("reason").as_string(), "no space");
  heard();
  heard();
  EXPECT_TRUE(asking());
}

TEST_F(IvrTest, ASoundThatBreaksOffIsToldWhenItHasBeenHeard) {
  sounds.hold = true;
  reply(R"({"phrases":[{"url":"http://127.0.0.1/b.wav"}]})");
  const auto sound = std::make_shared<media::Sound>(8000U);
  sound->append(std::vector<std::int16_t>(8000));
  sounds.held.at(0)(media::SoundPtr(sound));
  sound->finish("the connection was reset");
  EXPECT_TRUE(host.alarms.empty());
  heard();
  EXPECT_EQ(host.alarms, std::vector<std::string>{"phraseError"});
  EXPECT_TRUE(asking());
}

}  // namespace
}  // namespace rw::call
