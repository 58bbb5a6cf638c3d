#include "sip/user_agent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sip/uri.h"

namespace rw::sip {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view sdp = "v=0\r\nm=audio 4000 RTP/AVP 8\r\n";

/// A user agent with a clock that moves when told, and a peer that is a text writer. Ends with nothing left.
class UserAgentTest : public testing::Test {
 protected:
  UserAgentTest() {
    flow.local = *net::Address::parse("127.0.0.1:5060");
    flow.remote = *net::Address::parse("127.0.0.1:5070");
  }
  void TearDown() override {
    pass(seconds(140));
    EXPECT_EQ(agent->counts().legs, 0U);
    EXPECT_EQ(agent->counts().transactions, 0U);
    EXPECT_EQ(agent->counts().timers, 0U);
  }

  void drain() {
    agent->take_events(events);
    std::vector<Transmit> out;
    agent->take_transmits(out);
    for (auto& one : out) {
      last_flow = one.flow;
      sent.push_back(*Message::parse(one.bytes));
    }
  }
  void receive(const std::string& text) {
    agent->receive(flow, text, now);
    drain();
  }
  void pass(Duration time) {
    for (const auto end = now + time; now < end;) {
      now = std::min(end, now + milliseconds(50));
      agent->advance(now);
      drain();
    }
  }
  std::string request(const std::string& method, int cseq, const std::string& extra = {}, std::string_view body = {},
                      std::string_view type = "application/sdp") const {
    const bool of_invite = method == "ACK" || method == "CANCEL";
    const auto branch = "z9hG4bK" + (of_invite ? std::string("INVITE") : method) + std::to_string(cseq) +
                        (method == "ACK" && acks_success ? "ack" : "");
    std::string text = method + " sip:100@demo.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=" + branch +
                       "\r\nFrom: <sip:ann@caller.example>;tag=a1\r\nTo: <sip:100@demo.example>" +
                       (in_dialog ? ";tag=" + local_tag() : "") +
                       "\r\nCall-ID: call-1\r\nCSeq: " + std::to_string(cseq) + " " + method +
                       "\r\nMax-Forwards: 70\r\n" + extra;
    if (extra.find("Contact:") == std::string::npos) text += "Contact: <sip:ann@127.0.0.1:5070>\r\n";
    if (!body.empty()) text += "Content-Type: " + std::string(type) + "\r\n";
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  std::string local_tag() const {
    for (const auto& one : sent) {
      if (one.is_request()) continue;
      const auto to = NameAddress::parse(*one.header("To"));
      if (const auto* tag = to->parameter("tag")) return *tag;
    }
    return {};
  }
  template <class Event>
  const Event* find() const {
    for (const auto& event : events) {
      if (const auto* found = std::get_if<Event>(&event)) return found;
    }
    return nullptr;
  }
  template <class Event>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(events.begin(), events.end(),
                                                  [](const auto& one) { return std::holds_alternative<Event>(one); }));
  }
  std::size_t count_status(int status) const {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [&](const Message& one) { return one.status() == status; }));
  }
  std::size_t count_request(std::string_view method) const {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [&](const Message& one) { return one.method() == method; }));
  }
  LegId leg() const { return find<IncomingInvite>()->leg; }
  void invite(const std::string& extra = {}) { receive(request("INVITE", 1, extra, sdp)); }
  /// A call that is up and acknowledged.
  void establish(const std::string& extra = {}) {
    invite(extra);
    ASSERT_TRUE(agent->answer(leg(), std::string(sdp), {}, now));
    drain();
    in_dialog = acks_success = true;
    receive(request("ACK", 1));
    ASSERT_NE(find<Acknowledged>(), nullptr);
  }
  void hang_up(int cseq = 90) {
    in_dialog = true;
    receive(request("BYE", cseq));
    ASSERT_EQ(count<Ended>(), 1U);
  }
  std::string response_to(const Message& request, int status, const std::string& extra = {},
                          std::string_view body = {}) {
    auto response = Message::response(status);
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) response.add(name, *request.header(name));
    auto text = response.serialise();
    text.insert(text.find("Content-Length"), extra);
    if (!body.empty()) {
      text = text.substr(0, text.find("Content-Length")) +
             "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
             std::string(body);
    }
    return text;
  }
  const Message& last() const { return sent.back(); }
  const Message& last_request(std::string_view method) const {
    return *std::find_if(sent.rbegin(), sent.rend(), [&](const Message& one) { return one.method() == method; });
  }

  UserAgentOptions options;
  std::unique_ptr<UserAgent> agent = std::make_unique<UserAgent>(options);
  TimePoint now = Clock::now();
  Flow flow, last_flow;
  std::vector<Event> events;
  std::vector<Message> sent;
  bool in_dialog = false;
  bool acks_success = false;
};

TEST_F(UserAgentTest, ACallIsAnsweredAcknowledgedAndHungUp) {
  establish();
  EXPECT_EQ(count_status(100), 1U);
  EXPECT_EQ(count_status(200), 1U);
  hang_up();
  EXPECT_EQ(find<Ended>()->cause, EndCause::remote_bye);
}

TEST_F(UserAgentTest, ARepeatedInviteGetsTheSameResponseAndIsOneCall) {
  invite();
  receive(request("INVITE", 1, {}, sdp));
  EXPECT_EQ(count<IncomingInvite>(), 1U);
  EXPECT_EQ(count_status(100), 2U);
  agent->reject(leg(), 486, {}, now);
  drain();
  receive(request("INVITE", 1, {}, sdp));
  EXPECT_EQ(count_status(486), 2U);
}

// RFC 3261 17.2.1: a final response is repeated until it is acknowledged.
TEST_F(UserAgentTest, ARefusalIsRepeatedUntilTheAck) {
  invite();
  agent->reject(leg(), 486, {}, now);
  drain();
  pass(milliseconds(1600));
  EXPECT_EQ(count_status(486), 3U);
  in_dialog = true;
  receive(request("ACK", 1));
  pass(seconds(10));
  EXPECT_EQ(count_status(486), 3U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::rejected);
}

// RFC 3261 13.3.1.4
TEST_F(UserAgentTest, ASuccessIsRepeatedUntilTheAckAndGivenUpWithABye) {
  invite();
  agent->answer(leg(), std::string(sdp), {}, now);
  drain();
  pass(seconds(33));
  EXPECT_GT(count_status(200), 5U);
  ASSERT_NE(find<Ended>(), nullptr);
  EXPECT_EQ(find<Ended>()->cause, EndCause::no_ack);
  EXPECT_GE(count_request("BYE"), 1U);
}

TEST_F(UserAgentTest, CancelBeforeTheAnswerIs487) {
  invite();
  receive(request("CANCEL", 1, "Reason: SIP;cause=200;text=\"elsewhere\"\r\n"));
  EXPECT_EQ(count_status(200), 1U);
  EXPECT_EQ(count_status(487), 1U);
  EXPECT_EQ(find<InviteCancelled>()->reason, "SIP;cause=200;text=\"elsewhere\"");
  EXPECT_EQ(find<Ended>()->cause, EndCause::cancelled);
  EXPECT_FALSE(agent->answer(leg(), std::string(sdp), {}, now));
}

TEST_F(UserAgentTest, CancelAfterTheAnswerChangesNothing) {
  establish();
  in_dialog = false;
  receive(request("CANCEL", 1));
  EXPECT_EQ(count<Ended>(), 0U);
  EXPECT_EQ(count_status(487), 0U);
  hang_up();
}

TEST_F(UserAgentTest, CancelForNothingIs481) {
  receive(request("CANCEL", 1));
  EXPECT_EQ(last().status(), 481);
}

TEST_F(UserAgentTest, AByeOfOursEndsWithItsAnswer) {
  establish();
  EXPECT_TRUE(agent->bye(leg(), "SIP;cause=480;text=\"x\"", now));
  EXPECT_FALSE(agent->bye(leg(), "", now));
  drain();
  const auto bye = last_request("BYE");
  EXPECT_EQ(*bye.header("Reason"), "SIP;cause=480;text=\"x\"");
  EXPECT_EQ(bye.request_uri(), "sip:ann@127.0.0.1:5070");
  receive(response_to(bye, 200));
  EXPECT_EQ(find<Ended>()->cause, EndCause::local_bye);
}

TEST_F(UserAgentTest, AByeWithoutAnAnswerIsRepeatedAndGivenUp) {
  establish();
  agent->bye(leg(), "", now);
  pass(seconds(33));
  EXPECT_GT(count_request("BYE"), 5U);
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(UserAgentTest, AByeWaitsForTheAck) {
  invite();
  agent->answer(leg(), std::string(sdp), {}, now);
  EXPECT_TRUE(agent->bye(leg(), "", now));
  drain();
  EXPECT_EQ(count_request("BYE"), 0U);
  in_dialog = acks_success = true;
  receive(request("ACK", 1));
  EXPECT_EQ(count_request("BYE"), 1U);
  EXPECT_EQ(find<Acknowledged>(), nullptr);
}

TEST_F(UserAgentTest, CrossingByesEndOnce) {
  establish();
  agent->bye(leg(), "", now);
  drain();
  receive(request("BYE", 2));
  EXPECT_EQ(last().status(), 200);
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(UserAgentTest, ALateOfferIsAnsweredInTheAck) {
  receive(request("INVITE", 1));
  agent->answer(leg(), std::string(sdp), {}, now);
  drain();
  in_dialog = acks_success = true;
  receive(request("ACK", 1, {}, sdp));
  EXPECT_EQ(find<Acknowledged>()->sdp, sdp);
  hang_up();
}

TEST_F(UserAgentTest, AReinviteIsAnsweredAndAcknowledged) {
  establish();
  receive(request("INVITE", 2, {}, sdp));
  ASSERT_NE(find<OfferReceived>(), nullptr);
  EXPECT_EQ(find<OfferReceived>()->sdp, sdp);
  agent->answer_offer(leg(), std::string(sdp), now);
  drain();
  EXPECT_EQ(count_status(200), 2U);
  receive(request("ACK", 2));
  pass(seconds(40));
  EXPECT_EQ(count_status(200), 2U);
  hang_up();
}

TEST_F(UserAgentTest, ARefusedReinviteLeavesTheCallAlive) {
  establish();
  receive(request("INVITE", 2, {}, sdp));
  agent->reject_offer(leg(), 488, {}, now);
  drain();
  EXPECT_EQ(last().status(), 488);
  acks_success = false;
  receive(request("ACK", 2));
  EXPECT_EQ(count<Ended>(), 0U);
  hang_up();
}

TEST_F(UserAgentTest, OverlappingReinvitesAreRefused) {
  establish();
  receive(request("INVITE", 2, {}, sdp));
  receive(request("INVITE", 3, {}, sdp));
  EXPECT_EQ(last().status(), 500);
  EXPECT_NE(last().header("Retry-After"), nullptr);
  acks_success = false;
  receive(request("ACK", 3));
  agent->reject_offer(leg(), 488, {}, now);
  hang_up();
}

TEST_F(UserAgentTest, UpdateWithAndWithoutAnOffer) {
  establish();
  receive(request("UPDATE", 2));
  EXPECT_EQ(last().status(), 200);
  EXPECT_NE(find<Refreshed>(), nullptr);
  receive(request("UPDATE", 3, {}, sdp));
  ASSERT_NE(find<OfferReceived>(), nullptr);
  EXPECT_EQ(find<OfferReceived>()->method, OfferReceived::Method::update);
  agent->answer_offer(leg(), std::string(sdp), now);
  drain();
  EXPECT_EQ(last().body(), sdp);
  hang_up();
}

// RFC 3262
TEST_F(UserAgentTest, AReliableProvisionalIsRepeatedUntilItsPrack) {
  invite("Require: 100rel\r\n");
  EXPECT_TRUE(agent->provisional(leg(), 183, std::string(sdp), {}, now));
  drain();
  ASSERT_EQ(last().status(), 183);
  const auto rseq = *last().header("RSeq");
  pass(milliseconds(1600));
  EXPECT_EQ(count_status(183), 3U);
  agent->answer(leg(), std::string(sdp), {}, now);
  drain();
  EXPECT_EQ(count_status(200), 0U);  // waits for the PRACK
  in_dialog = true;
  receive(request("PRACK", 2, "RAck: " + rseq + " 1 INVITE\r\n"));
  EXPECT_NE(find<ProvisionalAcknowledged>(), nullptr);
  EXPECT_EQ(count_status(200), 2U);  // to the PRACK and to the INVITE
  acks_success = true;
  receive(request("ACK", 1));
  hang_up();
}

TEST_F(UserAgentTest, APrackMayBringAnOffer) {
  invite("Require: 100rel\r\n");
  agent->provisional(leg(), 183, std::string(sdp), {}, now);
  drain();
  in_dialog = true;
  receive(request("PRACK", 2, "RAck: 1 1 INVITE\r\n", sdp));
  ASSERT_NE(find<OfferReceived>(), nullptr);
  EXPECT_EQ(find<OfferReceived>()->method, OfferReceived::Method::prack);
  agent->answer(leg(), std::string(sdp), {}, now);
  drain();
  EXPECT_EQ(count_status(200), 0U) << "the PRACK first";
  agent->answer_offer(leg(), std::string(sdp) + "a=x\r\n", now);
  drain();
  ASSERT_EQ(count_status(200), 2U);
  EXPECT_EQ(last().body(), "") << "of the INVITE: its offer has been answered, and another one since";
  acks_success = true;
  receive(request("ACK", 1));
  EXPECT_FALSE(find<Acknowledged>()->unanswered);
  hang_up();
}

TEST_F(UserAgentTest, AnOfferBeforeTheInvitesOwnIsAnswered) {
  invite("Require: 100rel\r\n");
  agent->provisional(leg(), 180, {}, {}, now);
  drain();
  in_dialog = true;
  receive(request("UPDATE", 2, {}, sdp));
  EXPECT_EQ(last().status(), 500);
  EXPECT_NE(last().header("Retry-After"), nullptr);
  receive(request("PRACK", 3, "RAck: 1 1 INVITE\r\n", sdp));
  EXPECT_EQ(last().status(), 488);
  pass(seconds(40));
  EXPECT_EQ(count_status(504), 0U) << "but the response has been acknowledged";
  EXPECT_EQ(find<OfferReceived>(), nullptr);
  agent->reject(leg(), 480, {}, now);
}

TEST_F(UserAgentTest, AnUpdateMayBringAnOfferBeforeTheCallIsAnswered) {
  invite("Supported: 100rel\r\n");
  agent->provisional(leg(), 183, std::string(sdp), {}, now);
  drain();
  in_dialog = true;
  receive(request("UPDATE", 2, {}, sdp));
  EXPECT_EQ(last().status(), 500) << "the answer has not been acknowledged";
  receive(request("PRACK", 3, "RAck: 1 1 INVITE\r\n"));
  receive(request("UPDATE", 4, {}, sdp));
  ASSERT_NE(find<OfferReceived>(), nullptr);
  agent->answer_offer(leg(), std::string(sdp), now);
  drain();
  EXPECT_EQ(last().status(), 200);
  agent->answer(leg(), std::string(sdp), {}, now);
  drain();
  EXPECT_EQ(last().body(), "");
  acks_success = true;
  receive(request("ACK", 1));
  hang_up();
}

TEST_F(UserAgentTest, ALateOfferMayBeSettledBeforeTheCallIsAnswered) {
  receive(request("INVITE", 1, "Require: 100rel\r\n"));
  EXPECT_TRUE(agent->wants_early_offer(leg()));
  agent->provisional(leg(), 180, std::string(sdp), {}, now);
  EXPECT_TRUE(agent->provisional(leg(), 183, std::string(sdp), {}, now));
  drain();
  EXPECT_EQ(count_status(183), 0U) << "one at a time";
  in_dialog = true;
  receive(request("PRACK", 2, "RAck: 1 1 INVITE\r\n", sdp));
  EXPECT_EQ(find<ProvisionalAcknowledged>()->sdp, sdp);
  EXPECT_FALSE(find<ProvisionalAcknowledged>()->unanswered);
  EXPECT_FALSE(agent->wants_early_offer(leg()));
  ASSERT_EQ(last().status(), 183);
  EXPECT_EQ(last().body(), "");
  receive(request("PRACK", 3, "RAck: 2 1 INVITE\r\n"));
  agent->answer(leg(), std::string(sdp), {}, now);
  drain();
  EXPECT_EQ(last().status(), 200);
  EXPECT_EQ(last().body(), "");
  acks_success = true;
  receive(request("ACK", 1));
  EXPECT_FALSE(find<Acknowledged>()->unanswered);
  hang_up();
}

TEST_F(UserAgentTest, AnOfferOfOursThatIsNotAnsweredIsTold) {
  receive(request("INVITE", 1, "Require: 100rel\r\n"));
  agent->provisional(leg(), 180, std::string(sdp), {}, now);
  agent->answer(leg(), std::string(sdp), {}, now);
  drain();
  in_dialog = true;
  receive(request("PRACK", 2, "RAck: 1 1 INVITE\r\n"));
  EXPECT_TRUE(find<ProvisionalAcknowledged>()->unanswered);
  EXPECT_EQ(count_status(200), 1U) << "of the PRACK only";
  EXPECT_TRUE(agent->reject(leg(), 488, {}, now));
}

TEST_F(UserAgentTest, AnAnswerThatWaitsForThePrackCanBeTakenBack) {
  invite("Require: 100rel\r\n");
  agent->provisional(leg(), 183, std::string(sdp), {}, now);
  agent->answer(leg(), std::string(sdp), {}, now);
  EXPECT_FALSE(agent->bye(leg(), "SIP;cause=200", now));
  EXPECT_TRUE(agent->reject(leg(), 480, {}, now));
  drain();
  EXPECT_EQ(last().status(), 480);
  EXPECT_EQ(count_status(200), 0U);
  EXPECT_NE(find<Ended>(), nullptr);
  receive(request("ACK", 1));
}

TEST_F(UserAgentTest, AProvisionalThatIsNeverAcknowledgedEndsTheCall) {
  invite("Require: 100rel\r\n");
  agent->provisional(leg(), 180, {}, {}, now);
  pass(seconds(33));
  EXPECT_GE(count_status(504), 1U);
  EXPECT_EQ(find<Ended>()->status, 504);
}

TEST_F(UserAgentTest, APrackForNothingIs481) {
  invite();
  agent->provisional(leg(), 180, {}, {}, now);
  drain();
  EXPECT_EQ(last().header("RSeq"), nullptr);
  in_dialog = true;
  receive(request("PRACK", 2, "RAck: 1 1 INVITE\r\n"));
  EXPECT_EQ(last().status(), 481);
  agent->reject(leg(), 480, {}, now);
}

// RFC 4028
TEST_F(UserAgentTest, ASessionThatIsNotRefreshedEndsWithABye) {
  establish("Supported: timer\r\nSession-Expires: 90\r\n");
  EXPECT_EQ(agent->session_interval(leg()), 90U);
  pass(seconds(59));
  EXPECT_EQ(count<Ended>(), 0U);
  pass(seconds(2));
  ASSERT_EQ(count<Ended>(), 1U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::session_expired);
  EXPECT_GE(count_request("BYE"), 1U);
}

TEST_F(UserAgentTest, ARefreshKeepsTheSessionAlive) {
  establish("Supported: timer\r\nSession-Expires: 90\r\n");
  pass(seconds(50));
  receive(request("UPDATE", 2, "Supported: timer\r\nSession-Expires: 90\r\n"));
  EXPECT_EQ(*last().header("Session-Expires"), "90;refresher=uac");
  pass(seconds(50));
  EXPECT_EQ(count<Ended>(), 0U);
  hang_up();
}

TEST_F(UserAgentTest, WeRefreshWhenAskedTo) {
  establish("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\nAllow: INVITE, UPDATE\r\n");
  pass(milliseconds(45'100));
  ASSERT_EQ(count_request("UPDATE"), 1U);
  receive(response_to(last_request("UPDATE"), 200));
  pass(milliseconds(45'100));
  ASSERT_EQ(count_request("UPDATE"), 2U);
  receive(response_to(last_request("UPDATE"), 200));
  EXPECT_EQ(count<Ended>(), 0U);
  hang_up();
}

TEST_F(UserAgentTest, WeRefreshByReinviteWhereUpdateIsUnknown) {
  establish("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n");
  pass(milliseconds(45'100));
  ASSERT_EQ(count_request("INVITE"), 1U);
  const auto refresh = last_request("INVITE");
  EXPECT_EQ(refresh.body(), sdp);
  receive(response_to(refresh, 200, {}, sdp));
  EXPECT_EQ(count_request("ACK"), 1U);
  receive(response_to(refresh, 200, {}, sdp));  // our ACK was lost
  EXPECT_EQ(count_request("ACK"), 2U);
  hang_up();
}

// RFC 3261 14.1: the Call-ID is theirs
TEST_F(UserAgentTest, GlareIsWaitedOutForTwoSecondsAtMost) {
  establish();
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(agent->offer(leg(), std::string(sdp), now));
    drain();
    const auto before = count_request("INVITE");
    receive(response_to(last_request("INVITE"), 491));
    for (int at = 0; at < 40 && count_request("INVITE") == before; ++at) pass(milliseconds(50));
    ASSERT_EQ(count_request("INVITE"), before + 1);
    receive(response_to(last_request("INVITE"), 200, {}, sdp));
    EXPECT_EQ(count<OfferAnswered>(), static_cast<std::size_t>(round + 1));
  }
  hang_up();
}

TEST_F(UserAgentTest, ARefreshThatFailsEndsTheSession) {
  establish("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\nAllow: UPDATE\r\n");
  pass(milliseconds(45'100));
  receive(response_to(last_request("UPDATE"), 481));
  EXPECT_EQ(find<Ended>()->cause, EndCause::session_expired);
}

TEST_F(UserAgentTest, TooShortASessionIs422) {
  invite("Supported: timer\r\nSession-Expires: 60\r\n");
  EXPECT_EQ(last().status(), 422);
  EXPECT_EQ(*last().header("Min-SE"), "90");
  EXPECT_TRUE(events.empty());
}

TEST_F(UserAgentTest, OptionsTellWhatWeCanDo) {
  receive(request("OPTIONS", 1));
  EXPECT_EQ(last().status(), 200);
  EXPECT_NE(last().header("Allow")->find("INVITE"), std::string::npos);
  EXPECT_NE(last().header("Supported")->find("100rel"), std::string::npos);
  agent->set_draining(true);
  receive(request("OPTIONS", 2));
  EXPECT_EQ(last().status(), 503);
}

TEST_F(UserAgentTest, OptionsOfACallAskAfterThatCall) {
  establish();
  agent->set_draining(true);
  receive(request("OPTIONS", 2));
  EXPECT_EQ(last().status(), 200) << "this call goes on";
  hang_up(3);
  receive(request("OPTIONS", 4));
  EXPECT_EQ(last().status(), 481);
}

TEST_F(UserAgentTest, AnInvitationExpires) {
  invite("Expires: 10\r\n");
  pass(seconds(9));
  EXPECT_EQ(count_status(487), 0U);
  pass(seconds(2));
  EXPECT_NE(find<InviteCancelled>(), nullptr);
  EXPECT_EQ(find<Ended>()->cause, EndCause::cancelled);
  EXPECT_GE(count_status(487), 1U);
}

TEST_F(UserAgentTest, AnInvitationThatIsAnsweredExpiresNoMore) {
  establish("Expires: 10\r\n");
  pass(seconds(11));
  EXPECT_EQ(count<Ended>(), 0U);
  hang_up();
}

TEST_F(UserAgentTest, AnExpiryThatCanNotBeReadIsNone) {
  invite("Expires: soon\r\n");
  pass(seconds(11));
  EXPECT_EQ(count<Ended>(), 0U);
  agent->reject(leg(), 486, {}, now);
}

TEST_F(UserAgentTest, WhatWeDoNotDoIsRefused) {
  receive(request("REGISTER", 1));
  EXPECT_EQ(last().status(), 405);
  EXPECT_NE(last().header("Allow"), nullptr);
  receive(request("DANCE", 2));
  EXPECT_EQ(last().status(), 501);
  receive(request("BYE", 3));
  EXPECT_EQ(last().status(), 481);
  receive(request("INVITE", 4, "Require: levitation\r\n", sdp));
  EXPECT_EQ(last().status(), 420);
  EXPECT_EQ(*last().header("Unsupported"), "levitation");
  receive(request("INVITE", 5, {}, "x", "text/plain"));
  EXPECT_EQ(last().status(), 415);
  EXPECT_TRUE(events.empty());
}

TEST_F(UserAgentTest, BrokenRequestsAre400) {
  receive(
      "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
      "<sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n");
  EXPECT_EQ(last().status(), 400);
  receive(std::string(100, '\xff'));
  receive("\r\n\r\n");
  EXPECT_EQ(sent.size(), 1U);
}

TEST_F(UserAgentTest, AMergedRequestIs482) {
  invite();
  auto other = request("INVITE", 1, {}, sdp);
  other.replace(other.find("INVITE1"), 7, "OTHER-1");
  receive(other);
  EXPECT_EQ(last().status(), 482);
  agent->reject(leg(), 480, {}, now);
}

TEST_F(UserAgentTest, RequestsOutOfOrderAreRefused) {
  establish();
  receive(request("INFO", 5));
  EXPECT_EQ(last().status(), 200);
  receive(request("INFO", 4));
  EXPECT_EQ(last().status(), 500);
  EXPECT_EQ(count<InformationReceived>(), 1U);
  hang_up();
}

TEST_F(UserAgentTest, ARequestOfAnotherDialogIs481) {
  establish();
  auto stranger = request("BYE", 7);
  stranger.replace(stranger.find("tag=a1"), 6, "tag=b2");
  receive(stranger);
  EXPECT_EQ(last().status(), 481);
  hang_up();
}

// RFC 3581
TEST_F(UserAgentTest, ResponsesGoWhereTheRequestCameFromIfAsked) {
  flow.remote = *net::Address::parse("127.0.0.1:6666");
  auto text = request("OPTIONS", 1);
  receive(text);
  EXPECT_EQ(last_flow.remote.port(), 5070);  // sent-by
  text = request("OPTIONS", 2);
  text.replace(text.find(";branch"), 7, ";rport;branch");
  receive(text);
  EXPECT_EQ(last_flow.remote.port(), 6666);
  EXPECT_NE(last().header("Via")->find("rport=6666"), std::string::npos);
}

TEST_F(UserAgentTest, TheRouteSetIsFollowed) {
  establish("Record-Route: <sip:127.0.0.1:7000;lr>, <sip:127.0.0.1:7001;lr>\r\n");
  agent->bye(leg(), "", now);
  drain();
  const auto& bye = last_request("BYE");
  EXPECT_EQ(bye.headers("Route").size(), 2U);
  EXPECT_EQ(bye.headers("Route")[0], "<sip:127.0.0.1:7000;lr>");
  EXPECT_EQ(last_flow.remote.port(), 7000);
}

TEST_F(UserAgentTest, OverloadIsAnsweredBeforeAnythingIsKept) {
  options.admit = [](const Message&, const Flow&, TimePoint) { return Admission{503, 7}; };
  agent = std::make_unique<UserAgent>(options);
  invite();
  EXPECT_EQ(last().status(), 503);
  EXPECT_EQ(*last().header("Retry-After"), "7");
  EXPECT_EQ(agent->counts().transactions, 0U);
  in_dialog = true;
  receive(request("ACK", 1));
  EXPECT_EQ(sent.size(), 1U);
}

TEST_F(UserAgentTest, OverTcpNothingIsRepeated) {
  flow.transport = Transport::tcp;
  flow.connection = 3;
  invite();
  agent->reject(leg(), 486, {}, now);
  drain();
  pass(seconds(5));
  EXPECT_EQ(count_status(486), 1U);
  EXPECT_EQ(last_flow.connection, 3U);
  agent->receive(flow, "\r\n\r\n", now);  // a ping gets its pong
  std::vector<Transmit> out;
  agent->take_transmits(out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].bytes, "\r\n");
}

TEST_F(UserAgentTest, HeadersOfOthersCanNotBreakOurs) {
  invite();
  EXPECT_FALSE(agent->reject(leg(), 480, {{"X-A", "b\r\nEvil: yes"}}, now));
  EXPECT_TRUE(agent->reject(leg(), 480, {{"X-A", "b"}}, now));
}

}  // namespace
}  // namespace rw::sip
