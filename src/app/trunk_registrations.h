#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "app/shard.h"
#include "sip/registration.h"

namespace rw::app {

/// Keeps those trunks registered that want it. Lives on the first shard's loop.
class TrunkRegistrations {
 public:
  TrunkRegistrations(boost::asio::io_context& loop, const Shared& shared, const std::string& shard_tag);

  /// Registers the directory's trunks that want it. A binding of a trunk that has gone is removed; one that has changed
  /// is removed first and made anew then. After stop() nothing is begun.
  void follow(const tenant::Directory& directory);
  /// Removes the bindings.
  void stop();
  /// Leaves them as they are, to another process.
  void abandon();
  /// How many have not been removed, or given up, since stop(). From any thread.
  std::size_t remaining() const { return remaining_.load(std::memory_order_relaxed); }

  /// False: not a response to one of ours. Cheap for what is no response to a REGISTER.
  bool receive(std::string_view message);
  void connection_closed(const sip::Flow& flow);

 private:
  /// What a trunk wants.
  struct Wish {
    std::string proxy, address_of_record, realm, username, password, line;
    bool operator==(const Wish&) const = default;
  };
  using Name = std::pair<std::string, std::string>;  ///< domain, trunk
  struct Entry {
    Name name;
    Wish wish;
    std::unique_ptr<sip::Registration> registration;
    bool leaving = false;
    sip::Registration::State said = sip::Registration::State::unregistered;  ///< in log and metrics
    std::string problem;
  };
  using Id = std::uint64_t;

  static std::map<Name, Wish> wishes_of(const tenant::Directory& directory);
  /// Begins what is wanted and can begin, and forgets what has left.
  void reconcile();
  void begin(const Name& name, const Wish& wish);
  void settle(Id id);
  void settle_all();
  void look_up(Id id, const sip::Lookup& lookup);
  void tell(Entry& entry) const;
  /// After each input: sets the next timer.
  void arm();

  const Shared& shared_;
  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  const std::string shard_tag_;
  std::map<Name, Wish> wanted_;
  std::map<Id, Entry> entries_;
  Id last_id_ = 0;
  bool stopped_ = false;
  std::atomic<std::size_t> remaining_{0};
};

}  // namespace rw::app
