#include "sounds/url_sound.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "audio/audio_reader.h"
#include "base/public_url.h"

namespace rw::sounds {
namespace {

constexpr std::uint64_t most_bytes = 50ULL * 1024 * 1024;
constexpr int most_redirects = 5;
constexpr std::chrono::seconds longest_freshness = std::chrono::hours(1);
/// A version that is a date, not an ETag, which begins with a quotation mark or W/.
constexpr std::string_view date_mark = "date:";

std::string version_of(const http::TransferResponse& response) {
  if (const auto etag = response.header("etag")) return std::string(*etag);
  if (const auto date = response.header("last-modified")) return std::string(date_mark) + std::string(*date);
  return {};
}

/// RFC 9111 5.2.2, as far as it concerns us.
void read_cache_control(const http::TransferResponse& response, Fetched& fetched) {
  const auto control = response.header("cache-control").value_or("");
  if (control.find("no-store") != std::string_view::npos) fetched.may_be_kept = false;
  constexpr std::string_view name = "max-age=";
  const auto at = control.find(name);
  if (at == std::string_view::npos || control.find("no-cache") != std::string_view::npos) return;
  std::int64_t seconds = 0;
  std::from_chars(control.data() + at + name.size(), control.data() + control.size(), seconds);
  fetched.fresh_for = std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(0), longest_freshness);
}

http::TransferRequest request_for(const std::string& url, const std::string& etag) {
  http::TransferRequest request;
  request.url = url;
  request.most_bytes = most_bytes;
  request.most_redirects = most_redirects;
  request.total_timeout = std::chrono::minutes(10);
  request.headers.emplace_back("Accept: audio/*, */*;q=0.5");
  if (etag.starts_with(date_mark)) {
    request.headers.push_back("If-Modified-Since: " + etag.substr(date_mark.size()));
  } else if (!etag.empty()) {
    request.headers.push_back("If-None-Match: " + etag);
  }
  return request;
}

}  // namespace

Result<Fetched> fetch_sound(http::Transfers& transfers, const FetchRules& rules, const std::atomic<bool>& cancel,
                            const std::string& url, const std::string& etag, SoundOutput& output) {
  const auto failed = [&](const std::string& why) { return fail(public_url(url) + ": " + why); };
  audio::AudioReader reader;
  Result<void> decoded;
  const auto put_out = [&] {
    std::array<float, 4096> room;
    while (decoded) {
      const auto got = reader.read(room);
      if (!got) decoded = tl::unexpected(got.error());
      if (!got || *got == 0) break;
      decoded = output.append(std::span(room).first(*got), reader.rate());
    }
    return decoded.has_value();
  };
  auto request = request_for(url, etag);
  request.policy = &rules.addresses;
  request.ca_file = rules.ca_file;
  request.cancel = &cancel;
  request.take = [&](std::span<const char> bytes) {
    reader.feed(bytes);
    return put_out();
  };
  const auto response = transfers.run(request);
  if (!decoded) return failed(decoded.error().message);
  if (!response) return failed(response.error().message);
  Fetched fetched;
  read_cache_control(*response, fetched);
  fetched.unchanged = response->status == 304 && !etag.empty();
  fetched.etag = fetched.unchanged ? etag : version_of(*response);
  if (fetched.unchanged) return fetched;
  if (response->status < 200 || response->status >= 300)
    return failed("it was answered with the status " + std::to_string(response->status));
  reader.end();
  put_out();
  if (!decoded) return failed(decoded.error().message);
  if (fetched.etag.empty() && fetched.fresh_for.count() == 0) fetched.may_be_kept = false;
  return fetched;
}

}  // namespace rw::sounds
