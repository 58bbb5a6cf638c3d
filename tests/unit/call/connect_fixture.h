#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sip/uri.h"
#include "support/call_test.h"

namespace rw::call {

inline constexpr std::string_view ivr = R"({"action":"ivr"})";

/// The reply that connects with that participant.
inline std::string connect(const std::string& participant) {
  return R"({"action":"connect","participantId":")" + participant + "\"}";
}

/// Participants that are brought together and taken apart.
class ConnectTest : public CallTest {
 protected:
  explicit ConnectTest(std::size_t shards = 1) : CallTest(shards) {}

  /// Whoever is in a connection now is dropped.
  void drop_the_rest() {
    ASSERT_TRUE(world.asked());
    world.answer(drop);
  }
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

}  // namespace rw::call
