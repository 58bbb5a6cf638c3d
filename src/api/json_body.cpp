#include "api/json_body.h"

#include "base/json_text.h"

namespace rw::api {

Result<boost::json::object> parse_json_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n\xef\xbb\xbf") == std::string_view::npos)
    return fail("the body is empty: expected a JSON object");
  auto value = read_json(body, "sessionReferenceId");
  if (!value) return fail("the body is not JSON: " + value.error().message);
  if (!value->is_object()) return fail("the body: expected a JSON object");
  return std::move(value->get_object());
}

}  // namespace rw::api
