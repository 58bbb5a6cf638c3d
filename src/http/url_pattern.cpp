#include "http/url_pattern.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <charconv>

#include "base/ascii.h"

namespace rw::http {
namespace {

/// 1 to 65535.
std::optional<std::uint16_t> port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

/// The URL as it is written, normalised: nothing if it is not one of a base for callbacks.
std::optional<boost::urls::url> normalised(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return std::nullopt;
  boost::urls::url url(*parsed);
  const bool web = url.scheme_id() == boost::urls::scheme::http || url.scheme_id() == boost::urls::scheme::https;
  if (!web || url.has_userinfo() || url.has_query() || url.has_fragment() || url.host().empty()) return std::nullopt;
  if (url.has_port() && !port_number(url.port())) return std::nullopt;
  url.normalize();
  return url;
}

/// The URL in its normal form, without slashes at its end: nothing if it is not one of a base for callbacks.
std::optional<boost::urls::url> base_url(std::string_view text) {
  if (text.size() > longest_base_url) return std::nullopt;
  // Slashes go before the URL is taken apart: to change a path that begins with two of them would add "/." to it. What
  // dots have left behind may end with one again.
  for (std::string form(text);;) {
    while (form.ends_with('/')) form.pop_back();
    auto url = normalised(form);
    if (!url || std::string_view(url->buffer()) == form) return url;
    form = std::string(url->buffer());
  }
}

std::uint16_t port_of(const boost::urls::url& url) {
  if (url.has_port()) return port_number(url.port()).value_or(0);
  return url.scheme_id() == boost::urls::scheme::https ? 443 : 80;
}

/// Cuts ":*" out of the pattern; false: it has none.
bool take_any_port(std::string& pattern) {
  const auto authority = pattern.find("://");
  if (authority == std::string::npos) return false;
  const auto end = std::min(pattern.find('/', authority + 3), pattern.size());
  if (end < 2 || pattern.compare(end - 2, 2, ":*") != 0) return false;
  pattern.erase(end - 2, 2);
  return true;
}

}  // namespace

bool is_usable_url(std::string_view text) {
  if (text.size() > longest_base_url) return false;
  const auto url = boost::urls::parse_uri(text);
  if (!url) return false;
  const bool web = url->scheme_id() == boost::urls::scheme::http || url->scheme_id() == boost::urls::scheme::https;
  return web && !url->host().empty() && !url->has_fragment() && (!url->has_port() || port_number(url->port()));
}

std::string with_path(std::string_view url, std::string_view path) {
  const auto query = std::min(url.find('?'), url.size());
  auto base = url.substr(0, query);
  while (base.ends_with('/')) base.remove_suffix(1);
  return std::string(base).append(path).append(url.substr(query));
}

bool is_url_pattern(std::string_view pattern) {
  std::string text(pattern);
  take_any_port(text);
  return base_url(text).has_value();
}

std::optional<std::string> matching_url(std::string_view pattern, std::string_view url) {
  std::string allowed_text(pattern);
  const bool any_port = take_any_port(allowed_text);
  const auto allowed = base_url(allowed_text);
  const auto wanted = base_url(url);
  if (!allowed || !wanted || allowed->scheme_id() != wanted->scheme_id()) return std::nullopt;
  if (!same_letters(allowed->host(), wanted->host()) || allowed->host_type() != wanted->host_type())
    return std::nullopt;
  if (!any_port && port_of(*allowed) != port_of(*wanted)) return std::nullopt;
  const std::string prefix(allowed->encoded_path());
  const std::string path(wanted->encoded_path());
  if (!path.starts_with(prefix) || (path.size() > prefix.size() && path[prefix.size()] != '/')) return std::nullopt;
  return std::string(wanted->buffer());
}

}  // namespace rw::http
