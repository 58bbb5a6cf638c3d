#include "sdp/device.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "sdp/protocols.h"

namespace rw::sdp {
namespace {

constexpr std::string_view plain = "RTP/AVP", secure = "RTP/SAVP";

const std::vector<rtp::Codec>& device_codecs() {
  static const std::vector<rtp::Codec> codecs{rtp::Codec::pcma, rtp::Codec::pcmu, rtp::Codec::gsm};
  return codecs;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::vector<Crypto> cryptos_of(const Media& media) {
  std::vector<Crypto> all;
  for (const auto& [name, value] : media.attributes) {
    if (name != "crypto") continue;
    if (auto one = Crypto::parse(value)) all.push_back(std::move(*one));
  }
  return all;
}

/// What can be used of a stream, by static payload types only.
std::vector<rtp::Codec> codecs_of(const Media& media) {
  std::vector<rtp::Codec> codecs;
  for (const auto& [payload_type, codec] : usable_formats(media, device_codecs()).codecs) {
    if (payload_type == rtp::facts(codec).payload_type) codecs.push_back(codec);
  }
  return codecs;
}

/// Reads one stream; the error says why a device can't take it. `ours`: where the device receives; null: it has not
/// said so.
Outcome<RemoteAudio> read_stream(const Session& session, const Media& media, const net::Address* ours) {
  if (media.port == 0 && media.problem.empty()) return unserved(Unserved::media_type, "the audio stream has port 0");
  if (!is_plain_rtp(media.protocol) && !is_secure_rtp(media.protocol))
    return unserved(Unserved::transport,
                    "the audio stream is neither RTP/AVP nor RTP/SAVP but " + to_utf8(media.protocol));
  const auto codecs = codecs_of(media);
  if (codecs.empty()) return unserved(Unserved::format, "the audio stream has none of PCMA, PCMU and GSM");
  const auto address = ours == nullptr ? rtp_address(session, media) : reachable_address(session, media, *ours);
  if (!address) return tl::unexpected(address.error());
  RemoteAudio remote;
  remote.codec = codecs.front();
  remote.receive = *address;
  if (const auto events = events_beside(rtp::facts(remote.codec).rtp_clock, usable_formats(media, {}).events))
    remote.telephone_event = events->payload_type;
  remote.crypto = cryptos_of(media);
  if (is_secure_rtp(media.protocol) && remote.crypto.empty())
    return unserved(Unserved::attribute, "the " + media.protocol + " stream has no crypto");
  const auto direction = answering_direction(session, media, *address);
  remote.held = direction == Direction::receive_only || direction == Direction::inactive;
  return remote;
}

/// What of an offered stream the device has chosen; the error names the field that it doesn't fit.
Outcome<std::vector<Crypto>> choose(const DeviceAudio& audio, const Media& media) {
  const auto codecs = codecs_of(media);
  if (std::ranges::find(codecs, audio.codec) == codecs.end())
    return unserved(Unserved::format, "codec: " + std::string(rtp::facts(audio.codec).name) + " is not offered");
  if (audio.crypto.empty()) {
    if (is_secure_rtp(media.protocol)) {
      return unserved(Unserved::attribute,
                      "crypto: the stream is " + media.protocol + ", one of the offered suites is expected");
    }
    return std::vector<Crypto>{};
  }
  const auto offered = cryptos_of(media);
  for (const auto& ours : audio.crypto) {
    const auto same = [&ours](const Crypto& theirs) { return theirs.id == ours.id && theirs.suite == ours.suite; };
    if (std::ranges::any_of(offered, same)) return std::vector<Crypto>{ours};
  }
  return unserved(Unserved::attribute, "crypto: none of the items has an id and suite that are offered");
}

}  // namespace

std::optional<Crypto> Crypto::parse(std::string_view value) {
  const auto first = value.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const auto tag = number<std::uint32_t>(value.substr(0, first));
  value.remove_prefix(std::min(value.find_first_not_of(' ', first), value.size()));
  const auto second = value.find(' ');
  if (!tag || *tag > max_crypto_id || second == std::string_view::npos) return std::nullopt;
  Crypto crypto{*tag, std::string(value.substr(0, second)), {}};
  value.remove_prefix(std::min(value.find_first_not_of(' ', second), value.size()));
  crypto.config = value;
  const bool usable = !crypto.suite.empty() && crypto.suite.size() <= max_suite_bytes && is_printable(crypto.suite) &&
                      !crypto.config.empty() && crypto.config.size() <= max_crypto_bytes && is_printable(crypto.config);
  return usable ? std::optional(std::move(crypto)) : std::nullopt;
}

std::string Crypto::to_string() const {
  return std::to_string(id) + " " + suite + " " + config;
}

Outcome<RemoteAudio> DeviceNegotiator::read_offer(std::string_view offer) {
  const auto session = Session::parse(offer);
  if (!session) return tl::unexpected(session.error());
  Outcome<RemoteAudio> found = unserved(Unserved::media_type, "no audio stream");
  for (const auto& media : session->media) {
    if (media.type != "audio") continue;
    found = read_stream(*session, media, nullptr);
    if (found) break;
  }
  return found;
}

Media DeviceNegotiator::describe(std::string protocol, const std::vector<Crypto>& crypto, bool telephone_event,
                                 Direction direction) const {
  Media media;
  media.type = "audio";
  media.protocol = std::move(protocol);
  media.port = audio_.receive.port();
  describe_codec(media, audio_.codec, rtp::facts(audio_.codec).payload_type);
  if (telephone_event && audio_.telephone_event)
    describe_events(media, {*audio_.telephone_event, rtp::facts(audio_.codec).rtp_clock});
  for (const auto& one : crypto) media.attributes.push_back({"crypto", one.to_string()});
  media.attributes.push_back({"ptime", "20"});
  media.attributes.push_back({std::string(name_of(direction)), ""});
  return media;
}

std::string DeviceNegotiator::offer() {
  Session session;
  auto protocol = std::string(audio_.crypto.empty() ? plain : secure) + (feedback_ ? "F" : "");
  session.media.push_back(describe(std::move(protocol), audio_.crypto, true, Direction::send_receive));
  return publish(std::move(session));
}

Outcome<DeviceNegotiator::Answer> DeviceNegotiator::answer(std::string_view offer) {
  const auto session = Session::parse(offer);
  if (!session) return tl::unexpected(session.error());
  Session reply;
  std::optional<RemoteAudio> taken;
  Problem why({"no audio stream"}, Unserved::media_type);
  for (const auto& offered : session->media) {
    auto media = declined(offered);
    if (!taken && offered.type == "audio") {
      auto remote = read_stream(*session, offered, &audio_.receive);
      const auto chosen = remote ? choose(audio_, offered) : tl::unexpected(remote.error());
      if (chosen) {
        media = describe(offered.protocol, *chosen, remote->telephone_event.has_value(),
                         answering_direction(*session, offered, remote->receive));
        remote->codec = audio_.codec;
        feedback_ = offered.protocol.ends_with('F');
        taken = std::move(*remote);
      } else {
        why = chosen.error();
      }
    }
    reply.media.push_back(std::move(media));
  }
  if (!taken) return tl::unexpected(why);
  return Answer{publish(std::move(reply)), std::move(*taken)};
}

Outcome<RemoteAudio> DeviceNegotiator::accept(std::string_view answer) const {
  const auto session = Session::parse(answer);
  if (!session) return tl::unexpected(session.error());
  if (session->media.empty() || session->media.front().type != "audio")
    return unserved(Unserved::media_type, "no audio stream");
  const auto& media = session->media.front();
  auto remote = read_stream(*session, media, &audio_.receive);
  if (!remote) return remote;
  if (audio_.crypto.empty() ? !is_plain_rtp(media.protocol) : !is_secure_rtp(media.protocol))
    return unserved(Unserved::transport, "the audio stream is " + to_utf8(media.protocol) + ", which was not offered");
  if (audio_.crypto.empty()) remote->crypto.clear();
  if (const auto chosen = choose(audio_, media); !chosen) return tl::unexpected(chosen.error());
  remote->codec = audio_.codec;
  return remote;
}

std::string DeviceNegotiator::publish(Session session) {
  return publisher_.publish(std::move(session), audio_.receive.host());
}

}  // namespace rw::sdp
