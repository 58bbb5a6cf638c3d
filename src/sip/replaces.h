#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sip/uri.h"

namespace rw::sip {

/// The value of a Replaces header (RFC 3891): a dialog, as seen by the one who gets it.
struct Replaces {
  std::string call_id, to_tag, from_tag;
  bool early_only = false;

  static Result<Replaces> parse(std::string_view value);
  /// The one among the headers of a Refer-To URI (RFC 3515 2.1). The error says that there is none, or a broken one.
  static Result<Replaces> in_headers_of(const Uri& uri);
};

}  // namespace rw::sip
