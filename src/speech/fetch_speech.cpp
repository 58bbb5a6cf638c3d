#include "speech/fetch_speech.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "speech/sentences.h"

namespace rw::speech {
namespace {

/// What an engine that failed, or something before it, says in place of audio.
bool is_text(const http::TransferResponse& response) {
  static constexpr std::array<std::string_view, 4> all{"text/", "application/json", "application/xml",
                                                       "application/problem"};
  std::string type(response.header("content-type").value_or(""));
  std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return std::ranges::any_of(all, [&type](std::string_view one) { return type.starts_with(one); });
}

}  // namespace

http::TransferRequest speech_post(std::string url, std::string body, const FetchOptions& options) {
  http::TransferRequest request;
  request.method = "POST";
  request.url = std::move(url);
  request.headers = {"Content-Type: application/json", "Expect:"};
  request.body = std::move(body);
  request.total_timeout = options.timeout;
  request.cancel = options.cancel;
  request.most_bytes = most_speech_bytes;
  return request;
}

Result<void> fetch_speech(http::Transfers& transfers, http::TransferRequest request, std::optional<RawAudio> raw,
                          Pieces& pieces, const std::string& engine,
                          const std::function<std::string(const http::TransferResponse&)>& explain) {
  SpeechDecoder decoder(raw, pieces);
  Result<void> decoded;
  std::string type;
  request.headers_came = [&](const http::TransferResponse& response) {
    if (response.status / 100 != 2 || !is_text(response)) return true;
    type = std::string(*response.header("content-type"));
    return false;
  };
  request.take = [&](std::span<const char> bytes) {
    decoded = decoder.feed(bytes);
    return decoded && pieces.wanted();
  };
  const auto response = transfers.run(request);
  if (!response) return fail(engine + ": " + response.error().message);
  if (response->status / 100 != 2)
    return fail(engine + ": " + std::to_string(response->status) + " " + explain(*response));
  if (!type.empty()) return fail(engine + ": the answer is no audio but " + excerpt(type));
  if (decoded && response->complete) decoded = decoder.finish();
  if (!decoded) return fail(engine + ": " + decoded.error().message);
  return {};
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 300;
  auto clean = clean_text(utf8_prefix(to_utf8(std::string(text.substr(0, 4 * longest))), longest));
  std::ranges::replace(clean, '\n', ' ');
  return clean;
}

}  // namespace rw::speech
