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
  net::Address remote;
  std::uint64_t connection = 0;
};

struct Transmit {
  Flow flow;
  std::string bytes;
};

}  // namespace rw::sip
