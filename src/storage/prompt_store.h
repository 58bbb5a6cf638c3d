#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
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
  enum class Kind : std::uint8_t {
    not_found,
    invalid_name,
    too_large,
    no_room,  ///< the domain has all that it may have, or the disk is nearly full
    not_audio,
    storage,         ///< the disk, the database, or an answer of S3 that can't be right
    unavailable,     ///< S3 can't be reached, or is overloaded: later, perhaps
    refused,         ///< S3 refuses: its credentials, rights or bucket are for the operator to look at
    changed,         ///< the file was replaced meanwhile
    not_configured,  ///< there is nothing to move to
    destination,     ///< where a file was to be moved didn't take it
  };
  Kind kind = Kind::storage;
  std::string message;  ///< a sentence that names what was wrong
};

template <class T>
using StoreResult = tl::expected<T, StoreError>;

inline tl::unexpected<StoreError> refuse(StoreError::Kind kind, std::string message) {
  return tl::unexpected(StoreError{kind, std::move(message)});
}

/// A stored prompt.
struct StoredPrompt {
  std::string name;
  std::uint64_t size = 0;
  std::string content_type;  ///< "audio/wav", …; not in a list of a remote() store
  std::string etag;          ///< changes whenever the content does
  /// Of the file that holds it; never written to again. It can be opened for at least a minute, if the prompt isn't
  /// replaced meanwhile, and what has been opened can be read to its end. Of a remote() store only find() tells it.
  std::string path;
};

/// What an upload is: how large it may get and what it is checked for.
enum class UploadKind : std::uint8_t {
  prompt,     ///< audio that can be decoded to its end, up to PromptStore::max_bytes
  recording,  ///< audio by its beginning, up to PromptStore::max_recording_bytes
  opaque,     ///< anything, as large as a recording: application/octet-stream
};

/// An upload under way. Nothing of it can be seen before commit(); destroying it without that leaves nothing behind.
class PromptUpload {
 public:
  virtual ~PromptUpload() = default;
  virtual StoreResult<void> write(std::span<const char> bytes) = 0;
  /// After the last write(): checks some more of whether it is what its kind says, for about 50 ms of computing. True:
  /// all has been checked. For those who want to do it in turns with others; commit() does what is left.
  virtual StoreResult<bool> check_some() { return true; }
  /// Checks that it is what its kind says, then puts it in place of what had the name before, all at once.
  virtual StoreResult<StoredPrompt> commit() = 0;
};

/// Where in S3 a prompt is moved to.
struct MoveDestination {
  std::string region;
  std::string bucket;
  std::string key;
  std::string kms_key;  ///< SSE-KMS under this key; empty: as the bucket does it
};

/// The prompts of all domains; nothing of one can be seen from another. Blocking: call it where blocking is allowed.
/// Thread-safe.
class PromptStore {
 public:
  static constexpr std::uint64_t max_bytes = 50ULL * 1024 * 1024;
  static constexpr std::uint64_t max_recording_bytes = 4ULL * 1024 * 1024 * 1024;
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

  /// A prompt as anybody may fetch it who has a URL of it.
  struct Link {
    std::string name;  ///< its whole name
    std::string url;   ///< where the store itself serves it; empty: it doesn't
  };
  /// `valid`: how long the URL may be used.
  virtual StoreResult<Link> link(const std::string& domain, const std::string& name, std::chrono::seconds valid);
  /// Copies a prompt (by its exact name) to S3, checks the copy, then removes the prompt. What fails before that leaves
  /// it where it is; so does a replacement that was uploaded meanwhile (`changed`).
  virtual StoreResult<void> move(const std::string& domain, const std::string& name,
                                 const MoveDestination& destination);
  /// Prompts may be changed by others, without on_change: what find() said should be asked again after
  /// `revalidate_after`.
  virtual bool remote() const { return false; }
  static constexpr std::chrono::seconds revalidate_after{5};
  /// Ends what waits for another machine; whatever needs one from now on is `unavailable`.
  virtual void stop() {}

  /// `changed` is called, on whatever thread did it, when a prompt of a domain has been replaced or removed through
  /// this store. Before the store is used.
  void on_change(std::function<void(const std::string& domain)> changed) { changed_ = std::move(changed); }

 protected:
  void tell_change(const std::string& domain) const {
    if (changed_) changed_(domain);
  }

 private:
  std::function<void(const std::string&)> changed_;
};

inline constexpr std::size_t longest_name = 255;
/// 1–255 characters of UTF-8, no path separators, no control characters, neither "." nor "..". The error says which
/// rule is broken.
StoreResult<void> check_name(std::string_view name);

}  // namespace rw::storage
