#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rw::call {

/// Phrases of one reply that could not be played, all of one kind: what one alarm tells.
struct PhraseFailure {
  /// Why, as far as it makes another kind.
  enum class Cause : std::uint8_t { unreadable, failed, timed_out };
  Cause cause = Cause::failed;
  std::string format;                     ///< of the first
  std::string description;                ///< of the first
  std::vector<std::string> further = {};  ///< a few other descriptions
  std::size_t count = 1;                  ///< of the phrases

  /// As `error` of the alarm.
  std::string_view error() const;
  /// As `errorDetails`; `count` and `further` only if there are more than one. `field`: left out if it is empty.
  boost::json::object details(std::string_view field = {}) const;
};

/// Gathers them, so that a reply with many makes few alarms: one for each kind when it is first seen, and one in the
/// end for what came later.
class PhraseFailures {
 public:
  using Tell = std::function<void(const PhraseFailure&)>;

  void add(PhraseFailure::Cause cause, std::string_view format, std::string_view description);
  /// Tells of the kinds of which nothing has been told yet.
  void tell_new(const Tell& tell);
  /// Tells of all that has not been told, and forgets all.
  void tell_rest(const Tell& tell);

 private:
  struct Kind {
    std::string known_format;  ///< empty: one that nobody knows
    PhraseFailure pending;     ///< what has not been told; count 0: nothing
    bool told = false;
  };
  std::vector<Kind> kinds_;
};

}  // namespace rw::call
