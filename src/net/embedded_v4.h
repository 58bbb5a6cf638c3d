#pragma once

#include <optional>

#include "net/address.h"

namespace rw::net {

/// The IPv4 address that an IPv6 one stands for: mapped, translated (RFC 6052) or 6to4; with its port.
std::optional<Address> embedded_v4(const Address& address);

}  // namespace rw::net
