#pragma once

#include <string>
#include <unordered_map>

namespace rw::sounds {

/// Places for what waits for others, by lane: one kind of speech engine, or a store of prompts elsewhere. A lane's last
/// quarter is for domains that have none of its places. Not thread-safe.
class Lanes {
 public:
  /// `most`: places of the lane.
  bool has_place(const std::string& lane, int most, const std::string& domain) const {
    constexpr int part_for_others = 4;
    const auto found = lanes_.find(lane);
    if (found == lanes_.end()) return true;
    const bool has_one = found->second.of_domain.contains(domain);
    return found->second.all < (has_one ? most - most / part_for_others : most);
  }
  void take(const std::string& lane, const std::string& domain) {
    auto& taken = lanes_[lane];
    ++taken.all;
    ++taken.of_domain[domain];
  }
  void give_back(const std::string& lane, const std::string& domain) {
    auto& taken = lanes_[lane];
    if (--taken.of_domain[domain] == 0) taken.of_domain.erase(domain);
    if (--taken.all == 0) lanes_.erase(lane);
  }

 private:
  struct Taken {
    int all = 0;
    std::unordered_map<std::string, int> of_domain;
  };
  std::unordered_map<std::string, Taken> lanes_;
};

}  // namespace rw::sounds
