#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "storage/prompt_store.h"

namespace rw::storage {

/// How much of the server's own disk each domain has, and may have. First comes the domain's bound (max_storage), then
/// what is kept free for the server's own data (the reserve). Asked before the bytes are written. Thread-safe.
class DiskShares {
 public:
  /// Which of the two stands in the way.
  enum class Bound : std::uint8_t { share, reserve };
  struct Options {
    std::string folder;                     ///< the reserve is that of its file system
    std::uint64_t reserve = 256ULL << 20U;  ///< bytes; but at most an eighth of the disk
    /// Bytes that a domain may have; 0: any number.
    std::function<std::uint64_t(const std::string& domain)> most;
    std::function<void(Bound)> refused = {};  ///< told of each refusal; may be empty
  };
  explicit DiskShares(Options options) : options_(std::move(options)) {}

  /// What a file of so many bytes takes of the disk: whole blocks, one at least.
  static std::uint64_t on_disk(std::uint64_t bytes);

  /// Whether the domain may have so many bytes more. The error says which bound stands in the way.
  StoreResult<void> may_take(const std::string& domain, std::uint64_t bytes);
  /// The same, and counts them. A domain without a name has no bound of its own, and nothing is counted for it.
  StoreResult<void> take(const std::string& domain, std::uint64_t bytes);
  /// Counts them without asking: they are there.
  void add(const std::string& domain, std::uint64_t bytes);
  void give_back(const std::string& domain, std::uint64_t bytes);
  std::uint64_t used(const std::string& domain) const;

  /// The disk as it is now, in bytes.
  struct Disk {
    std::uint64_t free = 0, reserve = 0;
    bool full() const { return free <= reserve; }  ///< domains get nothing more
    bool nearly_full() const { return free <= 2 * reserve; }
  };
  Disk disk() const;

 private:
  StoreResult<void> ask(const std::string& domain, std::uint64_t bytes);

  const Options options_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::unordered_map<std::string, std::uint64_t> used_;
  Disk seen_;
  TimePoint seen_at_{};
  std::uint64_t taken_since_ = 0;  ///< of which the disk may not know yet
};

/// What one file takes of a domain's share: given back with this object.
class HeldSpace {
 public:
  /// `shares`: null: nothing is bounded, nor counted. `domain`: empty: only the reserve is looked at.
  HeldSpace(std::shared_ptr<DiskShares> shares, std::string domain)
      : shares_(std::move(shares)), domain_(std::move(domain)) {}
  HeldSpace(HeldSpace&& other) noexcept;
  HeldSpace& operator=(HeldSpace&& other) noexcept;
  HeldSpace(const HeldSpace&) = delete;
  HeldSpace& operator=(const HeldSpace&) = delete;
  ~HeldSpace() { release(); }

  /// The file is to have so many bytes.
  StoreResult<void> grow_to(std::uint64_t size);
  /// The same, without asking.
  void grow_anyway(std::uint64_t size);
  void release();

 private:
  std::shared_ptr<DiskShares> shares_;
  std::string domain_;
  std::uint64_t held_ = 0;
};

}  // namespace rw::storage
