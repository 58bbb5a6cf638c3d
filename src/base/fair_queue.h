#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace rw {

/// What waits for something that many share: owners (domains) take turns, one each; what one owner has put in comes out
/// in its order. So nobody waits for more than one of each other owner's, however much these have put in. Not
/// thread-safe.
template <class T>
class FairQueue {
 public:
  void put(std::string_view owner, T one) {
    auto found = lines_.find(std::string(owner));
    if (found == lines_.end()) {
      found = lines_.emplace(owner, turns_.emplace(turns_.end(), Line{std::string(owner), {}})).first;
    }
    found->second->waiting.push_back(std::move(one));
    ++size_;
  }

  /// The next one that `may(one)` be taken, of the owner whose turn it is. An owner that has none of these keeps its
  /// turn.
  template <class May>
  std::optional<T> take(const May& may) {
    for (auto line = turns_.begin(); line != turns_.end(); ++line) {
      auto found = std::ranges::find_if(line->waiting, may);
      if (found == line->waiting.end()) continue;
      std::optional<T> taken(std::move(*found));
      line->waiting.erase(found);
      --size_;
      if (line->waiting.empty()) {
        lines_.erase(line->owner);
        turns_.erase(line);
      } else {
        turns_.splice(turns_.end(), turns_, line);
      }
      return taken;
    }
    return std::nullopt;
  }
  std::optional<T> take() {
    return take([](const T&) { return true; });
  }

  /// Takes out all of the owner that `gone(one)`.
  template <class Gone>
  void remove(std::string_view owner, const Gone& gone) {
    const auto found = lines_.find(std::string(owner));
    if (found == lines_.end()) return;
    auto& waiting = found->second->waiting;
    size_ -= std::erase_if(waiting, gone);
    if (!waiting.empty()) return;
    turns_.erase(found->second);
    lines_.erase(found);
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t size(std::string_view owner) const {
    const auto found = lines_.find(std::string(owner));
    return found == lines_.end() ? 0 : found->second->waiting.size();
  }

 private:
  struct Line {
    std::string owner;
    std::deque<T> waiting;
  };
  std::list<Line> turns_;  ///< none is empty; the first one's turn is next
  std::unordered_map<std::string, typename std::list<Line>::iterator> lines_;
  std::size_t size_ = 0;
};

}  // namespace rw
