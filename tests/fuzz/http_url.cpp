// URLs and patterns of anybody: two lines, a pattern of allow_callbacks and a URL. What matches stays a URL that is
// matched, where the pattern says; and what is told of a URL has no user in it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/public_url.h"
#include "http/url_pattern.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto pattern = text.substr(0, text.find('\n'));
  const auto url = text.substr(std::min(text.size(), pattern.size() + 1));
  if (const auto matched = rw::http::matching_url(pattern, url)) {
    must(rw::http::is_url_pattern(pattern));
    must(rw::http::is_usable_url(*matched));
    must(rw::http::matching_url(pattern, *matched) == matched);
    must(matched->find_first_of("?#@ ") >= matched->find('/', matched->find("://") + 3));
    const auto event = rw::http::with_path(*matched, "/newCall");
    must(rw::http::matching_url(pattern, event).has_value());
  }
  const auto shown = rw::public_url(url);
  must(shown.find_first_of("?#") == std::string::npos);
  const auto hidden = rw::with_hidden_user(url, "***");
  must(rw::with_hidden_user(hidden, "***") == hidden);
  if (!rw::http::is_usable_url(url)) return 0;
  const auto event = rw::http::with_path(url, "/newCall");
  must(rw::http::is_usable_url(event) || event.size() > rw::http::longest_base_url);
  must(rw::public_url(event).ends_with("/newCall"));
  const auto host = shown.find("://") + 3;
  must(shown.substr(host, shown.find('/', host) - host).find('@') == std::string::npos);
  return 0;
}
