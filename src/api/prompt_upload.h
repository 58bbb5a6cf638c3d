#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "http/exchange.h"
#include "storage/prompt_store.h"

namespace rw::api {

/// The answer for what prompt storage refused.
http::Answer store_failure(const storage::StoreError& error);

/// How many uploads there may be at once: each takes disk space that nobody has agreed to yet. Thread-safe.
class UploadSlots {
 public:
  explicit UploadSlots(int most) : free_(std::make_shared<std::atomic<int>>(most)) {}
  /// Held for as long as the upload takes; null if there is none left.
  std::shared_ptr<void> take();

 private:
  std::shared_ptr<std::atomic<int>> free_;
};

/// Brings a PUT's body into prompt storage, piece by piece, on the threads where that may block.
class PromptUploadSink final : public http::BodySink {
 public:
  /// `slot` is held until nothing is left of the upload.
  PromptUploadSink(boost::asio::thread_pool& threads, storage::PromptStore& store, std::string domain, std::string name,
                   std::shared_ptr<void> slot, http::Responder respond);
  ~PromptUploadSink() override;

  void write(std::string piece, Next next) override;
  void finish() override;

 private:
  struct Job;
  boost::asio::thread_pool& threads_;
  std::shared_ptr<Job> job_;
};

}  // namespace rw::api
