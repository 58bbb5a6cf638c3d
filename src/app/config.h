#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/read_domain.h"
#include "auth/signature_v4.h"
#include "base/result.h"
#include "media/engine.h"
#include "net/address.h"
#include "ops/log.h"
#include "rtp/codec.h"
#include "sip/digest_server.h"
#include "speech/speech_settings.h"
#include "tenant/directory.h"

namespace rw::app {

/// A SIP listener: udp:ADDRESS:PORT, tcp:ADDRESS:PORT.
struct SipListener {
  enum class Transport : std::uint8_t { udp, tcp };
  Transport transport = Transport::udp;
  net::Address address;
};

/// The configuration file, typed and checked. See docs/configuration.md for the keys; the defaults are here.
struct Config {
  struct Server {
    std::string node_id;  ///< the host name
    std::string data_dir = "var";
    std::string reply_secret;  ///< empty: made at first start and kept in data_dir
    std::chrono::seconds drain_timeout{3600};
    std::string site_id, site_base_url;
    int shards = 1;
  } server;
  struct Log {
    ops::Log::Format format = ops::Log::Format::text;
    ops::Level level = ops::Level::info;
  } log;
  struct Http {
    std::vector<net::Address> listen;
    std::string public_url;
    std::string cors_allow_origin = "*";
    std::vector<net::Network> trusted_proxies;
    int max_connections_per_client = 250;        ///< 0: any number, as below
    int failed_authorisations_per_minute = 100;  ///< of a client
  } http;
  struct Sip {
    std::vector<SipListener> listen;
    std::string advertise;
    std::string server_header = "Ringwright";  ///< what we call ourselves in Server and User-Agent; empty: in neither
    std::uint32_t session_expires = 1800;
    std::uint32_t min_session_expires = 90;
    std::string outbound_proxy;  ///< URI of the next hop of calls that no trunk takes; empty: RFC 3263
    /// That callers are asked for, in this order.
    std::vector<sip::DigestAlgorithm> digest_algorithms{sip::usual_digests.begin(), sip::usual_digests.end()};
    int failed_authorisations_per_minute = 100;  ///< of a source; 0: any number, as below
    int max_connections_per_client = 250;
    bool ignore_unauthorised = false;  ///< callers that no trunk allows hear nothing, in place of 403
    bool follow_redirects = false;     ///< a 3xx response to a call that we place leads to its Contacts
    /// Where requests may go that others have named; absent: see net::TargetPolicy.
    std::optional<std::vector<net::Network>> allow_targets;
    std::vector<net::Address> dns_servers;  ///< empty: the system's
  } sip;
  struct Media {
    net::Address address;
    std::string advertise;
    std::uint16_t first_port = 16384, last_port = 32767;
    int workers = 0;
    std::vector<rtp::Codec> codecs{rtp::Codec::pcma, rtp::Codec::pcmu, rtp::Codec::gsm};
    std::chrono::milliseconds rtp_timeout{60'000};
    std::chrono::milliseconds port_rest{30'000};
    media::Latch latch = media::Latch::any;
    /// Where sound may go to whose address others have named; absent: see net::TargetPolicy.
    std::optional<std::vector<net::Network>> allow_targets;
    /// How long sound goes to a caller who has not shown that it is there: behind the 200, and before.
    std::chrono::milliseconds unconfirmed{1000}, unconfirmed_early{20'000};
    bool io_uring = true;
  } media;
  struct Limits {
    std::size_t max_calls = 5000;
    double calls_per_second = 500;
    std::optional<double> calls_per_second_per_source;  ///< absent: a part of calls_per_second
    std::chrono::milliseconds max_session{14'400'000};
    /// Calls without ACK or PRACK; absent: a part of max_calls. 0: any number.
    std::optional<std::size_t> unconfirmed_calls_per_source, unconfirmed_calls_per_trunk;
  } limits;
  struct Callbacks {
    std::chrono::milliseconds connect_timeout{3000}, answer_timeout{5000}, total_timeout{15000};
    int retries = 2;
  } callbacks;
  struct Fetch {
    std::vector<net::Network> allow;  ///< where URLs in replies may lead to, besides the public internet
    std::string ca_file;              ///< certificates that are trusted in place of the system's
  } fetch;
  struct Storage {
    bool s3 = false;
    std::string endpoint;  ///< empty: Amazon's of the region
    std::string region, bucket, prefix;
    auth::AwsCredentials credentials;
    bool path_style = false;
    std::uint64_t cache_mb = 1024;
    std::uint64_t reserve_mb = 256;  ///< of the disk, for the server's own data
  } storage;
  speech::SpeechSettings speech;                      ///< [tts]
  std::string database_url = "sqlite:ringwright.db";  ///< a file in data_dir, or postgresql://…
  std::string provisioning_token;                     ///< what an operator shows to provision; empty: nobody can
  std::vector<std::shared_ptr<const tenant::Domain>> domains;
  /// What `domains` were read from, in the same order, without references to files and the environment.
  std::vector<boost::json::object> domain_documents;
  /// Each key that the file gives outside of [[domains]], "media.ports", with its value as text: tells what has
  /// changed.
  std::map<std::string, std::string> given;
  bool demo = false;  ///< the embedded default: the built-in application answers

  /// Reads a file. The error has a line for each finding: file:line: key: found …, expected …
  static Result<Config> load(const std::string& file);
  /// The same from a text; `name` stands for the file in errors, and relative paths are relative to the current folder.
  static Result<Config> parse(const std::string& text, const std::string& name);
  /// What runs without a file: loopback only, no authorisation, the demo application.
  static Config embedded_default();
};

/// Whom the listeners can be reached by.
Exposure exposure_of(const Config& config);

}  // namespace rw::app
