#include <gtest/gtest.h>

#include "connect_fixture.h"

/// From the menu to somebody else, and back: `action` in a command, splitconnection, and the IVR as a participant.
namespace rw::call {
namespace {

using std::chrono::seconds;

constexpr std::string_view call_next = R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070"})";
constexpr std::string_view call_after_a_phrase =
    R"({"phrases":[{"fileName":"wait"}],"action":"call","destAddr":"sip:next@127.0.0.1:5070"})";
constexpr std::string_view httpcall =
    R"({"action":"httpcall","codec":"PCMA","receiveIp":"127.0.0.1","receivePort":7000})";

class LeaveIvrTest : public ConnectTest {
 protected:
  /// A placed call that talks to the IVR. The phone's leg.
  sip::LegId placed(std::size_t n = 0) {
    PlacedCallOrder order;
    order.service = world.service;
    order.destination = read_destination({{"destAddr", "sip:2001@127.0.0.1:5070"}, {"sipFrom", "100"}}).value();
    EXPECT_EQ(world.command([&](auto& calls) { return calls.place_ivr_call(order, world.now); }).status, 200);
    world.pick_up(called(n));
    return called(n);
  }
  ReplySubject about_ivr(std::size_t shard = 0) { return world.subject_of(world.notice("callAnswered", shard)); }
  std::string ivr_of_caller() { return text(world.notice("callAnswered"), "calleeParticipantId"); }
  std::string event_member(std::string_view name) { return text(world.question().body, name); }
  /// The oldest question is a getIvrCommand that digits have led to.
  bool collected(std::string_view digits) {
    const auto* parameters = world.question().body.if_contains("dtmfParams");
    return parameters != nullptr && parameters->at("dtmfMatch").as_string() == digits;
  }
  /// On the phone of the first call.
  void press(char digit) {
    world.shards[0]->calls.media_event(media::DtmfReceived{1, digit, {}}, world.now);
    world.deliver();
  }
  std::size_t alarms() { return world.application().alarms.size(); }
};

// ---- `action` in a command

TEST_F(LeaveIvrTest, APhoneIsRungWhenThePhrasesHaveBeenHeard) {
  const auto caller = to_the_ivr();
  world.answer(call_after_a_phrase);
  EXPECT_TRUE(world.incoming().empty());
  world.play_ends();
  ASSERT_EQ(world.incoming().size(), 1U);
  EXPECT_FALSE(world.asked());
  world.pick_up(called(0));
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(text(world.notice("callAnswered"), "callingPartyNumber"), "ann");
  EXPECT_EQ(text(world.notice("callAnswered"), "remotePartyNumber"), "next");
  world.hang_up(caller);
  ASSERT_EQ(asked_event(), "callingPartyDrop");
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(LeaveIvrTest, ABusyPhoneLeadsBackToTheMenu) {
  const auto caller = to_the_ivr();
  world.answer(call_next);
  world.refuse(called(0), 486);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 486);
  world.answer(ivr);
  ASSERT_EQ(asked_event(), "getIvrCommand");
  EXPECT_EQ(world.application().count("callAnswered"), 2U);
  world.answer(R"({"phrases":[{"fileName":"menu"}],"dtmf":{"maxDigits":1},"bargeIn":"all"})");
  press('2');
  ASSERT_EQ(asked_event(), "getIvrCommand");
  EXPECT_TRUE(collected("2"));
  world.hang_up(caller);
}

TEST_F(LeaveIvrTest, AfterTheCallTheMenuTakesDigitsAgain) {
  const auto caller = to_the_ivr();
  world.answer(call_next);
  world.pick_up(called(0));
  world.hang_up(called(0));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  world.answer(ivr);
  world.answer(R"({"dtmf":{"maxDigits":1}})");
  press('7');
  EXPECT_TRUE(collected("7"));
  world.hang_up(caller);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(LeaveIvrTest, ADropHangsUpWithItsCode) {
  const auto caller = to_the_ivr();
  world.answer(R"({"phrases":[{"fileName":"bye"}],"action":"drop","dropCode":"busy"})");
  EXPECT_FALSE(is_over(caller));
  world.play_ends();
  EXPECT_TRUE(is_over(caller));
  EXPECT_NE(reason_of_end(caller).find("cause=486"), std::string::npos);
  EXPECT_EQ(completed_reason(), "rejected");
}

TEST_F(LeaveIvrTest, TwoPlacedCallsAreConnectedFromTheMenuOfTheSecond) {
  sessions = 2;
  const auto first = placed(0);
  const auto id = text(world.notice("callAnswered"), "calleeParticipantId");
  const auto second = placed(1);
  ASSERT_EQ(world.application().questions.size(), 2U);
  std::swap(world.application().questions[0], world.application().questions[1]);
  world.answer(connect(id));
  EXPECT_FALSE(world.asked());  // the first one's question is withdrawn
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(first);
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  world.answer(ivr);
  ASSERT_EQ(asked_event(), "getIvrCommand");
  world.hang_up(second);
}

TEST_F(LeaveIvrTest, TwoPlacedCallsAreConnectedBySplittingBoth) {
  sessions = 2;
  const auto first = placed(0);
  const auto about_first = about_ivr();
  placed(1);
  ASSERT_EQ(split(about_ivr()).status, 200);
  ASSERT_EQ(split(about_first).status, 200);
  ASSERT_EQ(world.application().questions.size(), 2U);
  EXPECT_EQ(event_member("event"), "calleeConnectionSplit");
  world.answer(connect(about_first.participant));
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(first);
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  world.answer(drop);
}

TEST_F(LeaveIvrTest, ADeviceIsReachedFromTheMenuAndLeftForIt) {
  const auto caller = to_the_ivr();
  world.answer(httpcall);
  ASSERT_NE(world.last<sip::OfferReceived>(caller), nullptr);
  world.answer_offer(caller);
  ASSERT_EQ(world.application().count("callAnswered"), 2U);
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(hang_up_participant(world.subject_of(answered), text(answered, "calleeParticipantId")).status, 200);
  world.answer_offer(caller);  // its media comes back
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  world.answer(ivr);
  ASSERT_EQ(asked_event(), "getIvrCommand");
  world.answer(R"({"phrases":[{"fileName":"menu"}]})");
  EXPECT_EQ(world.media.queue.size(), 1U);
  world.hang_up(caller);
}

TEST_F(LeaveIvrTest, AMonitorListensToACallFromTheMenu) {
  const auto caller = to_the_ivr();
  world.answer(R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070","monitorDestAddr":"sip:spy@127.0.0.1:5070"})");
  world.pick_up(called(0));
  world.pick_up(called(1));
  EXPECT_EQ(world.media.listeners.size(), 1U);
  world.hang_up(caller);
  EXPECT_TRUE(is_over(called(1)));
  drop_the_rest();
}

TEST_F(LeaveIvrTest, TheMenusRecordingEndsAndTheCallHasItsOwn) {
  const auto caller = dial(R"({"action":"ivr","callRecording":true,"recordingFileName":"menu"})");
  ASSERT_EQ(world.recordings.running(), 1U);
  world.answer(
      R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070","callRecording":true,"recordingFileName":"call"})");
  EXPECT_EQ(world.recordings.running(), 0U);
  world.pick_up(called(0));
  ASSERT_EQ(world.recordings.all.size(), 2U);
  EXPECT_EQ(world.recordings.all[1]->order.file_name, "call.mp3");
  EXPECT_EQ(world.recordings.running(), 1U);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(LeaveIvrTest, TheBackgroundPromptEndsWithTheMenu) {
  const auto caller = to_the_ivr();
  world.answer(R"({"backgroundPrompt":{"fileName":"music"},"getIVRCommandAfter":1})");
  EXPECT_EQ(world.media.background_sound, world.sounds.sound("music"));
  world.pass(seconds(1));
  world.answer(R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070","ringbackTone":"silent"})");
  EXPECT_EQ(world.media.background_sound, nullptr);
  world.hang_up(caller);
  EXPECT_TRUE(is_over(called(0)));
}

TEST_F(LeaveIvrTest, AnInterruptedCommandsActionIsNotDone) {
  const auto caller = to_the_ivr();
  const auto command = world.subject_of(world.question().body);
  world.answer(call_after_a_phrase);
  EXPECT_EQ(world.command([&](auto& calls) { return calls.interrupt_ivr_command(command, "", world.now); }).status,
            200);
  EXPECT_EQ(asked_event(), "getIvrCommand");
  world.answer(R"({"phrases":[{"fileName":"menu"}]})");
  world.play_ends();
  EXPECT_TRUE(world.incoming().empty());
  world.hang_up(caller);
}

TEST_F(LeaveIvrTest, TheActionIvrStays) {
  const auto caller = to_the_ivr();
  world.answer(R"({"action":"ivr","dtmf":{"maxDigits":1},"callRecording":true})");
  EXPECT_EQ(world.recordings.running(), 1U);
  press('4');
  EXPECT_TRUE(collected("4"));
  EXPECT_EQ(world.application().count("callAnswered"), 1U);
  world.hang_up(caller);
}

TEST_F(LeaveIvrTest, WhatCanNotStandBesideAnActionIsNamed) {
  constexpr std::pair<std::string_view, std::string_view> table[] = {
      {R"({"action":"call","destAddr":"sip:a@127.0.0.1:5070","dtmf":{"maxDigits":1}})", "dtmf"},
      {R"({"action":"drop","hangup":true})", "hangup"},
      {R"({"action":"fly"})", "action"},
      {R"({"action":{}})", "action"},
      {R"({"action":"connect"})", "participantId"},
      {R"({"action":"call","destAddr":7})", "destAddr"},
      {R"({"action":"drop","dropCode":"never"})", "dropCode"},
      {R"({"action":"httpcall","codec":"OPUS"})", "codec"}};
  sessions = std::size(table);
  for (const auto& [reply, field] : table) {
    const auto caller = to_the_ivr();
    const auto before = alarms();
    world.answer(reply);
    ASSERT_GT(alarms(), before) << reply;
    const auto& told = world.application().alarms.back();
    EXPECT_EQ(text(told, "type"), "ivrCommandError");
    EXPECT_EQ(text(told.at("errorDetails").as_object(), "field"), field) << reply;
    EXPECT_TRUE(is_over(caller));
    EXPECT_EQ(completed_reason(), "error");
  }
  EXPECT_EQ(world.incoming().size(), 0U);
}

TEST_F(LeaveIvrTest, AnAddressThatIsNoneIsPassedOver) {
  const auto caller = to_the_ivr();
  world.answer(R"({"action":"call","destAddr":["nowhere","sip:next@127.0.0.1:5070"]})");
  EXPECT_EQ(alarm(), "Invalid sip address: nowhere");
  EXPECT_EQ(text(world.application().alarms.back(), "type"), "ivrCommandError");
  world.pick_up(called(0));
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(LeaveIvrTest, WithoutAUsableAddressTheFallbackIsUsed) {
  world.set_fallback(tenant::Fallback::Mode::on_error,
                     R"({"action":{"type":"call","destAddr":"sip:spare@127.0.0.1:5070"}})");
  const auto caller = to_the_ivr();
  world.answer(R"({"action":"call","destAddr":"nowhere"})");
  ASSERT_EQ(world.incoming().size(), 1U);
  world.pick_up(called(0));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
}

TEST_F(LeaveIvrTest, WhoIsToBeConnectedIsNotThere) {
  const auto caller = to_the_ivr();
  world.answer(connect(ivr_of_caller()));
  EXPECT_EQ(alarm(), "getIvrCommand request error");
  EXPECT_EQ(text(world.application().alarms.back().at("errorDetails").as_object(), "field"), "participantId");
  EXPECT_TRUE(is_over(caller));
}

// ---- splitconnection

TEST_F(LeaveIvrTest, ACallerIsSplitFromTheIvrInEachOfItsStates) {
  constexpr std::string_view commands[] = {"", R"({"phrases":[{"fileName":"long"}]})", R"({"dtmf":{"maxDigits":1}})",
                                           R"({"getIVRCommandAfter":30})"};
  sessions = std::size(commands);
  for (const auto command : commands) {
    const auto n = world.incoming().size();
    const auto caller = to_the_ivr();
    const auto answered = world.notice("callAnswered");
    if (!command.empty()) world.answer(command);
    ASSERT_EQ(split(world.subject_of(answered), text(answered, "connectionId")).status, 200) << command;
    ASSERT_EQ(world.application().questions.size(), 1U);  // a getIvrCommand that was under way is withdrawn
    EXPECT_EQ(event_member("event"), "callerConnectionSplit");
    EXPECT_EQ(event_member("participantId"), text(answered, "callerParticipantId"));
    EXPECT_EQ(event_member("user"), "ann");
    EXPECT_EQ(event_member("remoteParticipantId"), text(answered, "calleeParticipantId"));
    EXPECT_EQ(event_member("connectionId"), text(answered, "connectionId"));
    EXPECT_EQ(split(world.subject_of(answered)).status, 409);
    EXPECT_TRUE(world.media.queue.empty());
    world.answer(call_next);
    world.pick_up(called(n));
    EXPECT_EQ(world.media.joined.size(), 2U);
    world.hang_up(caller);
    drop_the_rest();
  }
}

TEST_F(LeaveIvrTest, WhatIsBeingRecordedIsKept) {
  const auto caller = to_the_ivr();
  world.answer(R"({"phrases":[{"format":"record","fileName":"message","beep":false}],"recordedCallback":true})");
  ASSERT_EQ(world.recordings.running(), 1U);
  ASSERT_EQ(split(about_ivr()).status, 200);
  EXPECT_EQ(world.recordings.running(), 0U);
  EXPECT_TRUE(world.recordings.all[0]->order.tell);
  world.hang_up(caller);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(LeaveIvrTest, ASplitAndAnInterruptionCross) {
  const auto caller = to_the_ivr();
  const auto command = world.subject_of(world.question().body);
  world.answer(R"({"getIVRCommandAfter":30})");
  const auto interrupt = [&] {
    return world.command([&](auto& calls) { return calls.interrupt_ivr_command(command, "", world.now); }).status;
  };
  EXPECT_EQ(split(about_ivr()).status, 200);
  EXPECT_EQ(interrupt(), 404);
  EXPECT_EQ(asked_event(), "callerConnectionSplit");
  world.answer(ivr);
  EXPECT_EQ(interrupt(), 404);
  ASSERT_EQ(asked_event(), "getIvrCommand");
  world.hang_up(caller);
}

TEST_F(LeaveIvrTest, ACalleeThatIsLeftAloneInTheIvr) {
  const auto caller = talk();
  world.hang_up(caller);
  world.answer(ivr);
  const auto answered = world.notice("callAnswered");
  ASSERT_EQ(split(world.subject_of(answered)).status, 200);
  EXPECT_EQ(event_member("event"), "calleeConnectionSplit");
  world.answer(ivr);
  ASSERT_EQ(hang_up_participant(about_ivr(), text(world.notice("callAnswered"), "callerParticipantId")).status, 200);
  EXPECT_EQ(asked_event(), "callingPartyDrop");
  world.answer(call_next);
  world.pick_up(called(1));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(called(0));
  drop_the_rest();
}

TEST_F(LeaveIvrTest, WithoutAnAnswerTheFallbackIsUsed) {
  world.set_fallback(tenant::Fallback::Mode::on_error,
                     R"({"action":{"type":"hangup"},"phrases":[{"fileName":"sorry"}]})");
  const auto caller = to_the_ivr();
  split(about_ivr());
  world.leave_unanswered();
  EXPECT_EQ(world.media.queue.size(), 1U);
  world.play_ends();
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

// ---- the IVR as a participant

TEST_F(LeaveIvrTest, TheIvrHangsUp) {
  const auto caller = to_the_ivr();
  const auto answered = world.notice("callAnswered");
  const auto ivr_id = ivr_of_caller();
  ASSERT_FALSE(ivr_id.empty());
  EXPECT_EQ(hang_up_participant(world.subject_of(answered), ivr_id).status, 200);
  EXPECT_EQ(event_member("event"), "calledPartyDrop");
  EXPECT_EQ(event_member("participantId"), ivr_id);
  EXPECT_EQ(event_member("remoteParticipantId"), text(answered, "callerParticipantId"));
  EXPECT_EQ(event_member("remoteUser"), "ann");
  EXPECT_FALSE(event_member("errorDescr").empty());
  EXPECT_FALSE(is_over(caller));
  EXPECT_EQ(hang_up_participant(world.subject_of(answered), ivr_id).status, 404);
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(LeaveIvrTest, TheIvrOfAPlacedCallHangsUp) {
  placed();
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(hang_up_participant(world.subject_of(answered), text(answered, "callerParticipantId")).status, 200);
  EXPECT_EQ(event_member("event"), "callingPartyDrop");
  EXPECT_EQ(event_member("remoteParticipantId"), text(answered, "calleeParticipantId"));
  world.answer(drop);
}

TEST_F(LeaveIvrTest, TheRemoteOfACallerIsTheIvrAndTheOtherWayRound) {
  sessions = 2;
  const auto caller = to_the_ivr();
  EXPECT_EQ(hang_up_remote(about_ivr()).status, 200);
  EXPECT_EQ(event_member("event"), "calledPartyDrop");
  EXPECT_EQ(hang_up_remote(about_ivr()).status, 409);
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
  const auto second = to_the_ivr();
  EXPECT_EQ(hang_up_remote(about_ivr(), ivr_of_caller()).status, 200);
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(LeaveIvrTest, AnIvrOfAnotherSessionIsNotFound) {
  sessions = 2;
  const auto first = to_the_ivr();
  const auto about_first = about_ivr();
  world.answer(R"({"getIVRCommandAfter":30})");
  const auto second = to_the_ivr();
  EXPECT_EQ(hang_up_participant(about_first, ivr_of_caller()).status, 404);
  world.hang_up(first);
  world.hang_up(second);
}

TEST_F(LeaveIvrTest, TheCallerHangsUpWhileTheApplicationIsAsked) {
  const auto caller = to_the_ivr();
  split(about_ivr());
  world.hang_up(caller);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "normal");
}

}  // namespace
}  // namespace rw::call
