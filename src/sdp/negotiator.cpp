#include "sdp/negotiator.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace rw::sdp {
namespace {

constexpr std::uint8_t our_telephone_event = 101;

/// "PCMA/8000", "opus/48000/2" of an rtpmap.
struct Encoding {
  std::string name;
  std::uint32_t clock = 0;
};

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

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

/// What of a remote media description we can use.
struct Usable {
  std::vector<Agreement::Receive> codecs;  ///< in our order of preference, with the remote side's numbers
  std::optional<std::uint8_t> telephone_event;
};

Usable usable_of(const Media& media, const std::vector<rtp::Codec>& ours) {
  Usable usable;
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
    if (std::find(ours.begin(), ours.end(), *codec) != ours.end()) usable.codecs.push_back({*payload_type, *codec});
  }
  const auto rank = [&ours](const Agreement::Receive& one) { return std::find(ours.begin(), ours.end(), one.codec); };
  std::stable_sort(usable.codecs.begin(), usable.codecs.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return usable;
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

std::string_view name_of(Direction direction) {
  return std::find_if(direction_names.begin(), direction_names.end(),
                      [&](const auto& one) { return one.second == direction; })
      ->first;
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

/// The audio stream that we take part in: its place in the description, or why there is none.
Result<std::size_t> find_audio(const Session& session, const std::vector<rtp::Codec>& codecs) {
  std::string why = "no audio stream";
  for (std::size_t at = 0; at < session.media.size(); ++at) {
    const Media& media = session.media[at];
    if (media.type != "audio") continue;
    if (media.port == 0) {
      why = "the audio stream has port 0";
    } else if (media.protocol != "RTP/AVP") {
      why = "the audio stream is not RTP/AVP but " + media.protocol;
    } else if (usable_of(media, codecs).codecs.empty()) {
      why = "the audio stream has no codec that is enabled here";
    } else {
      return at;
    }
  }
  return fail(why);
}

Result<Agreement> agree(const Session& session, const Media& media, const std::vector<rtp::Codec>& codecs) {
  const auto& host = media.host.empty() ? session.host : media.host;
  auto remote = net::Address::from(host, media.port);
  if (!remote) return fail("c= line: " + (host.empty() ? "missing" : remote.error().message));
  const auto usable = usable_of(media, codecs);
  Agreement agreement;
  agreement.remote = agreement.remote_rtcp = *remote;
  agreement.rtcp_mux = media.attribute("rtcp-mux") != nullptr;
  if (!agreement.rtcp_mux) {
    agreement.remote_rtcp.set_port(static_cast<std::uint16_t>(media.port + 1));
    if (const auto* rtcp = media.attribute("rtcp")) {
      const auto port = number<std::uint16_t>(std::string_view(*rtcp).substr(0, rtcp->find(' ')));
      if (port && *port != 0) agreement.remote_rtcp.set_port(*port);
    }
  }
  agreement.codec = usable.codecs.front().codec;
  agreement.payload_type = usable.codecs.front().payload_type;
  agreement.receive = usable.codecs;
  agreement.telephone_event_send = agreement.telephone_event_receive = usable.telephone_event;
  agreement.direction = mirrored(remote_direction(session, media));
  // The hold of RFC 2543: nobody listens at 0.0.0.0.
  if (remote->is_unspecified() && agreement.direction == Direction::send_receive)
    agreement.direction = Direction::receive_only;
  return agreement;
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

}  // namespace

Result<void> Negotiator::check(std::string_view offer, const std::vector<rtp::Codec>& codecs) {
  const auto session = Session::parse(offer);
  if (!session) return tl::unexpected(session.error());
  const auto audio = find_audio(*session, codecs);
  if (!audio) return tl::unexpected(audio.error());
  if (auto agreed = agree(*session, session->media[*audio], codecs); !agreed) return tl::unexpected(agreed.error());
  return {};
}

Result<Negotiator::Answer> Negotiator::answer(std::string_view offer) {
  const auto session = Session::parse(offer);
  if (!session) return tl::unexpected(session.error());
  const auto audio = find_audio(*session, ours_.codecs);
  if (!audio) return tl::unexpected(audio.error());
  auto agreed = agree(*session, session->media[*audio], ours_.codecs);
  if (!agreed) return tl::unexpected(agreed.error());

  Session reply;
  for (std::size_t at = 0; at < session->media.size(); ++at) {
    Media media;
    media.type = session->media[at].type;
    media.protocol = session->media[at].protocol;
    if (at != *audio) {
      media.formats = session->media[at].formats;
      reply.media.push_back(std::move(media));
      continue;
    }
    media.port = ours_.address.port();
    for (const auto& [payload_type, codec] : agreed->receive) describe_codec(media, codec, payload_type);
    if (agreed->telephone_event_receive) describe_telephone_event(media, *agreed->telephone_event_receive);
    media.attributes.push_back({"ptime", "20"});
    if (agreed->rtcp_mux) media.attributes.push_back({"rtcp-mux", ""});
    media.attributes.push_back({std::string(name_of(agreed->direction)), ""});
    reply.media.push_back(std::move(media));
  }
  return Answer{publish(std::move(reply)), std::move(*agreed)};
}

std::string Negotiator::offer() {
  Media media;
  media.type = "audio";
  media.protocol = "RTP/AVP";
  media.port = ours_.address.port();
  for (const auto codec : ours_.codecs) describe_codec(media, codec, rtp::facts(codec).payload_type);
  describe_telephone_event(media, our_telephone_event);
  media.attributes.push_back({"ptime", "20"});
  media.attributes.push_back({"sendrecv", ""});
  Session session;
  session.media.push_back(std::move(media));
  return publish(std::move(session));
}

Result<Agreement> Negotiator::accept(std::string_view answer) {
  const auto session = Session::parse(answer);
  if (!session) return tl::unexpected(session.error());
  const auto audio = find_audio(*session, ours_.codecs);
  if (!audio) return tl::unexpected(audio.error());
  auto agreed = agree(*session, session->media[*audio], ours_.codecs);
  if (!agreed) return agreed;
  // What comes bears the numbers of our offer, whatever numbers the answer has.
  agreed->receive.clear();
  for (const auto codec : ours_.codecs) agreed->receive.push_back({rtp::facts(codec).payload_type, codec});
  if (agreed->telephone_event_send) agreed->telephone_event_receive = our_telephone_event;
  return agreed;
}

std::string Negotiator::publish(Session session) {
  session.id = ours_.session_id;
  session.origin_host = session.host = ours_.address.host();
  auto text = session.to_string();
  if (text != last_) {
    last_ = text;
    ++version_;
  }
  session.version = version_;
  return session.to_string();
}

}  // namespace rw::sdp
