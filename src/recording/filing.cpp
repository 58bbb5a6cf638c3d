#include "recording/filing.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "recording/decrypt.h"

namespace rw::recording {
namespace {

namespace fs = std::filesystem;

std::string nothing_heard(Kind kind) {
  return kind == Kind::connection ? "No caller or callee media received" : "No media received";
}

WallTime last_written(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  return WallTime(std::chrono::seconds(facts.st_mtim.tv_sec) +
                  std::chrono::milliseconds(facts.st_mtim.tv_nsec / 1'000'000));
}

/// An encrypted file can only be cut to its last whole chunk; how long it plays, its times say.
Result<Repair> cut_encrypted(const std::string& path, WallTime started, WallTime ended) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> bytes(std::istreambuf_iterator<char>(file), {});
  Repair repair;
  repair.size = whole_chunks(bytes);
  if (repair.size == 0) return fail("not one whole chunk");
  std::error_code error;
  fs::resize_file(path, repair.size, error);
  if (error) return fail(error.message());
  repair.duration =
      std::max(std::chrono::milliseconds(0), std::chrono::duration_cast<std::chrono::milliseconds>(ended - started));
  return repair;
}

}  // namespace

Filing::Filing(const Recorder::Options& options)
    : options_(options),
      folder_(options.folder),
      failed_folder_(options.folder + "/failed"),
      journal_(options.folder),
      uploads_(options.upload_threads),
      files_(1) {}

void Filing::finish() {
  stop_ = true;
  uploads_.abandon();
  files_.finish();
}

Filing::Entry* Filing::find(const std::string& id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

void Filing::write(const Entry& entry) {
  if (auto written = journal_.write(entry); !written)
    options_.log.error("The journal of a recording can't be written",
                       {{"recordingId", entry.id}, ops::text("error", written.error().message)});
  const std::lock_guard lock(unsynced_mutex_);
  unsynced_.push_back(entry.id);
}

std::vector<std::string> Filing::take_unsynced() {
  const std::lock_guard lock(unsynced_mutex_);
  return std::exchange(unsynced_, {});
}

void Filing::open(std::shared_ptr<Take> take, JournalEntry entry, std::function<void(std::shared_ptr<Take>)> opened) {
  ++pending_;
  files_.post([this, take = std::move(take), entry = std::move(entry), opened = std::move(opened)] {
    auto& kept = entries_[entry.id] = entry;
    const auto written = journal_.write(kept);
    auto file = written ? DiskFile::create(path_of(kept)) : tl::unexpected(written.error());
    if (!file) {
      take->give_up(file.error().message);
      failed(kept, file.error().message);
      return;
    }
    take->write_to(std::move(*file));
    opened(take);
  });
}

void Filing::heard(const std::string& id) {
  files_.post([this, id] {
    auto* const entry = find(id);
    if (entry == nullptr) return;
    entry->heard = true;
    if (entry->state == State::recording) write(*entry);
  });
}

void Filing::close(std::shared_ptr<Take> take) {
  files_.post([this, take = std::move(take)] {
    auto* const entry = find(take->id());
    if (entry == nullptr) return;
    entry->heard = take->heard();
    entry->ended = options_.wall_clock();
    entry->duration = take->duration();
    if (const auto dropped = take->dropped_packets(); dropped != 0)
      options_.log.warning("A recording has lost packets",
                           {{"recordingId", entry->id}, {"packets", std::to_string(dropped)}});
    auto failure = take->failure();
    if (failure.empty() && !entry->heard) failure = nothing_heard(entry->kind);
    auto file = take->file();
    held_.insert_or_assign(entry->id, take->take_space());
    if (!take->cut_short().empty()) {
      cut_short_[entry->id] = take->cut_short();
      options_.log.warning(
          "A recording was ended before its time",
          {{"recordingId", entry->id}, {"domain", entry->domain}, ops::text("reason", take->cut_short())});
    }
    take->release();
    if (!failure.empty()) return failed(*entry, std::move(failure));
    entry->size = file->size();
    entry->state = State::uploading;
    write(*entry);
    upload_at(TimePoint::min(), *entry, std::move(file), 0);
  });
}

void Filing::upload_at(TimePoint due, const Entry& entry, std::shared_ptr<DiskFile> unsynced, unsigned failures) {
  uploads_.post_at(due,
                   [this, entry, unsynced = std::move(unsynced), failures] { upload_now(entry, unsynced, failures); });
}

/// On a thread of uploads_: whatever waits for the disk is done here.
void Filing::upload_now(Entry entry, const std::shared_ptr<DiskFile>& unsynced, unsigned failures) {
  using storage::UploadKind;
  tl::expected<std::uint64_t, UploadFailure> result;
  if (auto synced = unsynced ? unsynced->sync() : Result<void>(); !synced) {
    result = tl::unexpected(UploadFailure{synced.error().message, true});
  } else {
    result = upload(options_.store, entry.domain, entry.file_name,
                    entry.encrypted ? UploadKind::opaque : UploadKind::recording, path_of(entry), stop_);
  }
  if (result) {
    entry.size = *result;
    entry.state = State::stored;
    // Not before it is certain that this is known after a power failure.
    std::error_code ignored;
    if (journal_.save(entry)) fs::remove(path_of(entry), ignored);
  }
  files_.post([this, id = entry.id, result, failures] { uploaded(id, result, failures); });
}

void Filing::uploaded(const std::string& id, const tl::expected<std::uint64_t, UploadFailure>& result,
                      unsigned failures) {
  auto* const entry = find(id);
  if (entry == nullptr) return;
  if (result) {
    entry->size = *result;
    entry->state = State::stored;
    return report(*entry);
  }
  const auto& error = result.error();
  if (error.final) return failed(*entry, error.message);
  if (stop_) return;
  if (options_.wall_clock() - entry->ended >= options_.give_up)
    return failed(*entry, "could not be stored within " + std::to_string(options_.give_up.count() / 3600) +
                              " hours: " + error.message);
  options_.log.warning("A recording can't be stored yet",
                       {{"recordingId", id}, {"domain", entry->domain}, ops::text("error", error.message)});
  upload_at(Clock::now() + options_.back_off(failures + 1), *entry, nullptr, failures + 1);
}

void Filing::failed(Entry& entry, std::string reason) {
  entry.reason = std::move(reason);
  entry.state = State::failed;
  std::error_code ignored;
  // The file first: should the disk be too full for the journal, its absence says that there is nothing to repair.
  if (entry.heard) {
    fs::create_directories(failed_folder_, ignored);
    fs::rename(path_of(entry), kept_path_of(entry), ignored);
  } else {
    fs::remove(path_of(entry), ignored);
  }
  write(entry);
  report(entry);
}

void Filing::report(const Entry& entry) {
  Finished finished{
      entry.id,     entry.kind, entry.domain, entry.file_name, entry.size, entry.duration, entry.state == State::stored,
      entry.reason, {},         {},           entry.context};
  if (const auto cut = cut_short_.extract(entry.id); cut && finished.success) finished.cut_short = cut.mapped();
  std::error_code ignored;
  if (!finished.success && fs::exists(kept_path_of(entry), ignored)) finished.kept = kept_path_of(entry);
  if (!finished.success)
    options_.log.error("A recording has failed", {{"recordingId", entry.id},
                                                  {"domain", entry.domain},
                                                  ops::text("fileName", entry.file_name),
                                                  ops::text("reason", entry.reason),
                                                  {"kept", finished.kept}});
  if (finished.kept.empty()) held_.erase(entry.id);  // what is kept goes on to count
  --pending_;
  if (options_.report) options_.report(std::move(finished));
}

void Filing::acknowledge(const std::string& id) {
  files_.post([this, id] {
    const auto* const entry = find(id);
    if (entry == nullptr || (entry->state != State::stored && entry->state != State::failed)) return;
    journal_.remove(id);
    std::error_code ignored;
    if (entry->state == State::stored) fs::remove(path_of(*entry), ignored);
    entries_.erase(id);
  });
}

void Filing::take_up(Journal::Found found) {
  pending_ += found.entries.size();
  files_.post([this, found = std::move(found)] {
    std::error_code ignored;
    for (const auto& name : found.unreadable) {
      options_.log.error("The journal of a recording can't be read", {{"file", folder_ + "/" + name}});
      fs::create_directories(failed_folder_, ignored);
      fs::rename(folder_ + "/" + name, failed_folder_ + "/" + name, ignored);
    }
    for (const auto& entry : found.entries) take_up_one(entries_[entry.id] = entry);
  });
}

/// What an earlier process has written counts, too.
void Filing::hold(const Entry& entry) {
  std::error_code gone;
  const auto size = fs::file_size(path_of(entry), gone);
  if (gone) return;
  storage::HeldSpace space(options_.shares, entry.domain);
  space.grow_anyway(size);
  held_.insert_or_assign(entry.id, std::move(space));
}

void Filing::take_up_one(Entry& entry) {
  std::error_code ignored;
  switch (entry.state) {
    case State::stored:
      fs::remove(path_of(entry), ignored);
      [[fallthrough]];
    case State::failed:
      return report(entry);
    case State::uploading:
      hold(entry);
      return upload_at(TimePoint::min(), entry, nullptr, 0);
    case State::recording:
      hold(entry);
      break;
  }
  entry.ended = last_written(path_of(entry));
  if (entry.ended == WallTime{}) {
    entry.ended = options_.wall_clock();
    return failed(entry, "the recording's file is gone, or could not be written before the server stopped");
  }
  if (!entry.heard) return failed(entry, nothing_heard(entry.kind));
  repair(entry);
}

/// Where uploads are done: it may take long.
void Filing::repair(const Entry& entry) {
  uploads_.post([this, entry] {
    auto repair = entry.encrypted ? cut_encrypted(path_of(entry), entry.started, entry.ended)
                                  : repair_file(entry.format, path_of(entry));
    files_.post(
        [this, id = entry.id, repair = std::move(repair), ended = entry.ended] { repaired(id, repair, ended); });
  });
}

void Filing::repaired(const std::string& id, const Result<Repair>& repair, WallTime ended) {
  auto* const entry = find(id);
  if (entry == nullptr) return;
  if (!repair) return failed(*entry, "could not be repaired after the server stopped: " + repair.error().message);
  options_.log.warning("A recording ends where the server stopped", {{"recordingId", id}, {"domain", entry->domain}});
  entry->size = repair->size;
  entry->duration = repair->duration;
  entry->ended = ended;
  entry->state = State::uploading;
  write(*entry);
  upload_at(TimePoint::min(), *entry, nullptr, 0);
}

}  // namespace rw::recording
