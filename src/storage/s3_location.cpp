#include "storage/s3_location.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

#include "auth/signature_v4.h"
#include "base/ascii.h"
#include "net/address.h"

namespace rw::storage {
namespace {

bool is_alphanumeric(char c) {
  return static_cast<unsigned char>(c) < 0x80 && std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// The host without its port and without brackets.
std::string_view bare(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

/// HOST or HOST:PORT, nothing else of a URL's authority.
bool is_authority(std::string_view text) {
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (text.starts_with('[')) {
    if (bracket == std::string_view::npos || !net::Address::from(bare(text), 0)) return false;
    text.remove_prefix(bracket + 1);
  } else {
    const auto name = text.substr(0, text.find(':'));
    const auto fits = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; };
    if (name.empty() || name.size() > 253 || !std::ranges::all_of(name, fits)) return false;
    text.remove_prefix(name.size());
  }
  if (text.empty()) return true;
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + 1, end, port);
  return text.front() == ':' && read.ec == std::errc{} && read.ptr == end && port != 0;
}

}  // namespace

Result<S3Endpoint> S3Endpoint::parse(std::string_view url) {
  constexpr const char* expected = "http://HOST[:PORT] or https://HOST[:PORT]";
  const auto mark = url.find("://");
  if (mark == std::string_view::npos) return fail(expected);
  S3Endpoint endpoint{std::string(url.substr(0, mark)), std::string(url.substr(mark + 3))};
  if (endpoint.host.ends_with('/')) endpoint.host.pop_back();
  if ((endpoint.scheme != "http" && endpoint.scheme != "https") || !is_authority(endpoint.host)) return fail(expected);
  endpoint.host = lower_case(endpoint.host);
  // As it will stand in the Host header, which is signed.
  const std::string_view usual = endpoint.scheme == "https" ? ":443" : ":80";
  if (endpoint.host.ends_with(usual)) endpoint.host.resize(endpoint.host.size() - usual.size());
  return endpoint;
}

S3Endpoint S3Endpoint::of_amazon(std::string_view region) {
  return {"https", "s3." + std::string(region) + ".amazonaws.com"};
}

bool S3Endpoint::is_ip_address() const {
  return net::Address::from(bare(host), 0).has_value();
}

bool S3Location::uses_path_style() const {
  const bool no_certificate = endpoint.scheme == "https" && bucket.find('.') != std::string::npos;
  return path_style || no_certificate || endpoint.is_ip_address();
}

std::string S3Location::host() const {
  return uses_path_style() ? endpoint.host : bucket + "." + endpoint.host;
}

std::string S3Location::path(std::string_view key) const {
  std::string path = uses_path_style() ? "/" + auth::aws_encode(bucket) : "";
  if (!key.empty() || path.empty()) path += "/" + auth::aws_encode(key, true);
  return path;
}

std::string S3Location::url(std::string_view key) const {
  return endpoint.scheme + "://" + host() + path(key);
}

bool is_bucket_name(std::string_view name) {
  const auto fits = [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; };
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, fits) && is_alphanumeric(name.front()) &&
         is_alphanumeric(name.back()) && name.find("..") == std::string_view::npos;
}

bool is_region_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, fits);
}

}  // namespace rw::storage
