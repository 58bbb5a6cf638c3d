#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "media/file_descriptor.h"
#include "ops/log.h"

namespace rw::ledger {

/// Which sessions of one shard are open, in a file that outlives a kill of the process: each change is one write() to
/// its end, so that it is there before anybody is told of the session, and nothing waits for the disk. (What a loss of
/// power leaves is up to the file system.) Belongs to the shard's thread.
class SessionJournal {
 public:
  /// Makes the file, which must not be there; on a full disk later, when there is room. `failed`: told when the disk
  /// begins to refuse; may be empty.
  static Result<SessionJournal> create(const std::string& path, const ops::Log& log, std::function<void()> failed = {});

  /// `id` has no blanks, `record` (what has to be known of it) no line feeds. Again: replaces the record.
  void open(const std::string& id, std::string record);
  void close(const std::string& id);
  std::size_t sessions() const { return records_.size(); }

 private:
  SessionJournal(std::string path, media::FileDescriptor file, const ops::Log& log, std::function<void()> failed)
      : path_(std::move(path)), file_(std::move(file)), log_(log), failed_(std::move(failed)) {}
  void complain(int problem);
  void append(std::string_view line);
  void rewrite();

  std::string path_;
  media::FileDescriptor file_;
  ops::Log log_;
  std::function<void()> failed_;
  std::unordered_map<std::string, std::string> records_;
  std::size_t live_ = 0;  ///< bytes of the records
  std::size_t size_ = 0;  ///< bytes of the file
  bool broken_ = false;   ///< the end of the file may be half a line
};

struct CutSession {
  std::string id, record;
};

/// The journals of all shards. One process at a time uses the folder.
class SessionFolder {
 public:
  /// Makes the folder, locks it (until the process ends), and reads what an earlier process has left.
  static Result<SessionFolder> open(const std::string& path);

  /// The sessions that were open when the earlier process ended.
  const std::vector<CutSession>& cut() const { return cut_; }
  /// When the earlier process was alive last, to about a second, in ms since 1970.
  std::int64_t last_alive() const { return last_alive_; }
  /// The cut sessions have been dealt with: their journals go.
  void clear();
  std::string file(std::size_t shard) const;
  /// Notes that this process is alive; to be called each second.
  void touch() const;

 private:
  explicit SessionFolder(std::string path) : path_(std::move(path)) {}
  Result<void> read();

  std::string path_;
  media::FileDescriptor lock_;
  std::vector<CutSession> cut_;
  std::int64_t last_alive_ = 0;
};

}  // namespace rw::ledger
