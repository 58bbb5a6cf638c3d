#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "media/codec.h"
#include "media/counters.h"
#include "media/dtmf_detector.h"
#include "media/engine.h"
#include "media/player.h"
#include "media/source_filter.h"
#include "rtp/jitter_buffer.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtp/telephone_event.h"

namespace rw::media {

/// What of a leg is drawn at random when it is made (RFC 3550 5.1, 8.1).
struct LegSeed {
  std::uint32_t ssrc = 0;
  std::uint32_t timestamp = 0;
  std::uint16_t sequence = 0;
  std::uint64_t rtcp_jitter = 1;  ///< for the intervals between reports
  std::string cname;
};

/// One RTP stream in each direction, without sockets, clock or thread: packets and times in, packets and events out.
class Leg {
 public:
  Leg(LegId id, EventSink sink, Latch latch, std::chrono::milliseconds rtp_timeout, LegSeed seed);

  LegId id() const { return id_; }
  void configure(LegParameters parameters, TimePoint now);
  void start_timeout_watch(TimePoint now);
  /// What is heard. Report what was stopped with report_ended().
  Player& player() { return player_; }
  void report_ended();
  /// Ends everything that plays.
  void end();
  /// Its sockets are closed: the last event.
  void report_released();

  void receive_rtp(std::span<const std::uint8_t> datagram, const net::Address& from, TimePoint now, Counters& counters);
  void receive_rtcp(std::span<const std::uint8_t> datagram, const net::Address& from, TimePoint now,
                    Counters& counters);

  /// Every 20 ms: writes this frame's packet into `into` and returns its length, 0 if nothing is to be sent.
  std::size_t next_packet(std::span<std::uint8_t> into, TimePoint now);
  /// Fetches what next_packet() needs into the cache: it has been out of it since 20 ms ago.
  void prefetch() const;
  /// To be called when the packet is on its way.
  void packet_sent();
  /// Moves the clock by `frames` for which nothing is sent.
  void skip(std::uint32_t frames);
  const net::Address& remote() const { return source_.remote(); }

  /// To be asked every 20 ms: whether the next RTCP report is due (RFC 3550 6.2).
  bool report_due() { return configured_ && --frames_to_report_ == 0; }
  /// Writes an RTCP report into `into`, the last one with `goodbye`. `ntp_now`: NTP time stamp. Returns its length; 0:
  /// nothing to be sent.
  std::size_t write_report(std::span<std::uint8_t> into, TimePoint now, std::uint64_t ntp_now, bool goodbye,
                           Counters& counters);
  net::Address remote_rtcp() const;
  bool rtcp_mux() const { return parameters_.rtcp_mux; }

 private:
  /// For the detection of tones in the audio.
  struct Inband {
    DtmfDetector detector;
    std::array<std::unique_ptr<Decoder>, rtp::codecs.size()> decoders;
    std::optional<std::uint16_t> sequence;  ///< of the last packet
  };

  bool may_send() const;
  void check_timeout(TimePoint now);
  void receive_audio(const rtp::Packet& packet, rtp::Codec codec);
  void detect_digits(const rtp::Packet& packet, rtp::Codec codec);
  void report_digit(char digit);
  std::optional<rtp::Codec> received_codec(std::uint8_t payload_type) const;
  void count_losses(Counters& counters);
  std::uint32_t random_report_interval();
  /// `now` in units of the RTP clock.
  std::uint32_t rtp_time(TimePoint now) const;

  const LegId id_;
  const EventSink sink_;
  const std::chrono::milliseconds rtp_timeout_;
  LegParameters parameters_;
  bool configured_ = false;

  // Out.
  Player player_;
  std::uint32_t ssrc_;
  std::uint32_t timestamp_;
  std::uint16_t sequence_;
  std::uint32_t frame_clock_ = frame_samples;  ///< RTP clock of 20 ms
  bool mark_ = true;                           ///< the next packet begins a talkspurt
  std::uint32_t packets_sent_ = 0, octets_sent_ = 0;
  std::uint16_t octets_written_ = 0;  ///< of the packet that is to be sent
  bool sent_since_report_ = false;

  // In.
  SourceFilter source_;
  rtp::TelephoneEventReceiver events_;
  rtp::ReceiverStatistics statistics_;
  std::unique_ptr<Inband> inband_;           ///< only if telephone-event was not negotiated
  std::unique_ptr<rtp::JitterBuffer> echo_;  ///< made for the first Echo
  bool echoing_ = false;
  bool watching_ = false;
  bool timed_out_ = false;
  TimePoint last_received_;
  std::uint64_t losses_counted_ = 0;

  // Reports.
  std::string cname_;
  std::uint64_t random_;
  std::uint32_t frames_to_report_;
  std::uint32_t last_sender_report_ = 0;
  TimePoint last_sender_report_at_;
};

}  // namespace rw::media
