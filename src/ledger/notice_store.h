#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "database/sqlite_file.h"
#include "ledger/notice.h"
#include "ops/log.h"

namespace rw::ledger {

/// The notices that have not been delivered, in a SQLite file. One thread of its own writes: what comes from everywhere
/// within a few milliseconds goes to the disk in one transaction. Thread-safe.
class NoticeStore {
 public:
  /// How much may wait; a domain alone can't fill it.
  struct Limits {
    std::size_t notices = 400'000, notices_of_domain = 100'000;
    std::uint64_t bytes = 2ULL << 30, bytes_of_domain = 512ULL << 20;
  };
  /// Called once on the store's thread: `written`: it is on the disk. If not, the disk refused it: it is tried again
  /// with what comes later; until then the notice lives only as long as the process.
  using Stored = std::function<void(std::int64_t number, bool written)>;
  using Loaded = std::function<void(std::shared_ptr<const Notice>)>;

  /// Opens `file`, or makes it.
  /// `failed`: told, on the store's thread, of each time that the disk has refused what was to be written; may be
  /// empty.
  static Result<std::unique_ptr<NoticeStore>> open(const std::string& file, Limits limits, const ops::Log& log,
                                                   std::function<void()> failed = {});
  ~NoticeStore();
  NoticeStore(const NoticeStore&) = delete;
  NoticeStore& operator=(const NoticeStore&) = delete;

  /// What an earlier process has left, oldest first. Once.
  std::vector<Waiting> take_waiting() { return std::move(waiting_); }

  /// Its number, at once; 0 if there is no room for it: then `stored` is not called. One thread's notices are stored in
  /// the order in which it puts them.
  std::int64_t put(std::shared_ptr<const Notice> notice, Stored stored);
  /// It has been delivered, or given up. Goes to the disk a little later.
  void remove(std::int64_t number, const Notice& notice);
  /// Reads one; null if it can't be read. `loaded` is called once on the store's thread.
  void load(std::int64_t number, Loaded loaded);
  /// Those that have not been removed from the disk. From any thread.
  std::size_t pending() const { return pending_.load(std::memory_order_relaxed); }
  /// Returns when all that was put or removed before has been written.
  void flush();
  /// Writes what has come so far, and ends the thread. What comes later is dropped.
  void stop();

 private:
  struct Put {
    std::int64_t number;
    std::shared_ptr<const Notice> notice;
    Stored stored;
  };
  struct Remove {
    std::int64_t number;
    std::string domain;
    std::uint64_t bytes;
  };
  struct Load {
    std::int64_t number;
    Loaded loaded;
  };
  using Job = std::variant<Put, Remove, Load>;
  struct Usage {
    std::size_t notices = 0;
    std::uint64_t bytes = 0;
  };
  struct Statements;

  NoticeStore(database::SqliteFile database, Limits limits, const ops::Log& log, std::function<void()> failed);
  void read_waiting();
  void account(const std::string& domain, std::uint64_t bytes);
  void removed(const std::vector<Job>& jobs);
  bool post(Job job, Duration wait);
  void work();
  void write(std::vector<Job>& jobs);
  bool commit(const std::vector<Job>& jobs);
  void insert(std::int64_t number, const Notice& notice);
  void load_now(Load& job);
  void complain(std::string_view problem);

  const Limits limits_;
  const ops::Log log_;
  database::SqliteFile database_;  ///< and all from here: of the thread, once it runs
  std::unique_ptr<Statements> statements_;
  const std::function<void()> failed_;
  std::vector<Job> again_;                                           ///< removals that the disk refused
  std::map<std::int64_t, std::shared_ptr<const Notice>> unwritten_;  ///< notices that it refused
  TimePoint last_commit_{}, last_complaint_{};
  std::vector<Waiting> waiting_;

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  std::vector<Job> jobs_;
  TimePoint due_ = TimePoint::max();  ///< when the jobs have to be done
  std::int64_t last_number_ = 0;
  Usage usage_;
  std::atomic<std::size_t> pending_{0};
  std::unordered_map<std::string, Usage> domains_;
  bool working_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace rw::ledger
