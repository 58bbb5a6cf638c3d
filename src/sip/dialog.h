#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sip/flow.h"
#include "sip/message.h"

namespace rw::sip {

/// A dialog (RFC 3261 section 12), confirmed or early, as seen from our side.
struct Dialog {
  std::string call_id, local_tag, remote_tag;
  std::string local, remote;  ///< From and To of our requests, with the tags
  std::string contact;        ///< our Contact
  std::string remote_target;  ///< URI
  std::vector<std::string> route_set;
  std::int64_t remote_cseq = -1;  ///< -1: no request has come
  std::uint32_t local_cseq = 0;
  Flow flow;

  // ---- while it is early, and the INVITE was ours
  std::uint32_t rseq = 0;  ///< of the last reliable provisional response; 0: none has come
  bool answered = false;   ///< a reliable provisional response had the answer to our offer
  std::string remote_sdp;  ///< the last description that came in it
};

/// What a response that makes a dialog, to a request of ours, says about it (RFC 3261 12.1.2).
void learn_dialog(Dialog& dialog, const Message& response);
/// A target refresh request, or the 2xx to one, may bring a new Contact (RFC 3261 12.2).
void refresh_target(Dialog& dialog, const Message& message);

}  // namespace rw::sip
