#include "call/fallback.h"

#include "support/call_test.h"

namespace rw::call {
namespace {

using Mode = tenant::Fallback::Mode;
using FailureKind = callbacks::Failure::Kind;

class FallbackTest : public CallTest {
 protected:
  std::vector<std::string> alarms() {
    std::vector<std::string> all;
    for (const auto& one : world.application().alarms) all.push_back(text(one, "error"));
    return all;
  }
  bool joined() const { return !world.media.joined.empty(); }

  static constexpr std::string_view to_call = R"({"action":{"type":"call","destAddr":"sip:help@127.0.0.1:5070"}})";
  static constexpr std::string_view say_and_call =
      R"({"action":{"type":"call","destAddr":"sip:help@127.0.0.1:5070"},"phrases":[{"fileName":"sorry"}]})";
  static constexpr std::string_view say_and_hang_up =
      R"({"action":{"type":"hangup"},"phrases":[{"fileName":"sorry"},{"fileName":"bye"}]})";
  static constexpr std::string_view to_hang_up = R"({"action":{"type":"hangup"}})";
};

TEST_F(FallbackTest, ACallIsConnectedWhenNewCallFails) {
  world.set_fallback(Mode::on_error, std::string(to_call));
  const auto caller = world.call();
  EXPECT_EQ(asked_event(), "newCall");
  world.leave_unanswered();
  EXPECT_EQ(alarms(), (std::vector<std::string>{"newCall request failed", "triggeredByError"}));
  EXPECT_EQ(text(world.application().alarms[1], "type"), "emergencyFallback");
  world.pick_up(called(0));
  EXPECT_TRUE(joined());
  EXPECT_NE(world.last<sip::Answered>(caller), nullptr);
  world.hang_up(caller);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(FallbackTest, EveryKindOfFailureCounts) {
  world.set_fallback(Mode::on_error, std::string(to_hang_up));
  sessions = 0;
  for (const auto* reply : {"{}", R"({"action":"fly"})", R"({"action":"call","destAddr":"nowhere"})",
                            R"({"action":"drop","dropCode":"x"})"}) {
    const auto caller = dial(reply);
    EXPECT_EQ(refused_with(caller), 480) << reply;
    EXPECT_EQ(alarm(), "triggeredByError") << reply;
    ++sessions;
  }
  const auto caller = world.call();
  world.leave_unanswered(0, FailureKind::empty);
  EXPECT_EQ(refused_with(caller), 480);
  EXPECT_EQ(completed_reason(), "error");
  ++sessions;
}

TEST_F(FallbackTest, PhrasesAreHeardFirstAndNeedAnAnswer) {
  world.set_fallback(Mode::on_error, std::string(say_and_call));
  const auto caller = world.call();
  world.leave_unanswered();
  EXPECT_NE(world.last<sip::Answered>(caller), nullptr);
  EXPECT_EQ(world.sounds.asked, (std::vector<std::string>{"sorry"}));
  EXPECT_EQ(called(0), 0U);
  world.play_ends();
  ASSERT_NE(called(0), 0U);
  world.pick_up(called(0));
  EXPECT_TRUE(joined());
  world.hang_up(called(0));
  EXPECT_TRUE(is_over(caller));
  EXPECT_FALSE(world.asked());
}

TEST_F(FallbackTest, APhraseThatFailsIsPassedOver) {
  world.sounds.missing = "sorry";
  world.set_fallback(Mode::on_error, std::string(say_and_hang_up));
  const auto caller = world.call();
  world.leave_unanswered();
  EXPECT_EQ(alarm(), "phraseError");
  EXPECT_FALSE(is_over(caller));
  world.play_ends();
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(FallbackTest, AlwaysAsksNobody) {
  world.set_fallback(Mode::always, std::string(to_call));
  const auto caller = world.call();
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(alarms(), (std::vector<std::string>{"triggeredByAlways"}));
  world.pick_up(called(0));
  EXPECT_TRUE(joined());
  world.hang_up(caller);
}

TEST_F(FallbackTest, AlwaysHangingUpIsARejection) {
  world.set_fallback(Mode::always, std::string(to_hang_up));
  EXPECT_EQ(refused_with(world.call()), 480);
  EXPECT_EQ(completed_reason(), "rejected");
}

TEST_F(FallbackTest, AlwaysWithPhrasesEndsNormally) {
  world.set_fallback(Mode::always, std::string(say_and_hang_up));
  const auto caller = world.call();
  world.play_ends();
  world.play_ends();
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(FallbackTest, TheIvrFallsBack) {
  world.set_fallback(Mode::on_error, std::string(to_call));
  const auto caller = dial(R"({"action":"ivr"})");
  EXPECT_EQ(asked_event(), "getIvrCommand");
  world.leave_unanswered();
  EXPECT_EQ(alarms(), (std::vector<std::string>{"getIvrCommand request error", "triggeredByError"}));
  world.pick_up(called(0));
  EXPECT_TRUE(joined());
  world.hang_up(caller);
}

TEST_F(FallbackTest, ACallerWhoseCalleeHasGoneFallsBack) {
  world.set_fallback(Mode::on_error, std::string(to_call));
  const auto caller = talk();
  world.hang_up(called(0));
  EXPECT_EQ(asked_event(), "calledPartyDrop");
  world.leave_unanswered();
  EXPECT_EQ(alarms(), (std::vector<std::string>{"No response to callEvent request", "triggeredByError"}));
  world.pick_up(called(1));
  EXPECT_TRUE(joined());
  world.hang_up(caller);
}

TEST_F(FallbackTest, ACalleeDoesNot) {
  world.set_fallback(Mode::on_error, std::string(to_call));
  world.hang_up(talk());
  EXPECT_EQ(asked_event(), "callingPartyDrop");
  world.leave_unanswered();
  EXPECT_EQ(alarm(), "No response to callEvent request");
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(called(1), 0U);
}

TEST_F(FallbackTest, SomebodyWhoCantBeConnectedFallsBack) {
  world.set_fallback(Mode::on_error, std::string(to_hang_up));
  const auto caller = dial(R"({"action":"connect","participantId":"nobody"})");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(alarm(), "triggeredByError");
}

TEST_F(FallbackTest, ABusyFallbackIsTheEndWithoutAQuestion) {
  world.set_fallback(Mode::on_error, std::string(to_call));
  const auto caller = world.call();
  world.leave_unanswered();
  world.refuse(called(0), 486);
  EXPECT_EQ(refused_with(caller), 480);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(called(1), 0U);
  EXPECT_EQ(completed_reason(), "busy");
}

TEST_F(FallbackTest, AtMostOnceForASession) {
  world.set_fallback(Mode::on_error, std::string(to_call));
  const auto caller = world.call();
  world.leave_unanswered();
  world.pick_up(called(0));
  const auto subject = world.subject_of(world.notice("callAnswered"));
  EXPECT_EQ(world.command([&](Switchboard& calls) { return calls.split_connection(subject, {}, world.now); }).status,
            200);
  EXPECT_EQ(world.application().questions.size(), 2U);  // the application has commanded it: it is there again
  world.leave_unanswered();
  world.leave_unanswered();
  EXPECT_TRUE(is_over(caller));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(called(1), 0U);
}

TEST_F(FallbackTest, TheCallerMayHangUpDuringThePhrases) {
  world.set_fallback(Mode::always, std::string(say_and_call));
  world.hang_up(world.call());
  EXPECT_EQ(called(0), 0U);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(FallbackTest, TheCallerMayCancelWhileTheFallbackRings) {
  world.set_fallback(Mode::always, std::string(to_call));
  world.cancel(world.call());
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "cancelled");
}

TEST_F(FallbackTest, OtherNumbersHaveTheDefault) {
  world.set_fallback(Mode::on_error, std::string(to_call), "101");
  const auto caller = world.call();
  world.leave_unanswered();
  EXPECT_EQ(refused_with(caller), 480);
  EXPECT_EQ(alarm(), "newCall request failed");
}

TEST_F(FallbackTest, NoMediaPortIsTheEnd) {
  world.set_fallback(Mode::always, std::string(say_and_call));
  world.media.exhausted = true;
  EXPECT_EQ(refused_with(world.call()), 503);
}

TEST_F(FallbackTest, AnEntryThatCantBeReadIsTheDefault) {
  world.set_fallback(Mode::on_error, "[]");
  const auto caller = world.call();
  world.leave_unanswered();
  EXPECT_EQ(refused_with(caller), 480);
}

class ReadFallbackTest : public testing::Test {
 protected:
  static std::string problem(std::string_view json) {
    const auto read = read_fallback_command(boost::json::parse(json).as_object(), {"demo.example", "eu"});
    return read ? "" : read.error().message;
  }
};

TEST_F(ReadFallbackTest, ProblemsNameTheMember) {
  EXPECT_TRUE(problem("{}").starts_with("command.action: "));
  EXPECT_TRUE(problem(R"({"action":[]})").starts_with("command.action: "));
  EXPECT_TRUE(problem(R"({"action":{}})").starts_with("command.action: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"ivr"}})").starts_with("command.action.type: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"call"}})").starts_with("command.action.destAddr: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"call","destAddr":"x"}})").starts_with("command.action.destAddr: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"call","destAddr":"sip:a@b","maxRingTime":0}})")
                  .starts_with("command.action.maxRingTime: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"call","destAddr":"sip:a@b","xHeaders":{"X-A":"b\r\nc"}}})")
                  .starts_with("command.action.xHeaders"));
  EXPECT_TRUE(problem(R"({"action":{"type":"hangup"},"phrases":{}})").starts_with("command.phrases: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"hangup"},"phrases":[7]})").starts_with("command.phrases[0]: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"hangup"},"phrases":[{"format":"file"}]})")
                  .starts_with("command.phrases[0].fileName: "));
  EXPECT_TRUE(problem(R"({"action":{"type":"hangup"},"phrases":[{"format":"record","fileName":"a"}]})")
                  .starts_with("command.phrases[0].format: "));
}

TEST_F(ReadFallbackTest, MembersAreRead) {
  const auto read = read_fallback_command(
      boost::json::parse(
          R"({"action":{"type":"call","destAddr":"sip:a@b","maxRingTime":7,"sipFrom":"me"},"phrases":[{"fileName":"a"}]})")
          .as_object(),
      {"demo.example", "eu"});
  ASSERT_TRUE(read && read->call);
  EXPECT_EQ(read->phrases.size(), 1U);
  EXPECT_EQ(read->call->destinations.at(0).max_ring_time, std::chrono::seconds(7));
  EXPECT_EQ(read->call->destinations.at(0).headers.sip_from, "me");
}

}  // namespace
}  // namespace rw::call
