#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json_fields.h"
#include "call/call_plan.h"

/// The members of `call` replies and of placeivrcall that say what a leg's headers are to be. Whatever is wrong with
/// one is rejected in its JsonFields. A project's choice: at most 4 KB in a value, 100 values in each of xHeaders and
/// pHeaders, 32 parameters in each group of them.
namespace rw::call {

/// Text that can stand in a header: no control characters.
std::optional<std::string> header_text(JsonFields& fields, std::string_view name);

/// A user part, or a whole sip:, sips: or tel: URI. An empty one is there, but empty.
std::optional<std::string> identity_text(JsonFields& fields, std::string_view name);

/// The object `name` of headers whose names begin with `prefix` ("X-", "P-", in any case): text, an array of it, or
/// null to remove the header.
HeaderChanges header_changes(JsonFields& fields, std::string_view name, std::string_view prefix);

/// Reads all of a leg's headers over those in `headers`: what is absent stays as it is.
void read_leg_headers(JsonFields& fields, LegHeaders& headers);

}  // namespace rw::call
