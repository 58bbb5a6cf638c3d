#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "recording/job_threads.h"
#include "recording/journal.h"
#include "recording/recorder.h"
#include "recording/repair.h"
#include "recording/take.h"
#include "recording/uploader.h"

namespace rw::recording {

/// What becomes of the files: journal, repair, upload, report. All of it is done on threads of its own; every function
/// may be called from any thread and returns at once.
class Filing {
 public:
  explicit Filing(const Recorder::Options& options);

  /// What an earlier process left behind.
  void take_up(Journal::Found found);
  /// Makes the files of a recording, then hands it over for its packets. If they can't be made, it is over.
  void open(std::shared_ptr<Take> take, JournalEntry entry, std::function<void(std::shared_ptr<Take>)> opened);
  /// The first packet has come.
  void heard(const std::string& id);
  /// The recording is over.
  void close(std::shared_ptr<Take> take);
  void acknowledge(const std::string& id);

  const Journal& journal() const { return journal_; }
  /// Ids of the entries that may not be on the disk yet; somebody has to bring them there.
  std::vector<std::string> take_unsynced();

  std::size_t pending() const { return pending_.load(); }
  /// Returns when all that was asked for before has been done, uploads aside. One thread only.
  void settle() { files_.settle(); }
  /// Ends: what is being uploaded is left for the next start, the rest is done.
  void finish();

 private:
  using Entry = JournalEntry;
  using State = JournalEntry::State;
  std::string path_of(const Entry& entry) const { return folder_ + "/" + entry.data_file(); }
  std::string kept_path_of(const Entry& entry) const { return failed_folder_ + "/" + entry.data_file(); }
  Entry* find(const std::string& id);
  void write(const Entry& entry);
  void upload_now(Entry entry, const std::shared_ptr<DiskFile>& unsynced, unsigned failures);

  void hold(const Entry& entry);
  void take_up_one(Entry& entry);
  void repair(const Entry& entry);
  void repaired(const std::string& id, const Result<Repair>& repair, WallTime ended);
  void upload_at(TimePoint due, const Entry& entry, std::shared_ptr<DiskFile> unsynced, unsigned failures);
  void uploaded(const std::string& id, const tl::expected<std::uint64_t, UploadFailure>& result, unsigned failures);
  void failed(Entry& entry, std::string reason);
  void report(const Entry& entry);

  const Recorder::Options options_;
  const std::string folder_, failed_folder_;
  const Journal journal_;
  std::map<std::string, Entry> entries_;  ///< on the thread of files_ only, as the next two
  std::map<std::string, storage::HeldSpace> held_;
  std::map<std::string, std::string> cut_short_;  ///< why
  std::mutex unsynced_mutex_;
  std::vector<std::string> unsynced_;  ///< ids of entries that may not be on the disk yet
  std::atomic<std::size_t> pending_{0};
  std::atomic<bool> stop_{false};
  JobThreads uploads_;
  JobThreads files_;
};

}  // namespace rw::recording
