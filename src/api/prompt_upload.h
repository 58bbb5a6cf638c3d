#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "http/exchange.h"
#include "storage/prompt_store.h"

namespace rw::api {

/// The answer for what prompt storage refused.
http::Answer store_failure(const storage::StoreError& error);

/// Brings a PUT's body into prompt storage, piece by piece, on the threads where that may block.
class PromptUploadSink final : public http::BodySink {
 public:
  PromptUploadSink(boost::asio::thread_pool& threads, storage::PromptStore& store, std::string domain, std::string name,
                   http::Responder respond);
  ~PromptUploadSink() override;

  void write(std::string piece, Next next) override;
  void finish() override;

 private:
  struct Job;
  boost::asio::thread_pool& threads_;
  std::shared_ptr<Job> job_;
};

}  // namespace rw::api
