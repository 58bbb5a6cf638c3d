#include "app/keeping.h"

#include <utility>

#include "app/part_settings.h"
#include "app/shard.h"
#include "callbacks/open_session.h"

namespace rw::app {

Result<std::unique_ptr<Keeping>> Keeping::open(const Config& config, callbacks::FindService find_service,
                                               ops::Metrics& metrics, const ops::Log& log) {
  // The folder first: it tells whether another process uses the data.
  auto sessions = ledger::SessionFolder::open(config.server.data_dir + "/sessions");
  if (!sessions) return tl::unexpected(sessions.error());
  auto notices = ledger::NoticeStore::open(config.server.data_dir + "/outbox.db", {}, log);
  if (!notices) return tl::unexpected(notices.error());
  std::unique_ptr<Keeping> keeping(new Keeping(std::move(*notices), std::move(*sessions), std::move(find_service)));
  auto waiting = keeping->notices_->take_waiting();
  if (auto told = callbacks::complete_cut_sessions(keeping->sessions_, *keeping->notices_, waiting,
                                                   callback_settings(config), metrics, log);
      !told) {
    return tl::unexpected(told.error());
  }
  const auto shards = static_cast<std::size_t>(config.server.shards);
  keeping->waiting_.resize(shards);
  for (auto& one : waiting) keeping->waiting_[shard_of_call(one.call_id, shards)].push_back(std::move(one));
  for (std::size_t shard = 0; shard < shards; ++shard) {
    auto journal = ledger::SessionJournal::create(keeping->sessions_.file(shard), log);
    if (!journal) return tl::unexpected(journal.error());
    keeping->journals_.push_back(std::move(*journal));
  }
  keeping->touch();
  if (!waiting.empty())
    log.info("notifications of an earlier process will be delivered", {{"count", std::to_string(waiting.size())}});
  return keeping;
}

callbacks::HttpChannel::Keeping Keeping::for_shard(std::size_t shard) {
  return {*notices_, std::move(journals_[shard]), find_service_};
}

}  // namespace rw::app
