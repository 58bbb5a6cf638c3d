#pragma once

#include <cstdint>
#include <string>

#include "net/address.h"

namespace rw::sip {

enum class Transport : std::uint8_t { udp, tcp, tls };

constexpr bool is_stream(Transport transport) {
  return transport != Transport::udp;
}

/// One hop: where a message came from, or goes to. `connection` names an open stream connection; 0 for UDP, or for
/// "open one to `remote`, or use the one that is open".
struct Flow {
  Transport transport = Transport::udp;
  net::Address local;
  net::Address remote;  ///< port 0: nowhere; it was a connection of the other side's making, which has gone
  std::uint64_t connection = 0;
  net::Address instead{};  ///< where to open another one if `connection` has gone; port 0: that is reported instead
};

struct Transmit {
  Flow flow;
  std::string bytes;
};

}  // namespace rw::sip
