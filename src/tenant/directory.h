#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/address.h"

/// Who is served: domains (tenants) with their mediaservices and trunks. Plain data, shared read-only between threads.
namespace rw::tenant {

/// One configured service of a domain: which numbers, and whose application is asked.
struct Mediaservice {
  std::string domain;  ///< the domain's name
  std::string id;
  std::vector<std::string> numbers;  ///< SIP user parts; `*` matches any run of characters
  std::string callback_url;          ///< without a trailing slash
  std::string secondary_callback_url;
  std::string alarm_url;
  /// The operator has written the three URLs into the configuration file: they may lead to any address. Others may only
  /// lead to where [fetch] allows.
  bool trusted_urls = false;
  /// The callback URL is one that a caller of the API has brought for a call; it is never trusted. See with_base().
  bool own_base = false;
  std::string basic;        ///< "user:password", or empty
  std::string bearer;       ///< fixed token, or empty
  std::string signing_key;  ///< PEM text of the key, or empty
  /// PEM texts of the certificate that is shown to the application's server (mutual TLS) and its key; both or none.
  std::string client_certificate, client_key;
  std::string
      ca;  ///< PEM text of the certificates that the application's server is checked against; empty: the system's
  std::string tone_plan = "eu";
  std::map<std::string, int, std::less<>> drop_codes;  ///< SIP statuses in place of the usual ones, by dropCode
  bool identify_calls = false;
  bool allow_refer = false;  ///< REFER is put to the application; otherwise it is refused with 603
  std::string hold_music;    ///< prompt file that a party hears while the other holds it, or empty: silence

  bool trusts_callback_url() const { return trusted_urls && !own_base; }
};

/// The mediaservice as a call knows it that has brought a base for its callbacks: no other one, and not a trusted one.
std::shared_ptr<const Mediaservice> with_base(const Mediaservice& service, std::string url);

/// How much is let through; a number that is absent does not limit.
struct Limits {
  std::optional<std::size_t> max_calls;  ///< at a time
  std::optional<double> calls_per_second;
};

/// A way in, a way out, or both.
struct Trunk {
  std::string name;
  Limits limits;

  // ---- inbound
  std::vector<net::Network> allow;  ///< empty: from anywhere, if there is a password to prove; else from nowhere
  std::string key;                  ///< X-Trunk-Key, or empty
  std::string inbound_username, inbound_password;  ///< what callers have to prove by digest (RFC 8760), or empty

  // ---- outbound
  std::string proxy;  ///< SIP URI that calls over it are sent to; empty: none are
  std::vector<std::string>
      hosts;  ///< host parts of the destinations that go over it, in lower case; "*": see trunk_for()
  std::vector<net::Network> host_networks;  ///< those of `hosts` that are addresses or networks
  std::optional<bool> tel;                  ///< whether it takes tel: destinations; absent: see trunk_for()
  std::string username, password, realm;    ///< for digest; an empty realm: whichever the proxy names
  bool trusted = false;      ///< P-Asserted-Identity is sent even for callers who want privacy (RFC 3325)
  std::string registration;  ///< address of record that is kept registered at the proxy, or empty

  /// Whether calls come in over it: it names networks, or what callers have to prove.
  bool takes_calls() const { return !allow.empty() || !inbound_username.empty(); }
};

/// What tells the calls of a registration from those of others that are registered from here: the parameter `line` of
/// its Contact. The same after a restart, so that a registrar never keeps two of them.
std::string registration_line(std::string_view domain, const Trunk& trunk);

/// What a program signs its requests with (AWS Signature V4).
struct AccessKey {
  std::string id, secret;
  std::string region;
};

/// A SIP user that is handled by REST: calls to it raise newRemoteCall.
struct Device {
  std::string id;            ///< the SIP user part
  std::string mediaservice;  ///< whose application is told; empty: the domain's first one
};

struct Domain {
  std::string name;
  std::vector<std::string> aliases;
  bool open = false;                         ///< auth = "none"
  std::vector<std::string> jwt_public_keys;  ///< PEM texts
  std::string jwks_url;                      ///< where more public keys are, or empty
  std::string jwt_secret;
  std::vector<AccessKey> access_keys;
  Limits limits;
  static constexpr std::uint64_t usual_storage = 2ULL << 30U;
  std::uint64_t max_storage = usual_storage;  ///< bytes that its files may take of the server's own disk; 0: any number
  std::optional<double> requests_per_second;  ///< of the API; absent: any number
  std::vector<net::Network> allow_media;
  std::vector<std::string> allow_callbacks;
  std::vector<Trunk> trunks;
  std::string recording_key;  ///< RSA public key (PEM) that its recordings are encrypted for; empty: they aren't
  std::vector<Device> devices;
  std::vector<std::shared_ptr<const Mediaservice>> mediaservices;

  /// The mediaservice for a called user part: an exact match, then the longest literal prefix before a `*`, then the
  /// order in the file.
  std::shared_ptr<const Mediaservice> service_for(std::string_view user) const;
  /// The device with that SIP user part, or null. It goes before the mediaservices' numbers.
  const Device* device(std::string_view user) const;
  /// The one with that id, or the first one if `id` is empty; null if there is none.
  std::shared_ptr<const Mediaservice> service(std::string_view id) const;
  /// The outbound trunk for a destination; null: none. Of a SIP URI: one that names its host, else one for any ("*").
  /// An address literal that is not public is no carrier's: only a trunk that names it, or its network, takes it.
  /// Of a tel: URI (`host` is not looked at): the one that says so, else the only one, else one for any host.
  const Trunk* trunk_for(std::string_view scheme, std::string_view host) const;
  /// Whether calls come in over any trunk of its own; if not, whoever can reach us may call.
  bool restricts_callers() const;
};

/// All domains at one moment. Names and aliases are found at once, however many there are.
class Directory {
 public:
  explicit Directory(std::vector<std::shared_ptr<const Domain>> domains);
  /// By name (without regard to case); null if there is none.
  std::shared_ptr<const Domain> domain(std::string_view name) const;
  /// By the host part of a SIP URI: name or alias; null if there is none.
  std::shared_ptr<const Domain> domain_for_host(std::string_view host) const;
  /// Whose a call is.
  struct Called {
    std::shared_ptr<const Domain> domain;  ///< null: nobody's
    const Trunk* trunk = nullptr;          ///< of the domain; set if the call comes to its registration
  };
  /// By host part and parameter `line` of the Request-URI: a registration's before anything else.
  Called called(std::string_view host, std::string_view line) const;
  /// The trunks that can tell whose a call is which names no domain: they name networks, or a key.
  const std::vector<Called>& telling_trunks() const { return telling_trunks_; }
  const std::vector<std::shared_ptr<const Domain>>& domains() const { return domains_; }
  bool all_open() const { return all_open_; }
  /// Whether any domain lets in only some callers.
  bool restricts_callers() const { return restricts_callers_; }
  /// What stands in the way of one more domain (or of `domain` in the place of the one of that name): a sentence about
  /// the first name or alias that is another domain's; nothing if there is none.
  std::optional<std::string> clash(const Domain& domain) const;

 private:
  std::vector<std::shared_ptr<const Domain>> domains_;
  std::unordered_map<std::string, std::shared_ptr<const Domain>> by_name_, by_alias_;  ///< in lower case
  std::unordered_map<std::string, Called> by_line_;
  std::vector<Called> telling_trunks_;
  bool all_open_ = true, restricts_callers_ = false;
};

}  // namespace rw::tenant
