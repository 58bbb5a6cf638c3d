#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/time.h"
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

/// Whose domain an INVITE calls; null: nobody's. By the Request-URI: the host of a sip: or sips: URI (or its parameter
/// `line`), the domain that the phone-context of a tel: URI names. A tel: URI that names none belongs to the domain
/// that has a trunk which lets the caller in, by its key if it shows one; if there are several such domains, to nobody.
tenant::Directory::Called called_domain(const tenant::Directory& directory, const sip::Uri& request_uri,
                                        const sip::Message& invite, const net::Address& source);

/// The trunk over which a caller that has been let in came, or null: the domain takes all callers.
const tenant::Trunk* trunk_of(const tenant::Domain& domain, const sip::Message& invite, const net::Address& source);

}  // namespace rw::call
