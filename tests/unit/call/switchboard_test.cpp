#include "call/switchboard.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "sip/uri.h"
#include "support/call_fakes.h"

namespace rw::call {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view offer =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
constexpr std::string_view video_only =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 6000 RTP/AVP 96\r\na=rtpmap:96 "
    "VP8/90000\r\n";

std::shared_ptr<const tenant::Directory> directory() {
  auto service = std::make_shared<tenant::Mediaservice>();
  service->domain = "demo.example";
  service->id = "main";
  service->numbers = {"1*"};
  auto domain = std::make_shared<tenant::Domain>();
  domain->name = "demo.example";
  domain->open = true;
  domain->mediaservices = {service};
  return std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{domain});
}

/// A whole shard without threads: a real user agent, a scripted caller, a clock that moves when told. Checks at its end
/// that nothing is left.
class SwitchboardTest : public testing::Test {
 protected:
  SwitchboardTest() {
    settings.media_address = *net::Address::from("127.0.0.1", 0);
    settings.node_address = "127.0.0.1";
    flow.local = *net::Address::parse("127.0.0.1:5060");
    flow.remote = *net::Address::parse("127.0.0.1:5070");
  }

  void TearDown() override {
    pass(seconds(70));  // whatever lingers in the user agent
    EXPECT_EQ(calls.sessions(), 0U);
    EXPECT_EQ(calls.participants(), 0U);
    EXPECT_EQ(services.timers.size(), 0U);
    EXPECT_TRUE(services.media_legs.empty());
    EXPECT_TRUE(services.sip_legs.empty());
    EXPECT_TRUE(services.cancelled_legs.empty());
    EXPECT_TRUE(services.letters.empty());
    EXPECT_TRUE(services.past_activities.empty());
    EXPECT_EQ(media.legs_made, media.legs_released);
    EXPECT_TRUE(channel.questions.empty());
    EXPECT_EQ(user_agent.counts().legs, 0U);
    EXPECT_EQ(user_agent.counts().transactions, 0U);
  }

  void settle() {
    for (std::vector<sip::Event> events; user_agent.take_events(events), !events.empty(); events.clear()) {
      for (const auto& event : events) calls.sip_event(event, now);
    }
    std::vector<sip::Transmit> out;
    user_agent.take_transmits(out);
    for (auto& one : out) sent.push_back(*sip::Message::parse(one.bytes));
  }
  void receive(const std::string& message) {
    user_agent.receive(flow, message, now);
    settle();
  }
  void pass(Duration time) {
    const auto end = now + time;
    while (now < end) {
      now += milliseconds(100);
      user_agent.advance(now);
      settle();
      calls.advance(now);
      settle();
    }
  }
  void answer(std::string_view json) {
    calls.run([&] { channel.answer(json); }, now);
    settle();
  }

  std::string request(const std::string& method, int cseq, const std::string& extra = {}, std::string_view body = {}) {
    std::string text = method + " sip:" + number + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK" +
                       (method == "ACK" || method == "CANCEL" ? "INVITE" : method) + std::to_string(cseq) +
                       (method == "ACK" && answered() ? "ack" : "") +
                       "\r\nFrom: \"Ann\" <sip:ann@caller.example>;tag=a1\r\nTo: <sip:" + number + ">" +
                       (to_tag().empty() ? "" : ";tag=" + to_tag()) +
                       "\r\nCall-ID: call-1\r\nCSeq: " + std::to_string(cseq) + " " + method +
                       "\r\nContact: <sip:ann@127.0.0.1:5070>\r\nMax-Forwards: 70\r\n" + extra;
    if (!body.empty()) text += "Content-Type: application/sdp\r\n";
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  void invite(std::string_view body = offer, const std::string& extra = {}) {
    receive(request("INVITE", 1, extra, body));
  }
  void acknowledge(std::string_view body = {}, int cseq = 1) { receive(request("ACK", cseq, {}, body)); }
  void to_the_ivr() {
    invite();
    answer(R"({"action":"ivr"})");
    acknowledge();
  }

  bool answered() const { return final_status() == 200; }
  int final_status() const {
    int status = 0;
    for (const auto& one : sent) {
      if (!one.is_request() && one.header("CSeq")->ends_with("INVITE")) status = one.status();
    }
    return status;
  }
  std::string to_tag() const {
    for (const auto& one : sent) {
      if (one.is_request() || one.status() < 200) continue;
      return *sip::NameAddress::parse(*one.header("To"))->parameter("tag");
    }
    return {};
  }
  const sip::Message* sent_request(std::string_view method) const {
    for (const auto& one : sent) {
      if (one.is_request() && one.method() == method) return &one;
    }
    return nullptr;
  }
  std::string completed_reason() const {
    EXPECT_EQ(channel.count("sessionCompleted"), 1U);
    for (const auto& [event, body] : channel.notices) {
      if (event == "sessionCompleted") return std::string(body.at("reason").as_string());
    }
    return {};
  }
  std::string alarm() const {
    return channel.alarms.empty() ? "" : std::string(channel.alarms.back().at("error").as_string());
  }
  ReplySubject subject() { return *tokens.verify(std::string(channel.questions.at(0).body.at("replyId").as_string())); }

  std::string number = "100@demo.example";
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
                    .log = ops::Log(ops::Log::Format::text, ops::Level::error),
                    .directory = [] { return directory(); }};
  Switchboard calls{services};
  TimePoint now = Clock::now();
  sip::Flow flow;
  std::vector<sip::Message> sent;
};

TEST_F(SwitchboardTest, ACallGoesThroughTheIvrToItsEnd) {
  invite();
  EXPECT_EQ(final_status(), 100);
  ASSERT_EQ(channel.questions.size(), 1U);
  EXPECT_EQ(channel.questions[0].event, "newCall");
  EXPECT_EQ(channel.questions[0].body.at("callingParty"), "ann");
  EXPECT_EQ(channel.questions[0].body.at("displayName"), "Ann");
  EXPECT_EQ(channel.questions[0].body.at("calledParty"), "100");
  answer(R"({"action":"ivr","sessionReferenceId":{"foo":1}})");
  EXPECT_EQ(final_status(), 200);
  EXPECT_TRUE(channel.questions.empty());
  acknowledge();
  EXPECT_EQ(channel.count("callAnswered"), 1U);
  ASSERT_EQ(channel.questions.size(), 1U);
  EXPECT_EQ(channel.questions[0].event, "getIvrCommand");
  EXPECT_EQ(channel.questions[0].body.at("sessionReferenceId").at("foo"), 1);
  answer(R"({"hangup":true})");
  ASSERT_NE(sent_request("BYE"), nullptr);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(SwitchboardTest, EachDropCodeHasItsStatus) {
  invite();
  answer(R"({"action":"drop","dropCode":"busy"})");
  EXPECT_EQ(final_status(), 486);
  acknowledge();
  EXPECT_EQ(completed_reason(), "rejected");
}

TEST_F(SwitchboardTest, TheCallerHangsUp) {
  to_the_ivr();
  receive(request("BYE", 2));
  EXPECT_EQ(completed_reason(), "normal");
  EXPECT_EQ(sent_request("BYE"), nullptr);
}

TEST_F(SwitchboardTest, TheCallerCancelsWhileTheApplicationIsAsked) {
  invite();
  receive(request("CANCEL", 1));
  EXPECT_EQ(final_status(), 487);
  EXPECT_EQ(completed_reason(), "cancelled");
  acknowledge();
}

TEST_F(SwitchboardTest, AnApplicationThatFailsMeansTemporarilyUnavailable) {
  invite();
  calls.run([&] { channel.refuse(callbacks::Failure::Kind::unreachable); }, now);
  settle();
  EXPECT_EQ(final_status(), 480);
  EXPECT_NE(sent.back().header("Retry-After"), nullptr);
  EXPECT_EQ(alarm(), "newCall request failed");
  EXPECT_EQ(completed_reason(), "error");
  acknowledge();
}

TEST_F(SwitchboardTest, AnAnswerWithoutAnUsableActionIsAnAlarm) {
  invite();
  answer(R"({"action":"dance"})");
  EXPECT_EQ(alarm(), "newCall response with unknown action");
  EXPECT_EQ(final_status(), 480);
  acknowledge();
}

TEST_F(SwitchboardTest, AnOfferThatCanNotBeServedIsRefusedBeforeTheApplicationIsAsked) {
  invite(video_only);
  EXPECT_EQ(final_status(), 488);
  EXPECT_EQ(alarm(), "invalidSdp");
  EXPECT_EQ(completed_reason(), "error");
  acknowledge();
}

TEST_F(SwitchboardTest, AnUnknownNumberIsNotFoundAndNobodyIsAsked) {
  number = "999@demo.example";
  invite();
  EXPECT_EQ(final_status(), 404);
  EXPECT_TRUE(channel.notices.empty());
  acknowledge();
}

TEST_F(SwitchboardTest, ALateOfferIsSettledByTheAck) {
  invite("");
  answer(R"({"action":"ivr"})");
  EXPECT_EQ(final_status(), 200);
  EXPECT_NE(sent.back().body().find("m=audio"), std::string::npos);
  EXPECT_TRUE(media.configured.empty());
  acknowledge(offer);
  ASSERT_EQ(media.configured.size(), 1U);
  EXPECT_EQ(media.configured[0].remote.port(), 6000);
  receive(request("BYE", 2));
}

TEST_F(SwitchboardTest, HoldAndResumeAreToldAndFollowed) {
  to_the_ivr();
  std::string held(offer);
  held += "a=sendonly\r\n";
  receive(request("INVITE", 2, {}, held));
  acknowledge();
  ASSERT_EQ(channel.count("callNotify"), 1U);
  EXPECT_EQ(channel.notices.back().second.at("event"), "reInvite");
  EXPECT_EQ(channel.notices.back().second.at("hold"), true);
  EXPECT_EQ(media.configured.back().direction, media::Direction::receive_only);
  EXPECT_EQ(channel.notices.back().second.at("changed"), true);
  receive(request("INVITE", 3, {}, offer));
  EXPECT_EQ(channel.notices.back().second.at("hold"), false);
  EXPECT_EQ(channel.notices.back().second.at("changed"), true);
  EXPECT_EQ(media.configured.back().direction, media::Direction::send_receive);
  receive(request("BYE", 4));
}

TEST_F(SwitchboardTest, AMereRefreshIsToldAsSuch) {
  to_the_ivr();
  receive(request("INVITE", 2, {}, offer));
  acknowledge({}, 2);
  EXPECT_EQ(channel.notices.back().second.at("event"), "reInvite");
  EXPECT_EQ(channel.notices.back().second.at("changed"), false);
  EXPECT_FALSE(channel.notices.back().second.contains("hold"));
  receive(request("UPDATE", 3));
  EXPECT_EQ(channel.notices.back().second.at("event"), "update");
  EXPECT_EQ(channel.notices.back().second.at("changed"), false);
  receive(request("BYE", 4));
}

TEST_F(SwitchboardTest, WhatAReinviteWithoutADescriptionIsAboutComesWithTheAck) {
  to_the_ivr();
  const auto told = channel.count("callNotify");
  receive(request("INVITE", 2));
  EXPECT_EQ(channel.count("callNotify"), told);
  std::string held(offer);
  held += "a=sendonly\r\n";
  acknowledge(held, 2);
  ASSERT_EQ(channel.count("callNotify"), told + 1);
  EXPECT_EQ(channel.notices.back().second.at("event"), "reInvite");
  EXPECT_EQ(channel.notices.back().second.at("changed"), true);
  EXPECT_EQ(channel.notices.back().second.at("hold"), true);
  receive(request("INVITE", 3));
  acknowledge(held, 3);
  EXPECT_EQ(channel.count("callNotify"), told + 2);
  EXPECT_EQ(channel.notices.back().second.at("changed"), false);
  receive(request("BYE", 4));
}

TEST_F(SwitchboardTest, DigitsComeByInfo) {
  to_the_ivr();
  answer(R"({"dtmf":{"maxDigits":1}})");
  std::string body = "Signal=5\r\nDuration=160\r\n";
  auto info = request("INFO", 2);
  info.replace(info.find("Content-Length: 0"), 17,
               "Content-Type: application/dtmf-relay\r\nContent-Length: " + std::to_string(body.size()));
  receive(info + body);
  ASSERT_EQ(channel.questions.size(), 1U);
  EXPECT_EQ(channel.questions[0].body.at("dtmfParams").at("dtmfMatch"), "5");
  receive(request("BYE", 3));
}

TEST_F(SwitchboardTest, KeysPressedBeforeTheAckCount) {
  invite();
  answer(R"({"action":"ivr"})");
  calls.media_event(media::DtmfReceived{services.media_legs.begin()->first, '6', {}}, now);
  acknowledge();
  EXPECT_EQ(channel.questions.front().body.at("dtmfBuffer"), "6");
  receive(request("BYE", 2));
}

TEST_F(SwitchboardTest, TheApplicationHangsUpAParticipant) {
  to_the_ivr();
  const auto about = subject();
  EXPECT_EQ(calls.hang_up_participant(about, "", "", now).status, 200);
  settle();
  EXPECT_NE(sent_request("BYE"), nullptr);
  EXPECT_EQ(completed_reason(), "apiHangup");
  EXPECT_EQ(calls.hang_up_participant(about, "", "", now).status, 404);
}

TEST_F(SwitchboardTest, InterruptIsForTheCommandThatRuns) {
  to_the_ivr();
  const auto about = subject();
  EXPECT_EQ(calls.interrupt_ivr_command(about, "", now).status, 409);
  answer(R"({"phrases":[{"fileName":"a"}]})");
  EXPECT_EQ(calls.interrupt_ivr_command(about, "another", now).status, 404);
  EXPECT_EQ(calls.interrupt_ivr_command(about, about.session, now).status, 200);
  EXPECT_EQ(calls.interrupt_ivr_command(about, "", now).status, 404);
  receive(request("BYE", 2));
}

TEST_F(SwitchboardTest, SilenceOnTheLineEndsTheCall) {
  to_the_ivr();
  calls.media_event(media::RtpTimedOut{1}, now);
  settle();
  EXPECT_EQ(alarm(), "RTP media timeout");
  EXPECT_EQ(completed_reason(), "rtpTimeout");
}

TEST_F(SwitchboardTest, ASessionHasALimit) {
  settings.max_session = seconds(30);
  to_the_ivr();
  pass(seconds(31));
  EXPECT_EQ(alarm(), "maxDuration");
  EXPECT_EQ(completed_reason(), "maxDuration");
}

TEST_F(SwitchboardTest, WithoutAPortTheCallIsRefused) {
  media.exhausted = true;
  invite();
  answer(R"({"action":"ivr"})");
  EXPECT_EQ(final_status(), 503);
  EXPECT_EQ(alarm(), "mediaServerError");
  acknowledge();
}

TEST_F(SwitchboardTest, AMissingAckEndsTheCall) {
  invite();
  answer(R"({"action":"ivr"})");
  pass(seconds(40));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(SwitchboardTest, AStopEndsEveryCall) {
  to_the_ivr();
  calls.end_all(now);
  settle();
  EXPECT_NE(sent_request("BYE"), nullptr);
  EXPECT_EQ(completed_reason(), "shutdown");
}

}  // namespace
}  // namespace rw::call
