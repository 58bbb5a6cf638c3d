// An offer from anybody, as it came or put together from lines as they are seen, in any number and order: parsing and
// answering it never crashes, what we answer can be parsed again and has a line for each of the offer's, and our own
// offers never use a number anew.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "sdp/device.h"
#include "sdp/negotiator.h"

namespace {

using rw::sdp::Session;

constexpr std::array<std::string_view, 32> lines{"m=audio 4000 RTP/AVP 8 0",
                                                 "m=audio 4000 RTP/AVP 96 97 101 111 9",
                                                 "m=audio 0 RTP/AVP 8",
                                                 "m=audio 99999 RTP/AVP 8",
                                                 "m=audio 4000 RTP/SAVP 8",
                                                 "m=audio 4000/2 RTP/AVP  3 8",
                                                 "m=video 5000 UDP/TLS/RTP/SAVPF 96 97",
                                                 "m=image 0 udptl t38",
                                                 "m=message $ TCP/MSRP *",
                                                 "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                                                 "c=IN IP4 10.0.0.1",
                                                 "c=IN IP4 0.0.0.0",
                                                 "c=IN IP6 2001:db8::7",
                                                 "c=IN IP4 a.host.example",
                                                 "c=TN RFC2543 +1-201-406-4090",
                                                 "a=rtpmap:96 telephone-event/8000",
                                                 "a=rtpmap:96 opus/48000/2",
                                                 "a=rtpmap:97 telephone-event/48000",
                                                 "a=rtpmap:101 speex/16000",
                                                 "a=rtpmap:101 telephone-event/8000",
                                                 "a=rtpmap:111 opus/48000/2",
                                                 "a=rtpmap:300 x/1",
                                                 "a=fmtp:101 0-15",
                                                 "a=sendonly",
                                                 "a=inactive",
                                                 "a=rtcp-mux",
                                                 "a=rtcp:5001",
                                                 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x",
                                                 "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host",
                                                 "a=group:ANAT 1 2",
                                                 "b=AS:64",
                                                 "t=0 0"};

/// A description as it came, or one whose lines the bytes choose: several alike after a byte of the upper half.
std::string description(std::string_view bytes) {
  if (bytes.starts_with("v=")) return std::string(bytes);
  std::string text = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n";
  for (std::size_t at = 0; at < bytes.size() && text.size() < 2 * rw::sdp::max_bytes; ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const int times = byte < 0x80 ? 1 : byte;
    for (int time = 0; time < times; ++time) text += std::string(lines[byte % lines.size()]) + "\r\n";
  }
  return text;
}

void require(bool true_) {
  if (!true_) std::abort();
}

/// What an offer of ours calls its formats: a number has one meaning for ever.
void note_numbers(std::map<std::string, std::string>& meanings, const std::string& offer) {
  const auto session = Session::parse(offer);
  require(session && session->media.size() == 1);
  for (const auto& [name, value] : session->media[0].attributes) {
    if (name != "rtpmap") continue;
    const auto space = value.find(' ');
    const auto [known, fresh] = meanings.emplace(value.substr(0, space), value.substr(space + 1));
    require(fresh || known->second == value.substr(space + 1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = description({reinterpret_cast<const char*>(data), size});
  const auto offered = Session::parse(text);
  for (const auto* address : {"127.0.0.1", "::1"}) {
    rw::sdp::Capabilities ours;
    ours.codecs = {rw::rtp::Codec::pcma, rw::rtp::Codec::pcmu, rw::rtp::Codec::gsm, rw::rtp::Codec::opus};
    ours.address = *rw::net::Address::from(address, 16384);
    rw::sdp::Negotiator negotiator(ours);
    const auto checked = rw::sdp::Negotiator::check(text, ours.codecs, ours.address);
    const auto answer = negotiator.answer(text);
    require(checked.has_value() == answer.has_value());
    if (answer) {
      const auto reply = Session::parse(answer->sdp);
      require(reply && offered && reply->media.size() == offered->media.size());
      int taken = 0;
      for (std::size_t at = 0; at < reply->media.size(); ++at) {
        require(reply->media[at].type == offered->media[at].type);
        taken += reply->media[at].port != 0 ? 1 : 0;
      }
      require(taken <= 1 && (taken == 1 || answer->agreement.held()));
      require(answer->agreement.remote.is_v6() == ours.address.is_v6());
    }
    std::map<std::string, std::string> meanings;
    note_numbers(meanings, negotiator.offer());
    (void)negotiator.accept(text);
    note_numbers(meanings, negotiator.offer());
  }
  rw::sdp::DeviceAudio audio;
  audio.receive = *rw::net::Address::from("10.0.0.2", 4000);
  rw::sdp::DeviceNegotiator device(audio, 1);
  (void)rw::sdp::DeviceNegotiator::read_offer(text);
  (void)device.answer(text);
  (void)device.accept(text);
  return 0;
}
