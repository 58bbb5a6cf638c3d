#include <gtest/gtest.h>

#include "connect_fixture.h"

/// REFER: transfers, blind and attended.
namespace rw::call {
namespace {

using std::chrono::seconds;

class ReferTest : public ConnectTest {
 protected:
  ReferTest() {
    world.service->allow_refer = true;
    flow_.local = *net::Address::parse("127.0.0.1:5060");
    flow_.remote = *net::Address::parse("127.0.0.1:5070");
    world.lose = [this](const std::string& message) { return hear(message); };
  }

  /// The phone of the leg, which has called, asks for its party to call `target` instead.
  void refer(sip::LegId leg, const std::string& target) {
    const auto& answer = *world.last<sip::Answered>(leg)->response;
    const auto contact = sip::NameAddress::parse(*answer.header("Contact"))->uri.to_string();
    auto request = sip::Message::request("REFER", contact);
    request.add("Via", "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKrefer");
    for (const auto* name : {"From", "To", "Call-ID"}) request.add(name, *answer.header(name));
    request.add("CSeq", std::to_string(std::stoul(*answer.header("CSeq")) + 50) + " REFER");
    request.add("Max-Forwards", "70");
    request.add("Contact", "<sip:ann@127.0.0.1:5070>");
    request.add("Refer-To", "<" + target + ">");
    request.add("Referred-By", "<sip:ann@caller.example>");
    world.shards[0]->user_agent.receive(flow_, request.serialise(), world.now);
    settle();
  }
  /// The value of a Replaces header, within a URI, that names the dialog of a phone that has called.
  std::string replaces(sip::LegId leg) const {
    const auto& answer = *world.last<sip::Answered>(leg)->response;
    const auto tag = [&](const char* name) { return *sip::NameAddress::parse(*answer.header(name))->parameter("tag"); };
    return "Replaces=" + *answer.header("Call-ID") + "%3Bto-tag%3D" + tag("To") + "%3Bfrom-tag%3D" + tag("From");
  }
  void settle() {
    world.deliver();
    world.deliver();  // what came of our answers to NOTIFY
  }
  /// The statuses that the referrer has been told.
  std::string told() const {
    std::string all;
    for (const auto& status : notified_) all += (all.empty() ? "" : " ") + status;
    return all;
  }

  int refer_status_ = 0;

 private:
  /// What the phones' user agent does not speak.
  bool hear(const std::string& bytes) {
    const auto message = sip::Message::parse(bytes);
    if (!message) return false;
    if (!message->is_request()) {
      if (!message->header("CSeq")->ends_with(" REFER")) return false;
      refer_status_ = message->status();
      return true;
    }
    if (message->method() != "NOTIFY") return false;
    notified_.push_back(message->body().substr(8, 3));
    auto response = sip::Message::response(200);
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) response.add(name, *message->header(name));
    world.shards[0]->user_agent.receive(flow_, response.serialise(), world.now);
    return true;
  }

  sip::Flow flow_;
  std::vector<std::string> notified_;
};

TEST_F(ReferTest, WithoutLeaveItIsDeclined) {
  world.service->allow_refer = false;
  const auto caller = talk();
  refer(caller, "sip:2002@elsewhere.example");
  EXPECT_EQ(refer_status_, 603);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(called(0));
  world.answer(drop);
}

TEST_F(ReferTest, WhoTalksToTheIvrIsConnectedWithTheTarget) {
  const auto caller = to_the_ivr();
  const auto answered = world.notice("callAnswered");
  refer(caller, "sip:2002@elsewhere.example");
  EXPECT_EQ(refer_status_, 202);
  ASSERT_EQ(world.application().questions.size(), 1U);  // instead of getIvrCommand
  ASSERT_EQ(asked_event(), "refer");
  const auto& body = world.question().body;
  EXPECT_EQ(text(body, "referTo"), "sip:2002@elsewhere.example");
  EXPECT_EQ(text(body, "referredBy"), "<sip:ann@caller.example>");
  EXPECT_EQ(text(body, "participantId"), text(answered, "callerParticipantId"));
  EXPECT_EQ(text(body, "remoteParticipantId"), text(answered, "calleeParticipantId"));
  world.answer(R"({"action":"call","destAddr":"sip:2002@127.0.0.1:5070"})");
  settle();
  EXPECT_EQ(told(), "100");
  world.pick_up(called(0));
  settle();
  EXPECT_EQ(told(), "100 200");
  EXPECT_FALSE(is_over(caller));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(called(0));
  world.answer(drop);
}

TEST_F(ReferTest, FromTheIvrToABusyPhoneAndBack) {
  const auto caller = to_the_ivr();
  refer(caller, "sip:2002@elsewhere.example");
  world.answer(R"({"action":"call","destAddr":"sip:2002@127.0.0.1:5070"})");
  world.refuse(called(0), 486);
  settle();
  EXPECT_EQ(told(), "100 486");
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  world.answer(ivr);
  settle();
  EXPECT_EQ(told(), "100 486");
  ASSERT_EQ(asked_event(), "getIvrCommand");
  world.answer(R"({"hangup":true})");
}

TEST_F(ReferTest, ATransferFromTheIvrThatIsNotWanted) {
  const auto stays = to_the_ivr();
  refer(stays, "sip:2002@elsewhere.example");
  world.answer(ivr);
  settle();
  EXPECT_EQ(told(), "100 603");
  ASSERT_EQ(asked_event(), "getIvrCommand");
  world.answer(R"({"hangup":true})");
}

TEST_F(ReferTest, ATransferFromTheIvrThatIsTheEnd) {
  const auto goes = to_the_ivr();
  refer(goes, "sip:2002@elsewhere.example");
  world.answer(drop);
  settle();
  EXPECT_EQ(told(), "100 603");
  EXPECT_TRUE(is_over(goes));
}

TEST_F(ReferTest, WhoReferredFromTheIvrIsHungUp) {
  const auto caller = to_the_ivr();
  const auto about = world.subject_of(world.notice("callAnswered"));
  refer(caller, "sip:2002@elsewhere.example");
  world.answer(R"({"action":"call","destAddr":"sip:2002@127.0.0.1:5070"})");
  world.ring(called(0));
  EXPECT_EQ(hang_up_participant(about).status, 200);
  settle();
  EXPECT_EQ(told(), "100 603");
  EXPECT_TRUE(is_over(caller));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(ReferTest, TheOtherPartyCallsTheTarget) {
  const auto caller = talk();
  const auto answered = world.notice("callAnswered");
  refer(caller, "sip:2002@elsewhere.example");
  EXPECT_EQ(refer_status_, 202);
  EXPECT_EQ(told(), "100");
  ASSERT_EQ(asked_event(), "refer");
  const auto& body = world.question().body;
  EXPECT_EQ(text(body, "referTo"), "sip:2002@elsewhere.example");
  EXPECT_EQ(text(body, "referredBy"), "<sip:ann@caller.example>");
  EXPECT_EQ(text(body, "participantId"), text(answered, "callerParticipantId"));
  EXPECT_EQ(asked_participant(), text(answered, "calleeParticipantId"));
  EXPECT_TRUE(world.media.joined.empty());
  world.answer(R"({"action":"call","destAddr":"sip:2002@127.0.0.1:5070"})");
  settle();
  EXPECT_EQ(told(), "100");
  world.pick_up(called(1));
  settle();
  EXPECT_EQ(told(), "100 200");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(text(world.notice("callAnswered"), "callingPartyNumber"), "2001");
  EXPECT_EQ(text(world.notice("callAnswered"), "remotePartyNumber"), "2002");
  world.hang_up(called(1));
  world.answer(drop);
}

TEST_F(ReferTest, TheTransferGoesToTheIvr) {
  const auto caller = talk();
  refer(caller, "sip:100@demo.example");
  world.answer(ivr);
  settle();
  EXPECT_EQ(told(), "100 200");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(asked_event(), "getIvrCommand");
  world.hang_up(called(0));
}

TEST_F(ReferTest, ATransferThatFailsCanBeTakenBack) {
  const auto caller = talk();
  const auto referrer = text(world.notice("callAnswered"), "callerParticipantId");
  refer(caller, "sip:2002@elsewhere.example");
  world.answer(R"({"action":"call","destAddr":"sip:2002@127.0.0.1:5070"})");
  world.refuse(called(1), 486);
  settle();
  EXPECT_EQ(told(), "100 486");
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_FALSE(is_over(caller));
  world.answer(connect(referrer));
  settle();
  EXPECT_EQ(told(), "100 486");
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(called(0));
  ASSERT_TRUE(world.asked());
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(ReferTest, TheApplicationDropsTheTransferredParty) {
  const auto caller = talk();
  refer(caller, "sip:2002@elsewhere.example");
  world.answer(drop);
  settle();
  EXPECT_EQ(told(), "100 603");
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_TRUE(is_over(caller));
}

TEST_F(ReferTest, TheTransferredPartyHangsUpWhileTheTargetRings) {
  const auto caller = talk();
  refer(caller, "sip:2002@elsewhere.example");
  world.answer(R"({"action":"call","destAddr":"sip:2002@127.0.0.1:5070"})");
  world.ring(called(1));
  world.hang_up(called(0));
  settle();
  EXPECT_EQ(told(), "100 603");
  EXPECT_TRUE(is_over(caller));
  EXPECT_TRUE(is_over(called(1)));
}

TEST_F(ReferTest, TheReferrerIsHungUpWhileTheTargetRings) {
  const auto caller = talk();
  const auto about = world.subject_of(world.notice("callAnswered"));
  refer(caller, "sip:2002@elsewhere.example");
  world.answer(R"({"action":"call","destAddr":"sip:2002@127.0.0.1:5070"})");
  world.ring(called(1));
  EXPECT_EQ(hang_up_participant(about).status, 200);
  EXPECT_TRUE(is_over(caller));
  world.pick_up(called(1));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(called(1));
  world.answer(drop);
}

TEST_F(ReferTest, AnAttendedTransferTakesTheReferrersPlace) {
  sessions = 2;
  const auto first = talk(0);   // with 2001
  const auto second = talk(1);  // with the target
  const auto consultation = world.notice("callAnswered");
  refer(first, "sip:2001@elsewhere.example?" + replaces(second));
  ASSERT_EQ(asked_event(), "refer");
  EXPECT_EQ(text(world.question().body, "replacesParticipantId"), text(consultation, "callerParticipantId"));
  world.answer(connect(text(consultation, "callerParticipantId")));
  settle();
  EXPECT_EQ(told(), "100 200");
  EXPECT_TRUE(is_over(first));
  EXPECT_TRUE(is_over(second));
  EXPECT_FALSE(is_over(called(0)));
  EXPECT_FALSE(is_over(called(1)));
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_FALSE(world.asked());
  world.hang_up(called(1));
  ASSERT_TRUE(world.asked());
  world.answer(drop);
  EXPECT_TRUE(is_over(called(0)));
}

TEST_F(ReferTest, TheTargetOfAnAttendedTransferHasJustGone) {
  sessions = 2;
  const auto first = talk(0);
  const auto second = talk(1);
  const auto consultation = world.notice("callAnswered");
  refer(first, "sip:2001@elsewhere.example?" + replaces(second));
  // The target is hung up in the moment in which its place is given away.
  world.shards[0]->calls.run(
      [&] {
        auto& participants = world.shards[0]->services.participants;
        world.application().answer(connect(text(consultation, "callerParticipantId")));
        participants.at(text(consultation, "calleeParticipantId"))->hang_up(End{}, call_completed);
      },
      world.now);
  settle();
  EXPECT_TRUE(is_over(called(1)));
  world.pass(std::chrono::milliseconds(200));
  EXPECT_EQ(alarm(), "No response to callEvent request");
  EXPECT_TRUE(is_over(first));
  EXPECT_TRUE(is_over(called(0)));
  if (world.asked()) world.answer(drop);
}

}  // namespace
}  // namespace rw::call
