#include "app/read_tts.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/read_domain.h"
#include "speech/google_token.h"

namespace rw::app {
namespace {

using speech::SpeechSettings;

/// What stands in a header of requests.
void read_header_secret(TomlReader& table, std::string_view key, std::string& into) {
  table.secret(key, into);
  if (std::ranges::any_of(into, [](unsigned char c) { return c <= ' ' || c >= 0x7f; }))
    table.problem(key, "expected visible ASCII characters without spaces");
}

void read_aws(TomlReader& table, speech::PollySettings& polly) {
  table.text("region", polly.region);
  read_header_secret(table, "access_key_id", polly.credentials.access_key_id);
  table.secret("secret_access_key", polly.credentials.secret_access_key);
  read_header_secret(table, "session_token", polly.credentials.session_token);
  read_url(table, "endpoint", polly.endpoint, UrlQuery::refused);
  if (polly.credentials.access_key_id.empty() != polly.credentials.secret_access_key.empty())
    table.problem(polly.credentials.access_key_id.empty() ? "access_key_id" : "secret_access_key", "missing");
}

void read_google(TomlReader& table, speech::GoogleSettings& google) {
  std::string path;
  table.text("credentials_file", path);
  read_url(table, "endpoint", google.endpoint, UrlQuery::refused);
  if (path.empty()) return;
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  google.credentials = content.str();
  if (!file) {
    table.problem("credentials_file", "can't read the file " + path);
  } else if (const auto tokens = speech::GoogleTokens::make(google.credentials); !tokens) {
    table.problem("credentials_file", path + ": " + tokens.error().message);
  }
}

void read_http_speech(TomlReader& table, speech::HttpSpeechSettings& http) {
  read_url(table, "url", http.url, UrlQuery::refused);
  table.text("model", http.model);
  table.text("voice", http.voice);
  read_header_secret(table, "api_key", http.api_key);
  static const std::vector<std::string_view> formats{"wav", "pcm", "mp3", "flac", "opus"};
  if (const auto format = table.choice("format", formats)) http.format = formats[*format];
  table.whole("pcm_rate", http.pcm_rate, audio::min_rate, audio::max_rate);
  if (const auto speed = table.number("speed", 0.25, 4)) http.speed = speed;
}

}  // namespace

void read_tts(TomlReader& table, SpeechSettings& speech) {
  if (const auto engine = table.choice("engine", {"flite", "espeak-ng", "http"}))
    speech.engine = static_cast<SpeechSettings::TextEngine>(*engine);
  table.flag("fallback", speech.fallback);
  table.seconds("timeout", speech.timeout, 1, 300);
  table.flag("cache", speech.cache);
  constexpr long long most_megabytes = 1'000'000;
  constexpr std::uint64_t megabyte = 1024ULL * 1024;
  std::uint64_t megabytes = speech.cache_bytes / megabyte;
  table.whole("cache_mb", megabytes, 1, most_megabytes);
  speech.cache_bytes = megabytes * megabyte;
  table.table("aws", [&](TomlReader& aws) { read_aws(aws, speech.polly); });
  table.table("google", [&](TomlReader& google) { read_google(google, speech.google); });
  table.table("http", [&](TomlReader& http) { read_http_speech(http, speech.http); });
  if (speech.engine == SpeechSettings::TextEngine::http && speech.http.url.empty())
    table.problem("http.url", "missing, but `engine` is \"http\"");
}

}  // namespace rw::app
