#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "recording/format.h"

namespace rw::recording {

/// What is recorded: a connection of two parties, or what one says after a `record` phrase.
enum class Kind : std::uint8_t { connection, phrase };

using WallTime = std::chrono::system_clock::time_point;

/// What is known of one recording, on the disk beside it.
struct JournalEntry {
  enum class State : std::uint8_t {
    recording,  ///< the file grows; if that is what is found at start, it has to be repaired
    uploading,  ///< the file is whole and has to go to prompt storage
    stored,     ///< it is there; the result has to be told
    failed      ///< the result has to be told
  };

  std::string id;  ///< UUID
  State state = State::recording;
  Kind kind = Kind::connection;
  Format format = Format::mp3;
  bool encrypted = false;
  bool heard = false;  ///< whether any packet came
  std::string domain;
  std::string file_name;  ///< in prompt storage
  WallTime started{}, ended{};
  std::chrono::milliseconds duration{0};
  std::uint64_t size = 0;  ///< bytes
  std::string reason;      ///< of the failure
  boost::json::object context;

  /// Of its data, without folder: "<id>.wav", "<id>.mp3.enc", …
  std::string data_file() const;
};

/// The journal of a folder: a file <id>.json for each recording, always replaced as a whole. Thread-safe, but for one
/// entry one thread at a time.
class Journal {
 public:
  /// `folder` exists.
  explicit Journal(std::string folder) : folder_(std::move(folder)) {}

  /// Outlives this process, and after the next sync() the machine as well.
  Result<void> write(const JournalEntry& entry) const;
  /// Returns when these entries are on the disk; much cheaper for many at once.
  void sync(const std::vector<std::string>& ids) const;
  /// Both.
  Result<void> save(const JournalEntry& entry) const;
  void remove(const std::string& id) const;

  struct Found {
    std::vector<JournalEntry> entries;    ///< oldest first
    std::vector<std::string> unreadable;  ///< file names, without folder
  };
  /// All there are. Removes what a write() that was cut off has left.
  Result<Found> load() const;

  /// The entry as text and back; the text may be anybody's.
  static std::string text(const JournalEntry& entry);
  static Result<JournalEntry> parse(const std::string& text);

 private:
  const std::string folder_;
};

}  // namespace rw::recording
