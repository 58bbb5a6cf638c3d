#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/message.h"

/// What is in a message's body (RFC 3261 20.11 to 20.15, RFC 5621): the body itself, or the parts of a multipart.
namespace rw::sip {

/// Containers in containers, at most; a deeper one counts as a part of a type that nobody knows.
inline constexpr int max_body_depth = 8;

/// One part that holds no further parts; of a body that is no multipart, the whole. Points into the message.
struct BodyPart {
  std::string_view content_type;       ///< with its parameters, as it is written; empty: not said
  std::string_view disposition;        ///< the type of its Content-Disposition; empty: not said
  std::string_view encoding;           ///< Content-Encoding; empty: identity
  std::string_view transfer_encoding;  ///< Content-Transfer-Encoding; empty: none
  std::string_view bytes;              ///< as they came
  /// It may not be left aside: it says so, or it is the whole body and does not say otherwise.
  bool required = false;

  /// Without regard to case and parameters.
  bool is(std::string_view type) const;
  /// The description of a session, not of early media or of anything else (RFC 3959).
  bool is_session_description() const;
  /// Its bytes, decoded; nothing if they are coded in a way that we don't know.
  std::optional<std::string> content() const;
};

/// All parts, in order. Of the versions in a multipart/alternative only one: the last that is `understood`, or else the
/// last.
std::vector<BodyPart> parts_of(const Message& message, const std::function<bool(const BodyPart&)>& understood);

/// What of a body is about the session.
struct SessionBody {
  std::string sdp;       ///< empty: there is none
  bool refused = false;  ///< nothing of it can be used, or something can't that may not be left aside: 415 (8.2.3)
  std::string ignored;   ///< types of what is left aside, for the log

  static SessionBody read(const Message& message);
};

}  // namespace rw::sip
