#include "app/config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include "app/domain_document.h"
#include "app/read_domain.h"
#include "app/read_storage.h"
#include "app/read_trunk.h"
#include "app/read_tts.h"
#include "app/toml_reader.h"
#include "app/toml_text.h"
#include "base/ascii.h"

namespace rw::app {
namespace {

using std::chrono::milliseconds;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? std::string(name.data()) : "node-1";
}

void read_server(TomlReader& table, Config::Server& server) {
  table.text("node_id", server.node_id);
  table.text("data_dir", server.data_dir);
  table.secret("reply_secret", server.reply_secret);
  table.seconds("drain_timeout", server.drain_timeout, 0, 7 * 86400);
  table.text("site_id", server.site_id);
  read_url(table, "site_base_url", server.site_base_url, UrlQuery::refused);
  table.whole("shards", server.shards, 1, 64);
}

void read_log(TomlReader& table, Config::Log& log) {
  if (const auto format = table.choice("format", {"text", "json"}))
    log.format = *format == 1 ? ops::Log::Format::json : ops::Log::Format::text;
  if (const auto level = table.choice("level", {"debug", "info", "warning", "error"}))
    log.level = static_cast<ops::Level>(*level);
}

std::string read_address(const std::string& text, std::vector<net::Address>& into) {
  const auto address = net::Address::parse(text);
  if (!address) return "ADDRESS:PORT";
  into.push_back(*address);
  return {};
}

void read_http(TomlReader& table, Config::Http& http) {
  if (table.has("listen")) http.listen.clear();
  table.each_text("listen", [&](const std::string& text) { return read_address(text, http.listen); });
  read_url(table, "public_url", http.public_url, UrlQuery::refused);
  table.text("cors_allow_origin", http.cors_allow_origin);
  read_networks(table, "trusted_proxies", http.trusted_proxies);
  table.whole("max_connections_per_client", http.max_connections_per_client, 0, 1'000'000);
  table.whole("failed_authorisations_per_minute", http.failed_authorisations_per_minute, 0, 1'000'000);
  for (const auto* key : {"certificate", "private_key"}) {
    if (table.has(key)) table.problem(key, "TLS is not available yet");
  }
}

std::string read_sip_listener(const std::string& text, std::vector<SipListener>& into) {
  const auto colon = text.find(':');
  const auto transport = text.substr(0, colon);
  const auto address =
      colon == std::string::npos ? Result<net::Address>(fail("")) : net::Address::parse(text.substr(colon + 1));
  if (!address || (transport != "udp" && transport != "tcp")) return "udp:ADDRESS:PORT or tcp:ADDRESS:PORT";
  into.push_back({transport == "udp" ? SipListener::Transport::udp : SipListener::Transport::tcp, *address});
  return {};
}

/// Whether it can be the value of Server and User-Agent (RFC 3261 20.35). Empty: the headers are left out.
bool is_server_name(std::string_view text) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  return text.size() <= 128 && std::ranges::all_of(text, printable) &&
         (text.empty() || (text.front() != ' ' && text.back() != ' '));
}

void read_sip(TomlReader& table, Config::Sip& sip) {
  if (table.has("listen")) sip.listen.clear();
  table.each_text("listen", [&](const std::string& text) { return read_sip_listener(text, sip.listen); });
  table.text("advertise", sip.advertise);
  table.text("server_header", sip.server_header);
  if (!is_server_name(sip.server_header))
    table.problem("server_header", "expected at most 128 printable ASCII characters, none of them a space at an end");
  table.whole("session_expires", sip.session_expires, 2, 86400);
  table.whole("min_session_expires", sip.min_session_expires, 2, 86400);
  read_next_hop(table, "outbound_proxy", sip.outbound_proxy);
  table.flag("follow_redirects", sip.follow_redirects);
  if (table.has("allow_targets")) read_networks(table, "allow_targets", sip.allow_targets.emplace());
  table.whole("failed_authorisations_per_minute", sip.failed_authorisations_per_minute, 0, 1'000'000);
  table.whole("max_connections_per_client", sip.max_connections_per_client, 0, 1'000'000);
  if (const auto unauthorised = table.choice("unauthorised", {"refuse", "ignore"}))
    sip.ignore_unauthorised = *unauthorised == 1;
  if (table.has("digest_algorithms")) sip.digest_algorithms.clear();
  table.each_text("digest_algorithms", [&](const std::string& text) -> std::string {
    const auto known = std::ranges::find(sip::usual_digests, text, sip::to_string);
    if (known == sip::usual_digests.end()) return "SHA-256 or MD5";
    sip.digest_algorithms.push_back(*known);
    return {};
  });
  if (sip.digest_algorithms.empty()) table.problem("digest_algorithms", "expected at least one");
  table.each_text("dns_servers", [&](const std::string& text) -> std::string {
    constexpr std::uint16_t dns_port = 53;
    auto address = net::Address::from(text, dns_port);
    if (!address) address = net::Address::parse(text);
    if (!address || address->port() == 0) return "ADDRESS or ADDRESS:PORT";
    sip.dns_servers.push_back(*address);
    return {};
  });
  for (const auto* key : {"certificate", "private_key"}) {
    if (table.has(key)) table.problem(key, "TLS is not available yet");
  }
}

void read_ports(TomlReader& table, Config::Media& media) {
  if (!table.has("ports")) return;
  std::vector<long long> ports;
  table.each_whole("ports", 1, 65535, ports);
  if (ports.size() != 2 || ports[0] >= ports[1]) {
    table.problem("ports", "expected [FIRST, LAST] with FIRST < LAST");
    return;
  }
  media.first_port = static_cast<std::uint16_t>(ports[0]);
  media.last_port = static_cast<std::uint16_t>(ports[1]);
}

void read_media(TomlReader& table, Config::Media& media) {
  std::string address;
  table.text("address", address);
  if (!address.empty()) {
    if (const auto read = net::Address::from(address, 0)) {
      media.address = *read;
    } else {
      table.wrong("address", address, "an IP address");
    }
  }
  table.text("advertise", media.advertise);
  if (!media.advertise.empty() && !net::Address::from(media.advertise, 0))
    table.wrong("advertise", media.advertise, "an IP address");
  read_ports(table, media);
  table.whole("workers", media.workers, 0, 256);
  if (table.has("codecs")) media.codecs.clear();
  table.each_text("codecs", [&](const std::string& name) -> std::string {
    const auto codec = rtp::codec_named(name);
    if (!codec) return "PCMA, PCMU, GSM, G722 or opus";
    media.codecs.push_back(*codec);
    return {};
  });
  if (media.codecs.empty()) table.problem("codecs", "expected at least one codec");
  if (const auto srtp = table.choice("srtp", {"off", "optional", "required"}); srtp == 2)
    table.problem("srtp", "SRTP is not available yet");
  table.seconds("rtp_timeout", media.rtp_timeout, 0.1, 86400);
  table.seconds("port_rest", media.port_rest, 0, 3600);
  if (const auto latch = table.choice("latch", {"any", "same-address", "off"}))
    media.latch = static_cast<media::Latch>(*latch);
  if (table.has("allow_targets")) read_networks(table, "allow_targets", media.allow_targets.emplace());
  table.seconds("unconfirmed", media.unconfirmed, 0.1, 3600);
  table.seconds("unconfirmed_early", media.unconfirmed_early, 0.1, 3600);
  table.flag("io_uring", media.io_uring);
}

void read_limits(TomlReader& table, Config::Limits& limits) {
  table.whole("max_calls", limits.max_calls, 1, 1'000'000);
  if (const auto rate = table.number("calls_per_second", 0.01, 1e6)) limits.calls_per_second = *rate;
  limits.calls_per_second_per_source = table.number("calls_per_second_per_source", 0.01, 1e6);
  table.seconds("max_session", limits.max_session, 0.1, 7 * 86400);
  if (table.has("unconfirmed_calls_per_source"))
    table.whole("unconfirmed_calls_per_source", limits.unconfirmed_calls_per_source.emplace(), 0, 1'000'000);
  if (table.has("unconfirmed_calls_per_trunk"))
    table.whole("unconfirmed_calls_per_trunk", limits.unconfirmed_calls_per_trunk.emplace(), 0, 1'000'000);
}

void read_callbacks(TomlReader& table, Config::Callbacks& callbacks) {
  table.seconds("connect_timeout", callbacks.connect_timeout, 0.01, 300);
  table.seconds("answer_timeout", callbacks.answer_timeout, 0.01, 300);
  table.seconds("total_timeout", callbacks.total_timeout, 0.01, 600);
  table.whole("retries", callbacks.retries, 0, 20);
}

/// The file is the operator's: what it names is trusted.
bool written_by_operator(std::string_view /*mediaservice*/) {
  return true;
}

void read_domains(TomlReader& root, Config& config) {
  config.domains.clear();
  config.domain_documents.clear();
  const auto exposure = exposure_of(config);
  std::map<std::string, std::string> owners;  // of names and aliases
  root.each_table("domains", [&](TomlReader& table) {
    auto domain = read_domain(table, written_by_operator);
    check_exposure(table, *domain, exposure);
    if (const auto [at, fresh] = owners.try_emplace(lower_case(domain->name), domain->name); !fresh)
      table.problem("name", "used twice: " + domain->name);
    for (const auto& alias : domain->aliases) {
      const auto [at, fresh] = owners.try_emplace(lower_case(alias), domain->name);
      if (!fresh && at->second != domain->name) table.problem("aliases", alias + " belongs to " + at->second);
    }
    config.domain_documents.push_back(self_contained(domain_document(table.source())));
    config.domains.push_back(std::move(domain));
  });
}

/// On a machine that only talks to itself, URLs may lead to itself.
void read_fetch(TomlReader& table, Config& config) {
  if (table.has("allow")) config.fetch.allow.clear();
  read_networks(table, "allow", config.fetch.allow);
  table.text("ca_file", config.fetch.ca_file);
  if (!config.fetch.ca_file.empty()) read_key_file(table, "ca_file", config.fetch.ca_file);
}

void allow_loopback(Config& config) {
  const bool loopback = std::all_of(config.http.listen.begin(), config.http.listen.end(),
                                    [](const auto& one) { return one.is_loopback(); });
  config.fetch.allow.clear();
  if (loopback) config.fetch.allow = {*net::Network::parse("127.0.0.0/8"), *net::Network::parse("::1")};
}

void read_all(TomlReader& root, Config& config) {
  root.table("server", [&](TomlReader& table) { read_server(table, config.server); });
  root.table("log", [&](TomlReader& table) { read_log(table, config.log); });
  root.table("http", [&](TomlReader& table) { read_http(table, config.http); });
  allow_loopback(config);
  root.table("fetch", [&](TomlReader& table) { read_fetch(table, config); });
  root.table("sip", [&](TomlReader& table) { read_sip(table, config.sip); });
  root.table("media", [&](TomlReader& table) { read_media(table, config.media); });
  root.table("limits", [&](TomlReader& table) { read_limits(table, config.limits); });
  root.table("callbacks", [&](TomlReader& table) { read_callbacks(table, config.callbacks); });
  root.table("storage", [&](TomlReader& table) { read_storage(table, config.storage); });
  root.table("database", [&](TomlReader& table) {
    table.secret("url", config.database_url);
    const auto& url = config.database_url;
    if (!url.starts_with("sqlite:") && !url.starts_with("postgresql://"))
      table.problem("url", "expected sqlite:FILE (in data_dir) or postgresql://…");
  });
  root.table("provisioning", [&](TomlReader& table) { table.secret("token", config.provisioning_token); });
  root.table("tts", [&](TomlReader& table) { read_tts(table, config.speech); });
  read_domains(root, config);
}

void note_given(const toml::table& table, const std::string& path, std::map<std::string, std::string>& into) {
  for (const auto& [key, node] : table) {
    const auto name = path + std::string(key.str());
    if (name == "domains") continue;
    if (const auto* inner = node.as_table()) {
      note_given(*inner, name + ".", into);
      continue;
    }
    std::ostringstream text;
    node.visit([&text](const auto& value) { text << value; });
    into[name] = text.str();
  }
}

}  // namespace

Exposure exposure_of(const Config& config) {
  return {std::all_of(config.http.listen.begin(), config.http.listen.end(),
                      [](const auto& one) { return one.is_loopback(); }),
          std::all_of(config.sip.listen.begin(), config.sip.listen.end(),
                      [](const auto& one) { return one.address.is_loopback(); })};
}

Config Config::embedded_default() {
  Config config;
  config.server.node_id = host_name();
  config.http.listen = {*net::Address::parse("127.0.0.1:8080")};
  config.sip.listen = {{SipListener::Transport::udp, *net::Address::parse("127.0.0.1:5060")},
                       {SipListener::Transport::tcp, *net::Address::parse("127.0.0.1:5060")}};
  config.media.address = *net::Address::from("127.0.0.1", 0);
  config.storage.reserve_mb = 0;  // there are no strangers, and a first try needs little
  auto service = std::make_shared<tenant::Mediaservice>();
  service->domain = "demo.localhost";
  service->id = "main";
  service->numbers = {"*"};
  service->trusted_urls = true;
  auto domain = std::make_shared<tenant::Domain>();
  domain->name = "demo.localhost";
  domain->aliases = {"127.0.0.1", "localhost"};
  domain->open = true;
  domain->mediaservices = {std::move(service)};
  config.domains = {std::move(domain)};
  config.demo = true;
  allow_loopback(config);
  return config;
}

Result<Config> Config::parse(const std::string& text, const std::string& name) {
  if (const auto line = line_of_stray_character(text))
    return fail(name + ":" + std::to_string(*line) + ": a character that is not ASCII, outside of quotes and comments");
  const auto parsed = toml::parse(text, name);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(
        one_line(name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description())));
  }
  Config config = embedded_default();
  config.demo = false;
  config.storage = {};
  Findings findings(name);
  TomlReader root(parsed.table(), "", findings);
  read_all(root, config);
  root.finish();
  note_given(parsed.table(), "", config.given);
  if (!findings.all().empty()) {
    std::string lines;
    for (const auto& line : findings.all()) lines += (lines.empty() ? "" : "\n") + line;
    return fail(lines);
  }
  return config;
}

Result<Config> Config::load(const std::string& file) {
  std::ifstream input(file);
  if (!input) return fail(file + ": can't be read");
  std::ostringstream text;
  text << input.rdbuf();
  return parse(text.str(), file);
}

}  // namespace rw::app
