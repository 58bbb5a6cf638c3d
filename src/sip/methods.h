#pragma once

#include <string_view>

namespace rw::sip {

inline constexpr std::string_view allowed_methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER";
inline constexpr std::string_view supported_options = "100rel, timer, replaces, norefersub";
inline constexpr std::string_view accepted_types =
    "application/sdp, multipart/mixed, multipart/alternative, multipart/related";

/// Whether we take requests of this method.
bool is_allowed(std::string_view method);
/// Whether it is a method of SIP at all.
bool is_known(std::string_view method);
/// Whether it is one of `supported_options`; option tags have no case (RFC 3261 7.3.1).
bool is_supported(std::string_view option);

}  // namespace rw::sip
