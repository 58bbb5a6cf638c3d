#pragma once

#include <string>
#include <string_view>

namespace rw::sdp {

/// `next` as the description that follows `previous` from the same side of one dialog (RFC 3264 section 8): with its
/// o= line, and a version that is one higher if, and only if, anything else has changed. So descriptions of different
/// media may follow each other. With an empty `previous`, `next` is the first one. Both are descriptions of ours.
std::string succeeding(std::string_view previous, const std::string& next);

}  // namespace rw::sdp
