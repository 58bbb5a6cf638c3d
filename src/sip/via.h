#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw::sip {

/// One Via value (RFC 3261 20.42).
struct Via {
  std::string transport;   ///< "UDP", "TCP", …, upper case
  std::string host;        ///< of sent-by, without brackets
  std::uint16_t port = 0;  ///< of sent-by; 0: not given
  std::string branch;
  bool rport = false;  ///< the sender asks for RFC 3581
  std::string rest;    ///< all parameters, verbatim: ";branch=…;rport"

  static Result<Via> parse(std::string_view value);
};

}  // namespace rw::sip
