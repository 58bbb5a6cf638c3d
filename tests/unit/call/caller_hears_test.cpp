#include <gtest/gtest.h>

#include "call_flow_fixture.h"

/// What the two hear before they are joined, and while one holds.
namespace rw::call {
namespace {

using std::chrono::seconds;

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

}  // namespace
}  // namespace rw::call
