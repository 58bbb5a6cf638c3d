#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "net/resolver.h"
#include "sip/flow.h"

namespace rw::app {

/// Answers the look-ups of SIP's layers: a URI becomes flows, each from a listener of ours that can reach it. Belongs
/// to the thread of its loop.
class NextHops {
 public:
  using Handler = std::function<void(std::vector<sip::Flow>)>;

  /// Throws std::runtime_error if DNS can't be set up.
  NextHops(boost::asio::io_context& loop, std::vector<net::Address> dns_servers, std::vector<sip::Flow> listeners);

  /// `handler` is called exactly once, never from inside find(), with the best hop first; none: there is no way.
  void find(const std::string& uri, Handler handler);

 private:
  std::vector<sip::Flow> listeners_;
  net::Resolver resolver_;
};

}  // namespace rw::app
