#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/time.h"
#include "sip/digest_server.h"
#include "sip/user_agent.h"
#include "tenant/directory.h"

namespace rw::call {

/// Decides whether whoever sends an INVITE may call the domain in its Request-URI, by the domain's trunks: networks,
/// X-Trunk-Key, digest. Asked before anything else is done for the INVITE. One per shard.
class CallerCheck {
 public:
  /// `silent`: who is not let in hears nothing, in place of 403. `algorithms`: by which passwords are proved.
  CallerCheck(bool silent, std::vector<sip::DigestAlgorithm> algorithms)
      : silent_(silent), digest_(sip::DigestServer::most_nonces, std::move(algorithms)) {}

  /// Status 0 also for a domain that takes all callers. One that is not here is answered as one that does not let the
  /// caller in, so that names can't be probed; but where all domains take all callers there is nothing to hide.
  sip::Admission decide(const tenant::Directory& directory, const sip::Message& invite, const sip::Flow& flow,
                        TimePoint now);

 private:
  sip::Admission decide(const tenant::Domain& domain, const sip::Message& invite, const sip::Flow& flow, TimePoint now);

  const bool silent_;
  sip::DigestServer digest_;
};

/// The trunk over which a caller that has been let in came, or null: the domain takes all callers.
const tenant::Trunk* trunk_of(const tenant::Domain& domain, const sip::Message& invite, const net::Address& source);

}  // namespace rw::call
