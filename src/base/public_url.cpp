#include "base/public_url.h"

#include <algorithm>

namespace rw {
namespace {

/// Where the user and the password of a URL stand; `end` is that of the '@', and `begin` if there are none.
struct UserPart {
  std::size_t begin = 0, end = 0;
};

UserPart user_part(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const auto begin = scheme + 3;
  const auto authority_end = std::min(url.find_first_of("/\\?#", begin), url.size());
  const auto at = url.substr(0, authority_end).rfind('@');
  return {begin, at == std::string_view::npos || at < begin ? begin : at + 1};
}

}  // namespace

std::string public_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto user = user_part(url);
  return std::string(url.substr(0, user.begin)) + std::string(url.substr(user.end));
}

std::string with_hidden_user(std::string_view url, std::string_view mask) {
  const auto user = user_part(url);
  if (user.begin == user.end) return std::string(url);
  return std::string(url.substr(0, user.begin)).append(mask).append("@").append(url.substr(user.end));
}

}  // namespace rw
