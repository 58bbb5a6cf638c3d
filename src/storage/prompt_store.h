#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace rw::storage {

/// Why prompt storage did not do what it was asked for.
struct StoreError {
  enum class Kind : std::uint8_t { not_found, invalid_name, too_large, not_audio, storage };
  Kind kind = Kind::storage;
  std::string message;  ///< a sentence that names what was wrong
};

template <class T>
using StoreResult = tl::expected<T, StoreError>;

/// A stored prompt.
struct StoredPrompt {
  std::string name;
  std::uint64_t size = 0;
  std::string content_type;  ///< "audio/wav", …
  std::string etag;          ///< changes whenever the content does
  std::string path;          ///< of the file that holds it; never written to again
};

/// What an upload is, and so what is asked of it.
enum class UploadKind : std::uint8_t {
  prompt,     ///< anybody's file: at most PromptStore::max_bytes, and audio to its end
  recording,  ///< our own: any size and length, its beginning is looked at
  opaque      ///< an encrypted recording: not looked into
};

/// An upload under way. Nothing of it can be seen before commit(); destroying it without that leaves nothing behind.
class PromptUpload {
 public:
  virtual ~PromptUpload() = default;
  virtual StoreResult<void> write(std::span<const char> bytes) = 0;
  /// Checks that it is audio (see UploadKind), then puts it in place of what had the name before, all at once.
  virtual StoreResult<StoredPrompt> commit() = 0;
};

/// The prompts of all domains; nothing of one can be seen from another. Blocking: call it where blocking is allowed.
/// Thread-safe.
class PromptStore {
 public:
  static constexpr std::uint64_t max_bytes = 50ULL * 1024 * 1024;
  static constexpr std::size_t page = 1000;

  virtual ~PromptStore() = default;
  virtual StoreResult<std::unique_ptr<PromptUpload>> begin(const std::string& domain, const std::string& name,
                                                           UploadKind kind = UploadKind::prompt) = 0;
  /// By its exact name or, failing that, by its name without the extension.
  virtual StoreResult<StoredPrompt> find(const std::string& domain, const std::string& name) = 0;
  virtual StoreResult<void> remove(const std::string& domain, const std::string& name) = 0;
  struct Page {
    std::vector<StoredPrompt> prompts;  ///< by name
    std::optional<std::string> next;    ///< opaque; for the next call
  };
  /// `next`: of the page before, or empty for the first.
  virtual StoreResult<Page> list(const std::string& domain, const std::string& next) = 0;
};

inline constexpr std::size_t longest_name = 255;
/// 1–255 characters of UTF-8, no path separators, no control characters, neither "." nor "..". The error says which
/// rule is broken.
StoreResult<void> check_name(std::string_view name);

}  // namespace rw::storage
