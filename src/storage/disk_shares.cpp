#include "storage/disk_shares.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace rw::storage {
namespace {

constexpr std::uint64_t block = 4096;
constexpr auto look_again = std::chrono::milliseconds(100);
constexpr std::uint64_t least_part = 8;  ///< the reserve is at most this part of the disk

}  // namespace

std::uint64_t DiskShares::on_disk(std::uint64_t bytes) {
  return std::max<std::uint64_t>(1, (bytes + block - 1) / block) * block;
}

DiskShares::Disk DiskShares::disk() const {
  struct statvfs facts {};
  if (::statvfs(options_.folder.c_str(), &facts) != 0) return {};  // it is gone: nothing more goes there
  const auto total = static_cast<std::uint64_t>(facts.f_blocks) * facts.f_frsize;
  return {static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize, std::min(options_.reserve, total / least_part)};
}

/// With the lock held.
StoreResult<void> DiskShares::ask(const std::string& domain, std::uint64_t bytes) {
  if (!domain.empty()) {
    const auto most = options_.most ? options_.most(domain) : 0;
    const auto found = used_.find(domain);
    const auto used = found == used_.end() ? 0 : found->second;
    if (most != 0 && (bytes > most || used > most - bytes)) {
      if (options_.refused) options_.refused(Bound::share);
      return refuse(StoreError::Kind::no_room, "no room: the domain has " + std::to_string(used) +
                                                   " bytes here, and its max_storage is " + std::to_string(most));
    }
  }
  if (const auto now = Clock::now(); now - seen_at_ >= look_again || seen_at_ == TimePoint{}) {
    seen_ = disk();
    seen_at_ = now;
    taken_since_ = 0;
  }
  if (seen_.free < seen_.reserve || seen_.free - seen_.reserve < taken_since_ + bytes) {
    if (options_.refused) options_.refused(Bound::reserve);
    return refuse(StoreError::Kind::no_room, "no room: the server's disk is nearly full");
  }
  return {};
}

StoreResult<void> DiskShares::may_take(const std::string& domain, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  return ask(domain, bytes);
}

StoreResult<void> DiskShares::take(const std::string& domain, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (auto asked = ask(domain, bytes); !asked) return asked;
  taken_since_ += bytes;
  if (!domain.empty()) used_[domain] += bytes;
  return {};
}

void DiskShares::add(const std::string& domain, std::uint64_t bytes) {
  if (domain.empty() || bytes == 0) return;
  const std::lock_guard lock(mutex_);
  used_[domain] += bytes;
}

void DiskShares::give_back(const std::string& domain, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(domain);
  if (found == used_.end()) return;
  found->second -= std::min(found->second, bytes);
  if (found->second == 0) used_.erase(found);
}

std::uint64_t DiskShares::used(const std::string& domain) const {
  const std::lock_guard lock(mutex_);
  const auto found = used_.find(domain);
  return found == used_.end() ? 0 : found->second;
}

HeldSpace::HeldSpace(HeldSpace&& other) noexcept
    : shares_(std::move(other.shares_)), domain_(std::move(other.domain_)), held_(std::exchange(other.held_, 0)) {}

HeldSpace& HeldSpace::operator=(HeldSpace&& other) noexcept {
  if (this == &other) return *this;
  release();
  shares_ = std::move(other.shares_);
  domain_ = std::move(other.domain_);
  held_ = std::exchange(other.held_, 0);
  return *this;
}

StoreResult<void> HeldSpace::grow_to(std::uint64_t size) {
  const auto wanted = DiskShares::on_disk(size);
  if (!shares_ || wanted <= held_) return {};
  if (auto taken = shares_->take(domain_, wanted - held_); !taken) return taken;
  held_ = wanted;
  return {};
}

void HeldSpace::grow_anyway(std::uint64_t size) {
  const auto wanted = DiskShares::on_disk(size);
  if (!shares_ || wanted <= held_) return;
  shares_->add(domain_, wanted - held_);
  held_ = wanted;
}

void HeldSpace::release() {
  if (shares_ && held_ > 0) shares_->give_back(domain_, held_);
  held_ = 0;
}

}  // namespace rw::storage
