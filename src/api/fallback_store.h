#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "tenant/fallback.h"

namespace rw::api {

/// Where fallbacks are kept. Thread-safe; put() and remove() may block. An error: the database is away, and nothing has
/// changed.
class FallbackStore {
 public:
  virtual ~FallbackStore() = default;
  /// `number`: empty: the domain's for any number. Null: there is none.
  virtual std::shared_ptr<const tenant::Fallback> get(const std::string& domain, const std::string& number) = 0;
  virtual Result<void> put(const std::string& domain, const std::string& number, tenant::Fallback fallback) = 0;
  virtual Result<void> remove(const std::string& domain, const std::string& number) = 0;
};

}  // namespace rw::api
