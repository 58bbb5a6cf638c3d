#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "rtp/codec.h"
#include "sdp/audio_stream.h"
#include "sdp/payload_types.h"
#include "sdp/problem.h"
#include "sdp/session.h"

namespace rw::sdp {

/// What one offer and its answer have settled about the audio stream, from our side.
struct Agreement {
  net::Address remote;       ///< where our RTP goes; unspecified: nowhere
  net::Address remote_rtcp;  ///< where our RTCP goes: RFC 3605, or the next port, or the same with rtcp-mux
  bool rtcp_mux = false;
  rtp::Codec codec = rtp::Codec::pcma;  ///< what we send
  std::uint8_t payload_type = 8;        ///< its number, as the other side chose it
  using Receive = UsableFormats::Format;
  std::vector<Receive> receive;                           ///< what may come, by our numbers
  std::optional<rtp::EventFormat> telephone_event_send;   ///< with the other side's number
  std::vector<rtp::EventFormat> telephone_event_receive;  ///< what may come, by our numbers
  std::uint32_t packet_ms = default_packet_ms;            ///< the longest packets that the other side wants
  Direction direction = Direction::send_receive;          ///< ours
  /// The other side wants to hear nothing (RFC 3264 8.4).
  bool held() const { return direction == Direction::receive_only || direction == Direction::inactive; }
  bool operator==(const Agreement&) const = default;
};

/// What we can do.
struct Capabilities {
  std::vector<rtp::Codec> codecs;  ///< in order of preference
  net::Address address;            ///< for c= and m=: host and RTP port
  std::uint64_t session_id = 0;
  /// Of the dialog, which may have other negotiators before and after.
  std::shared_ptr<PayloadTypes> payload_types = std::make_shared<PayloadTypes>();
};

/// One side of a leg's offer/answer exchanges (RFC 3264): one audio stream over RTP/AVP. Any further media of an offer
/// are refused with port 0. A description of ours gets a new version when, and only when, it has changed. Where no
/// stream is wanted none is agreed on: that is as on hold.
class Negotiator {
 public:
  explicit Negotiator(Capabilities capabilities) : ours_(std::move(capabilities)), publisher_(ours_.session_id) {}

  struct Answer {
    std::string sdp;
    Agreement agreement;
  };
  /// Answers an offer with the codecs that both sides have, in our order of preference. An error says what can't be
  /// served, and changes nothing.
  Outcome<Answer> answer(std::string_view offer);
  /// Our own offer: all our codecs, telephone-event, by the numbers that they have in this dialog.
  std::string offer();
  /// The answer to offer().
  Outcome<Agreement> accept(std::string_view answer);

  /// Whether `offer` could be answered with these codecs at this address.
  static Outcome<void> check(std::string_view offer, const std::vector<rtp::Codec>& codecs,
                             const net::Address& address);

 private:
  void offer_events(Media& media);
  void add_offered(Agreement& agreed) const;

  Capabilities ours_;
  std::vector<Agreement::Receive> offered_;  ///< in our last offer
  std::vector<rtp::EventFormat> offered_events_;
  std::string protocol_ = "RTP/AVP";  ///< of our offers: what the other side has once offered
  Publisher publisher_;
};

}  // namespace rw::sdp
