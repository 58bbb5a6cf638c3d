#pragma once

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <tl/expected.hpp>
#include <unordered_map>

#include "base/fair_lane.h"
#include "http/exchange.h"
#include "storage/prompt_store.h"

namespace rw::api {

/// The answer for what prompt storage refused.
http::Answer store_failure(const storage::StoreError& error);

/// How many uploads there may be at once: of a domain an eighth of all, so that one that drips leaves places to others.
/// Thread-safe.
class UploadSlots {
 public:
  explicit UploadSlots(int most) : most_(most), most_of_domain_(std::max(least_of_domain, most / parts)) {}
  /// Whose places are all taken; the domain's are looked at first.
  enum class Full : std::uint8_t { domain, server };
  /// Held for as long as the upload takes.
  tl::expected<std::shared_ptr<void>, Full> take(const std::string& domain);

 private:
  static constexpr int parts = 8, least_of_domain = 2;
  struct Taken {
    std::mutex mutex;
    int all = 0;
    std::unordered_map<std::string, int> domains;
  };
  struct Place;

  const int most_, most_of_domain_;
  const std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

/// Brings a PUT's body into prompt storage, piece by piece, on the threads where that may block.
class PromptUploadSink final : public http::BodySink {
 public:
  /// What the upload is checked on in turns with other domains; null: on `threads`.
  struct Threads {
    boost::asio::thread_pool& storage;
    FairLane* checks = nullptr;
  };
  /// `slot` is held until nothing is left of the upload.
  PromptUploadSink(Threads threads, storage::PromptStore& store, std::string domain, std::string name,
                   std::shared_ptr<void> slot, http::Responder respond);
  ~PromptUploadSink() override;

  void write(std::string piece, Next next) override;
  void finish() override;

 private:
  struct Job;
  const Threads threads_;
  std::shared_ptr<Job> job_;
};

}  // namespace rw::api
