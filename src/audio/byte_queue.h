#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace rw::audio {

/// Bytes of a file that have come and have not been used yet, in order. One thread at a time.
class ByteQueue {
 public:
  void append(std::span<const char> bytes) {
    const auto skipped = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    if (bytes.empty()) return;
    bytes_.erase(0, std::exchange(at_, 0));
    bytes_.append(bytes.data(), bytes.size());
  }
  /// What is there. Valid until the next append().
  std::string_view view() const { return std::string_view(bytes_).substr(at_); }
  /// The next `count` bytes are of no use, even those that have not come yet.
  void drop(std::uint64_t count) {
    const auto there = std::min<std::uint64_t>(count, bytes_.size() - at_);
    at_ += there;
    skip_ += count - there;
  }
  /// No more come.
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

 private:
  std::string bytes_;
  std::size_t at_ = 0;      ///< how many of them have been used
  std::uint64_t skip_ = 0;  ///< how many of those to come are of no use
  bool ended_ = false;
};

}  // namespace rw::audio
