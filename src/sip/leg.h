#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/timers.h"
#include "sip/authorisation.h"
#include "sip/dialog.h"
#include "sip/incoming_request.h"
#include "sip/outgoing_call.h"
#include "sip/session_timer.h"
#include "sip/user_agent.h"

namespace rw::sip {

/// A request that waits for our final response, with the transaction it came by.
struct Pending {
  IncomingRequest request;
  std::string transaction;
};

/// The state of one INVITE usage: the dialog, and what of offer/answer, 100rel and the session timer is under way. Of
/// the early dialogs of a fork, the leg's own is the one that spoke last.
struct Leg : Dialog {
  LegId id = 0;

  // ---- the client side
  std::unique_ptr<OutgoingCall> call;    ///< until our INVITE has been answered
  bool outgoing = false;                 ///< the INVITE was ours, and so is the Call-ID
  std::shared_ptr<DigestClient> digest;  ///< null: no credentials

  // ---- the INVITE that is being answered: the first, or a re-INVITE
  std::optional<Pending> invite;
  std::optional<Pending> update;
  bool established = false;  ///< a 2xx has been sent, or has come, for the first INVITE
  bool leaving = false;      ///< our BYE is under way
  bool offering = false;     ///< a request of ours with an offer is under way

  /// A 2xx that has not been acknowledged.
  struct Unacknowledged {
    std::uint32_t cseq = 0;
    std::string bytes;
    Flow flow;
    Duration interval{};
    bool wants_answer = false;  ///< it carries our offer
    Timer retransmit;
    Timer give_up;
  };
  std::optional<Unacknowledged> success;

  /// A reliable provisional response that has not been acknowledged (RFC 3262).
  struct Reliable {
    std::uint32_t rseq = 0;
    std::string bytes;
    Duration interval{};
    bool wants_answer = false;
    Timer retransmit;
    Timer give_up;
  };
  std::optional<Reliable> reliable;
  std::uint32_t next_rseq = 1;

  /// A final answer that waits for the PRACK, or a BYE that waits for the ACK.
  struct Deferred {
    std::string sdp;
    Headers headers;
  };
  std::optional<Deferred> deferred_answer;
  std::optional<std::string> deferred_bye;  ///< its Reason

  // ---- session timer
  SessionTimer session;
  Timer session_timer;
  bool peer_allows_update = false;
  std::string last_sdp;  ///< our last description, for a refresh by re-INVITE
  std::string last_ack;  ///< to the last 2xx of a re-INVITE of ours
};

}  // namespace rw::sip
