#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sip/authorisation.h"
#include "sip/dialog.h"
#include "sip/outgoing_call.h"
#include "sip/transactions.h"
#include "sip/uri.h"
#include "sip/user_agent.h"

namespace rw::sip {

/// What tells where a dialog's requests go (RFC 3261 12.2.1.1): the way that it has used, and the URI of its first
/// route or, without routes, of its remote target.
struct Course {
  Flow flow;
  std::optional<Uri> uri;  ///< nothing: unreadable

  explicit Course(const Dialog& dialog);
  /// Whether what is sent goes over a connection that has been there and lives, as far as we know.
  bool connected() const { return is_stream(flow.transport) && flow.connection != 0; }
};

/// A request of ours in a dialog, until it has been answered. Another way, or a challenge, makes it a new transaction
/// with the next CSeq: nobody knows whether the one before it has arrived.
struct DialogRequest {
  LegId leg = 0;  ///< may have ended: a BYE goes on without it
  Course course;
  Message request;
  std::string branch;
  Transactions::ResponseHandler handler;
  std::shared_ptr<DigestClient> digest;  ///< null: challenges are the handler's
  DigestClient::Tries tries;
  std::shared_ptr<SentInvite> invite;  ///< of a re-INVITE: follows what is on the wire
  std::vector<Flow> ways;
  std::size_t way = 0;     ///< the one in use
  bool connected = false;  ///< that one is a connection, which may turn out to have gone
};

/// An ACK to a 2xx, for when that is repeated.
struct SentAck {
  Course course;
  Message message;
  std::string branch;
};

}  // namespace rw::sip
