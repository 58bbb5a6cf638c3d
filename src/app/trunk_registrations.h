#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/shard.h"
#include "sip/registration.h"

namespace rw::app {

/// Keeps those trunks registered that want it. Lives on the first shard's loop.
class TrunkRegistrations {
 public:
  TrunkRegistrations(boost::asio::io_context& loop, const Shared& shared, const std::string& shard_tag);

  void start();
  /// Removes the bindings.
  void stop();
  /// How many have not been removed, or given up, since stop(). From any thread.
  std::size_t remaining() const { return remaining_.load(std::memory_order_relaxed); }

  /// False: not a response to one of ours. Cheap for what is no response to a REGISTER.
  bool receive(std::string_view message);
  void connection_closed(const sip::Flow& flow);

 private:
  struct Entry {
    std::string domain, trunk;
    std::unique_ptr<sip::Registration> registration;
    sip::Registration::State said = sip::Registration::State::unregistered;  ///< in log and metrics
    std::string problem;
  };

  void settle(std::size_t index);
  void settle_all();
  void look_up(std::size_t index, const sip::Lookup& lookup);
  void tell(Entry& entry) const;
  /// After each input: sets the next timer.
  void arm();

  const Shared& shared_;
  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  std::vector<Entry> entries_;
  std::atomic<std::size_t> remaining_;
};

}  // namespace rw::app
