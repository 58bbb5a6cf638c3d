#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "auth/signature_v4.h"

namespace rw::speech {

/// Amazon Polly.
struct PollySettings {
  std::string region = {};  ///< of phrases that name none
  auth::AwsCredentials credentials = {};
  std::string endpoint = {};  ///< URL in place of https://polly.<region>.amazonaws.com
  bool usable() const { return !credentials.access_key_id.empty() && !credentials.secret_access_key.empty(); }
};

/// Google Cloud Text-to-Speech.
struct GoogleSettings {
  std::string credentials = {};  ///< a service account's key file, its JSON text
  std::string endpoint = "https://texttospeech.googleapis.com";
  bool usable() const { return !credentials.empty(); }
};

/// An engine behind `POST <url>/v1/audio/speech`.
struct HttpSpeechSettings {
  std::string url = {};
  std::string model = {};
  std::string voice = {};           ///< of phrases that name none
  std::string api_key = {};         ///< a bearer token; empty: none
  std::string format = "wav";       ///< wav, pcm, mp3, flac, opus
  std::uint32_t pcm_rate = 24'000;  ///< Hz, of the format pcm, which doesn't tell
  std::optional<double> speed = {};
};

/// `[tts]` of the configuration.
struct SpeechSettings {
  enum class TextEngine : std::uint8_t { flite, espeak_ng, http };
  TextEngine engine = TextEngine::flite;
  /// Speak Polly's and Google's phrases with the text engine while there are no credentials for them.
  bool fallback = true;
  std::chrono::milliseconds timeout{30'000};  ///< of one request to an engine
  PollySettings polly;
  GoogleSettings google;
  HttpSpeechSettings http;
  bool cache = true;
  std::uint64_t cache_bytes = 1024ULL * 1024 * 1024;
};

}  // namespace rw::speech
