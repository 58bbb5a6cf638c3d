#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rw::http {

/// Undoes percent-encoding (RFC 3986 section 2.1). Nothing if an escape is broken or the result is not UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

/// A request target (RFC 9112 section 3.2) taken apart.
struct Target {
  std::string path;  ///< still encoded; begins with "/", or is "*"
  std::vector<std::pair<std::string, std::string>> query;
};

/// Origin form, absolute form (http and https) or "*". Nothing if it is none of them, or the query can't be decoded.
std::optional<Target> parse_target(std::string_view text);

}  // namespace rw::http
