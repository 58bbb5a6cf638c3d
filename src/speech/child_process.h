#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rw::speech {

/// A program that reads standard input and writes standard output, run to its end.
struct ChildRequest {
  std::vector<std::string> command;  ///< the program, looked up in PATH, and its arguments; no shell is involved
  std::string_view input;
  /// Takes the output as it comes. False: no more is wanted, and the program is killed.
  std::function<bool(std::span<const char>)> take;
  std::uint64_t most_output = 256ULL * 1024 * 1024;
  std::chrono::milliseconds timeout{30'000};  ///< then it is killed
  const std::atomic<bool>* cancel = nullptr;  ///< looked at several times a second
};

struct ChildExit {
  int status = 0;        ///< its exit status; 128 + the signal that ended it
  std::string errors;    ///< the beginning of its standard error
  bool complete = true;  ///< false: `take` wanted no more
};

/// Runs a program. It gets three descriptors and nothing else of this process. An error if it can't be started, takes
/// too long or writes too much; it is gone in any case. Blocks; any number of threads at a time.
Result<ChildExit> run_child(const ChildRequest& request);

/// The program is in PATH.
bool is_installed(const std::string& program);

}  // namespace rw::speech
