#pragma once

#include <cstdint>
#include <optional>

#include "rtp/packet.h"
#include "rtp/rtcp.h"

namespace rw::media {

/// The RTP stream that a leg sends (RFC 3550 5.1): made of packets of the leg's own clock and of packets passed on from
/// another stream, numbered so that the other side sees one stream without a seam. No I/O, no clock.
class OutgoingStream {
 public:
  OutgoingStream(std::uint32_t ssrc, std::uint32_t timestamp, std::uint16_t sequence)
      : ssrc_(ssrc), timestamp_(timestamp), sequence_(sequence) {}

  /// `units`: of the RTP clock in 20 ms.
  void set_frame_clock(std::uint32_t units) { frame_clock_ = units; }
  std::uint32_t ssrc() const { return ssrc_; }

  /// The timestamp of the frame that is due now: behind all that was sent.
  std::uint32_t frame();
  /// The time of `frames` frames has passed.
  void advance(std::uint32_t frames = 1) { timestamp_ += frames * frame_clock_; }
  /// Nothing is sent for now: the next packet begins a talkspurt.
  void pause() { mark_ = true; }

  /// The header of our own packet for frame(); without payload and type.
  rtp::Packet own_packet();
  /// `packet`, which another side sent, as a packet of this stream: losses and reordering in it stay as they are.
  /// Nothing if it is older than what was passed on first: its number has been given to another one.
  std::optional<rtp::Packet> passed_on(const rtp::Packet& packet);

  /// The timestamp for an event that begins with `packet` of another side's stream: its place in the audio that is
  /// passed on from the same stream, else the frame that is due. No other event gets the same.
  std::uint32_t event_begins(const rtp::Packet& packet);
  /// The header for a packet of the event that began at `timestamp`, to which `packet` gave rise; without payload, type
  /// and marker. Events may come between packets of our own and packets passed on: each gets the next number.
  rtp::Packet event_packet(const rtp::Packet& packet, std::uint32_t timestamp);

  /// A packet with so many bytes of payload has gone out.
  void sent(std::size_t octets);
  /// For a sender report; nothing if nothing was sent since the last one.
  std::optional<rtp::SenderInfo> report(std::uint64_t ntp_now);

 private:
  /// How the numbers of the stream that is passed on become ours.
  struct Anchor {
    std::uint32_t ssrc;
    std::uint16_t sequence, our_sequence;
    std::uint32_t timestamp, our_timestamp;
  };

  void passed_up_to(std::uint32_t timestamp);

  std::uint32_t ssrc_;
  std::uint32_t timestamp_;  ///< of the next frame of our own
  std::uint16_t sequence_;   ///< of the next packet
  bool mark_ = true;
  std::uint32_t frame_clock_ = 160;
  std::optional<std::uint32_t> passed_timestamp_;  ///< latest of what was passed on since our last own packet
  std::optional<Anchor> anchor_;                   ///< of the audio that is passed on; until a packet of our own
  std::uint32_t packets_ = 0, octets_ = 0;
  bool sent_since_report_ = false;
};

}  // namespace rw::media
