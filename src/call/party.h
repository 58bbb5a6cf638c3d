#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>

#include "call/outcome.h"
#include "media/engine.h"
#include "sdp/device.h"

/// How two participants that are joined know each other: by address and message, never by pointer, since they may
/// belong to different sessions and live on different shards.
namespace rw::call {

inline constexpr std::size_t any_shard = std::numeric_limits<std::size_t>::max();

struct PartyAddress {
  std::size_t shard = any_shard;  ///< any_shard: wherever it is
  std::string participant;
};

/// What the other side of a connection has to know of a party.
struct PartyFacts {
  PartyAddress address;
  std::string domain;
  std::string session;
  std::string user;  ///< SIP user part
  media::LegId media_leg = 0;
  std::uint32_t expires = 0;  ///< session interval of its leg, seconds; 0: none
  rtp::Codec codec = rtp::Codec::pcma;
  bool held = false;  ///< it holds the call: it wants to hear nothing
  /// Of a REST device: where it has to send, and what.
  std::optional<sdp::RemoteAudio> for_device = {};
};

/// The application wants the two connected. Answered with JoinAccepted or JoinRefused.
struct JoinRequest {
  PartyFacts from;
  std::string connection;    ///< id of the connection to be
  bool takes_place = false;  ///< of the receiver in its present connection (attended transfer)
};
struct JoinAccepted {
  PartyFacts from;
  std::string connection;
};
struct JoinRefused {
  std::string why;
};
/// A key was pressed that did not come as RTP.
struct DigitPressed {
  char digit = 0;
};
struct HoldChanged {
  bool held = false;
};
/// The sender has heard its greeting.
struct GreetingHeard {};
/// The connection is split.
struct Split {};
/// The sender has gone.
struct Left {
  End end;
  bool set_up_failed = false;  ///< it never came to be a party: no ACK, or no usable description in it
};
/// The sender leaves its place in the connection to somebody else.
struct Replaced {
  JoinRequest by;
};
/// The receiver is to hang up.
struct HangUp {
  End end;
};
/// The other party asked by REFER to be replaced (RFC 3515).
struct Referred {
  std::string refer_to;
  std::string referred_by;
  std::string replaces;  ///< participant that is to be replaced, or empty
};
/// How the call that a REFER asked for gets on: a SIP status.
struct ReferProgress {
  int status = 0;
};

using PartyMessage = std::variant<JoinRequest, JoinAccepted, JoinRefused, DigitPressed, HoldChanged, GreetingHeard,
                                  Split, Left, Replaced, HangUp, Referred, ReferProgress>;

struct Letter {
  PartyAddress from, to;
  PartyMessage message;
  std::size_t tried = 0;  ///< shards that do not have the receiver
};

}  // namespace rw::call
