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

/// The fallback entries of all domains: kept in a store, and all of them in memory, so that a call needs no database.
/// Times are seconds since 1970. Thread-safe.
class Fallbacks {
 public:
  explicit Fallbacks(std::unique_ptr<FallbackStore> store);

  /// The entry of the number, else the domain's entry for all; null: there is none that has not expired. Never blocks.
  std::shared_ptr<const Fallback> find(std::string_view domain, std::string_view number, std::int64_t now) const;
  /// The entry of exactly that number (empty: the one for all), or null.
  std::shared_ptr<const Fallback> get(std::string_view domain, std::string_view number, std::int64_t now) const;
  /// Those of a domain, in the order of their numbers; the one for all comes first.
  std::vector<std::shared_ptr<const Fallback>> list(std::string_view domain, std::int64_t now) const;

  enum class Refusal : std::uint8_t { none, too_many, store };
  struct Outcome {
    Refusal refusal = Refusal::none;
    std::string reason;
    bool changed = false;
  };
  /// Adds or replaces; in use when it returns. Blocks.
  Outcome put(Fallback entry, std::int64_t now);
  /// Deletes; `changed`: there was one. Blocks.
  Outcome remove(const std::string& domain, const std::string& number, std::int64_t now);

  /// Takes in what other nodes have changed, and deletes what has expired. Blocks. What is known stays in use if the
  /// database is away, which is the error.
  Result<void> refresh(std::int64_t now);

 private:
  /// By number, for each domain in lower case.
  using Entries = std::map<std::string, std::map<std::string, std::shared_ptr<const Fallback>, std::less<>>, std::less<>>;
  std::shared_ptr<const Entries> entries() const;
  std::map<std::string, std::shared_ptr<const Fallback>, std::less<>> of_domain(std::string_view domain) const;
  void change(const std::string& domain, const std::string& number, std::shared_ptr<const Fallback> entry,
              std::int64_t now);
  void set(Entries entries);

  const std::unique_ptr<FallbackStore> store_;
  std::mutex writing_;  ///< held while the store is at work: what it says is in step with what is known
  std::optional<std::int64_t> revision_;
  mutable std::mutex reading_;  ///< for the pointer only
  std::shared_ptr<const Entries> entries_;
};

}  // namespace rw::tenant
