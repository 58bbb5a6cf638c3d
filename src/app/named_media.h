#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sip/user_agent.h"

namespace rw::app {

/// Between the user agent and the calls: descriptions whose c= lines have names in place of addresses (RFC 8866 5.7)
/// get the addresses before anybody reads them. What happens to a leg meanwhile waits its turn. Belongs to a shard.
class NamedMedia {
 public:
  /// Names that are looked up for one description; what is left of them can't be served.
  static constexpr int most_names = 4;
  /// Events of a leg that wait meanwhile. Of more, provisional responses are dropped: they come without being asked
  /// for.
  static constexpr std::size_t most_waiting = 32;

  /// Finds a host's address; `found` is called later, once, with an empty text if there is none.
  using Find = std::function<void(const std::string& host, std::function<void(std::string address)> found)>;
  using Take = std::function<void(const sip::Event& event)>;
  /// `take`: whose events they are.
  NamedMedia(Find find, Take take) : find_(std::move(find)), take_(std::move(take)) {}

  /// Hands the event on, now or when its turn has come.
  void pass(sip::Event event);

 private:
  /// False: something has to be looked up first.
  bool is_ready(sip::Event& event, int names);
  void found(sip::LegId leg, const std::string& name, const std::string& address, int names);

  const Find find_;
  const Take take_;
  std::unordered_map<sip::LegId, std::deque<sip::Event>> waiting_;  ///< the first one waits for a name
};

}  // namespace rw::app
