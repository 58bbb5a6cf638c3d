#include "tenant/fallback.h"

#include <algorithm>
#include <cctype>

namespace rw::tenant {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

std::shared_ptr<const Fallback> Fallbacks::at(std::string_view domain, std::string_view number,
                                              std::chrono::system_clock::time_point now) const {
  const auto found = all_.find({lower(domain), std::string(number)});
  return found == all_.end() || found->second->expires <= now ? nullptr : found->second;
}

std::shared_ptr<const Fallback> Fallbacks::find(std::string_view domain, std::string_view number,
                                                std::chrono::system_clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  if (all_.empty()) return nullptr;
  auto exact = at(domain, number, now);
  return exact ? exact : at(domain, {}, now);
}

std::shared_ptr<const Fallback> Fallbacks::get(std::string_view domain, std::string_view number,
                                               std::chrono::system_clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  return at(domain, number, now);
}

void Fallbacks::put(std::string_view domain, std::string_view number, Fallback fallback) {
  const std::lock_guard lock(mutex_);
  all_[{lower(domain), std::string(number)}] = std::make_shared<const Fallback>(std::move(fallback));
}

void Fallbacks::remove(std::string_view domain, std::string_view number) {
  const std::lock_guard lock(mutex_);
  all_.erase({lower(domain), std::string(number)});
}

void Fallbacks::replace(Map all) {
  const std::lock_guard lock(mutex_);
  all_ = std::move(all);
}

}  // namespace rw::tenant
