#include "call/device_media.h"

#include <algorithm>
#include <cmath>

#include "net/address_policy.h"
#include "net/networks.h"

namespace rw::call {
namespace {

constexpr std::uint32_t first_dynamic_type = 96;

std::optional<std::uint32_t> whole_number(JsonFields& fields, std::string_view name, std::uint32_t least,
                                          std::uint32_t most) {
  const auto value = fields.number(name, least, most);
  if (!value) return std::nullopt;
  if (std::floor(*value) != *value) fields.reject(name, "a whole number");
  return static_cast<std::uint32_t>(*value);
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c < ' ' || c > '~'; });
}

sdp::Crypto read_crypto(JsonFields& fields) {
  sdp::Crypto crypto;
  const auto id = whole_number(fields, "id", 0, sdp::max_crypto_id);
  const auto suite = fields.text("suite");
  const auto config = fields.text("config");
  if (!id) fields.reject("id", "a number");
  if (!suite || suite->empty() || suite->size() > sdp::max_suite_bytes || has_control_character(*suite) ||
      suite->find(' ') != std::string::npos)
    fields.reject("suite", "a suite's name, e.g. \"AES_CM_128_HMAC_SHA1_80\"");
  if (!config || !config->starts_with("inline:") || config->size() > sdp::max_crypto_bytes ||
      has_control_character(*config))
    fields.reject("config",
                  "key parameters that begin with \"inline:\", at most 1024 characters, none of them control "
                  "characters");
  if (!fields.error()) crypto = {*id, *suite, *config};
  return crypto;
}

std::vector<sdp::Crypto> read_cryptos(JsonFields& fields) {
  std::vector<sdp::Crypto> all;
  const auto* array = fields.array("crypto");
  if (array == nullptr) return all;
  if (array->size() > sdp::max_cryptos) fields.reject("crypto", "at most 32 items");
  for (std::size_t at = 0; at < array->size() && !fields.error(); ++at) {
    if (is_nothing((*array)[at])) continue;
    const auto path = "crypto[" + std::to_string(at) + "]";
    const auto* object = (*array)[at].if_object();
    if (object == nullptr) {
      fields.reject(path, "an object");
      continue;
    }
    JsonFields item(*object, fields.path(path));
    auto crypto = read_crypto(item);
    if (std::ranges::any_of(all, [&crypto](const auto& one) { return one.id == crypto.id; }))
      item.reject("id", "one that no other item has");
    if (item.error()) {
      fields.reject(*item.error());
    } else {
      all.push_back(std::move(crypto));
    }
  }
  return all;
}

net::Address read_address(JsonFields& fields, const tenant::Domain& domain) {
  const auto port = whole_number(fields, "receivePort", 1, 65535);
  const auto ip = fields.text("receiveIp");
  if (!ip) fields.reject("receiveIp", "an IP address");
  if (!port) fields.reject("receivePort", "a number from 1 to 65535");
  if (fields.error()) return {};
  const auto address = net::Address::from(*ip, static_cast<std::uint16_t>(*port));
  if (!address || ip->find('\0') != std::string::npos) {
    fields.reject("receiveIp", "an IP address");
    return {};
  }
  if (!allows_media(domain, *address)) fields.forbid("receiveIp", "an address that the domain allows for media");
  return *address;
}

}  // namespace

bool allows_media(const tenant::Domain& domain, const net::Address& address) {
  if (domain.allow_media.empty()) return net::AddressPolicy({}).allows(address);
  return net::is_in(domain.allow_media, address);
}

sdp::DeviceAudio read_device_audio(JsonFields& fields, const tenant::Domain& domain) {
  sdp::DeviceAudio audio;
  const auto codec = fields.choice("codec", {"PCMA", "PCMU", "GSM"});
  if (codec) {
    audio.codec = *rtp::codec_named(*codec);
  } else {
    fields.reject("codec", "\"PCMA\", \"PCMU\" or \"GSM\"");
  }
  audio.receive = read_address(fields, domain);
  const auto type = whole_number(fields, "telephoneEventPayloadType", 0, 127);
  if (type && *type != 0 && *type < first_dynamic_type)
    fields.reject("telephoneEventPayloadType", "a number from 96 to 127, or 0 for none");
  if (type && *type != 0) audio.telephone_event = static_cast<std::uint8_t>(*type);
  audio.crypto = read_cryptos(fields);
  return audio;
}

void add_remote_audio(boost::json::object& body, const sdp::RemoteAudio& remote) {
  body["codec"] = rtp::facts(remote.codec).name;
  body["remoteRtpIp"] = remote.receive.host();
  if (remote.telephone_event) body["telephoneEventPayloadType"] = *remote.telephone_event;
  if (remote.crypto.empty()) return;
  boost::json::array all;
  for (const auto& one : remote.crypto) all.push_back({{"id", one.id}, {"suite", one.suite}, {"config", one.config}});
  body["crypto"] = std::move(all);
}

}  // namespace rw::call
