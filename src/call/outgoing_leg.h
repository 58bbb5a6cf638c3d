#pragma once

#include <string>

#include "base/result.h"
#include "call/call_plan.h"
#include "call/inbound_call.h"
#include "sip/user_agent.h"
#include "tenant/directory.h"

namespace rw::call {

/// Where a leg is placed from.
struct LegOrigin {
  const tenant::Domain& domain;
  const InboundCall* caller = nullptr;  ///< the inbound leg that the call is placed for; null: there is none
  std::string from_user;                ///< of From when neither `headers.sip_from` nor the caller tells it
  std::string outbound_proxy;           ///< URI of the next hop where no trunk takes the call; empty: RFC 3263
  bool follow_redirects = false;        ///< a 3xx response leads to its Contacts
};

/// The INVITE of a leg to be placed, but for its session description: target, routes and credentials by the domain's
/// trunks, and all headers of section 4. The error says what can't be used.
Result<sip::OutgoingInvite> outgoing_invite(const Destination& destination, const LegOrigin& origin);

/// The INVITE of the leg that listens to a call whose callee's leg was placed with `monitored`.
Result<sip::OutgoingInvite> monitor_invite(const MonitorPlan& plan, const sip::OutgoingInvite& monitored,
                                           const LegOrigin& origin);

/// The user part of a URI, for the events' user and remoteUser; empty if it has none.
std::string user_of(const std::string& uri);

}  // namespace rw::call
