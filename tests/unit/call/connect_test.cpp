#include <gtest/gtest.h>

#include "connect_fixture.h"

/// `connect` and split, within one session and across two; hang-ups by the API.
namespace rw::call {
namespace {

using std::chrono::seconds;

// ---- connect in one session

TEST_F(ConnectTest, TwoThatWereSplitAreConnectedAgain) {
  const auto caller = talk();
  const auto answered = world.notice("callAnswered");
  ASSERT_EQ(split(world.subject_of(answered)).status, 200);
  EXPECT_TRUE(world.media.joined.empty());
  ASSERT_EQ(world.application().questions.size(), 2U);
  EXPECT_EQ(text(world.application().questions[0].body, "event"), "callerConnectionSplit");
  EXPECT_EQ(text(world.application().questions[1].body, "event"), "calleeConnectionSplit");
  EXPECT_EQ(text(world.application().questions[0].body, "user"), "ann");
  EXPECT_EQ(text(world.application().questions[1].body, "user"), "2001");
  world.answer(connect(text(answered, "calleeParticipantId")));
  EXPECT_FALSE(world.asked());  // the callee's question is withdrawn
  EXPECT_EQ(world.media.joined.size(), 2U);
  ASSERT_EQ(world.application().count("callAnswered"), 2U);
  const auto again = world.notice("callAnswered");
  EXPECT_EQ(text(again, "callerParticipantId"), text(answered, "callerParticipantId"));
  EXPECT_EQ(text(again, "calleeParticipantId"), text(answered, "calleeParticipantId"));
  EXPECT_NE(text(again, "connectionId"), text(answered, "connectionId"));
  world.hang_up(caller);
  EXPECT_EQ(text(world.question().body, "connectionId"), text(again, "connectionId"));
  world.answer(drop);
}

TEST_F(ConnectTest, EachIsToldToConnectWithTheOther) {
  const auto caller = talk();
  const auto answered = world.notice("callAnswered");
  split(world.subject_of(answered));
  world.shards[0]->calls.run(
      [&] {
        world.application().answer(connect(text(answered, "calleeParticipantId")));
        world.application().answer(connect(text(answered, "callerParticipantId")));
      },
      world.now);
  world.deliver();
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.application().count("callAnswered"), 2U);
  EXPECT_TRUE(world.application().alarms.empty());
  world.pass(seconds(10));
  EXPECT_FALSE(is_over(caller));
  world.hang_up(caller);
  world.answer(drop);
}

TEST_F(ConnectTest, AfterASplitEachGoesItsOwnWay) {
  const auto caller = talk();
  split(world.subject_of(world.notice("callAnswered")));
  world.answer(ivr);
  world.answer(R"({"action":"call","destAddr":"sip:next@127.0.0.1:5070"})");
  world.pick_up(called(1));
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(asked_event(), "getIvrCommand");
  world.hang_up(caller);
  EXPECT_FALSE(is_over(called(0)));
  world.hang_up(called(0));
  ASSERT_EQ(asked_event(), "callingPartyDrop");
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(ConnectTest, AfterASplitBothAreDropped) {
  const auto caller = talk();
  split(world.subject_of(world.notice("callAnswered")));
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(world.application().count("sessionCompleted"), 0U);
  world.answer(drop);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "rejected");
}

TEST_F(ConnectTest, BothAreSplitWhileOneHangsUp) {
  const auto caller = talk();
  const auto about = world.subject_of(world.notice("callAnswered"));
  world.phones.bye(called(0), "", world.now);
  split(about);
  EXPECT_EQ(asked_participant(), about.participant);
  EXPECT_EQ(world.application().questions.size(), 1U);
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(ConnectTest, OnlyAConnectionCanBeSplit) {
  const auto caller = to_the_ivr();
  const auto about = world.subject_of(world.question().body);
  EXPECT_EQ(split(about).status, 200);
  EXPECT_EQ(split(about).status, 409);
  EXPECT_EQ(split(about, "another").status, 404);
  world.hang_up(caller);
  EXPECT_EQ(split(about).status, 404);
}

// ---- that can't be connected

TEST_F(ConnectTest, AnUnknownParticipantIsAnAlarmAndTheEnd) {
  const auto caller = dial(connect("nobody"));
  EXPECT_EQ(alarm(), "newCall request failed");
  const auto& details = world.application().alarms.back().at("errorDetails").as_object();
  EXPECT_EQ(text(details, "field"), "participantId");
  EXPECT_EQ(text(details, "value"), "nobody");
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(ConnectTest, AfterACallEventTheAlarmIsOfThatKind) {
  const auto caller = talk();
  world.hang_up(called(0));
  world.answer(connect("nobody"));
  EXPECT_EQ(alarm(), "No response to callEvent request");
  EXPECT_TRUE(is_over(caller));
}

TEST_F(ConnectTest, NobodyIsConnectedWithItself) {
  const auto caller = world.call();
  world.answer(connect(asked_participant()));
  EXPECT_TRUE(is_over(caller));
  EXPECT_EQ(completed_reason(), "error");
}

TEST_F(ConnectTest, WhoTalksToAnotherIsNotTakenAway) {
  sessions = 2;
  const auto first = talk();
  const auto second = dial(connect(text(world.notice("callAnswered"), "calleeParticipantId")));
  EXPECT_EQ(alarm(), "newCall request failed");
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(first);
  world.answer(drop);
}

TEST_F(ConnectTest, WhoIsNotAnsweredIsNotConnected) {
  sessions = 2;
  const auto first = world.call();
  const auto target = asked_participant();
  const auto second = world.call();
  auto& questions = world.application().questions;
  std::swap(questions[0], questions[1]);
  world.answer(connect(target));
  EXPECT_TRUE(is_over(second));
  EXPECT_TRUE(world.asked());
  world.cancel(first);
}

TEST_F(ConnectTest, NobodyOfAnotherDomainIsConnected) {
  sessions = 2;
  auto service = std::make_shared<tenant::Mediaservice>();
  service->domain = "other.example";
  service->numbers = {"*"};
  auto other = std::make_shared<tenant::Domain>();
  other->name = service->domain;
  other->mediaservices = {service};
  auto domains = world.directory->domains();
  domains.push_back(other);
  world.directory = std::make_shared<tenant::Directory>(domains);
  sip::OutgoingInvite invite;
  invite.target = "sip:100@other.example";
  invite.from = "<sip:eve@caller.example>";
  invite.to = "<sip:100@other.example>";
  invite.contact_user = "eve";
  invite.routes = {"<sip:127.0.0.1:5060;lr>"};
  invite.sdp = phone_sdp;
  const auto theirs = world.phones.invite(std::move(invite), world.now).value();
  world.deliver();
  world.answer(ivr);
  const auto target = asked_participant();
  const auto ours = world.call();
  auto& questions = world.application().questions;
  std::swap(questions[0], questions[1]);
  world.answer(connect(target));
  EXPECT_TRUE(is_over(ours));
  EXPECT_FALSE(is_over(theirs));
  EXPECT_TRUE(world.media.joined.empty());
  world.hang_up(theirs);
}

// ---- connect across sessions

TEST_F(ConnectTest, ACallerIsConnectedWithOneInTheIvrOfAnotherSession) {
  sessions = 2;
  const auto waiting = to_the_ivr();
  const auto target = asked_participant();
  const auto first_session = text(world.question().body, "sessionId");
  const auto second = world.call();
  std::swap(world.application().questions[0], world.application().questions[1]);
  world.answer(connect(target));
  ASSERT_NE(world.last<sip::Answered>(second), nullptr);
  EXPECT_FALSE(world.asked());  // the IVR's command is over
  EXPECT_EQ(world.media.joined.size(), 2U);
  ASSERT_EQ(world.application().count("callAnswered"), 3U);  // the IVR's, and one for each session
  world.hang_up(waiting);
  EXPECT_EQ(world.application().count("sessionCompleted"), 1U);
  EXPECT_EQ(text(world.notice("sessionCompleted"), "sessionId"), first_session);
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  EXPECT_NE(text(world.question().body, "sessionId"), first_session);
  world.answer(drop);
  EXPECT_TRUE(is_over(second));
}

TEST_F(ConnectTest, TheOneThatWasConnectedWithIsAskedAboutInItsOwnSession) {
  sessions = 2;
  const auto waiting = to_the_ivr();
  const auto about = world.subject_of(world.question().body);
  const auto second = world.call();
  std::swap(world.application().questions[0], world.application().questions[1]);
  world.answer(connect(about.participant));
  world.hang_up(second);
  ASSERT_EQ(asked_event(), "callingPartyDrop");
  EXPECT_EQ(text(world.question().body, "sessionId"), about.session);
  world.answer(ivr);
  EXPECT_EQ(asked_event(), "getIvrCommand");
  world.hang_up(waiting);
}

// ---- hang-ups by the API

TEST_F(ConnectTest, AParticipantIsHungUpAndTheOtherIsAskedAbout) {
  const auto caller = talk();
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(hang_up_participant(world.subject_of(answered), text(answered, "calleeParticipantId")).status, 200);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_FALSE(is_over(caller));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  EXPECT_EQ(text(world.question().body, "errorDescr"), "Hung up by the application");
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(ConnectTest, TheReplyIdsOwnParticipantIsHungUp) {
  const auto caller = talk();
  EXPECT_EQ(hang_up_participant(world.subject_of(world.notice("callAnswered"))).status, 200);
  EXPECT_TRUE(is_over(caller));
  ASSERT_EQ(asked_event(), "callingPartyDrop");
  world.answer(drop);
  EXPECT_TRUE(is_over(called(0)));
}

TEST_F(ConnectTest, TheRemoteParticipantIsHungUp) {
  const auto caller = talk();
  EXPECT_EQ(hang_up_remote(world.subject_of(world.notice("callAnswered"))).status, 200);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_FALSE(is_over(caller));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  EXPECT_EQ(text(world.question().body, "errorDescr"), "Hung up by the application");
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(ConnectTest, TheRemoteOfACalleeThatRingsIsTheCaller) {
  const auto caller = dial(call_one);
  world.ring(called(0));
  EXPECT_EQ(hang_up_remote(world.subject_of(world.notice("callNotify"))).status, 200);
  EXPECT_EQ(refused_with(caller), 480);
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(ConnectTest, WhoIsAloneHasNoRemoteParticipant) {
  const auto caller = to_the_ivr();
  const auto about = world.subject_of(world.question().body);
  split(about);
  EXPECT_EQ(hang_up_remote(about).status, 409);
  EXPECT_EQ(hang_up_remote(about, "another").status, 404);
  EXPECT_FALSE(is_over(caller));
  world.hang_up(caller);
}

TEST_F(ConnectTest, ACalleeThatRingsIsHungUp) {
  const auto caller = dial(call_one);
  world.ring(called(0));
  EXPECT_EQ(hang_up_participant(world.subject_of(world.notice("callNotify"))).status, 200);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  ASSERT_EQ(asked_event(), "calledPartyFailure");
  EXPECT_EQ(text(world.question().body, "errorDescr"), "Hung up by the application");
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(ConnectTest, TheWholeCallIsHungUp) {
  const auto caller = talk();
  const auto about = world.subject_of(world.notice("callAnswered"));
  EXPECT_EQ(world.command([&](auto& calls) { return calls.hang_up_call(about, world.now); }).status, 200);
  EXPECT_TRUE(is_over(caller));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(completed_reason(), "apiHangup");
  EXPECT_EQ(world.command([&](auto& calls) { return calls.hang_up_call(about, world.now); }).status, 404);
}

}  // namespace
}  // namespace rw::call
