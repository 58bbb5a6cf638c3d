#include "sdp/audio_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"

namespace rw::sdp {
namespace {

/// The parts of "PCMA/8000", "opus/48000/2".
struct Encoding {
  std::string_view name;
  std::uint32_t clock = 0;

  explicit Encoding(std::string_view text) : name(text.substr(0, text.find('/'))) {
    if (name.size() == text.size()) return;
    const auto rest = text.substr(name.size() + 1);
    clock = number<std::uint32_t>(rest.substr(0, rest.find_first_of("/ "))).value_or(0);
  }
};

bool is_telephone_event(const Encoding& encoding) {
  static constexpr std::string_view name = "telephone-event";
  return encoding.clock != 0 && std::equal(name.begin(), name.end(), encoding.name.begin(), encoding.name.end(),
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

/// Without the blanks around it.
std::string_view unpadded(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace

Encodings::Encodings(const Media& media) {
  for (const auto& facts : rtp::codecs) {
    static const auto texts = [] {
      std::array<std::string, rtp::codecs.size()> all;
      std::ranges::transform(rtp::codecs, all.begin(), [](const auto& one) { return encoding_text(one.codec); });
      return all;
    }();
    if (facts.is_static) mapped_[facts.payload_type] = texts[static_cast<std::size_t>(facts.codec)];
  }
  std::array<bool, 128> said{};
  for (const auto& [name, value] : media.attributes) {
    if (name != "rtpmap") continue;
    const auto text = unpadded(value);
    const auto space = text.find(' ');
    const auto payload_type = number<std::uint8_t>(text.substr(0, space));
    if (!payload_type || *payload_type >= mapped_.size() || said[*payload_type]) continue;
    const auto what = space == std::string_view::npos ? std::string_view{} : unpadded(text.substr(space));
    if (what.find('/') == std::string_view::npos) continue;
    said[*payload_type] = true;
    mapped_[*payload_type] = what;
  }
}

std::string_view Encodings::text(std::uint8_t payload_type) const {
  return payload_type < mapped_.size() ? mapped_[payload_type] : std::string_view{};
}

UsableFormats usable_formats(const Media& media, const std::vector<rtp::Codec>& codecs) {
  UsableFormats usable;
  const Encodings encodings(media);
  std::array<bool, 128> seen{};
  for (const auto& format : media.formats) {
    const auto payload_type = number<std::uint8_t>(format);
    if (!payload_type || *payload_type >= seen.size() || std::exchange(seen[*payload_type], true)) continue;
    const Encoding encoding(encodings.text(*payload_type));
    if (is_telephone_event(encoding)) {
      usable.events.push_back({*payload_type, encoding.clock});
      continue;
    }
    const auto codec = rtp::codec_named(encoding.name);
    if (!codec || rtp::facts(*codec).rtp_clock != encoding.clock) continue;
    if (std::find(codecs.begin(), codecs.end(), *codec) != codecs.end())
      usable.codecs.push_back({*payload_type, *codec});
  }
  return usable;
}

std::optional<rtp::EventFormat> events_beside(std::uint32_t clock, const std::vector<rtp::EventFormat>& events) {
  for (const std::uint32_t wanted : {clock, 8000U}) {
    const auto found = std::ranges::find(events, wanted, &rtp::EventFormat::clock);
    if (found != events.end()) return *found;
  }
  return std::nullopt;
}

std::uint32_t longest_packet_ms(const Media& media) {
  constexpr std::uint32_t longest = 200;
  const auto said = [&media](std::string_view name) -> std::optional<std::uint32_t> {
    const auto* value = media.attribute(name);
    return value == nullptr ? std::nullopt : number<std::uint32_t>(unpadded(*value));
  };
  const auto wanted = said("ptime").value_or(default_packet_ms);
  return std::clamp(std::min(wanted, said("maxptime").value_or(longest)), default_packet_ms, longest);
}

Outcome<net::Address> rtp_address(const Session& session, const Media& media) {
  if (!media.problem.empty()) return unserved(Unserved::parameter, media.problem);
  const auto& host = media.host.empty() ? session.host : media.host;
  if (host.empty()) return unserved(Unserved::parameter, "c= line: missing");
  auto address = net::Address::from(host, media.port);
  if (!address) return unserved(Unserved::address_family, "c= line: " + to_utf8(address.error().message));
  return *address;
}

Outcome<net::Address> reachable_address(const Session& session, const Media& media, const net::Address& ours) {
  auto address = rtp_address(session, media);
  if (!address || address->is_v6() == ours.is_v6()) return address;
  if (address->is_unspecified()) return net::Address::from(ours.is_v6() ? "::" : "0.0.0.0", media.port).value();
  return unserved(Unserved::address_family,
                  std::string(ours.is_v6() ? "IPv6" : "IPv4") + " is served here, not " + address->host());
}

bool wants_no_stream(const Session& session) {
  return std::ranges::all_of(session.media, [](const Media& one) { return one.port == 0 && one.problem.empty(); });
}

Media declined(const Media& offered) {
  Media media;
  media.type = offered.type;
  media.protocol = offered.protocol;
  media.formats = offered.formats;
  return media;
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

void describe_events(Media& media, rtp::EventFormat events) {
  const auto format = std::to_string(events.payload_type);
  media.formats.push_back(format);
  media.attributes.push_back({"rtpmap", format + " telephone-event/" + std::to_string(events.clock)});
  media.attributes.push_back({"fmtp", format + " 0-15"});
}

std::string encoding_text(rtp::Codec codec) {
  const auto& facts = rtp::facts(codec);
  return std::string(facts.name) + "/" + std::to_string(facts.rtp_clock) +
         (facts.channels > 1 ? "/" + std::to_string(facts.channels) : "");
}

void describe_codec(Media& media, rtp::Codec codec, std::uint8_t payload_type) {
  const auto format = std::to_string(payload_type);
  media.formats.push_back(format);
  media.attributes.push_back({"rtpmap", format + " " + encoding_text(codec)});
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
