#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sip/flow.h"
#include "sip/message.h"
#include "sip/user_agent.h"

namespace rw::sip {

struct RegistrationOptions {
  std::string registrar;          ///< URI of the next hop; with an lr parameter it is put into Route too
  std::string address_of_record;  ///< sip:user@host; the Request-URI is its host's
  Credentials credentials;        ///< an empty username: none
  std::string server_name;        ///< User-Agent; empty: none
  std::string shard_tag;          ///< begins Call-ID, tag and branches
  std::string advertise;          ///< host for Contact and Via; empty: the flow's local address
  std::string line;               ///< the Contact's parameter of that name, or empty: none
  std::chrono::seconds expires{3600};
  Duration t1 = std::chrono::milliseconds(500);
};

/// Keeps one address of record bound to us at a registrar (RFC 3261 section 10): refreshed when 80 % of its time have
/// passed; tried again after a failure, at ever longer intervals. Sans-IO like UserAgent: messages, look-ups and time
/// go in, messages and look-ups come out.
class Registration {
 public:
  enum class State : std::uint8_t {
    unregistered,  ///< not begun, or removed
    registering,   ///< under way, for the first time or after a failure
    registered,    ///< also while it is being refreshed
    failed         ///< problem() says why; it will be tried again
  };

  static constexpr std::chrono::seconds first_pause{30}, longest_pause{600};  ///< between a failure and the next try

  explicit Registration(RegistrationOptions options);
  ~Registration();

  void start(TimePoint now);
  /// Removes the binding, if there may be one. over() tells when that is done, or has failed.
  void stop(TimePoint now);

  // ---- input, as for UserAgent
  /// False: not a response to a request of ours.
  bool receive(const Message& response, TimePoint now);
  void connection_closed(const Flow& flow, TimePoint now);
  void resolved(std::uint64_t lookup, std::vector<Flow> hops, TimePoint now);
  void advance(TimePoint now);

  // ---- output
  std::optional<TimePoint> next_timer() const;
  void take_lookups(std::vector<Lookup>& into);
  void take_transmits(std::vector<Transmit>& into);

  State state() const;
  /// Why the last attempt failed; empty if it did not.
  const std::string& problem() const;
  /// How long the registrar keeps the binding.
  std::chrono::seconds granted() const;
  /// Stopped, with nothing under way.
  bool over() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

std::string_view name(Registration::State state);

}  // namespace rw::sip
