#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sip/body.h"
#include "sip/flow.h"
#include "sip/header_values.h"
#include "sip/message.h"
#include "sip/stateless_tags.h"
#include "sip/via.h"

namespace rw::sip {

/// A request with what answering it takes: where the answer goes, and the headers that it repeats.
struct IncomingRequest {
  std::shared_ptr<const Message> message;
  Flow flow;             ///< where it came from
  Flow reply_to;         ///< RFC 3261 18.2.2, RFC 3581
  Via via;               ///< the topmost
  std::string via_line;  ///< the topmost line, with received and rport filled in
  std::string call_id, from_tag, to_tag;
  std::uint32_t cseq = 0;
  bool stranger = false;  ///< Admission::stranger
  SessionBody body;       ///< filled in by who handles the request

  const std::string& method() const { return message->method(); }

  /// The error names the header that is missing or wrong.
  static Result<IncomingRequest> read(std::shared_ptr<const Message> message, const Flow& flow);
  /// The To tag of its responses, if it makes no dialog.
  std::string stateless_tag(const StatelessTags& tags) const;
  /// A response to it; `local_tag` goes into To unless that has a tag already.
  Message response(int status, const std::string& local_tag) const;
};

/// A 400, or 505, to a request that can't be parsed, from what can be made out of it; empty if that is too little.
std::string bad_request(std::string_view text, const std::string& reason, const StatelessTags& tags);

}  // namespace rw::sip
