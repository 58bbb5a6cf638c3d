#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.h"

namespace rw::net {

/// Asks the DNS (and /etc/hosts, first) without blocking, by c-ares. What was answered is kept for its time to live, at
/// most 5 minutes; that there is nothing, for 5 seconds. A question that is under way is not asked a second time.
/// Belongs to the thread of its loop.
class DnsClient {
 public:
  enum class Type : std::uint8_t { naptr, srv, address };
  struct Naptr {
    std::uint16_t order = 0, preference = 0;
    std::string flags, service, replacement;  ///< flags and service in lower case
  };
  struct Srv {
    std::uint16_t priority = 0, weight = 0, port = 0;
    std::string target;  ///< empty: "." on the wire, the service is decidedly not there (RFC 2782)
  };
  /// Of what was asked for; empty if there is nothing, or nobody said.
  struct Records {
    std::vector<Naptr> naptr;
    std::vector<Srv> srv;
    std::vector<Address> addresses;  ///< port 0; the order is RFC 6724's
  };
  using Handler = std::function<void(const std::shared_ptr<const Records>&)>;

  struct Options {
    std::vector<Address> servers;  ///< empty: the system's
    bool v4 = true, v6 = true;     ///< which addresses are of use
  };

  static constexpr std::size_t most_records = 32;  ///< of one answer; the rest is left
  static constexpr std::size_t most_remembered = 4096;
  static constexpr std::size_t most_questions = 1000;  ///< under way; further ones find nothing

  /// Throws std::runtime_error if c-ares can't be set up.
  DnsClient(boost::asio::io_context& loop, const Options& options);
  ~DnsClient();
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  /// `handler` is called exactly once, perhaps from inside ask(); never after the client is gone.
  void ask(Type type, const std::string& name, Handler handler);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rw::net
