#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/device_media.h"
#include "support/call_test.h"

/// Calls of REST devices, which do their own RTP.
namespace rw::call {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view crypto_sdp =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/SAVP 0 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:theirs1\r\n"
    "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:theirs2|2^20\r\n";
constexpr std::string_view video_sdp =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 6000 RTP/AVP 96\r\n";

class RemoteCallTest : public CallTest {
 protected:
  RemoteCallTest() {
    auto domain = std::make_shared<tenant::Domain>(*world.directory->domain("demo.example"));
    domain->devices = {{"100", ""}, {"door", ""}};
    domain->allow_media = {*net::Network::parse("10.0.0.0/8")};
    world.directory = std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{domain});
    domain_ = domain;
  }

  sdp::DeviceAudio device(std::string_view changes = "{}") {
    auto body = boost::json::parse(
                    R"({"codec":"PCMA","receiveIp":"10.1.2.3","receivePort":4000,"telephoneEventPayloadType":101})")
                    .as_object();
    const auto parsed = boost::json::parse(changes);
    for (const auto& one : parsed.as_object()) body[one.key()] = one.value();
    JsonFields fields(body);
    auto audio = read_device_audio(fields, *domain_);
    EXPECT_FALSE(fields.error()) << fields.error()->message;
    return audio;
  }
  Verdict answer(const ReplySubject& subject, sdp::DeviceAudio audio,
                 std::optional<boost::json::value> reference = std::nullopt) {
    return world.command([&](auto& calls) { return calls.answer_remote_call(subject, audio, reference, world.now); });
  }
  Verdict ring_back(const ReplySubject& subject) {
    return world.command([&](auto& calls) { return calls.send_remote_call_ringback(subject, world.now); });
  }
  Verdict hang_up_call(const ReplySubject& subject) {
    return world.command([&](auto& calls) { return calls.hang_up_call(subject, world.now); });
  }
  /// A phone calls the device, whose application has said that it heard.
  std::pair<sip::LegId, ReplySubject> alert(std::string_view sdp = phone_sdp) {
    const auto caller = world.call(0, std::string(sdp));
    EXPECT_EQ(asked_event(), "newRemoteCall");
    auto subject = world.subject_of(world.question().body);
    world.answer("{}");
    return {caller, subject};
  }
  Verdict place(std::string_view changes = "{}", std::string_view device_changes = "{}") {
    auto body =
        boost::json::parse(R"({"destinationUri":"sip:2001@127.0.0.1:5070","sourceUser":"door","maxRingTime":20})")
            .as_object();
    const auto parsed = boost::json::parse(changes);
    for (const auto& one : parsed.as_object()) body[one.key()] = one.value();
    JsonFields fields(body);
    RemoteCallOrder order;
    order.call.service = world.service;
    order.call.destination = read_remote_destination(fields);
    order.call.trace_id = "trace-1";
    order.call.session_reference = boost::json::value("reference");
    order.audio = device(device_changes);
    EXPECT_FALSE(fields.error()) << fields.error()->message;
    return world.command([&](auto& calls) { return calls.place_remote_call(order, world.now); });
  }
  ReplySubject subject_of(const Verdict& verdict) { return world.subject_of(verdict.extra); }

  std::shared_ptr<const tenant::Domain> domain_;
};

// ---- calls to a device

TEST_F(RemoteCallTest, ADeviceIsToldAndAnswers) {
  const auto caller = world.call();
  ASSERT_EQ(asked_event(), "newRemoteCall");
  const auto body = world.question().body;
  EXPECT_EQ(text(body, "codec"), "PCMA");
  EXPECT_EQ(text(body, "remoteRtpIp"), "127.0.0.1");
  EXPECT_EQ(body.at("remoteRtpPort"), 6000);
  EXPECT_EQ(body.at("telephoneEventPayloadType"), 101);
  EXPECT_EQ(text(body, "destinationUri"), "sip:100@demo.example");
  EXPECT_EQ(text(body, "sourceUser"), "ann");
  EXPECT_FALSE(text(body, "callId").empty());
  EXPECT_FALSE(body.contains("crypto"));
  const auto subject = world.subject_of(body);
  world.answer(R"({"sessionReferenceId":"mine","action":"drop"})");
  EXPECT_EQ(ring_back(subject).status, 200);
  EXPECT_EQ(world.last<sip::Progress>(caller)->status, 180);
  EXPECT_EQ(world.application().count("callAnswered"), 0U);
  ASSERT_EQ(answer(subject, device()).status, 200);
  ASSERT_NE(world.last<sip::Answered>(caller), nullptr);
  EXPECT_THAT(world.last<sip::Answered>(caller)->sdp, HasSubstr("c=IN IP4 10.1.2.3\r\n"));
  EXPECT_THAT(world.last<sip::Answered>(caller)->sdp, HasSubstr("m=audio 4000 RTP/AVP 8 101\r\n"));
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(text(answered, "codec"), "PCMA");
  EXPECT_EQ(text(answered, "remoteRtpIp"), "127.0.0.1");
  EXPECT_EQ(text(answered, "remoteRtpPort"), "6000");
  EXPECT_EQ(text(answered, "callingPartyNumber"), "ann");
  EXPECT_EQ(text(answered, "remotePartyNumber"), "100");
  EXPECT_EQ(text(answered, "sessionReferenceId"), "mine");
  EXPECT_EQ(answer(subject, device()).status, 409);
  EXPECT_EQ(ring_back(subject).status, 409);
  EXPECT_EQ(world.media.legs_made, 0U);
  world.hang_up(caller);
  EXPECT_EQ(text(world.notice("callEvent"), "event"), "callingPartyDrop");
  EXPECT_EQ(text(world.notice("callEvent"), "connectionId"), text(answered, "connectionId"));
  EXPECT_EQ(completed_reason(), "normal");
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(answer(subject, device()).status, 404);
}

TEST_F(RemoteCallTest, TheApplicationHangsUp) {
  const auto [caller, subject] = alert();
  ASSERT_EQ(answer(subject, device()).status, 200);
  EXPECT_EQ(hang_up_call(world.subject_of(world.notice("callAnswered"))).status, 200);
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(world.application().count("callEvent"), 0U);
  EXPECT_EQ(completed_reason(), "apiHangup");
  EXPECT_EQ(hang_up_call(subject).status, 404);
}

TEST_F(RemoteCallTest, HangUpBeforeTheAnswerIsBusy) {
  const auto [caller, subject] = alert();
  EXPECT_EQ(hang_up_call(subject).status, 200);
  EXPECT_EQ(refused_with(caller), 486);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(RemoteCallTest, TheCallerGivesUp) {
  const auto [caller, subject] = alert();
  world.cancel(caller);
  EXPECT_EQ(completed_reason(), "cancelled");
  EXPECT_EQ(answer(subject, device()).status, 404);
  EXPECT_EQ(world.application().count("callEvent"), 0U);
}

TEST_F(RemoteCallTest, NobodyAnswers) {
  const auto caller = alert().first;
  world.pass(seconds(181));
  EXPECT_EQ(refused_with(caller), 480);
  EXPECT_EQ(completed_reason(), "noAnswer");
}

TEST_F(RemoteCallTest, AnApplicationThatCanNotBeAskedEndsTheCall) {
  const auto caller = world.call();
  world.shards[0]->calls.run([&] { world.application().refuse(callbacks::Failure::Kind::unreachable); }, world.now);
  world.deliver();
  EXPECT_EQ(refused_with(caller), 480);
  EXPECT_EQ(alarm(), "newCall request failed");
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(RemoteCallTest, AnApplicationThatCanNotBeAskedHasAFallback) {
  world.set_fallback(tenant::Fallback::Mode::on_error,
                     R"({"action":{"type":"call","destAddr":"sip:help@127.0.0.1:5070"}})");
  const auto caller = world.call();
  world.leave_unanswered();
  EXPECT_EQ(alarm(), "triggeredByError");
  world.pick_up(called(0));
  EXPECT_NE(world.last<sip::Answered>(caller), nullptr);
  world.hang_up(caller);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(RemoteCallTest, AnEmptyReplyWillDo) {
  const auto caller = world.call();
  const auto subject = world.subject_of(world.question().body);
  world.shards[0]->calls.run([&] { world.application().refuse(callbacks::Failure::Kind::empty); }, world.now);
  EXPECT_EQ(answer(subject, device()).status, 200);
  world.hang_up(caller);
}

TEST_F(RemoteCallTest, AnAnswerOvertakesTheReply) {
  const auto caller = world.call();
  EXPECT_EQ(answer(world.subject_of(world.question().body), device(), boost::json::value(1)).status, 200);
  EXPECT_EQ(world.notice("callAnswered").at("sessionReferenceId"), 1);
  world.answer(R"({"sessionReferenceId":2})");
  world.hang_up(caller);
  EXPECT_EQ(world.notice("sessionCompleted").at("sessionReferenceId"), 2);
}

TEST_F(RemoteCallTest, TheCallEndsWhileTheReplyIsAwaited) {
  const auto caller = world.call();
  ASSERT_EQ(answer(world.subject_of(world.question().body), device()).status, 200);
  world.hang_up(caller);
  EXPECT_FALSE(world.asked());
}

TEST_F(RemoteCallTest, WhatIsNotOfferedIsRefusedAndChangesNothing) {
  const auto [caller, subject] = alert();
  const auto wrong = answer(subject, device(R"({"codec":"GSM"})"), boost::json::value("wrong"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.reason, StartsWith("codec: "));
  EXPECT_THAT(answer(subject, device(R"({"crypto":[{"id":1,"suite":"S","config":"inline:k"}]})")).reason,
              StartsWith("crypto: "));
  EXPECT_EQ(answer(subject, device()).status, 200);
  EXPECT_FALSE(world.notice("callAnswered").contains("sessionReferenceId"));
  world.hang_up(caller);
}

TEST_F(RemoteCallTest, CryptoPassesThrough) {
  const auto caller = world.call(0, std::string(crypto_sdp));
  const auto body = world.question().body;
  ASSERT_TRUE(body.contains("crypto"));
  EXPECT_EQ(body.at("crypto").as_array().size(), 2U);
  EXPECT_EQ(body.at("crypto").at(1).at("config"), "inline:theirs2|2^20");
  const auto subject = world.subject_of(body);
  world.answer("{}");
  EXPECT_THAT(answer(subject, device()).reason, StartsWith("crypto: "));
  ASSERT_EQ(answer(subject, device(R"({"crypto":[{"id":2,"suite":"AES_CM_128_HMAC_SHA1_32","config":"inline:mine"}]})"))
                .status,
            200);
  EXPECT_THAT(world.last<sip::Answered>(caller)->sdp, HasSubstr("m=audio 4000 RTP/SAVP 8\r\n"));
  EXPECT_THAT(world.last<sip::Answered>(caller)->sdp, HasSubstr("a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:mine\r\n"));
  world.hang_up(caller);
}

TEST_F(RemoteCallTest, AnOfferWithoutAnythingForADeviceIsRefused) {
  const auto caller = world.call(0, std::string(video_sdp));
  EXPECT_EQ(refused_with(caller), 488);
  EXPECT_EQ(alarm(), "invalidSdp");
  EXPECT_FALSE(world.asked());
}

TEST_F(RemoteCallTest, HoldIsReportedAndAnswered) {
  const auto [caller, subject] = alert();
  ASSERT_EQ(answer(subject, device()).status, 200);
  const auto first = world.last<sip::Answered>(caller)->sdp;
  world.phones.offer(caller, std::string(phone_sdp_on_hold), world.now);
  world.deliver();
  EXPECT_EQ(text(world.notice("callNotify"), "event"), "reInvite");
  EXPECT_EQ(world.notice("callNotify").at("hold"), true);
  EXPECT_EQ(text(world.notice("callNotify"), "remoteRtpPort"), "6000");
  EXPECT_THAT(world.last<sip::OfferAnswered>(caller)->sdp, HasSubstr("a=inactive"));
  world.phones.offer(caller, std::string(phone_sdp), world.now);
  world.deliver();
  EXPECT_EQ(world.notice("callNotify").at("hold"), false);
  EXPECT_EQ(world.notice("callNotify").at("changed"), true);
  EXPECT_THAT(world.last<sip::OfferAnswered>(caller)->sdp, HasSubstr("a=sendrecv"));
  world.phones.offer(caller, std::string(phone_sdp), world.now);
  world.deliver();
  EXPECT_EQ(world.notice("callNotify").at("changed"), false);
  EXPECT_FALSE(world.notice("callNotify").contains("hold"));
  world.phones.offer(caller, std::string(video_sdp), world.now);
  world.deliver();
  EXPECT_EQ(world.last<sip::OfferAnswered>(caller)->status, 488);
  EXPECT_FALSE(is_over(caller));
  world.hang_up(caller);
}

TEST_F(RemoteCallTest, NoRtpOfOursIsMissed) {
  const auto [caller, subject] = alert();
  ASSERT_EQ(answer(subject, device()).status, 200);
  EXPECT_EQ(world.media.watches, 0);
  world.pass(seconds(600));
  EXPECT_FALSE(is_over(caller));
  world.hang_up(caller);
}

TEST_F(RemoteCallTest, OtherRepliesIdsAreNotOfARemoteCall) {
  world.directory = std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{[&] {
    auto domain = std::make_shared<tenant::Domain>(*domain_);
    domain->devices.clear();
    return domain;
  }()});
  const auto caller = world.call();
  const auto subject = world.subject_of(world.question().body);
  EXPECT_EQ(asked_event(), "newCall");
  EXPECT_EQ(answer(subject, device()).status, 400);
  EXPECT_EQ(ring_back(subject).status, 400);
  world.cancel(caller);
}

// ---- calls of a device

TEST_F(RemoteCallTest, ADeviceCalls) {
  const auto verdict = place();
  ASSERT_EQ(verdict.status, 200) << verdict.reason;
  EXPECT_EQ(text(verdict.extra, "traceId"), "trace-1");
  const auto invite = world.incoming().at(0).request;
  EXPECT_THAT(*invite->header("From"), HasSubstr("sip:door@demo.example"));
  EXPECT_THAT(invite->body(), HasSubstr("m=audio 4000 RTP/AVP 8 101\r\n"));
  world.ring(called(0));
  EXPECT_EQ(text(world.notice("callNotify"), "event"), "ringing");
  world.pick_up(called(0));
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(text(answered, "codec"), "PCMA");
  EXPECT_EQ(text(answered, "remoteRtpPort"), "6000");
  EXPECT_EQ(text(answered, "callingPartyNumber"), "door");
  EXPECT_EQ(text(answered, "remotePartyNumber"), "2001");
  EXPECT_EQ(text(answered, "calleeParticipantId"), text(verdict.extra, "participantId"));
  EXPECT_EQ(text(answered, "sessionReferenceId"), "reference");
  world.hang_up(called(0));
  EXPECT_EQ(text(world.notice("callEvent"), "event"), "calledPartyDrop");
  EXPECT_EQ(completed_reason(), "normal");
  EXPECT_EQ(world.media.legs_made, 0U);
}

TEST_F(RemoteCallTest, ItsCryptoIsOfferedAndTheChosenOneTold) {
  place("{}", R"({"codec":"PCMU","crypto":[{"id":1,"suite":"AES_CM_128_HMAC_SHA1_80","config":"inline:a"},
                                           {"id":2,"suite":"AES_CM_128_HMAC_SHA1_32","config":"inline:b"}]})");
  EXPECT_THAT(world.incoming().at(0).request->body(), HasSubstr("a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:b\r\n"));
  auto sdp = std::string(crypto_sdp);
  sdp.erase(sdp.find("a=crypto:1"), sdp.find("a=crypto:2") - sdp.find("a=crypto:1"));
  world.pick_up(called(0), sdp);
  const auto crypto = world.notice("callAnswered").at("crypto").as_array();
  ASSERT_EQ(crypto.size(), 1U);
  EXPECT_EQ(crypto[0].at("id"), 2);
  EXPECT_EQ(crypto[0].at("config"), "inline:theirs2|2^20");
  world.hang_up(called(0));
}

TEST_F(RemoteCallTest, AFailureIsToldAndEndsTheSession) {
  sessions = 4;
  const std::pair<int, std::string> table[] = {{486, "busy"}, {480, "noAnswer"}, {404, "failed"}};
  for (const auto& [status, reason] : table) {
    const auto n = world.incoming().size();
    place();
    world.refuse(called(n), status);
    EXPECT_EQ(text(world.notice("callEvent"), "event"), "calledPartyFailure");
    EXPECT_EQ(world.notice("callEvent").at("sipResponseCode"), status);
    EXPECT_EQ(completed_reason(), reason);
  }
  place();
  world.ring(called(3));
  world.pass(seconds(21));
  EXPECT_TRUE(is_over(called(3)));
  EXPECT_EQ(world.notice("callEvent").at("sipResponseCode"), 408);
  EXPECT_EQ(completed_reason(), "noAnswer");
}

TEST_F(RemoteCallTest, HangUpBeforeTheAnswerCancels) {
  const auto verdict = place();
  world.ring(called(0));
  EXPECT_EQ(hang_up_call(subject_of(verdict)).status, 200);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(RemoteCallTest, AnAnswerThatDoesNotFitEndsTheCall) {
  place();
  world.pick_up(called(0), std::string(crypto_sdp));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(alarm(), "invalidSdp");
  EXPECT_EQ(completed_reason(), "failed");
}

TEST(RemoteDestination, NamesWhatItCanNotUse) {
  const auto why = [](std::string_view json) {
    const auto body = boost::json::parse(json).as_object();
    JsonFields fields(body);
    read_remote_destination(fields);
    return fields.error() ? fields.error()->message : "";
  };
  EXPECT_EQ(why(R"({"destinationUri":"sip:a@b.example","sourceUser":1234})"), "");
  EXPECT_THAT(why(R"({"sourceUser":"a"})"), StartsWith("destinationUri: "));
  EXPECT_THAT(why(R"({"destinationUri":"http://b.example","sourceUser":"a"})"), StartsWith("destinationUri: "));
  EXPECT_THAT(why(R"({"destinationUri":"sip:a@b.example\r\nX: y","sourceUser":"a"})"), StartsWith("destinationUri: "));
  for (const auto* user : {"", "a@other.example", "sip:a", "<a>", "a b", "a\\r\\nX: y"})
    EXPECT_THAT(why(R"({"destinationUri":"sip:a@b.example","sourceUser":")" + std::string(user) + "\"}"),
                StartsWith("sourceUser: "))
        << user;
  EXPECT_THAT(why(R"({"destinationUri":"sip:a@b.example","sourceUser":"a","maxRingTime":0})"),
              StartsWith("maxRingTime: "));
}

}  // namespace
}  // namespace rw::call
