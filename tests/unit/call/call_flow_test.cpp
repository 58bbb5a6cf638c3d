#include <gtest/gtest.h>

#include "call_flow_fixture.h"

/// The action `call`: what the phones and the application see of it.
namespace rw::call {
namespace {

using std::chrono::seconds;

// ---- from the INVITE to the end

TEST_F(CallFlowTest, ThePhoneRingsIsAnsweredAndBothAreJoined) {
  const auto caller = dial(call_one);
  ASSERT_EQ(world.incoming().size(), 1U);
  const auto& invite = *world.incoming()[0].request;
  EXPECT_EQ(invite.request_uri(), "sip:2001@127.0.0.1:5070");
  EXPECT_NE(invite.header("From")->find("\"Ann\" <sip:ann@demo.example>"), std::string::npos);
  EXPECT_NE(invite.body().find("m=audio"), std::string::npos);
  ASSERT_NE(world.last<sip::Progress>(caller), nullptr);
  EXPECT_EQ(world.last<sip::Progress>(caller)->status, 183);

  world.ring(called(0));
  const auto ringing = world.notice("callNotify");
  EXPECT_EQ(text(ringing, "event"), "ringing");
  EXPECT_EQ(text(ringing, "user"), "2001");
  EXPECT_EQ(text(ringing, "remoteUser"), "ann");
  EXPECT_FALSE(ringing.at("monitoringParticipant").as_bool());
  EXPECT_EQ(world.subject_of(ringing).participant, text(ringing, "participantId"));
  EXPECT_TRUE(world.media.joined.empty());
  EXPECT_EQ(world.last<sip::Answered>(caller), nullptr);

  world.pick_up(called(0));
  ASSERT_NE(world.last<sip::Answered>(caller), nullptr);
  EXPECT_EQ(world.media.joined.size(), 2U);
  ASSERT_EQ(world.application().count("callAnswered"), 1U);
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(text(answered, "callingPartyNumber"), "ann");
  EXPECT_EQ(text(answered, "remotePartyNumber"), "2001");
  EXPECT_EQ(text(answered, "calleeParticipantId"), text(ringing, "participantId"));
  EXPECT_FALSE(text(answered, "connectionId").empty());
  EXPECT_FALSE(answered.at("monitoringParticipant").as_bool());
  EXPECT_FALSE(world.asked());

  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, TheCalleeHangsUpAndTheApplicationDecidesAboutTheCaller) {
  const auto caller = talk();
  const auto answered = world.notice("callAnswered");
  world.hang_up(called(0));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  const auto& body = world.question().body;
  EXPECT_EQ(text(body, "user"), "2001");
  EXPECT_EQ(text(body, "participantId"), text(answered, "calleeParticipantId"));
  EXPECT_EQ(text(body, "remoteUser"), "ann");
  EXPECT_EQ(text(body, "remoteParticipantId"), text(answered, "callerParticipantId"));
  EXPECT_EQ(text(body, "connectionId"), text(answered, "connectionId"));
  EXPECT_EQ(body.if_contains("errorDescr"), nullptr);
  EXPECT_TRUE(world.media.joined.empty());
  EXPECT_FALSE(is_over(caller));
  world.answer(R"({"action":"drop","dropCode":"busy"})");
  EXPECT_EQ(reason_of_end(caller), "SIP;cause=486;text=\"Busy here\"");
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(CallFlowTest, TheCallerHangsUpAndTheApplicationDecidesAboutTheCallee) {
  const auto caller = talk();
  world.hang_up(caller);
  ASSERT_EQ(asked_event(), "callingPartyDrop");
  const auto& body = world.question().body;
  EXPECT_EQ(text(body, "user"), "ann");
  EXPECT_EQ(text(body, "remoteUser"), "2001");
  EXPECT_EQ(world.subject_of(body).participant, text(body, "remoteParticipantId"));
  EXPECT_FALSE(is_over(called(0)));
  world.answer(drop);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(CallFlowTest, BothHangUpAtOnce) {
  const auto caller = talk();
  world.phones.bye(caller, "", world.now);
  world.hang_up(called(0));
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(CallFlowTest, WhoWaitsForTheAnswerToCallEventMayHangUp) {
  const auto caller = talk();
  world.hang_up(called(0));
  world.hang_up(caller);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(CallFlowTest, SilenceOfOnePartyIsToldToTheOther) {
  const auto caller = talk();
  world.shards[0]->calls.media_event(media::RtpTimedOut{2}, world.now);
  world.deliver();
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(alarm(), "RTP media timeout");
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  EXPECT_EQ(text(world.question().body, "errorDescr"), "RTP media timeout");
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "rtpTimeout");
}

TEST_F(CallFlowTest, TheSessionsLimitEndsBothPartiesWithoutAQuestion) {
  world.settings.max_session = seconds(100);
  const auto caller = talk();
  world.pass(seconds(101));
  EXPECT_TRUE(is_over(caller));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(alarm(), "maxDuration");
  EXPECT_EQ(completed_reason(), "maxDuration");
}

// ---- before the answer

TEST_F(CallFlowTest, TheCallerCancelsWhileItRings) {
  const auto caller = dial(call_one);
  world.ring(called(0));
  world.cancel(caller);
  EXPECT_EQ(refused_with(caller), 487);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "cancelled");
}

TEST_F(CallFlowTest, TheCalleeIsBusy) {
  const auto caller = dial(call_one);
  world.refuse(called(0), 486);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  const auto& body = world.question().body;
  EXPECT_EQ(body.at("sipResponseCode"), 486);
  EXPECT_EQ(text(body, "errorDescr"), "Busy Here");
  EXPECT_EQ(text(body, "user"), "2001");
  EXPECT_EQ(text(body, "remoteUser"), "ann");
  EXPECT_EQ(world.subject_of(body).participant, text(body, "remoteParticipantId"));
  EXPECT_NE(world.media.background_sound, nullptr);  // unanswered, it goes on hearing the ringback
  world.answer(R"({"action":"drop","dropCode":"busy"})");
  EXPECT_EQ(refused_with(caller), 486);
  EXPECT_EQ(completed_reason(), "rejected");
}

TEST_F(CallFlowTest, EachRefusalIsToldWithItsStatus) {
  sessions = 3;
  for (const int status : {503, 603, 404}) {
    const auto before = world.incoming().size();
    dial(call_one);
    world.refuse(called(before), status);
    ASSERT_EQ(asked_event(), "calledPartyFailure");
    EXPECT_EQ(world.question().body.at("sipResponseCode"), status);
    world.answer(drop);
  }
}

TEST_F(CallFlowTest, ACalleeThatDoesNotAnswerInTimeIsCancelled) {
  dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","maxRingTime":10})");
  world.ring(called(0));
  world.pass(seconds(9));
  EXPECT_FALSE(world.asked());
  world.pass(seconds(2));
  EXPECT_EQ(reason_of_end(called(0)), "SIP;cause=408;text=\"Not answered in time\"");
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 408);
  world.answer(drop);
}

TEST_F(CallFlowTest, TheAnswerThatCrossesTheCancelIsEnded) {
  const auto caller = dial(call_one);
  world.ring(called(0));
  world.phones.answer(called(0), std::string(phone_sdp), {}, world.now);
  world.cancel(caller);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(world.application().count("callAnswered"), 0U);
  EXPECT_EQ(completed_reason(), "cancelled");
}

TEST_F(CallFlowTest, TheCallEndsWhileTheAnswerWaitsForTheCallersPrack) {
  world.lose = [](const std::string& message) { return message.starts_with("PRACK"); };
  const auto caller = dial(call_one);
  world.pick_up(called(0));
  world.hang_up(called(0));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  EXPECT_EQ(world.last<sip::Answered>(caller), nullptr);
  world.answer(drop);
  world.lose = nullptr;
  world.pass(seconds(1));
  EXPECT_TRUE(is_over(caller));
}

TEST_F(CallFlowTest, TheCallersAckNeverComes) {
  world.lose = [](const std::string& message) {
    return message.starts_with("ACK") && message.find("Call-ID: phone.") != std::string::npos;
  };
  const auto caller = dial(call_one);
  world.pick_up(called(0));
  world.pass(seconds(40));
  EXPECT_EQ(asked_event(), "callingPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 408);
  EXPECT_EQ(text(world.question().body, "user"), "ann");
  world.answer(drop);
  world.lose = nullptr;
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(CallFlowTest, TheCancelOfTheServerCrossesTheAnswer) {
  dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","maxRingTime":10})");
  world.ring(called(0));
  world.lose = [](const std::string& message) { return message.starts_with("CANCEL"); };
  world.pass(std::chrono::milliseconds(10'100));
  world.lose = nullptr;
  world.pick_up(called(0));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.application().count("callAnswered"), 0U);
  world.answer(drop);
}

TEST_F(CallFlowTest, ACancelThatIsNeverAnsweredIsAnAlarm) {
  dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","maxRingTime":10})");
  world.ring(called(0));
  world.lose = [](const std::string& message) { return message.starts_with("CANCEL"); };
  world.pass(seconds(11));
  world.answer(drop);
  world.pass(seconds(40));
  EXPECT_EQ(alarm(), "cancelFailed");
  world.lose = nullptr;
  world.refuse(called(0), 480);
}

TEST_F(CallFlowTest, AnAnswerWithoutUsableAudioIsEnded) {
  const auto caller = dial(call_one);
  world.pick_up(called(0),
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                "m=audio 0 RTP/AVP 8\r\n");
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_FALSE(is_over(caller));
  EXPECT_EQ(alarm(), "invalidSdp");
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 488);
  world.answer(drop);
}

TEST_F(CallFlowTest, AnAddressThatIsNoneIsAnAlarm) {
  const auto caller = dial(R"({"action":"call","destAddr":"mailto:ann"})");
  EXPECT_EQ(alarm(), "Invalid sip address: mailto:ann");
  EXPECT_EQ(refused_with(caller), 480);
  EXPECT_TRUE(world.incoming().empty());
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(CallFlowTest, ALegThatCanNotBePlacedIsAFailedParty) {
  dial(R"({"action":"call","destAddr":"tel:+4612345"})");
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(world.question().body.at("sipResponseCode"), 503);
  EXPECT_NE(text(world.question().body, "errorDescr").find("tel:"), std::string::npos);
  world.answer(drop);
}

TEST_F(CallFlowTest, WithoutAPortForTheCalleeItIsAFailedParty) {
  const auto caller = world.call();
  world.media.exhausted = true;
  world.answer(R"({"action":"call","ringbackTone":"remoteGenerated","destAddr":"sip:2001@127.0.0.1:5070"})");
  EXPECT_TRUE(world.incoming().empty());
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  world.answer(drop);
  EXPECT_EQ(refused_with(caller), 603);
}

TEST_F(CallFlowTest, WithoutAPortForTheCallerBothAreEnded) {
  const auto caller =
      dial(R"({"action":"call","ringbackTone":"remoteGenerated","destAddr":"sip:2001@127.0.0.1:5070"})");
  world.media.exhausted = true;
  world.pick_up(called(0));
  EXPECT_EQ(refused_with(caller), 503);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(CallFlowTest, TheApplicationHangsUpTheCallWhileItRings) {
  const auto caller = dial(call_one);
  world.ring(called(0));
  const auto about = world.subject_of(world.notice("callNotify"));
  EXPECT_EQ(world.command([&](auto& calls) { return calls.hang_up_call(about, world.now); }).status, 200);
  EXPECT_EQ(refused_with(caller), 486);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "apiHangup");
}

}  // namespace
}  // namespace rw::call
