#pragma once

#include <memory>
#include <vector>

#include "app/config.h"
#include "callbacks/http_channel.h"
#include "ledger/notice_store.h"
#include "ledger/session_journal.h"

namespace rw::app {

/// What outlives the process: `<data_dir>/outbox.db` and `<data_dir>/sessions/`. Outlives the shards' threads.
class Keeping {
 public:
  /// Opens it for the configured number of shards, and puts a sessionCompleted into the outbox for each session that an
  /// earlier process was cut off from.
  static Result<std::unique_ptr<Keeping>> open(const Config& config, callbacks::FindService find_service,
                                               ops::Metrics& metrics, const ops::Log& log);

  /// Once for each shard.
  callbacks::HttpChannel::Keeping for_shard(std::size_t shard);
  /// What an earlier process has left for a shard to deliver.
  const std::vector<ledger::Waiting>& left_for(std::size_t shard) const { return waiting_[shard]; }
  /// Notifications that have not been delivered, or whose delivery has not been noted on the disk.
  std::size_t undelivered() const { return notices_->pending(); }
  /// To be called each second.
  void touch() { sessions_.touch(); }
  /// Writes what there is. What comes later is not kept.
  void stop() { notices_->stop(); }

 private:
  Keeping(std::unique_ptr<ledger::NoticeStore> notices, ledger::SessionFolder sessions,
          callbacks::FindService find_service)
      : notices_(std::move(notices)), sessions_(std::move(sessions)), find_service_(std::move(find_service)) {}

  std::unique_ptr<ledger::NoticeStore> notices_;
  ledger::SessionFolder sessions_;
  const callbacks::FindService find_service_;
  std::vector<ledger::SessionJournal> journals_;       ///< by shard
  std::vector<std::vector<ledger::Waiting>> waiting_;  ///< by shard
};

}  // namespace rw::app
