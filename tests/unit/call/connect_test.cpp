#include <gtest/gtest.h>

#include "sip/uri.h"
#include "support/call_test.h"

/// Participants that are brought together and taken apart: `connect`, split, hang-ups by the API, calls that the API
/// places, REFER, monitors.
namespace rw::call {
namespace {

using std::chrono::seconds;

constexpr std::string_view ivr = R"({"action":"ivr"})";

std::string connect(const std::string& participant) {
  return R"({"action":"connect","participantId":")" + participant + "\"}";
}

class ConnectTest : public CallTest {
 protected:
  explicit ConnectTest(std::size_t shards = 1) : CallTest(shards) {}

  /// A caller that talks to the IVR, which has asked its first question.
  sip::LegId to_the_ivr(std::size_t shard = 0) { return dial(ivr, shard); }
  std::string asked_participant(std::size_t shard = 0) {
    return world.subject_of(world.question(shard).body).participant;
  }
  Verdict hang_up_participant(const ReplySubject& about, const std::string& participant = {}, std::size_t shard = 0) {
    return world.command([&](auto& calls) { return calls.hang_up_participant(about, participant, "", world.now); },
                         shard);
  }
  Verdict hang_up_remote(const ReplySubject& about, const std::string& participant = {}, std::size_t shard = 0) {
    return world.command([&](auto& calls) { return calls.hang_up_remote_participant(about, participant, world.now); },
                         shard);
  }
  Verdict split(const ReplySubject& about, const std::string& connection = {}) {
    return world.command([&](auto& calls) { return calls.split_connection(about, connection, world.now); });
  }
};

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

TEST_F(ConnectTest, OnlyAConnectionOfTwoCanBeSplit) {
  const auto caller = to_the_ivr();
  const auto about = world.subject_of(world.question().body);
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

TEST_F(ConnectTest, TheIvrIsNoRemoteParticipant) {
  const auto caller = to_the_ivr();
  const auto about = world.subject_of(world.question().body);
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

// ---- across shards

class ShardsTest : public ConnectTest {
 protected:
  ShardsTest() : ConnectTest(2) { sessions = 2; }

  /// A caller in the IVR of shard 0; `target` is its participant.
  void wait() {
    waiting = to_the_ivr(0);
    target = asked_participant(0);
  }
  /// A second caller, on shard 1, that is connected with it.
  void join() {
    wait();
    second = dial(connect(target), 1);
  }
  /// Delivers the letters that are on their way between the shards now, but not what comes of them.
  void carry_once() {
    for (auto letters = std::exchange(world.letters, {}); auto& [to, letter] : letters)
      world.shards[to]->calls.receive(std::move(letter), world.now);
  }
  /// The second caller's question is answered, but nothing is delivered yet.
  void decide_to_connect() {
    second = world.call(1);
    world.shards[1]->calls.run([&] { world.application(1).answer(connect(target)); }, world.now);
  }

  sip::LegId waiting = 0, second = 0;
  std::string target;
};

TEST_F(ShardsTest, TwoAreConnectedAndEachSessionHearsOfIt) {
  join();
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.application(0).count("callAnswered"), 2U);
  EXPECT_EQ(world.application(1).count("callAnswered"), 1U);
  EXPECT_EQ(text(world.notice("callAnswered", 0), "connectionId"),
            text(world.notice("callAnswered", 1), "connectionId"));
  world.hang_up(waiting);
  EXPECT_TRUE(world.media.joined.empty());
  ASSERT_EQ(asked_event(1), "calledPartyDrop");
  world.answer(drop, 1);
  EXPECT_TRUE(is_over(second));
}

TEST_F(ShardsTest, HoldAndKeysGoAcross) {
  world.service->hold_music = "music";
  join();
  ASSERT_TRUE(world.phones.offer(second, std::string(phone_sdp_on_hold), world.now));
  world.deliver();
  EXPECT_TRUE(world.notice("callNotify", 1).at("hold").as_bool());
  EXPECT_EQ(world.sounds.asked.back(), "music");
  EXPECT_EQ(world.media.background_leg, 1U);
  world.hang_up(second);
  ASSERT_EQ(asked_event(0), "callingPartyDrop");
  world.answer(drop, 0);
}

TEST_F(ShardsTest, BothHangUpAtOnce) {
  join();
  world.phones.bye(waiting, "", world.now);
  world.hang_up(second);
  EXPECT_FALSE(world.asked(0));
  EXPECT_FALSE(world.asked(1));
}

TEST_F(ShardsTest, TheRemoteParticipantIsOnTheOtherShard) {
  join();
  EXPECT_EQ(hang_up_remote(world.subject_of(world.notice("callAnswered", 1)), "", 1).status, 200);
  EXPECT_TRUE(is_over(waiting));
  ASSERT_EQ(asked_event(1), "calledPartyDrop");
  EXPECT_EQ(text(world.question(1).body, "errorDescr"), "Hung up by the application");
  world.answer(drop, 1);
}

TEST_F(ShardsTest, ASplitReachesTheOtherHalf) {
  join();
  const auto about = world.subject_of(world.notice("callAnswered", 1));
  EXPECT_EQ(world.command([&](auto& calls) { return calls.split_connection(about, "", world.now); }, 1).status, 200);
  EXPECT_EQ(asked_event(1), "callerConnectionSplit");
  EXPECT_EQ(asked_event(0), "calleeConnectionSplit");
  world.answer(drop, 0);
  world.answer(drop, 1);
}

TEST_F(ShardsTest, BothHalvesAreSplitAtOnce) {
  join();
  const auto first = world.subject_of(world.notice("callAnswered", 0));
  const auto other = world.subject_of(world.notice("callAnswered", 1));
  world.shards[0]->calls.split_connection(first, "", world.now);
  world.shards[1]->calls.split_connection(other, "", world.now);
  world.deliver();
  EXPECT_EQ(world.application(0).questions.size(), 1U);
  EXPECT_EQ(world.application(1).questions.size(), 1U);
  world.answer(drop, 0);
  world.answer(drop, 1);
}

TEST_F(ShardsTest, NobodyKnowsTheParticipantOnAnyShard) {
  sessions = 1;
  second = dial(connect("nobody"), 1);
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(alarm(1), "newCall request failed");
}

TEST_F(ShardsTest, TheTargetGoesBeforeItIsAsked) {
  wait();
  const auto about = world.subject_of(world.question(0).body);
  decide_to_connect();
  world.shards[0]->calls.hang_up_participant(about, "", "", world.now);
  world.deliver();
  EXPECT_TRUE(is_over(waiting));
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(alarm(1), "newCall request failed");
  EXPECT_TRUE(world.media.joined.empty());
}

TEST_F(ShardsTest, WhoAsksGoesBeforeItIsAccepted) {
  wait();
  second = world.call(1);
  const auto about = world.subject_of(world.question(1).body);
  world.shards[1]->calls.run([&] { world.application(1).answer(connect(target)); }, world.now);
  carry_once();  // the request
  world.shards[1]->calls.hang_up_participant(about, "", "", world.now);
  world.deliver();
  EXPECT_TRUE(is_over(second));
  EXPECT_FALSE(is_over(waiting));
  EXPECT_TRUE(world.media.joined.empty());
  ASSERT_EQ(asked_event(0), "callingPartyDrop");
  world.answer(drop, 0);
}

TEST_F(ShardsTest, TheTargetGoesWhenItHasAccepted) {
  wait();
  const auto about = world.subject_of(world.question(0).body);
  decide_to_connect();
  carry_once();  // the request
  world.shards[0]->calls.hang_up_participant(about, "", "", world.now);
  world.deliver();
  EXPECT_TRUE(is_over(waiting));
  ASSERT_EQ(asked_event(1), "calledPartyDrop");
  EXPECT_TRUE(world.media.joined.empty());
  world.answer(drop, 1);
}

TEST_F(ShardsTest, HoldDuringTheHandshakeIsNotLost) {
  world.service->hold_music = "music";
  wait();
  decide_to_connect();
  carry_once();  // the request: it says that the second caller does not hold
  world.now += std::chrono::milliseconds(1);
  auto letters = std::exchange(world.letters, {});  // the acceptance stays on its way
  world.deliver();
  ASSERT_TRUE(world.phones.offer(second, std::string(phone_sdp_on_hold), world.now));
  world.deliver();
  world.letters = std::move(letters);
  world.deliver();
  EXPECT_TRUE(world.media.joined.empty());  // the music is heard in place of the other
  EXPECT_NE(world.media.background_sound, nullptr);
  EXPECT_EQ(world.media.background_leg, 1U);
  world.hang_up(second);
  world.answer(drop, 0);
}

TEST_F(ShardsTest, EachIsToldToConnectWithTheOther) {
  waiting = talk(0, 0);  // one that can be asked about
  world.hang_up(called(0));
  const auto first = asked_participant(0);
  second = talk(1, 1);
  world.hang_up(called(1));
  const auto other = asked_participant(1);
  world.shards[0]->calls.run([&] { world.application(0).answer(connect(other)); }, world.now);
  world.shards[1]->calls.run([&] { world.application(1).answer(connect(first)); }, world.now);
  world.deliver();
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_TRUE(world.application(0).alarms.empty());
  EXPECT_TRUE(world.application(1).alarms.empty());
  world.pass(seconds(10));
  EXPECT_FALSE(is_over(waiting));
  EXPECT_FALSE(is_over(second));
  world.hang_up(waiting);
  world.answer(drop, 1);
}

TEST_F(ShardsTest, AShardThatDoesNotAnswerIsNotWaitedForForever) {
  sessions = 1;
  second = world.call(1);
  world.shards[1]->calls.run([&] { world.application(1).answer(connect("somebody")); }, world.now);
  world.letters.clear();
  world.pass(seconds(6));
  EXPECT_TRUE(is_over(second));
  EXPECT_EQ(alarm(1), "newCall request failed");
}

// ---- calls that the API places

class PlacedCallTest : public ConnectTest {
 protected:
  Verdict place(std::string_view body = R"({"destAddr":"sip:2001@127.0.0.1:5070","sipFrom":"100","maxRingTime":20})") {
    PlacedCallOrder order;
    order.service = world.service;
    order.destination = read_destination(boost::json::parse(body).as_object()).value();
    order.trace_id = "trace-1";
    order.session_reference = boost::json::value(42);
    return world.command([&](auto& calls) { return calls.place_ivr_call(order, world.now); });
  }
};

TEST_F(PlacedCallTest, ItIsAnsweredAndTalksToTheIvr) {
  const auto verdict = place();
  ASSERT_EQ(verdict.status, 200);
  EXPECT_EQ(text(verdict.extra, "traceId"), "trace-1");
  ASSERT_EQ(world.incoming().size(), 1U);
  EXPECT_NE(world.incoming()[0].request->header("From")->find("sip:100@demo.example"), std::string::npos);
  world.ring(called(0));
  EXPECT_EQ(text(world.notice("callNotify"), "event"), "ringing");
  EXPECT_EQ(text(world.notice("callNotify"), "participantId"), text(verdict.extra, "participantId"));
  world.pick_up(called(0));
  ASSERT_EQ(world.application().count("callAnswered"), 1U);
  const auto answered = world.notice("callAnswered");
  EXPECT_EQ(text(answered, "traceId"), "trace-1");
  EXPECT_EQ(text(answered, "callingPartyNumber"), "100");
  EXPECT_EQ(text(answered, "remotePartyNumber"), "2001");
  EXPECT_EQ(text(answered, "calleeParticipantId"), text(verdict.extra, "participantId"));
  ASSERT_EQ(asked_event(), "getIvrCommand");
  EXPECT_EQ(world.question().body.at("sessionReferenceId"), 42);
  EXPECT_EQ(text(world.question().body, "sessionId"), text(verdict.extra, "sessionId"));
  world.answer(R"({"hangup":true})");
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(PlacedCallTest, ABusyPhoneIsToldWithoutAQuestion) {
  const auto verdict = place();
  world.refuse(called(0), 486);
  const auto event = world.notice("callEvent");
  EXPECT_EQ(text(event, "event"), "calledPartyFailure");
  EXPECT_EQ(event.at("sipResponseCode"), 486);
  EXPECT_EQ(text(event, "participantId"), text(verdict.extra, "participantId"));
  EXPECT_EQ(completed_reason(), "busy");
  EXPECT_EQ(world.application().notices.back().first, "sessionCompleted");
}

TEST_F(PlacedCallTest, EachFailureHasItsReason) {
  sessions = 4;
  const std::pair<int, std::string> table[] = {{480, "noAnswer"}, {503, "failed"}, {600, "busy"}, {404, "failed"}};
  for (const auto& [status, reason] : table) {
    const auto n = world.incoming().size();
    place();
    world.refuse(called(n), status);
    EXPECT_EQ(completed_reason(), reason) << status;
    EXPECT_EQ(world.notice("callEvent").at("sipResponseCode"), status);
  }
}

TEST_F(PlacedCallTest, NobodyAnswersInTime) {
  place();
  world.ring(called(0));
  world.pass(seconds(21));
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  EXPECT_EQ(world.notice("callEvent").at("sipResponseCode"), 408);
  EXPECT_EQ(completed_reason(), "noAnswer");
}

TEST_F(PlacedCallTest, ThePhoneHangsUpInTheIvr) {
  place();
  world.pick_up(called(0));
  world.hang_up(called(0));
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.application().count("callEvent"), 0U);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(PlacedCallTest, ItIsHungUpByItsReplyIdWhileItRings) {
  const auto verdict = place();
  world.ring(called(0));
  EXPECT_EQ(hang_up_participant(world.subject_of(verdict.extra)).status, 200);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(0)), nullptr);
  EXPECT_EQ(completed_reason(), "apiHangup");
}

TEST_F(PlacedCallTest, WithoutAPortThereIsNoSession) {
  sessions = 0;
  world.media.exhausted = true;
  const auto verdict = place();
  EXPECT_EQ(verdict.status, 503);
  EXPECT_TRUE(world.incoming().empty());
  EXPECT_TRUE(world.application().notices.empty());
}

TEST_F(PlacedCallTest, AnAddressThatNothingLeadsToIsRefused) {
  sessions = 0;
  const auto verdict = place(R"({"destAddr":"tel:+461234"})");
  EXPECT_EQ(verdict.status, 400);
  EXPECT_NE(verdict.reason.find("destAddr"), std::string::npos);
}

TEST_F(PlacedCallTest, ACallerIsConnectedWithIt) {
  sessions = 2;
  const auto verdict = place();
  world.pick_up(called(0));
  const auto caller = world.call();
  std::swap(world.application().questions[0], world.application().questions[1]);
  world.answer(connect(text(verdict.extra, "participantId")));
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(called(0));
  ASSERT_EQ(asked_event(), "calledPartyDrop");
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

// ---- REFER

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

TEST_F(ReferTest, WhoTalksToTheIvrHasNobodyToTransfer) {
  const auto caller = to_the_ivr();
  refer(caller, "sip:2002@elsewhere.example");
  EXPECT_EQ(refer_status_, 603);
  world.answer(R"({"hangup":true})");
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

// ---- monitor

class MonitorTest : public ConnectTest {
 protected:
  sip::LegId monitored() {
    const auto caller = dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070","xHeaders":{"x-case":"7"},
        "monitorDestAddr":"sip:ear@127.0.0.1:5070","monitorSipFrom":"watch"})");
    world.pick_up(called(0));
    return caller;
  }
};

TEST_F(MonitorTest, AThirdLegHearsBothSides) {
  const auto caller = monitored();
  ASSERT_EQ(world.incoming().size(), 2U);
  const auto& invite = *world.incoming()[1].request;
  EXPECT_EQ(invite.request_uri(), "sip:ear@127.0.0.1:5070");
  EXPECT_NE(invite.header("From")->find("sip:watch@demo.example"), std::string::npos);
  EXPECT_NE(invite.header("P-Asserted-Identity")->find("sip:watch@demo.example"), std::string::npos);
  EXPECT_EQ(*invite.header("X-Case"), "7");
  EXPECT_TRUE(world.media.listeners.empty());
  world.ring(called(1));
  EXPECT_TRUE(world.notice("callNotify").at("monitoringParticipant").as_bool());
  world.pick_up(called(1));
  ASSERT_EQ(world.media.listeners.size(), 1U);
  EXPECT_EQ(world.media.joined.size(), 2U);
  EXPECT_EQ(world.media.joined.count(world.media.listeners.begin()->second.first), 1U);
  ASSERT_EQ(world.application().count("callAnswered"), 2U);
  EXPECT_TRUE(world.notice("callAnswered").at("monitoringParticipant").as_bool());
  world.hang_up(caller);
  EXPECT_TRUE(is_over(called(1)));
  ASSERT_EQ(asked_event(), "callingPartyDrop");
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(MonitorTest, ItEndsWithTheCalleeToo) {
  const auto caller = monitored();
  world.pick_up(called(1));
  world.hang_up(called(0));
  EXPECT_TRUE(is_over(called(1)));
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(MonitorTest, ItRingsNoLongerThanTheCall) {
  const auto caller = monitored();
  world.ring(called(1));
  world.hang_up(caller);
  EXPECT_NE(world.last<sip::InviteCancelled>(called(1)), nullptr);
  world.answer(drop);
}

TEST_F(MonitorTest, ItsFailureDisturbsNobody) {
  const auto caller = monitored();
  world.refuse(called(1), 486);
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  world.answer(drop);
  EXPECT_EQ(completed_reason(), "normal");
}

TEST_F(MonitorTest, ItMayHangUp) {
  const auto caller = monitored();
  world.pick_up(called(1));
  world.hang_up(called(1));
  EXPECT_TRUE(world.media.listeners.empty());
  EXPECT_FALSE(world.asked());
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  world.answer(drop);
}

TEST_F(MonitorTest, WithoutAPortTheCallGoesOn) {
  const auto caller = dial(R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070",
      "monitorDestAddr":"sip:ear@127.0.0.1:5070"})");
  world.media.exhausted = true;
  world.pick_up(called(0));
  EXPECT_EQ(world.incoming().size(), 1U);
  EXPECT_EQ(world.media.joined.size(), 2U);
  world.hang_up(caller);
  world.answer(drop);
}

TEST_F(MonitorTest, ASplitEndsIt) {
  const auto caller = monitored();
  const auto about = world.subject_of(world.notice("callAnswered"));
  world.pick_up(called(1));
  EXPECT_EQ(split(about).status, 200);
  EXPECT_TRUE(is_over(called(1)));
  world.answer(drop);
  world.answer(drop);
  EXPECT_TRUE(is_over(caller));
}

TEST_F(MonitorTest, AStopEndsAllThree) {
  const auto caller = monitored();
  world.pick_up(called(1));
  world.shards[0]->calls.end_all(world.now);
  world.deliver();
  EXPECT_TRUE(is_over(caller));
  EXPECT_TRUE(is_over(called(0)));
  EXPECT_TRUE(is_over(called(1)));
  EXPECT_EQ(completed_reason(), "shutdown");
}

}  // namespace
}  // namespace rw::call
