#include "api/json_body.h"

#include <boost/json/parse.hpp>

namespace rw::api {

Result<boost::json::object> parse_json_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return fail("the body is empty: expected a JSON object");
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code error;
  auto value = boost::json::parse(body, error, {}, options);
  if (error) return fail("the body is not JSON: " + error.message());
  if (!value.is_object()) return fail("the body: expected a JSON object");
  return std::move(value.get_object());
}

}  // namespace rw::api
