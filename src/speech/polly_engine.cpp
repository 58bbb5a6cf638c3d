#include "speech/polly_engine.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <chrono>
#include <utility>
#include <variant>

#include "base/json_fields.h"

namespace rw::speech {
namespace {

constexpr std::uint32_t usual_rate = 16'000;  ///< Polly's own for PCM

/// {"message": "…"} and, in a header, what kind of error it is: "InvalidSsmlException:http://internal…".
std::string explain(const http::TransferResponse& response) {
  const auto header = response.header("x-amzn-errortype").value_or("");
  std::string text(header.substr(0, header.find(':')));
  boost::system::error_code error;
  const auto body = boost::json::parse(response.body, error);
  std::string message;
  if (!error && body.is_object()) {
    for (const auto* name : {"message", "Message"}) {
      const auto* found = body.get_object().if_contains(name);
      if (found != nullptr && found->is_string()) message = std::string(found->get_string());
    }
  } else {
    message = response.body;
  }
  if (!text.empty() && !message.empty()) text += ": ";
  return excerpt(text + message);
}

/// What follows the scheme, up to the path, and the path.
std::pair<std::string, std::string> host_and_path(const std::string& url) {
  const auto begin = url.find("://") + 3;
  const auto slash = std::min(url.find('/', begin), url.size());
  return {url.substr(begin, slash - begin), url.substr(slash)};
}

class PollyEngine final : public SpeechEngine {
 public:
  PollyEngine(PollySettings settings, FetchOptions options) : settings_(std::move(settings)), options_(options) {}

  Result<void> speak(const audio::SpeechRequest& request, const Take& take) override {
    const auto* spoken = std::get_if<audio::PollySpeech>(&request);
    if (spoken == nullptr) return fail("Polly takes its own requests only");
    const auto region = polly_region(settings_, *spoken);
    if (!region) return tl::unexpected(region.error());
    auto body = polly_body(*spoken);
    if (!body) return tl::unexpected(body.error());
    std::optional<RawAudio> raw;
    if (body->at("OutputFormat") == "pcm") {
      const auto rate = JsonFields(*body).number("SampleRate", audio::min_rate, audio::max_rate);
      raw = {RawAudio::Coding::linear, static_cast<std::uint32_t>(rate.value_or(usual_rate))};
    }
    Pieces pieces(take);
    auto fetched = fetch_speech(transfers_, signed_request(boost::json::serialize(*body), *region), raw, pieces,
                                "Polly", &explain);
    if (!fetched || !pieces.wanted()) return fetched;
    return pieces.finish();
  }

 private:
  http::TransferRequest signed_request(std::string body, const std::string& region) const {
    const std::string base =
        settings_.endpoint.empty() ? "https://polly." + region + ".amazonaws.com" : settings_.endpoint;
    const std::string url = base + "/v1/speech";
    const auto [host, path] = host_and_path(url);
    auto request = speech_post(url, std::move(body), options_);
    auth::SignedRequest to_sign{
        "POST", path, {}, {{"Content-Type", "application/json"}, {"Host", host}}, auth::payload_hash(request.body)};
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    for (const auto& [name, value] : auth::sign(std::move(to_sign), settings_.credentials, {region, "polly", time}))
      request.headers.emplace_back(name).append(": ").append(value);
    return request;
  }

  PollySettings settings_;
  FetchOptions options_;
  http::Transfers transfers_;
};

}  // namespace

Result<boost::json::object> polly_body(const audio::PollySpeech& spoken) {
  boost::system::error_code error;
  auto parsed = boost::json::parse(spoken.parameters, error);
  if (error || !parsed.is_object()) return fail("awsTTSParameters: expected an object");
  auto body = std::move(parsed.get_object());
  JsonFields fields(body, "awsTTSParameters");
  const auto format = fields.text("OutputFormat").value_or("");
  const auto rate = fields.text("SampleRate");
  if (fields.text("Text").value_or("").empty()) fields.reject("Text", "the text to speak");
  if (format == "json" || fields.has("SpeechMarkTypes"))
    fields.reject("OutputFormat", "an audio format: speech marks can't be heard");
  if (fields.error()) return tl::unexpected(*fields.error());
  if (rate) body["SampleRate"] = *rate;  // a string, whatever it came as
  if (format.empty()) {
    body["OutputFormat"] = "pcm";
    if (rate != "8000") body["SampleRate"] = std::to_string(usual_rate);
  }
  return body;
}

Result<std::string> polly_region(const PollySettings& settings, const audio::PollySpeech& spoken) {
  const auto& region = spoken.region.empty() ? settings.region : spoken.region;
  if (region.empty()) return fail("region: missing in the phrase and in tts.aws.region");
  constexpr std::size_t longest = 40;
  const bool valid = region.size() <= longest && std::ranges::all_of(region, [](unsigned char c) {
                       return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-';
                     });
  if (!valid) return fail("region: found \"" + excerpt(region) + "\", expected an AWS region such as eu-north-1");
  return region;
}

std::unique_ptr<SpeechEngine> make_polly_engine(PollySettings settings, FetchOptions options) {
  return std::make_unique<PollyEngine>(std::move(settings), options);
}

}  // namespace rw::speech
