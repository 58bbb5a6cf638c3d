#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "recording/journal.h"

namespace rw::recording {

/// Why a recording ended without being told to.
enum class Ending : std::uint8_t {
  longest,  ///< Order::longest is reached
  failed    ///< the file can't be written; the Finished has the reason
};

/// What is to be recorded.
struct Order {
  Kind kind = Kind::connection;
  std::string domain;
  /// As storage::check_name() and format_of() allow it; stored_name() says what it becomes.
  std::string file_name;
  int channels = 2;
  std::uint32_t rate = 8000;               ///< Hz: 8000, or 16000 for G722 and opus
  std::chrono::milliseconds longest{0};    ///< then it ends by itself; 0: Options::longest
  std::string public_key;                  ///< RSA, PEM; if not empty, the file is encrypted for it
  boost::json::object context;             ///< comes back in Finished, across restarts too
  std::function<void(Ending)> ended = {};  ///< on a recorder's thread, at most once
};

}  // namespace rw::recording
