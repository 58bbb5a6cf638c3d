#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect_fixture.h"

/// `httpcall`: a SIP party joined with a REST device.
namespace rw::call {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::string_view httpcall =
    R"({"action":"httpcall","codec":"PCMA","receiveIp":"127.0.0.1","receivePort":"7000"})";

class DirectTest : public ConnectTest {
 protected:
  std::string answer_of(sip::LegId leg) const {
    const auto* answered = world.last<sip::Answered>(leg);
    return answered == nullptr ? "" : answered->sdp;
  }
  std::string offer_to(sip::LegId leg) const {
    const auto* offer = world.last<sip::OfferReceived>(leg);
    return offer == nullptr ? "" : offer->sdp;
  }
  std::size_t offers_to(sip::LegId leg) const {
    return static_cast<std::size_t>(std::count_if(world.heard.begin(), world.heard.end(), [leg](const auto& event) {
      const auto* offer = std::get_if<sip::OfferReceived>(&event);
      return offer != nullptr && offer->leg == leg;
    }));
  }
  std::uint64_t open_media() const { return world.media.legs_made - world.media.legs_released; }
  /// Called, and the callee has left: the application decides for the caller, who has our media.
  sip::LegId left_by_callee() {
    const auto caller = talk();
    world.hang_up(called(0));
    EXPECT_EQ(asked_event(), "calledPartyDrop");
    return caller;
  }
  /// What o= says: id, and version.
  static std::pair<std::string, int> origin(const std::string& sdp) {
    const auto at = sdp.find("o=- ") + 4;
    const auto space = sdp.find(' ', at);
    return {sdp.substr(at, space - at), std::stoi(sdp.substr(space + 1))};
  }
};

TEST_F(DirectTest, AnUnansweredCallerGetsTheDevicesDescription) {
  const auto caller = dial(httpcall);
  EXPECT_THAT(answer_of(caller), HasSubstr("c=IN IP4 127.0.0.1\r\n"));
  EXPECT_THAT(answer_of(caller), HasSubstr("m=audio 7000 RTP/AVP 8\r\n"));
  EXPECT_EQ(world.media.legs_made, 0U);
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(text(answered, "codec"), "PCMA");
  EXPECT_EQ(text(answered, "remoteRtpIp"), "127.0.0.1");
  EXPECT_EQ(text(answered, "remoteRtpPort"), "6000");
  EXPECT_EQ(text(answered, "callingPartyNumber"), "ann");
  EXPECT_EQ(text(answered, "remotePartyNumber"), "100");
  EXPECT_NE(text(answered, "calleeParticipantId"), "");
  world.hang_up(caller);
  EXPECT_FALSE(world.asked());                                              // there is nobody left
  EXPECT_EQ(text(world.notice("callEvent"), "event"), "callingPartyDrop");  // which the device has to know
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(DirectTest, ACallerWithoutTheCodecIsJoinedThroughOurMedia) {
  const auto caller = dial(R"({"action":"httpcall","codec":"GSM","receiveIp":"127.0.0.1","receivePort":7000})");
  EXPECT_THAT(answer_of(caller), HasSubstr("m=audio 20002"));
  EXPECT_EQ(world.media.joined.size(), 2U);
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(text(answered, "codec"), "GSM");
  EXPECT_EQ(text(answered, "remoteRtpPort"), "20004");
  world.hang_up(caller);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(DirectTest, AnAnsweredPartyIsReinvited) {
  const auto caller = left_by_callee();
  const auto before = origin(answer_of(caller));
  world.answer(httpcall);
  EXPECT_THAT(offer_to(caller), HasSubstr("m=audio 7000 RTP/AVP 8\r\n"));
  EXPECT_EQ(origin(offer_to(caller)), std::pair(before.first, before.second + 1));
  EXPECT_EQ(world.application().count("callAnswered"), 1U);
  EXPECT_EQ(open_media(), 1U);
  world.answer_offer(caller);
  EXPECT_EQ(open_media(), 0U);
  ASSERT_EQ(world.application().count("callAnswered"), 2U);
  EXPECT_EQ(text(world.notice("callAnswered"), "remoteRtpPort"), "6000");
  world.hang_up(caller);
  EXPECT_EQ(text(world.notice("callEvent"), "event"), "callingPartyDrop");
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(DirectTest, ARefusedReinviteLeadsThroughOurMedia) {
  const auto caller = left_by_callee();
  world.answer(httpcall);
  world.answer_offer(caller, 488);
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.media.configured.back().remote.to_string(), "127.0.0.1:7000");
  EXPECT_EQ(text(world.notice("callAnswered"), "remoteRtpPort"), "20006");
  EXPECT_EQ(text(world.notice("callAnswered"), "codec"), "PCMA");
  EXPECT_TRUE(world.application().alarms.empty());
  world.hang_up(caller);
  EXPECT_EQ(open_media(), 0U);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(DirectTest, AnUnexpectedStatusIsAlsoTold) {
  const auto caller = left_by_callee();
  world.answer(httpcall);
  world.answer_offer(caller, 500);
  EXPECT_EQ(alarm(), "unexpectedReinviteResponse");
  EXPECT_EQ(text(world.application().alarms.back(), "status"), "500");
  EXPECT_EQ(text(world.application().alarms.back(), "user"), "ann");
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
}

TEST_F(DirectTest, AnUnusableAnswerEndsTheCall) {
  const auto caller = left_by_callee();
  world.answer(httpcall);
  world.answer_offer(caller, 200, "v=0\r\n");
  EXPECT_EQ(alarm(), "invalidSdp");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(DirectTest, WithoutAPortThereIsNoDetourAndTheCallEnds) {
  const auto caller = left_by_callee();
  world.answer(httpcall);
  world.media.exhausted = true;
  world.answer_offer(caller, 488);
  EXPECT_EQ(alarm(), "mediaServerError");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(DirectTest, HangUpsWhileTheReinviteIsOpen) {
  const auto caller = left_by_callee();
  world.answer(httpcall);
  world.hang_up(caller);
  EXPECT_EQ(completed_reason(), "normal");
  EXPECT_EQ(open_media(), 0U);
}

TEST_F(DirectTest, HoldAndNewMediaReachTheApplication) {
  const auto caller = dial(httpcall);
  world.phones.offer(caller, std::string(phone_sdp_on_hold), world.now);
  world.deliver();
  auto told = world.notice("callNotify");
  EXPECT_EQ(text(told, "event"), "reInvite");
  EXPECT_TRUE(told.at("hold").as_bool());
  EXPECT_EQ(text(told, "remoteRtpPort"), "6000");
  const auto* answer = world.last<sip::OfferAnswered>(caller);
  EXPECT_THAT(answer->sdp, HasSubstr("m=audio 7000"));
  EXPECT_THAT(answer->sdp, HasSubstr("a=inactive"));
  std::string moved(phone_sdp);
  moved.replace(moved.find("6000"), 4, "6100");
  world.phones.offer(caller, moved, world.now);
  world.deliver();
  told = world.notice("callNotify");
  EXPECT_FALSE(told.at("hold").as_bool());
  EXPECT_EQ(text(told, "remoteRtpPort"), "6100");
  world.phones.offer(caller, "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 6000 RTP/AVP 0\r\n", world.now);
  world.deliver();
  EXPECT_EQ(world.last<sip::OfferAnswered>(caller)->status, 488);
  EXPECT_EQ(alarm(), "invalidSdp");
  EXPECT_FALSE(is_over(caller));
  world.hang_up(caller);
}

TEST_F(DirectTest, WhenTheDeviceHangsUpTheMediaComesBack) {
  const auto caller = dial(httpcall);
  const auto answered = world.notice("callAnswered");
  ASSERT_EQ(hang_up_participant(world.subject_of(answered), text(answered, "calleeParticipantId")).status, 200);
  EXPECT_FALSE(world.asked());
  EXPECT_THAT(offer_to(caller), HasSubstr("m=audio 20002"));
  EXPECT_EQ(origin(offer_to(caller)).first, origin(answer_of(caller)).first);
  EXPECT_EQ(origin(offer_to(caller)).second, origin(answer_of(caller)).second + 1);
  world.answer_offer(caller);
  EXPECT_EQ(asked_event(), "calledPartyDrop");
  EXPECT_NE(text(world.question().body, "errorDescr"), "");
  world.answer(ivr);
  EXPECT_EQ(world.question().event, "getIvrCommand");
  EXPECT_EQ(open_media(), 1U);
  world.hang_up(caller);
}

TEST_F(DirectTest, APartyThatDoesNotComeBackIsLost) {
  const auto caller = dial(httpcall);
  const auto answered = world.notice("callAnswered");
  ASSERT_EQ(hang_up_remote(world.subject_of(answered)).status, 200);
  world.answer_offer(caller, 488);
  EXPECT_EQ(alarm(), "unexpectedReinviteResponse");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(DirectTest, TheDeviceHangsUpWhileTheReinviteIsOpen) {
  const auto caller = left_by_callee();
  const auto subject = world.subject_of(world.question().body);
  world.answer(httpcall);
  ASSERT_EQ(hang_up_remote(subject, subject.participant).status, 200);
  EXPECT_EQ(offers_to(caller), 1U);
  world.answer_offer(caller);  // it has gone over to the device: back at once
  EXPECT_EQ(offers_to(caller), 2U);
  EXPECT_THAT(offer_to(caller), HasSubstr("m=audio 20002"));
  world.answer_offer(caller);
  EXPECT_EQ(asked_event(), "calledPartyDrop");
  world.answer(drop);
}

TEST_F(DirectTest, SplitAndJoinedAgainThroughOurMedia) {
  const auto caller = dial(httpcall);
  const auto answered = world.notice("callAnswered");
  ASSERT_EQ(split(world.subject_of(answered)).status, 200);
  EXPECT_EQ(asked_event(), "calleeConnectionSplit");
  world.answer_offer(caller);
  ASSERT_EQ(world.application().questions.size(), 2U);
  EXPECT_EQ(text(world.application().questions[1].body, "event"), "callerConnectionSplit");
  world.answer(connect(text(answered, "callerParticipantId")));
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(text(world.notice("callAnswered"), "codec"), "PCMA");
  EXPECT_NE(text(world.notice("callAnswered"), "remoteRtpPort"), "");
  world.hang_up(caller);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(DirectTest, HangupcallEndsBothWithoutAnEvent) {
  const auto caller = dial(httpcall);
  const auto subject = world.subject_of(world.notice("callAnswered"));
  EXPECT_EQ(world.command([&](auto& calls) { return calls.hang_up_call(subject, world.now); }).status, 200);
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(world.application().count("callEvent"), 0U);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(DirectTest, GlareIsWaitedOut) {
  const auto caller = left_by_callee();
  world.answer(httpcall);
  world.answer_offer(caller, 491);
  world.pass(seconds(5));
  EXPECT_EQ(offers_to(caller), 2U);
  world.answer_offer(caller);
  EXPECT_EQ(world.application().count("callAnswered"), 2U);
  world.hang_up(caller);
}

TEST_F(DirectTest, FieldsThatCanNotBeUsedAreNamed) {
  const auto check = [this](std::string_view reply, std::string_view field) {
    const auto caller = dial(reply);
    EXPECT_EQ(refused_with(caller), 480) << reply;
    EXPECT_EQ(alarm(), "newCall request failed");
    EXPECT_EQ(text(world.application().alarms.back().at("errorDetails").as_object(), "field"), field) << reply;
  };
  check(R"({"action":"httpcall","codec":"G729","receiveIp":"127.0.0.1","receivePort":7000})", "codec");
  check(R"({"action":"httpcall","receiveIp":"127.0.0.1","receivePort":7000})", "codec");
  check(R"({"action":"httpcall","codec":"PCMA","receiveIp":"10.0.0.1","receivePort":7000})", "receiveIp");
  check(R"({"action":"httpcall","codec":"PCMA","receiveIp":"host.example","receivePort":7000})", "receiveIp");
  check(R"({"action":"httpcall","codec":"PCMA","receiveIp":"127.0.0.1","receivePort":"x"})", "receivePort");
  sessions = 5;
}

}  // namespace
}  // namespace rw::call
