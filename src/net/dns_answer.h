#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "net/dns_client.h"

namespace rw::net {

/// Appends the NAPTR or SRV records of a DNS message (RFC 1035 4.1), at most DnsClient::most_records. Of one that can't
/// be read: none.
void read_answer(DnsClient::Type type, std::span<const unsigned char> message, DnsClient::Records& into);
/// The shortest time to live in the answer section of a message, which c-ares does not tell for these types.
std::optional<std::chrono::seconds> answer_ttl(std::span<const unsigned char> message);

}  // namespace rw::net
