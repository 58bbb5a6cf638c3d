#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/session_journal.h"

namespace rw::app {

/// What one process of a data_dir has for itself while it lives: the outbox, the notes of open sessions, recordings.
/// The first process has data_dir itself; one that takes over while others still have calls, `data_dir/beside/N`. The
/// lock is that of the notes, and goes with the process.
struct OwnFolder {
  std::string path;
  ledger::SessionFolder sessions;

  /// The first that nobody has locked. `beside_others`: the process takes over; else nobody may be there.
  static Result<OwnFolder> take(const std::string& data_dir, bool beside_others);
  /// Locks the others that are left by processes that have ended. Each is given up again with what is returned.
  static std::vector<OwnFolder> take_left(const std::string& data_dir, const std::string& own);
};

}  // namespace rw::app
