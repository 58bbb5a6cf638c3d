#include "sdp/audio_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"

namespace rw::sdp {
namespace {

/// "PCMA/8000", "opus/48000/2" of an rtpmap.
struct Encoding {
  std::string name;
  std::uint32_t clock = 0;
};

std::optional<Encoding> encoding_of(const Media& media, std::uint8_t payload_type) {
  for (const auto& [name, value] : media.attributes) {
    if (name != "rtpmap") continue;
    const auto space = value.find(' ');
    if (space == std::string::npos || number<std::uint8_t>(std::string_view(value).substr(0, space)) != payload_type)
      continue;
    const auto what = std::string_view(value).substr(space + 1);
    const auto slash = what.find('/');
    if (slash == std::string_view::npos) continue;
    auto clock = what.substr(slash + 1);
    clock = clock.substr(0, clock.find_first_of("/ "));
    return Encoding{std::string(what.substr(0, slash)), number<std::uint32_t>(clock).value_or(0)};
  }
  for (const auto& facts : rtp::codecs) {
    if (facts.is_static && facts.payload_type == payload_type)
      return Encoding{std::string(facts.name), facts.rtp_clock};
  }
  return std::nullopt;
}

bool is_telephone_event(const Encoding& encoding) {
  static constexpr std::string_view name = "telephone-event";
  return encoding.clock == 8000 && std::equal(name.begin(), name.end(), encoding.name.begin(), encoding.name.end(),
                                              [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
}

constexpr std::array<std::pair<std::string_view, Direction>, 4> direction_names{{{"sendrecv", Direction::send_receive},
                                                                                 {"sendonly", Direction::send_only},
                                                                                 {"recvonly", Direction::receive_only},
                                                                                 {"inactive", Direction::inactive}}};

Direction mirrored(Direction direction) {
  if (direction == Direction::send_only) return Direction::receive_only;
  if (direction == Direction::receive_only) return Direction::send_only;
  return direction;
}

Direction remote_direction(const Session& session, const Media& media) {
  for (const auto* attributes : {&media.attributes, &session.attributes}) {
    for (const auto& attribute : *attributes) {
      for (const auto& [name, direction] : direction_names) {
        if (attribute.name == name) return direction;
      }
    }
  }
  return Direction::send_receive;
}

}  // namespace

UsableFormats usable_formats(const Media& media, const std::vector<rtp::Codec>& codecs) {
  UsableFormats usable;
  for (const auto& format : media.formats) {
    const auto payload_type = number<std::uint8_t>(format);
    if (!payload_type || *payload_type > 127) continue;
    const auto encoding = encoding_of(media, *payload_type);
    if (!encoding) continue;
    if (is_telephone_event(*encoding)) {
      if (!usable.telephone_event) usable.telephone_event = payload_type;
      continue;
    }
    const auto codec = rtp::codec_named(encoding->name);
    if (!codec || rtp::facts(*codec).rtp_clock != encoding->clock) continue;
    if (std::find(codecs.begin(), codecs.end(), *codec) != codecs.end())
      usable.codecs.push_back({*payload_type, *codec});
  }
  return usable;
}

Result<net::Address> rtp_address(const Session& session, const Media& media) {
  const auto& host = media.host.empty() ? session.host : media.host;
  auto address = net::Address::from(host, media.port);
  if (!address) return fail("c= line: " + (host.empty() ? "missing" : to_utf8(address.error().message)));
  return address;
}

Direction answering_direction(const Session& session, const Media& media, const net::Address& remote) {
  const auto direction = mirrored(remote_direction(session, media));
  // The hold of RFC 2543: nobody listens at 0.0.0.0.
  if (remote.is_unspecified() && direction == Direction::send_receive) return Direction::receive_only;
  return direction;
}

std::string_view name_of(Direction direction) {
  return std::find_if(direction_names.begin(), direction_names.end(),
                      [&](const auto& one) { return one.second == direction; })
      ->first;
}

void describe_telephone_event(Media& media, std::uint8_t payload_type) {
  const auto format = std::to_string(payload_type);
  media.formats.push_back(format);
  media.attributes.push_back({"rtpmap", format + " telephone-event/8000"});
  media.attributes.push_back({"fmtp", format + " 0-15"});
}

void describe_codec(Media& media, rtp::Codec codec, std::uint8_t payload_type) {
  const auto& facts = rtp::facts(codec);
  const auto format = std::to_string(payload_type);
  media.formats.push_back(format);
  media.attributes.push_back({"rtpmap", format + " " + std::string(facts.name) + "/" + std::to_string(facts.rtp_clock) +
                                            (facts.channels > 1 ? "/" + std::to_string(facts.channels) : "")});
}

std::string Publisher::publish(Session session, const std::string& host) {
  session.id = session_id_;
  session.version = 0;
  session.origin_host = session.host = host;
  auto text = session.to_string();
  if (text != last_) {
    last_ = std::move(text);
    ++version_;
  }
  session.version = version_;
  return session.to_string();
}

}  // namespace rw::sdp
