#include "api/fetch_jwks.h"

#include <algorithm>
#include <charconv>

#include "api/jwks.h"
#include "base/ascii.h"
#include "http/transfer.h"

namespace rw::api {
namespace {

using std::chrono::seconds;

constexpr seconds shortest_lifetime{300};
constexpr seconds usual_lifetime{3600};
constexpr seconds longest_lifetime{86400};
constexpr std::uint64_t most_bytes = 256 * 1024;
constexpr std::chrono::milliseconds fetch_timeout{5000};

}  // namespace

seconds jwks_lifetime(std::string_view cache_control) {
  std::string text;
  for (const char c : cache_control) {
    if (c != ' ' && c != '\t') text += to_lower(c);
  }
  std::optional<long long> age;
  for (std::string_view rest = text; !rest.empty();) {
    const auto part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part == "no-store" || part == "no-cache") return shortest_lifetime;
    constexpr std::string_view name = "max-age=";
    if (!part.starts_with(name)) continue;
    long long value = 0;
    const auto* end = part.data() + part.size();
    const auto read = std::from_chars(part.data() + name.size(), end, value);
    if (read.ec == std::errc::result_out_of_range) value = longest_lifetime.count();
    if (read.ec != std::errc::invalid_argument && read.ptr == end) age = value;
  }
  return age ? std::clamp(seconds(*age), shortest_lifetime, longest_lifetime) : usual_lifetime;
}

Result<FetchedJwks> fetch_jwks(const std::string& url, const JwksFetchRules& rules, const std::atomic<bool>& cancel) {
  http::TransferRequest request;
  request.url = url;
  request.headers = {"Accept: application/jwk-set+json, application/json"};
  request.total_timeout = fetch_timeout;
  request.most_bytes = most_bytes;
  request.ca_file = rules.ca_file;
  request.policy = &rules.policy;
  request.cancel = &cancel;
  const auto response = http::Transfers().run(request);
  if (!response) return fail(response.error().message);
  if (response->status != 200) return fail("the answer has status " + std::to_string(response->status));
  auto keys = read_jwks(response->body);
  if (!keys) return tl::unexpected(keys.error());
  return FetchedJwks{std::move(*keys), jwks_lifetime(response->header("cache-control").value_or(""))};
}

}  // namespace rw::api
