#include "app/keeping.h"

#include <atomic>
#include <future>
#include <utility>

#include "app/part_settings.h"
#include "app/shard.h"
#include "callbacks/open_session.h"

namespace rw::app {

namespace {

std::vector<std::vector<ledger::Waiting>> by_shard(std::vector<ledger::Waiting> waiting, std::size_t shards) {
  std::vector<std::vector<ledger::Waiting>> all(shards);
  for (auto& one : waiting) all[shard_of_call(one.call_id, shards)].push_back(std::move(one));
  return all;
}

/// One that is on the disk; null: it can't be read.
std::shared_ptr<const ledger::Notice> load(ledger::NoticeStore& store, std::int64_t number) {
  std::promise<std::shared_ptr<const ledger::Notice>> loaded;
  store.load(number, [&loaded](std::shared_ptr<const ledger::Notice> notice) { loaded.set_value(std::move(notice)); });
  return loaded.get_future().get();
}

}  // namespace

Result<std::unique_ptr<Keeping>> Keeping::open(const Config& config, OwnFolder folder,
                                               callbacks::FindService find_service, ops::Metrics& metrics,
                                               const ops::Log& log) {
  auto notices =
      ledger::NoticeStore::open(folder.path + "/outbox.db", {}, log, [&metrics] { metrics.write_failed("outbox"); });
  if (!notices) return tl::unexpected(notices.error());
  std::unique_ptr<Keeping> keeping(new Keeping(std::move(*notices), std::move(folder), std::move(find_service)));
  auto waiting = keeping->notices_->take_waiting();
  callbacks::complete_cut_sessions(keeping->sessions_, *keeping->notices_, waiting, callback_settings(config), metrics,
                                   log);
  const auto shards = static_cast<std::size_t>(config.server.shards);
  const auto count = waiting.size();
  keeping->waiting_ = by_shard(std::move(waiting), shards);
  for (std::size_t shard = 0; shard < shards; ++shard) {
    auto journal = ledger::SessionJournal::create(keeping->sessions_.file(shard), log,
                                                  [&metrics] { metrics.write_failed("sessions"); });
    if (!journal) return tl::unexpected(journal.error());
    keeping->journals_.push_back(std::move(*journal));
  }
  keeping->touch();
  if (count != 0) log.info("notifications of an earlier process will be delivered", {{"count", std::to_string(count)}});
  return keeping;
}

Result<std::vector<std::vector<ledger::Waiting>>> Keeping::adopt(OwnFolder& left, const Config& config,
                                                                 ops::Metrics& metrics, const ops::Log& log) {
  auto theirs = ledger::NoticeStore::open(left.path + "/outbox.db", {}, log);
  if (!theirs) return tl::unexpected(theirs.error());
  std::vector<ledger::Waiting> taken;
  std::vector<std::pair<std::int64_t, std::shared_ptr<const ledger::Notice>>> moved;
  const auto refused = std::make_shared<std::atomic<bool>>(false);
  for (auto& one : (*theirs)->take_waiting()) {
    auto notice = load(**theirs, one.number);
    if (!notice) continue;  // the log has said so
    const auto number = notices_->put(notice, [refused](std::int64_t, bool written) {
      if (!written) *refused = true;
    });
    if (number == 0) break;  // there is no room: they stay where they are until the next start
    moved.emplace_back(one.number, std::move(notice));
    one.number = number;
    taken.push_back(std::move(one));
  }
  notices_->flush();
  // What the disk has refused is delivered all the same, and not taken away there.
  if (!*refused) {
    for (const auto& [number, notice] : moved) (*theirs)->remove(number, *notice);
  }
  (*theirs)->flush();
  (*theirs)->stop();
  callbacks::complete_cut_sessions(left.sessions, *notices_, taken, callback_settings(config), metrics, log);
  if (!taken.empty())
    log.info("notifications of another process will be delivered", {{"count", std::to_string(taken.size())}});
  return by_shard(std::move(taken), waiting_.size());
}

callbacks::HttpChannel::Keeping Keeping::for_shard(std::size_t shard) {
  return {*notices_, std::move(journals_[shard]), find_service_};
}

}  // namespace rw::app
