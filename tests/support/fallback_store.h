#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tenant/fallback_store.h"

/// A database of fallback entries that can be away, and that several servers share.
namespace rw::tenant::fake {

struct Kept {
  std::map<std::pair<std::string, std::string>, Fallback> entries;
  std::int64_t revision = 0;
  bool away = false;
  int loads = 0;
};

class FallbackStore final : public tenant::FallbackStore {
 public:
  explicit FallbackStore(std::shared_ptr<Kept> kept) : kept_(std::move(kept)) {}
  Result<std::int64_t> revision() override {
    if (kept_->away) return fail("it is away");
    return kept_->revision;
  }
  Result<std::vector<Fallback>> load() override {
    ++kept_->loads;
    std::vector<Fallback> all;
    for (const auto& [key, entry] : kept_->entries) all.push_back(entry);
    return all;
  }
  Result<void> put(const Fallback& entry) override {
    return change([&] { kept_->entries[{entry.domain, entry.number}] = entry; });
  }
  Result<void> remove(const std::string& domain, const std::string& number) override {
    return change([&] { kept_->entries.erase({domain, number}); });
  }
  Result<void> remove(const Fallback& entry) override {
    return change([&] { std::erase_if(kept_->entries, [&](const auto& one) { return one.second == entry; }); });
  }

 private:
  template <class Job>
  Result<void> change(Job job) {
    if (kept_->away) return fail("it is away");
    job();
    ++kept_->revision;
    return {};
  }
  std::shared_ptr<Kept> kept_;
};

}  // namespace rw::tenant::fake
