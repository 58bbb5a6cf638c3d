#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace rw::app {

/// Where the process that takes calls listens for the one that is to take over from it.
std::string takeover_path(const std::string& data_dir);

/// A listening socket that one process can give another.
struct OfferedSocket {
  std::string kind;    ///< "udp", "tcp", "http"
  std::string wanted;  ///< as the configuration names it: "127.0.0.1:5060", perhaps with port 0
  int descriptor = -1;
};

/// What the earlier process says when it has stopped reading from them.
struct HandedOver {
  std::vector<std::string> marks;         ///< its own, and those of earlier ones that still have calls
  std::vector<std::string> transactions;  ///< keys of server transactions (sip::Ownership)
  std::string http;                       ///< address at which its API goes on
  std::size_t sessions = 0;
};

/// The process that this one takes over from, while this one starts. May block: for the main thread.
class Predecessor {
 public:
  /// Null: no process takes calls for this data_dir. An error: there is one, but it doesn't answer.
  static Result<std::unique_ptr<Predecessor>> find(const std::string& data_dir);
  ~Predecessor();
  Predecessor(const Predecessor&) = delete;
  Predecessor& operator=(const Predecessor&) = delete;

  /// Its socket for a listener of the configuration, the caller's to close; -1: it has none. Each is given once.
  int socket(const std::string& kind, const std::string& wanted);
  /// From its answer on it reads nothing from the sockets that were asked for, and takes no new calls.
  Result<HandedOver> take();
  /// The connection, for a net::LocalLink.
  int release();

 private:
  explicit Predecessor(int link) : link_(link) {}
  int link_;
  std::vector<OfferedSocket> offered_;
  std::vector<std::size_t> taken_;  ///< places in offered_
};

}  // namespace rw::app
