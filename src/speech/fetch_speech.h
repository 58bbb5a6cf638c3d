#pragma once

#include <functional>
#include <optional>
#include <string>

#include "http/transfer.h"
#include "speech/pieces.h"
#include "speech/speech_decoder.h"

namespace rw::speech {

/// How requests to a speech engine are sent.
struct FetchOptions {
  std::chrono::milliseconds timeout{30'000};  ///< for a whole answer
  const std::atomic<bool>* cancel = nullptr;
};

inline constexpr std::uint64_t most_speech_bytes = 64ULL * 1024 * 1024;

/// A POST of JSON, with the bounds that hold for all engines.
http::TransferRequest speech_post(std::string url, std::string body, const FetchOptions& options);

/// Sends the request and hands the audio of the answer to `pieces` as it comes. Errors begin with `engine`; those of an
/// answer other than 2xx end with what `explain` makes of it.
Result<void> fetch_speech(http::Transfers& transfers, http::TransferRequest request, std::optional<RawAudio> raw,
                          Pieces& pieces, const std::string& engine,
                          const std::function<std::string(const http::TransferResponse&)>& explain);

/// The beginning of a text that somebody else wrote, fit for a log line.
std::string excerpt(std::string_view text);

}  // namespace rw::speech
