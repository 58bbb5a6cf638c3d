#include "tenant/fallbacks.h"

#include <utility>

#include "base/ascii.h"
#include "tenant/directory.h"

namespace rw::tenant {
namespace {

bool valid(const FallbackPtr& entry, std::int64_t now) {
  return entry->expires > now;
}

}  // namespace

std::string_view to_string(Fallback::Mode mode) {
  return mode == Fallback::Mode::always ? "always" : "onError";
}

Fallbacks::Fallbacks(std::unique_ptr<FallbackStore> store)
    : store_(std::move(store)), entries_(std::make_shared<const Entries>()) {}

std::shared_ptr<const Fallbacks::Entries> Fallbacks::entries() const {
  const std::lock_guard lock(reading_);
  return entries_;
}

void Fallbacks::set(Entries entries) {
  auto next = std::make_shared<const Entries>(std::move(entries));
  const std::lock_guard lock(reading_);
  entries_.swap(next);
}

FallbackPtr Fallbacks::get(std::string_view domain, std::string_view number, std::int64_t now) const {
  const auto all = entries();
  const auto of_domain = all->find(lower_case(domain));
  if (of_domain == all->end()) return nullptr;
  const auto found = of_domain->second.find(number);
  return found != of_domain->second.end() && valid(found->second, now) ? found->second : nullptr;
}

FallbackPtr Fallbacks::find(std::string_view domain, std::string_view number, std::int64_t now) const {
  auto entry = get(domain, number, now);
  return entry ? entry : get(domain, "", now);
}

std::vector<FallbackPtr> Fallbacks::list(std::string_view domain, std::int64_t now) const {
  std::vector<FallbackPtr> found;
  const auto all = entries();
  const auto of_domain = all->find(lower_case(domain));
  if (of_domain == all->end()) return found;
  for (const auto& [number, entry] : of_domain->second) {
    if (valid(entry, now)) found.push_back(entry);
  }
  return found;
}

Result<Fallbacks::Outcome> Fallbacks::put(Fallback entry, std::int64_t now) {
  const std::lock_guard lock(writing_);
  entry.domain = lower_case(entry.domain);
  if (list(entry.domain, now).size() >= most_fallbacks && !get(entry.domain, entry.number, now))
    return Outcome::too_many;
  if (auto kept = store_->put(entry); !kept) return tl::unexpected(kept.error());
  auto changed = *entries();
  const auto made = std::make_shared<const Fallback>(std::move(entry));
  changed[made->domain][made->number] = made;
  set(std::move(changed));
  return Outcome::changed;
}

Result<Fallbacks::Outcome> Fallbacks::remove(std::string_view domain, std::string_view number, std::int64_t now) {
  const std::lock_guard lock(writing_);
  if (!get(domain, number, now)) return Outcome::nothing_there;
  const auto key = lower_case(domain);
  if (auto removed = store_->remove(key, std::string(number)); !removed) return tl::unexpected(removed.error());
  auto changed = *entries();
  auto& of_domain = changed[key];
  of_domain.erase(std::string(number));
  if (of_domain.empty()) changed.erase(key);
  set(std::move(changed));
  return Outcome::changed;
}

Result<void> Fallbacks::refresh(std::int64_t now) {
  const std::lock_guard lock(writing_);
  const auto revision = store_->revision();  // read first: a change that comes between is read twice, not never
  if (!revision) return tl::unexpected(revision.error());
  if (revision_ != *revision) {
    auto loaded = store_->load();
    if (!loaded) return tl::unexpected(loaded.error());
    Entries changed;
    for (auto& entry : *loaded) {
      const auto made = std::make_shared<const Fallback>(std::move(entry));
      changed[made->domain][made->number] = made;
    }
    set(std::move(changed));
    revision_ = *revision;
  }
  return purge(now);
}

Result<void> Fallbacks::purge(std::int64_t now) {
  const auto known = entries();
  auto kept = *known;
  bool changed = false;
  for (const auto& [domain, by_number] : *known) {
    for (const auto& [number, entry] : by_number) {
      if (valid(entry, now)) continue;
      if (auto removed = store_->remove(*entry); !removed) return removed;
      kept[domain].erase(number);
      changed = true;
    }
    if (kept[domain].empty()) kept.erase(domain);
  }
  if (changed) set(std::move(kept));
  return {};
}

}  // namespace rw::tenant
