#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"

namespace rw::net {

/// Finds out where a SIP request has to go (RFC 3263): NAPTR, SRV by priority and weight, A and AAAA. Belongs to the
/// thread of its loop.
class Resolver {
 public:
  enum class Transport : std::uint8_t { udp, tcp, tls };
  /// What of a sip: or sips: URI matters here.
  struct Target {
    std::string host;        ///< a name, or an IP address without brackets
    std::uint16_t port = 0;  ///< 0: not given
    std::optional<Transport> transport;
    bool secure = false;  ///< sips:
  };
  struct Hop {
    Transport transport = Transport::udp;
    Address address;
    bool operator==(const Hop&) const = default;
  };
  /// A way for us to send: hops for which there is none are left out.
  struct Way {
    Transport transport = Transport::udp;
    bool v6 = false;
  };
  struct Options {
    std::vector<Address> servers;  ///< DNS; empty: the system's
    std::vector<Way> ways;
    std::chrono::milliseconds time_limit{5000};  ///< then what is known by then is the result
  };
  /// Best first. None: there is no such host, or no way to it.
  using Handler = std::function<void(std::vector<Hop>)>;

  static constexpr std::size_t most_hops = 16;
  static constexpr std::size_t most_at_once = 2000;  ///< further ones find nothing

  /// Throws std::runtime_error if DNS can't be set up.
  Resolver(boost::asio::io_context& loop, Options options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// `handler` is called exactly once, never from inside resolve(), and not after the resolver is gone.
  void resolve(Target target, Handler handler);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rw::net
