#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "sip/digest.h"
#include "sip/message.h"
#include "sip/user_agent.h"

namespace rw::sip {

/// The client's side of digest authentication for one call: whom it has credentials for, who has asked, and with which
/// nonce (RFC 3261 22.2 and 22.3).
class DigestClient {
 public:
  /// How often each asker has been answered for one request, whatever its number of attempts.
  using Tries = std::map<std::string, int>;

  explicit DigestClient(std::vector<Credentials> credentials) : credentials_(std::move(credentials)) {}

  /// Takes the challenges of a 401 or 407. False: sending the request again would be of no use.
  bool challenged(const Message& response, Tries& tries);
  /// Answers everybody who has asked so far, in place of what the request has.
  void authorise(Message& request, IdSource& ids);

 private:
  struct Asker {
    bool proxy = false;
    DigestChallenge challenge;
    std::size_t credentials = 0;  ///< index
    std::uint32_t nonce_count = 0;
  };
  std::vector<Credentials> credentials_;
  std::map<std::string, Asker> askers_;
};

}  // namespace rw::sip
