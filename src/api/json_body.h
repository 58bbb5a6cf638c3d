#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "base/result.h"

namespace rw::api {

/// A request's body as a JSON object, read as base/json_text.h says; a sessionReferenceId keeps its digits. The error
/// is a sentence for the caller.
Result<boost::json::object> parse_json_body(std::string_view body);

}  // namespace rw::api
