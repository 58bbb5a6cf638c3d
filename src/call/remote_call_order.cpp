#include "call/remote_call_order.h"

#include <algorithm>

#include "call/read_leg_headers.h"

namespace rw::call {
namespace {

constexpr std::size_t longest_user = 128;

/// A bare user part: it can't bring a host of its own, so that the caller's domain is always told.
bool is_user(std::string_view text) {
  constexpr std::string_view forbidden = "@:<>\"\\ ";
  return !text.empty() && text.size() <= longest_user &&
         std::ranges::none_of(text, [&](char c) { return forbidden.find(c) != std::string_view::npos; });
}

}  // namespace

Destination read_remote_destination(JsonFields& fields) {
  Destination destination;
  destination.address = usable_address(header_text(fields, "destinationUri").value_or(""));
  if (destination.address.empty()) fields.reject("destinationUri", "a sip:, sips: or tel: URI");
  destination.headers.sip_from = header_text(fields, "sourceUser").value_or("");
  if (!is_user(*destination.headers.sip_from))
    fields.reject("sourceUser", "the user part of a SIP URI, at most 128 characters");
  read_ring_time(fields, destination);
  return destination;
}

}  // namespace rw::call
