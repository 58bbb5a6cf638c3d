#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace rw::sdp {

/// What of a description can't be served, as a Warning header says it (warn-code, RFC 3261 20.43).
enum class Unserved : int {
  address_family = 301,  ///< "incompatible network address formats"
  transport = 302,       ///< RTP/SAVP and the like
  media_type = 304,      ///< no audio
  format = 305,          ///< no codec
  attribute = 306,       ///< e.g. no key that can be used
  parameter = 307,       ///< what can't be read
  other = 399
};

/// Why a description can't be served: an Error that also says what of it.
struct Problem : Error {
  Unserved what = Unserved::other;

  Problem(Error error, Unserved unserved = Unserved::other) : Error(std::move(error)), what(unserved) {}
};

template <class T>
using Outcome = tl::expected<T, Problem>;

inline tl::unexpected<Problem> unserved(Unserved what, std::string message) {
  return tl::unexpected<Problem>(Problem(Error{std::move(message)}, what));
}

}  // namespace rw::sdp
