#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tenant/fallback.h"

namespace rw::tenant {

/// Where fallback entries are kept for good. Calls may block and come from several threads, one at a time. An error
/// says what is wrong with the database; nothing has been changed then.
class FallbackStore {
 public:
  virtual ~FallbackStore() = default;
  /// A number that is another one after each change, by any node: what is known under it need not be read again.
  virtual Result<std::int64_t> revision() = 0;
  virtual Result<std::vector<Fallback>> load() = 0;
  /// Adds the entry, or replaces the one of its domain and number.
  virtual Result<void> put(const Fallback& entry) = 0;
  virtual Result<void> remove(const std::string& domain, const std::string& number) = 0;
  /// Deletes exactly this entry; nothing happens if another one has taken its place.
  virtual Result<void> remove(const Fallback& entry) = 0;
};

}  // namespace rw::tenant
