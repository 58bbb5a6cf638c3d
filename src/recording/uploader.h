#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "storage/prompt_store.h"

namespace rw::recording {

struct UploadFailure {
  std::string message;
  bool final = false;  ///< it would fail again
};

/// Puts the file at `path` into prompt storage, in pieces. Blocking; gives up between two pieces once `stop` is set.
/// Returns the size, or why not. Nothing is thrown.
tl::expected<std::uint64_t, UploadFailure> upload(storage::PromptStore& store, const std::string& domain,
                                                  const std::string& name, storage::UploadKind kind,
                                                  const std::string& path, const std::atomic<bool>& stop);

}  // namespace rw::recording
