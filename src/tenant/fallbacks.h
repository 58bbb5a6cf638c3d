#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tenant/fallback.h"
#include "tenant/fallback_store.h"

namespace rw::tenant {

using FallbackPtr = std::shared_ptr<const Fallback>;

/// The fallback entries of all domains: kept in a store, and all of them in memory, so that a call needs no database.
/// Domains are told apart without regard to case; times are seconds since 1970. Thread-safe.
class Fallbacks {
 public:
  explicit Fallbacks(std::unique_ptr<FallbackStore> store);

  /// The entry of the number, else the domain's entry for all; null: there is none that has not expired. Never blocks.
  FallbackPtr find(std::string_view domain, std::string_view number, std::int64_t now) const;
  /// The entry of exactly that number (empty: the one for all), or null.
  FallbackPtr get(std::string_view domain, std::string_view number, std::int64_t now) const;
  /// Those of a domain, in the order of their numbers; the one for all comes first.
  std::vector<FallbackPtr> list(std::string_view domain, std::int64_t now) const;

  enum class Outcome : std::uint8_t { changed, nothing_there, too_many };
  /// Adds or replaces; in use when it returns. Blocks. The error tells of the database; nothing has changed then.
  Result<Outcome> put(Fallback entry, std::int64_t now);
  /// Blocks; the error is the same.
  Result<Outcome> remove(std::string_view domain, std::string_view number, std::int64_t now);

  /// Takes in what other nodes have changed, and deletes what has expired. Blocks. While the database is away, which is
  /// the error, what is known stays in use.
  Result<void> refresh(std::int64_t now);

 private:
  using ByNumber = std::map<std::string, FallbackPtr, std::less<>>;
  using Entries = std::map<std::string, ByNumber, std::less<>>;  ///< by domain
  std::shared_ptr<const Entries> entries() const;
  void set(Entries entries);
  Result<void> purge(std::int64_t now);

  const std::unique_ptr<FallbackStore> store_;
  std::mutex writing_;  ///< held while the store is at work: what it says is in step with what is known
  std::optional<std::int64_t> revision_;
  mutable std::mutex reading_;  ///< for the pointer only
  std::shared_ptr<const Entries> entries_;
};

}  // namespace rw::tenant
