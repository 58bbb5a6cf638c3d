#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/result.h"
#include "http/transfer.h"
#include "sounds/sound_output.h"

namespace rw::sounds {

struct FetchRules {
  net::AddressPolicy addresses = net::AddressPolicy({});
  std::string ca_file = {};  ///< certificates that are trusted in place of the system's
};

/// What became of a fetch.
struct Fetched {
  std::string etag;                   ///< of the answer, or its Last-Modified; empty: it has no version
  std::chrono::seconds fresh_for{0};  ///< need not be asked for again
  bool unchanged = false;             ///< it is what the caller has already; nothing was put out
  bool may_be_kept = true;
};

/// Fetches what `url` leads to and puts it out as it comes. `etag`: of the version that the caller has, or empty.
/// Errors never show the URL's query. Blocking.
Result<Fetched> fetch_sound(http::Transfers& transfers, const FetchRules& rules, const std::atomic<bool>& cancel,
                            const std::string& url, const std::string& etag, SoundOutput& output);

}  // namespace rw::sounds
