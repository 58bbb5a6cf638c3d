#include <gtest/gtest.h>

#include "sip/uri.h"
#include "support/call_test.h"

/// The action `call`: a caller, those who are called for it, and what the application hears of that.
namespace rw::call {
namespace {

using std::chrono::seconds;

class CallFlowTest : public CallTest {
 protected:
  /// Answers newCall with a call to phones of these users, one after the other, or all at once.
  sip::LegId hunt(const std::string& users, const std::string& more = {}) {
    std::string list;
    for (std::size_t at = 0; at < users.size(); ++at) {
      list += (at == 0 ? "\"sip:" : ",\"sip:") + std::string(1, users[at]) + "@127.0.0.1:5070\"";
    }
    return dial(R"({"action":"call","destAddr":[)" + list + "]" + more + "}");
  }
  std::string called_user(std::size_t n) const {
    return sip::Uri::parse(world.incoming().at(n).request->request_uri())->user;
  }
  /// Whoever is in a connection now is dropped.
  void drop_the_rest() {
    ASSERT_TRUE(world.asked());
    world.answer(drop);
  }
  /// The phrase at the head of the queue has been heard by its leg.
  media::LegId greeting_heard() {
    const auto item = world.media.queue.front();
    world.media.queue.erase(world.media.queue.begin());
    world.shards[0]->calls.media_event(media::PlayEnded{item.leg, item.id, true}, world.now);
    world.deliver();
    return item.leg;
  }
};

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

// ---- several destinations

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

// ---- what the caller hears meanwhile

TEST_F(CallFlowTest, TheCallerHearsTheCountrysRingback) {
  const auto caller = dial(call_one);
  EXPECT_EQ(world.last<sip::Progress>(caller)->status, 183);
  EXPECT_FALSE(world.last<sip::Progress>(caller)->sdp.empty());
  EXPECT_NE(world.media.background_sound, nullptr);
  world.pick_up(called(0));
  EXPECT_EQ(world.media.background_sound, nullptr);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, TheCallerHearsSilence) {
  const auto caller = dial(R"({"action":"call","ringbackTone":"silent","destAddr":"sip:2001@127.0.0.1:5070"})");
  EXPECT_EQ(world.last<sip::Progress>(caller)->status, 183);
  EXPECT_EQ(world.media.background_sound, nullptr);
  world.cancel(caller);
}

TEST_F(CallFlowTest, TheCallersPhoneRingsByItself) {
  const auto caller =
      dial(R"({"action":"call","ringbackTone":"remoteGenerated","destAddr":"sip:2001@127.0.0.1:5070"})");
  EXPECT_EQ(world.last<sip::Progress>(caller)->status, 180);
  EXPECT_TRUE(world.last<sip::Progress>(caller)->sdp.empty());
  world.cancel(caller);
}

TEST_F(CallFlowTest, EarlyMediaOfTheCalleeReplacesTheTone) {
  const auto caller = dial(call_one);
  world.ring(called(0), std::string(phone_sdp));
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.application().count("callNotify"), 1U);
  EXPECT_EQ(world.application().count("callAnswered"), 0U);
  world.cancel(caller);
}

TEST_F(CallFlowTest, EarlyMediaReachesACallerWhosePhoneRingsByItself) {
  const auto caller =
      dial(R"({"action":"call","ringbackTone":"remoteGenerated","destAddr":"sip:2001@127.0.0.1:5070"})");
  world.ring(called(0), std::string(phone_sdp));
  EXPECT_EQ(world.last<sip::Progress>(caller)->status, 183);
  EXPECT_FALSE(world.last<sip::Progress>(caller)->sdp.empty());
  ASSERT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.media.joined.count(0), 0U);
  world.pick_up(called(0));
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, ACallerWithoutAnOfferIsJoinedAndItsAckBringsTheAnswer) {
  std::string trying, success;
  world.lose = [&](const std::string& message) {
    if (message.find("CSeq: 1 INVITE") == std::string::npos || message.find("raw-1") == std::string::npos) return false;
    (message.starts_with("SIP/2.0 200") ? success : trying) = message;
    return true;
  };
  sip::Flow flow;
  flow.local = *net::Address::parse("127.0.0.1:5060");
  flow.remote = *net::Address::parse("127.0.0.1:5070");
  const auto send = [&](const std::string& method, int cseq, const std::string& tag, std::string_view body) {
    std::string text = method + " sip:100@demo.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK" +
                       method + "\r\nFrom: <sip:ann@caller.example>;tag=a1\r\nTo: <sip:100@demo.example>" + tag +
                       "\r\nCall-ID: raw-1\r\nCSeq: " + std::to_string(cseq) + " " +
                       (method == "ACK" ? "ACK" : method) +
                       "\r\nContact: <sip:ann@127.0.0.1:5070>\r\nMax-Forwards: 70\r\n";
    if (!body.empty()) text += "Content-Type: application/sdp\r\n";
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    world.shards[0]->user_agent.receive(flow, text, world.now);
    world.deliver();
  };
  send("INVITE", 1, "", "");
  world.answer(call_one);
  EXPECT_TRUE(trying.starts_with("SIP/2.0 180"));
  world.ring(called(0), std::string(phone_sdp));  // the caller can't hear it yet
  EXPECT_TRUE(world.media.joined.empty());
  world.pick_up(called(0));
  ASSERT_FALSE(success.empty());
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.media.joined.count(0), 0U);
  EXPECT_EQ(world.application().count("callAnswered"), 0U);
  const auto answer = sip::Message::parse(success);
  EXPECT_NE(answer->body().find("m=audio"), std::string::npos);
  const auto tag = ";tag=" + *sip::NameAddress::parse(*answer->header("To"))->parameter("tag");
  send("ACK", 1, tag, phone_sdp);
  EXPECT_EQ(world.application().count("callAnswered"), 1U);
  EXPECT_EQ(world.media.configured.back().remote.port(), 6000);
  send("BYE", 2, tag, "");
  drop_the_rest();
}

// ---- greeting

TEST_F(CallFlowTest, BothHearTheirGreetingAtOnceAndAreThenJoined) {
  const auto caller = dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","greeting":{
      "caller":{"phrases":[{"fileName":"to-caller"}]},"callee":{"phrases":[{"fileName":"to-callee"}]}}})");
  world.pick_up(called(0));
  EXPECT_EQ(world.media.queue.size(), 2U);
  EXPECT_TRUE(world.media.joined.empty());
  EXPECT_EQ(world.application().count("callAnswered"), 0U);
  greeting_heard();
  EXPECT_TRUE(world.media.joined.empty());
  greeting_heard();
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.application().count("callAnswered"), 1U);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, TheCalleesGreetingComesFirst) {
  const auto caller =
      dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","greeting":{"playMode":"calleeFirst",
      "caller":{"phrases":[{"fileName":"to-caller"}]},"callee":{"phrases":[{"fileName":"to-callee"}]}}})");
  world.pick_up(called(0));
  ASSERT_EQ(world.media.queue.size(), 1U);
  EXPECT_EQ(world.sounds.asked.back(), "to-callee");
  const auto callee_leg = greeting_heard();
  ASSERT_EQ(world.media.queue.size(), 1U);
  EXPECT_EQ(world.sounds.asked.back(), "to-caller");
  EXPECT_TRUE(world.media.joined.empty());
  EXPECT_NE(greeting_heard(), callee_leg);
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, AGreetingForOneSideOnly) {
  const auto caller =
      dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","greeting":{"playMode":"callerFirst",
      "callee":{"phrases":[{"fileName":"to-callee"}]}}})");
  world.pick_up(called(0));
  ASSERT_EQ(world.media.queue.size(), 1U);
  greeting_heard();
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, AGreetingThatIsMissingIsAnAlarmAndNoDeadAir) {
  world.sounds.missing = "to-callee";
  const auto caller = dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","greeting":{
      "callee":{"phrases":[{"fileName":"to-callee"}]}}})");
  world.pick_up(called(0));
  EXPECT_EQ(alarm(), "phraseError");
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, TheCalleeHangsUpDuringItsGreeting) {
  dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","greeting":{
      "callee":{"phrases":[{"fileName":"to-callee"}]}}})");
  world.pick_up(called(0));
  world.hang_up(called(0));
  EXPECT_TRUE(world.media.queue.empty());
  EXPECT_EQ(asked_event(), "calledPartyDrop");
  world.answer(drop);
}

// ---- hold, keys

TEST_F(CallFlowTest, HoldIsToldAndTheOtherHearsMusic) {
  world.service->hold_music = "music";
  const auto caller = talk();
  ASSERT_TRUE(world.phones.offer(called(0), std::string(phone_sdp_on_hold), world.now));
  world.deliver();
  auto notify = world.notice("callNotify");
  EXPECT_EQ(text(notify, "event"), "reInvite");
  EXPECT_EQ(text(notify, "user"), "2001");
  EXPECT_TRUE(notify.at("hold").as_bool());
  EXPECT_EQ(world.sounds.asked.back(), "music");
  ASSERT_NE(world.media.background_sound, nullptr);
  EXPECT_EQ(world.media.background_leg, 1U);  // the caller's
  ASSERT_TRUE(world.phones.offer(called(0), std::string(phone_sdp), world.now));
  world.deliver();
  EXPECT_FALSE(world.notice("callNotify").at("hold").as_bool());
  EXPECT_EQ(world.media.background_sound, nullptr);
  world.hang_up(caller);
  drop_the_rest();
}

TEST_F(CallFlowTest, TheMusicEndsWithTheConnection) {
  world.service->hold_music = "music";
  talk();
  ASSERT_TRUE(world.phones.offer(called(0), std::string(phone_sdp_on_hold), world.now));
  world.deliver();
  world.hang_up(called(0));
  EXPECT_EQ(world.media.background_sound, nullptr);
  drop_the_rest();
}

// ---- replies to callEvent

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
