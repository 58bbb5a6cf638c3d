#include "sdp/negotiator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "sdp/protocols.h"

namespace rw::sdp {
namespace {

/// What we offer beside codecs with these clocks.
constexpr std::array<rtp::EventFormat, 2> our_events{{{101, 8000}, {102, 48000}}};

/// What of a remote stream we can use, in our order of preference.
UsableFormats usable_of(const Media& media, const std::vector<rtp::Codec>& ours) {
  auto usable = usable_formats(media, ours);
  const auto rank = [&ours](const Agreement::Receive& one) { return std::find(ours.begin(), ours.end(), one.codec); };
  std::stable_sort(usable.codecs.begin(), usable.codecs.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return usable;
}

/// The events beside `codecs`, each of which has a clock of its own; first those beside the first codec. None, if that
/// one has none.
std::vector<rtp::EventFormat> events_beside_all(const std::vector<Agreement::Receive>& codecs,
                                                const std::vector<rtp::EventFormat>& events) {
  std::vector<rtp::EventFormat> chosen;
  for (const auto& [payload_type, codec] : codecs) {
    const auto beside = events_beside(rtp::facts(codec).rtp_clock, events);
    if (!beside && chosen.empty()) return {};
    if (beside && std::ranges::find(chosen, *beside) == chosen.end()) chosen.push_back(*beside);
  }
  return chosen;
}

/// Why a stream can't be the one that we take part in, or nothing.
std::optional<Problem> obstacle(const Session& session, const Media& media, const std::vector<rtp::Codec>& codecs,
                                const net::Address& address) {
  if (media.port == 0 && media.problem.empty()) return Problem({"the audio stream has port 0"}, Unserved::media_type);
  if (!is_plain_rtp(media.protocol))
    return Problem({"the audio stream is not RTP/AVP but " + to_utf8(media.protocol)}, Unserved::transport);
  if (usable_of(media, codecs).codecs.empty())
    return Problem({"the audio stream has no codec that is enabled here"}, Unserved::format);
  if (auto reachable = reachable_address(session, media, address); !reachable) return reachable.error();
  return std::nullopt;
}

/// The audio stream that we take part in: its place in the description, or why there is none. Each stream stands for
/// itself (RFC 3264 section 6): so of one over IPv4 and one over IPv6 that is taken which can be served (RFC 6157 4).
Outcome<std::size_t> find_audio(const Session& session, const std::vector<rtp::Codec>& codecs,
                                const net::Address& address) {
  Problem why({"no audio stream"}, Unserved::media_type);
  for (std::size_t at = 0; at < session.media.size(); ++at) {
    if (session.media[at].type != "audio") continue;
    auto problem = obstacle(session, session.media[at], codecs, address);
    if (!problem) return at;
    why = std::move(*problem);
  }
  return tl::unexpected(std::move(why));
}

/// a=rtcp (RFC 3605): a port, or a port and an address of the same family; `usual` where it says nothing of use.
net::Address rtcp_address(std::string_view value, const net::Address& usual) {
  const auto space = value.find(' ');
  const auto port = number<std::uint16_t>(value.substr(0, space));
  if (!port || *port == 0) return usual;
  auto address = usual;
  address.set_port(*port);
  const auto last = value.rfind(' ');
  if (last == space) return address;
  const auto named = net::Address::from(value.substr(last + 1), *port);
  return named && named->is_v6() == usual.is_v6() ? *named : address;
}

Agreement agree(const Session& session, const Media& media, const std::vector<rtp::Codec>& codecs,
                const net::Address& address) {
  const auto remote = reachable_address(session, media, address);
  const auto usable = usable_of(media, codecs);
  Agreement agreement;
  agreement.remote = agreement.remote_rtcp = *remote;
  agreement.rtcp_mux = media.attribute("rtcp-mux") != nullptr;
  if (!agreement.rtcp_mux) {
    agreement.remote_rtcp.set_port(static_cast<std::uint16_t>(media.port + 1));
    if (const auto* rtcp = media.attribute("rtcp")) agreement.remote_rtcp = rtcp_address(*rtcp, agreement.remote_rtcp);
  }
  agreement.codec = usable.codecs.front().codec;
  agreement.payload_type = usable.codecs.front().payload_type;
  agreement.receive = usable.codecs;
  agreement.telephone_event_receive = events_beside_all(usable.codecs, usable.events);
  if (!agreement.telephone_event_receive.empty())
    agreement.telephone_event_send = agreement.telephone_event_receive.front();
  agreement.packet_ms = longest_packet_ms(media);
  agreement.direction = answering_direction(session, media, *remote);
  return agreement;
}

/// Nothing is sent, and nothing is expected.
Agreement no_stream(const std::vector<rtp::Codec>& codecs, const net::Address& address) {
  Agreement agreement;
  agreement.remote = agreement.remote_rtcp = net::Address::from(address.is_v6() ? "::" : "0.0.0.0", 9).value();
  if (!codecs.empty()) agreement.codec = codecs.front();
  agreement.payload_type = rtp::facts(agreement.codec).payload_type;
  agreement.direction = Direction::inactive;
  return agreement;
}

}  // namespace

Outcome<void> Negotiator::check(std::string_view offer, const std::vector<rtp::Codec>& codecs,
                                const net::Address& address) {
  const auto session = Session::parse(offer);
  if (!session) return tl::unexpected(session.error());
  if (wants_no_stream(*session)) return {};
  const auto audio = find_audio(*session, codecs, address);
  if (!audio) return tl::unexpected(audio.error());
  return {};
}

Outcome<Negotiator::Answer> Negotiator::answer(std::string_view offer) {
  const auto session = Session::parse(offer);
  if (!session) return tl::unexpected(session.error());
  Session reply;
  for (const auto& offered : session->media) reply.media.push_back(declined(offered));
  if (wants_no_stream(*session))
    return Answer{publisher_.publish(std::move(reply), ours_.address.host()), no_stream(ours_.codecs, ours_.address)};
  const auto audio = find_audio(*session, ours_.codecs, ours_.address);
  if (!audio) return tl::unexpected(audio.error());
  const auto& offered = session->media[*audio];
  auto agreed = agree(*session, offered, ours_.codecs, ours_.address);
  ours_.payload_types->learn(offered, true);
  protocol_ = offered.protocol;

  auto& media = reply.media[*audio];
  media.formats.clear();
  media.port = ours_.address.port();
  for (const auto& [payload_type, codec] : agreed.receive) describe_codec(media, codec, payload_type);
  for (const auto& events : agreed.telephone_event_receive) describe_events(media, events);
  media.attributes.push_back({"ptime", "20"});
  if (agreed.rtcp_mux) media.attributes.push_back({"rtcp-mux", ""});
  media.attributes.push_back({std::string(name_of(agreed.direction)), ""});
  return Answer{publisher_.publish(std::move(reply), ours_.address.host()), std::move(agreed)};
}

/// One for each clock that our codecs have; of 8000 Hz everybody has.
void Negotiator::offer_events(Media& media) {
  offered_events_.clear();
  for (const auto& events : our_events) {
    const auto has_its_clock = [&](rtp::Codec codec) { return rtp::facts(codec).rtp_clock == events.clock; };
    if (events.clock != 8000 && std::ranges::none_of(ours_.codecs, has_its_clock)) continue;
    const auto format = "telephone-event/" + std::to_string(events.clock);
    offered_events_.push_back({ours_.payload_types->number_for(format, events.payload_type), events.clock});
    describe_events(media, offered_events_.back());
  }
}

/// What comes bears the numbers of our offer (RFC 3264 5.1), or, from many who answer with others, those: where we have
/// not given them to what was answered, too.
void Negotiator::add_offered(Agreement& agreed) const {
  const auto answered = std::exchange(agreed.receive, {});
  const auto answered_events = std::exchange(agreed.telephone_event_receive, {});
  const auto has = [](const auto& all, auto value, auto member) {
    return std::ranges::find(all, value, member) != all.end();
  };
  if (agreed.telephone_event_send) agreed.telephone_event_receive = offered_events_;
  for (const auto& one : offered_) {
    const bool means_events = !has(answered, one.codec, &Agreement::Receive::codec) &&
                              has(answered_events, one.payload_type, &rtp::EventFormat::payload_type);
    if (!means_events) agreed.receive.push_back(one);
  }
  const auto is_free = [&](std::uint8_t payload_type) {
    return !has(agreed.receive, payload_type, &Agreement::Receive::payload_type) &&
           !has(offered_events_, payload_type, &rtp::EventFormat::payload_type);
  };
  for (const auto& one : answered)
    if (is_free(one.payload_type)) agreed.receive.push_back(one);
  for (const auto& events : answered_events)
    if (is_free(events.payload_type)) agreed.telephone_event_receive.push_back(events);
}

std::string Negotiator::offer() {
  Media media;
  media.type = "audio";
  media.protocol = protocol_;
  media.port = ours_.address.port();
  offered_.clear();
  for (const auto codec : ours_.codecs) {
    const auto& facts = rtp::facts(codec);
    const auto payload_type = facts.is_static
                                  ? facts.payload_type
                                  : ours_.payload_types->number_for(encoding_text(codec), facts.payload_type);
    offered_.push_back({payload_type, codec});
    describe_codec(media, codec, payload_type);
  }
  offer_events(media);
  media.attributes.push_back({"ptime", "20"});
  media.attributes.push_back({"sendrecv", ""});
  Session session;
  session.media.push_back(std::move(media));
  return publisher_.publish(std::move(session), ours_.address.host());
}

Outcome<Agreement> Negotiator::accept(std::string_view answer) {
  const auto session = Session::parse(answer);
  if (!session) return tl::unexpected(session.error());
  const auto audio = find_audio(*session, ours_.codecs, ours_.address);
  if (!audio) return tl::unexpected(audio.error());
  const auto& media = session->media[*audio];
  auto agreed = agree(*session, media, ours_.codecs, ours_.address);
  ours_.payload_types->learn(media, false);
  add_offered(agreed);
  return agreed;
}

}  // namespace rw::sdp
