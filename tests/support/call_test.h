#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/call_world.h"

namespace rw::call {

/// A test of whole calls. At its end nothing may be left of them, and each session has completed exactly once.
class CallTest : public testing::Test {
 protected:
  explicit CallTest(std::size_t shards = 1) : world(shards) {}

  void TearDown() override {
    world.pass(std::chrono::seconds(70));  // whatever lingers in the user agents
    EXPECT_EQ(world.leftovers(), "");
    EXPECT_EQ(world.phones.counts().legs, 0U);
    std::set<std::string> completed;
    for (const auto& shard : world.shards) {
      for (const auto& [event, body] : shard->application.notices) {
        if (event != "sessionCompleted") continue;
        EXPECT_TRUE(completed.emplace(body.at("sessionId").as_string()).second) << "completed twice";
      }
    }
    EXPECT_EQ(completed.size(), sessions);
  }

  /// A phone calls, and the application answers newCall with that.
  sip::LegId dial(std::string_view decision, std::size_t shard = 0) {
    const auto caller = world.call(shard);
    world.answer(decision, shard);
    return caller;
  }
  /// The leg of the n-th call that has come to the phones; 0: there is none.
  sip::LegId called(std::size_t n) const {
    const auto calls = world.incoming();
    return n < calls.size() ? calls[n].leg : 0;
  }
  /// The caller is joined with a callee, which is called(n).
  sip::LegId talk(std::size_t n = 0, std::size_t shard = 0) {
    const auto caller = dial(call_one, shard);
    world.pick_up(called(n));
    return caller;
  }
  /// The final response that the caller has got; 0: none.
  int refused_with(sip::LegId caller) const {
    const auto* end = world.last<sip::Ended>(caller);
    return end == nullptr ? 0 : end->status;
  }
  bool is_over(sip::LegId leg) const { return world.last<sip::Ended>(leg) != nullptr; }
  /// The Reason header with which a phone's leg was ended.
  std::string reason_of_end(sip::LegId leg) const {
    const auto* cancelled = world.last<sip::InviteCancelled>(leg);
    const auto* end = world.last<sip::Ended>(leg);
    return cancelled != nullptr ? cancelled->reason : end != nullptr ? end->reason : "";
  }
  std::string completed_reason(std::size_t shard = 0) {
    return text(world.notice("sessionCompleted", shard), "reason");
  }
  /// The member as text; empty if there is none.
  static std::string text(const boost::json::object& body, std::string_view member) {
    const auto* value = body.if_contains(member);
    return value == nullptr || !value->is_string() ? "" : std::string(value->as_string());
  }
  /// The event that the application is asked about: "newCall", or which callEvent.
  std::string asked_event(std::size_t shard = 0) {
    if (!world.asked(shard)) return "";
    const auto& question = world.question(shard);
    return question.event == "callEvent" ? text(question.body, "event") : question.event;
  }
  std::string alarm(std::size_t shard = 0) {
    const auto& alarms = world.application(shard).alarms;
    return alarms.empty() ? "" : text(alarms.back(), "error");
  }

  static constexpr std::string_view call_one = R"({"action":"call","destAddr":"sip:2001@127.0.0.1:5070"})";
  static constexpr std::string_view drop = R"({"action":"drop"})";

  World world;
  std::size_t sessions = 1;  ///< that the test has opened
};

}  // namespace rw::call
