#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/failed_clients.h"
#include "sip/digest_server.h"
#include "sip/uri.h"
#include "sip/user_agent.h"
#include "tenant/directory.h"

namespace rw::call {

/// Decides whether whoever sends an INVITE may call the domain in its Request-URI, by the domain's trunks: networks,
/// X-Trunk-Key, digest. Asked before anything else is done for the INVITE. One per shard.
class CallerCheck {
 public:
  /// `silent`: who is not let in hears nothing, in place of 403. `algorithms`: by which passwords are proved.
  /// `most_failures`: keys and passwords that a source may guess in a minute; then none of its are looked at, unless it
  /// has been let into the domain lately: its guesses may be those of somebody else who forges its address. 0: any
  /// number.
  CallerCheck(bool silent, std::vector<sip::DigestAlgorithm> algorithms, std::size_t most_failures = 0)
      : silent_(silent), digest_(sip::DigestServer::most_nonces, std::move(algorithms)), failed_(most_failures) {}

  static constexpr std::string_view too_many_guesses =
      "sip.failed_authorisations_per_minute: its source has shown too many that are wrong";

  /// Status 0 also for a domain that takes all callers. One that is not here is answered as one that does not let the
  /// caller in, so that names can't be probed; but where all domains take all callers there is nothing to hide.
  sip::Admission decide(const tenant::Directory& directory, const sip::Message& invite, const sip::Flow& flow,
                        TimePoint now);

 private:
  sip::Admission decide(const tenant::Domain& domain, const sip::Message& invite, const sip::Flow& flow, TimePoint now);
  sip::Admission look_at(const tenant::Domain& domain, const sip::Message& invite, const sip::Flow& flow,
                         TimePoint now);
  void let_in(const std::string& who, TimePoint now);

  const bool silent_;
  sip::DigestServer digest_;
  net::FailedClients failed_;
  std::unordered_map<std::string, TimePoint> let_in_;  ///< domain and site → when it was last
};

/// Whose domain an INVITE calls; null: nobody's. By the Request-URI: the host of a sip: or sips: URI (or its parameter
/// `line`), the domain that the phone-context of a tel: URI names. A tel: URI that names none belongs to the domain
/// that has a trunk which lets the caller in, by its key if it shows one; if there are several such domains, to nobody.
tenant::Directory::Called called_domain(const tenant::Directory& directory, const sip::Uri& request_uri,
                                        const sip::Message& invite, const net::Address& source);

/// How sure it is that whoever calls is who it seems to be.
enum class CallerProof : std::uint8_t {
  none,     ///< anybody: its source may be forged
  network,  ///< its source is one of a trunk's networks, as far as a datagram tells
  secret    ///< it knows a trunk's key or password, or calls from such a network over a connection
};
/// `trunk`: the one over which the caller came, or null.
CallerProof proof_of(const tenant::Trunk* trunk, const sip::Flow& flow);

/// The trunk over which a caller that has been let in came, or null: the domain takes all callers.
const tenant::Trunk* trunk_of(const tenant::Domain& domain, const sip::Message& invite, const net::Address& source);

}  // namespace rw::call
