#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sip/message.h"
#include "sip/user_agent.h"

namespace rw::call {

/// What an INVITE tells about the call that it opens, in the words of newCall.
struct InboundCall {
  std::string called_party;   ///< user part of the Request-URI; of a tel: URI its number, without separators
  std::string called_host;    ///< its host
  std::string calling_party;  ///< user part of P-Asserted-Identity, or of From; a whole URI that has no such part
  std::string from_user;
  std::string display_name;
  std::string pai_number;
  bool is_private = false;
  std::string call_id;
  int hops_left = 70;      ///< Max-Forwards
  std::string loop_marks;  ///< LoopCheck::marks() of it, for the legs that are placed for it; empty: not known
  std::string trace_id;    ///< X-Trace-Id, or empty
  std::vector<std::pair<std::string, std::string>> custom_headers;  ///< those that begin with X- or P-, as received

  static InboundCall read(const sip::Message& invite);
};

/// The members of newCall that come from the INVITE.
boost::json::object new_call_members(const InboundCall& call, const sip::Message& invite, const sip::Flow& flow);

}  // namespace rw::call
