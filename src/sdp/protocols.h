#pragma once

#include <string_view>

namespace rw::sdp {

/// Whether it is RTP without encryption, with feedback by RTCP (RFC 4585) or without.
inline bool is_plain_rtp(std::string_view protocol) {
  return protocol == "RTP/AVP" || protocol == "RTP/AVPF";
}
/// The same with encryption (RFC 3711, RFC 5124).
inline bool is_secure_rtp(std::string_view protocol) {
  return protocol == "RTP/SAVP" || protocol == "RTP/SAVPF";
}

}  // namespace rw::sdp
