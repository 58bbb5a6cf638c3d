#include "sdp/negotiator.h"

#include <algorithm>

#include "sdp/protocols.h"

namespace rw::sdp {
namespace {

constexpr std::uint8_t our_telephone_event = 101;

/// What of a remote stream we can use, in our order of preference.
UsableFormats usable_of(const Media& media, const std::vector<rtp::Codec>& ours) {
  auto usable = usable_formats(media, ours);
  const auto rank = [&ours](const Agreement::Receive& one) { return std::find(ours.begin(), ours.end(), one.codec); };
  std::stable_sort(usable.codecs.begin(), usable.codecs.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return usable;
}

/// The audio stream that we take part in: its place in the description, or why there is none.
Result<std::size_t> find_audio(const Session& session, const std::vector<rtp::Codec>& codecs) {
  std::string why = "no audio stream";
  for (std::size_t at = 0; at < session.media.size(); ++at) {
    const Media& media = session.media[at];
    if (media.type != "audio") continue;
    if (media.port == 0) {
      why = "the audio stream has port 0";
    } else if (!is_plain_rtp(media.protocol)) {
      why = "the audio stream is not RTP/AVP but " + media.protocol;
    } else if (usable_of(media, codecs).codecs.empty()) {
      why = "the audio stream has no codec that is enabled here";
    } else {
      return at;
    }
  }
  return fail(why);
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

Result<Agreement> agree(const Session& session, const Media& media, const std::vector<rtp::Codec>& codecs) {
  const auto remote = rtp_address(session, media);
  if (!remote) return tl::unexpected(remote.error());
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
  agreement.telephone_event_send = agreement.telephone_event_receive = usable.telephone_event;
  agreement.direction = answering_direction(session, media, *remote);
  return agreement;
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
  return Answer{publisher_.publish(std::move(reply), ours_.address.host()), std::move(*agreed)};
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
  return publisher_.publish(std::move(session), ours_.address.host());
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

}  // namespace rw::sdp
