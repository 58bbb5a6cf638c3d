#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace rw::sip {

/// To tags of responses outside dialogs (RFC 3261 8.2.6.2, 8.2.7): nobody can guess one, each request has its own, and
/// a repeated request the same again, though nothing is kept of it.
class StatelessTags {
 public:
  /// `prefix` begins each of them.
  explicit StatelessTags(std::string prefix);

  /// For the request with that topmost Via, Call-ID, From and CSeq.
  std::string tag(std::string_view via, std::string_view call_id, std::string_view from, std::string_view cseq) const;

 private:
  std::string prefix_, key_;
};

}  // namespace rw::sip
