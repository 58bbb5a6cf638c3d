#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string_view>

namespace rw::call {

/// The member that an application's replies and requests give a session, and that its callbacks bring back: any JSON
/// value, numbers digit for digit (base/json_text.h).
inline constexpr std::string_view reference_member = "sessionReferenceId";

/// What `body` gives; null is nothing.
inline std::optional<boost::json::value> given_reference(const boost::json::object& body) {
  const auto* reference = body.if_contains(reference_member);
  if (reference == nullptr || reference->is_null()) return std::nullopt;
  return *reference;
}

}  // namespace rw::call
