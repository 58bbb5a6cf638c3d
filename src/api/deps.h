#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/call_control.h"
#include "api/jwks_cache.h"
#include "base/fair_lane.h"
#include "base/reply_token.h"
#include "http/exchange.h"
#include "ops/bound.h"
#include "ops/log.h"
#include "storage/disk_shares.h"
#include "storage/prompt_store.h"
#include "tenant/directory.h"
#include "tenant/fallbacks.h"

namespace rw::api {

class Provisioning;

/// What the REST API works with. All of it is thread-safe and outlives the HTTP server.
struct Deps {
  /// The domains as they are now.
  std::function<std::shared_ptr<const tenant::Directory>()> directory;
  CallControl& calls;
  storage::PromptStore& prompts;
  boost::asio::thread_pool& storage_threads;  ///< where prompt storage may block
  tenant::Fallbacks& fallbacks;               ///< whose changes may block
  const ReplyTokens& tokens;
  std::string node_id;
  ops::Log log;
  std::function<bool()> is_ready;             ///< calls are taken: started and not draining
  std::function<std::string()> metrics;       ///< in Prometheus' text format
  std::function<std::string()> public_url;    ///< how others reach this server, without a slash at the end
  std::shared_ptr<JwksCache> jwks = nullptr;  ///< null: no keys are fetched
  Provisioning* provisioning = nullptr;
  std::string provisioning_token{};  ///< what an operator shows; empty: nobody provisions
  std::size_t most_failures = 0;     ///< bad credentials that are looked at per client and minute; 0: any number
  std::function<void(std::string_view limit)> refused{};  ///< told of what was turned away; may be empty
  /// Where uploads are checked, in turns between domains. Null: where they are stored.
  FairLane* upload_checks = nullptr;
  /// Puts a command whose session is not here to the process whose calls this server has not taken over; false: there
  /// is none, and `respond` has not been used. May be empty.
  std::function<bool(const http::IncomingRequest&, const http::Responder& respond)> elsewhere{};
  storage::DiskShares* disk = nullptr;        ///< null: nothing is known of it, and nothing bounded
  std::function<void(ops::Bound)> bounded{};  ///< told of what a bound has stopped; may be empty
};

}  // namespace rw::api
