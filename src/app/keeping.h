#pragma once

#include <memory>
#include <vector>

#include "app/config.h"
#include "app/own_folder.h"
#include "callbacks/http_channel.h"
#include "ledger/notice_store.h"
#include "ledger/session_journal.h"

namespace rw::app {

/// What outlives the process: `outbox.db` and `sessions/` in a folder of its own. Outlives the shards' threads.
class Keeping {
 public:
  /// Opens it for the configured number of shards, and puts a sessionCompleted into the outbox for each session that an
  /// earlier process was cut off from.
  static Result<std::unique_ptr<Keeping>> open(const Config& config, OwnFolder folder,
                                               callbacks::FindService find_service, ops::Metrics& metrics,
                                               const ops::Log& log);
  /// Takes in what a process has left in a folder that has been locked: its notifications, which are this one's to
  /// deliver now, and a sessionCompleted for each session that it was cut off from. What has to be restored, by shard.
  /// For a thread that may wait.
  Result<std::vector<std::vector<ledger::Waiting>>> adopt(OwnFolder& left, const Config& config, ops::Metrics& metrics,
                                                          const ops::Log& log);

  /// Once for each shard.
  callbacks::HttpChannel::Keeping for_shard(std::size_t shard);
  /// What an earlier process has left for a shard to deliver.
  const std::vector<ledger::Waiting>& left_for(std::size_t shard) const { return waiting_[shard]; }
  const std::string& folder() const { return folder_; }
  /// Notifications that have not been delivered, or whose delivery has not been noted on the disk.
  std::size_t undelivered() const { return notices_->pending(); }
  /// To be called each second.
  void touch() { sessions_.touch(); }
  /// Writes what there is. What comes later is not kept.
  void stop() { notices_->stop(); }

 private:
  Keeping(std::unique_ptr<ledger::NoticeStore> notices, OwnFolder folder, callbacks::FindService find_service)
      : notices_(std::move(notices)),
        folder_(std::move(folder.path)),
        sessions_(std::move(folder.sessions)),
        find_service_(std::move(find_service)) {}

  std::unique_ptr<ledger::NoticeStore> notices_;
  const std::string folder_;
  ledger::SessionFolder sessions_;
  const callbacks::FindService find_service_;
  std::vector<ledger::SessionJournal> journals_;       ///< by shard
  std::vector<std::vector<ledger::Waiting>> waiting_;  ///< by shard
};

}  // namespace rw::app
