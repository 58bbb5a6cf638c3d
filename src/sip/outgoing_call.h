#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/timers.h"
#include "sip/authorisation.h"
#include "sip/dialog.h"
#include "sip/user_agent.h"

namespace rw::sip {

struct SentAck;

/// An INVITE of ours that has been sent. Outlives its leg, so that each 2xx that still comes can be acknowledged.
struct SentInvite {
  Message request;
  std::string branch;
  Dialog dialog;  ///< as it was when the INVITE was sent
  /// The ACKs that have been sent, by the To tag of the 2xx: a repeated 2xx gets the same again.
  std::map<std::string, std::shared_ptr<SentAck>> acks;
  // ---- of a re-INVITE
  bool proceeding = false;  ///< a provisional response has come
  DigestClient::Tries tries;
};

/// What a leg of ours is about until its INVITE has been answered: where it can still be sent, and what came to it.
struct OutgoingCall {
  /// One hop of RFC 3263.
  struct Hop {
    Flow flow;
    bool only_if_unreachable = false;  ///< UDP for a long message, if there is nobody at the TCP port
  };
  enum class Cancel : std::uint8_t { no, wanted, sent };

  OutgoingInvite wanted;
  // ---- where to
  std::vector<std::string> targets;  ///< Request-URIs: those tried come first
  std::size_t next_target = 0;
  std::uint64_t lookup = 0;  ///< under way; 0: none
  Timer lookup_limit;
  std::vector<Hop> hops;  ///< of the current target
  std::size_t next_hop = 0;

  // ---- the INVITE under way; null between two attempts
  std::shared_ptr<SentInvite> sent;
  bool provisional = false;             ///< it is being worked on
  std::map<std::string, Dialog> early;  ///< early dialogs by remote tag, but for the one that the leg itself holds

  // ---- what the next attempt has to heed
  DigestClient::Tries tries;
  std::uint32_t session_expires = 0, min_session_expires = 0;
  int refusals_of_session = 0;  ///< 422

  Cancel cancel = Cancel::no;
  std::string cancel_reason;

  // ---- the last failure: what Ended will tell if there is nowhere else to go
  int status = 503;
  std::string reason, phrase;
};

}  // namespace rw::sip
