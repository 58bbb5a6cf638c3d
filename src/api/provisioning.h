#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/command_route.h"
#include "http/router.h"

namespace rw::api {

/// What can be provisioned.
enum class ProvisionedKind : std::uint8_t { domain, trunk, device, mediaservice };

/// One request of an operator.
struct ProvisioningRequest {
  enum class Verb : std::uint8_t { list, get, create, replace, patch, remove, audit };
  Verb verb = Verb::list;
  ProvisionedKind kind = ProvisionedKind::domain;
  std::string domain;        ///< in lower case; empty: all domains, or (create) the body names it
  std::string name;          ///< of the thing inside the domain; empty: all, or the body names it
  std::string next;          ///< where a list goes on; empty: from its beginning
  boost::json::object body;  ///< of create and replace; of patch: what changes (RFC 7396)
  /// If-Match (RFC 9110 13.1.1): a change is made only if the thing is there and has one of these tags; "*": any.
  std::optional<std::vector<std::string>> if_match;
  std::string who, address;  ///< for the audit trail
};

struct ProvisioningAnswer {
  int status = 200;
  std::string error, reason;    ///< of a failure; an empty code is the status's
  boost::json::object members;  ///< of a success
  std::string tag = {};         ///< of the thing as it is now, for ETag; empty: there is no one thing
};

/// Keeps what is provisioned. The REST API brings requests here.
class Provisioning {
 public:
  using Done = std::function<void(ProvisioningAnswer)>;
  virtual ~Provisioning() = default;
  /// `done` is called once, on any thread. From any thread; doesn't block.
  virtual void execute(ProvisioningRequest request, Done done) = 0;
};

/// Adds the paths under /provisioning, if there is a token.
void add_provisioning(http::Router& router, const std::shared_ptr<Routes>& routes);

}  // namespace rw::api
