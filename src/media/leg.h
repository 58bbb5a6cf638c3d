#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "base/token_bucket.h"
#include "media/codec.h"
#include "media/converter.h"
#include "media/counters.h"
#include "media/dtmf_detector.h"
#include "media/engine.h"
#include "media/outgoing_stream.h"
#include "media/player.h"
#include "media/silence_watch.h"
#include "media/source_filter.h"
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

/// What came from a leg's other side, for those who hear it.
struct Heard {
  LegId from = 0;
  rtp::Packet packet;               ///< valid as long as the datagram
  std::optional<rtp::Codec> codec;  ///< none: a telephone-event
  rtp::Press press;                 ///< of the telephone-event
  char digit = 0;                   ///< that began with this packet, or 0
};

/// One RTP stream in each direction, without sockets, clock or thread: packets and times in, packets and events out.
class Leg {
 public:
  /// `latch_targets`: which sources may be latched; has to outlive the leg; null: any.
  Leg(LegId id, EventSink sink, Latch latch, std::chrono::milliseconds rtp_timeout, LegSeed seed,
      const net::TargetPolicy* latch_targets = nullptr);

  LegId id() const { return id_; }
  void configure(LegParameters parameters, TimePoint now);
  void start_timeout_watch(TimePoint now);
  void expect_confirmation(std::chrono::milliseconds time, TimePoint now);
  void confirm();
  /// What is heard. Report what was stopped with report_ended().
  Player& player() { return player_; }
  void report_ended();
  /// Ends everything that plays.
  void end();
  /// Its sockets are closed: the last event.
  void report_released();

  void record(Record record) { records_.push_back(std::move(record)); }
  void stop_recording(const RecordingTap* tap);
  void watch_silence(std::chrono::milliseconds length, TimePoint now);

  /// Returns what others may hear of it.
  std::optional<Heard> receive_rtp(std::span<const std::uint8_t> datagram, const net::Address& from, TimePoint now,
                                   Counters& counters);
  void receive_rtcp(std::span<const std::uint8_t> datagram, const net::Address& from, TimePoint now,
                    Counters& counters);

  // ---- what other legs have heard
  /// The leg that this one is joined to heard `heard`: writes the packet that is to be sent for it at once into `into`
  /// and returns its length; 0: none, or it has to be converted first.
  std::size_t pass_on(const Heard& heard, std::span<std::uint8_t> into, TimePoint now);
  /// This leg listens to two others, of which `source` (0 or 1) heard `heard`.
  void mix(std::size_t source, const Heard& heard);
  /// The leg hears no other leg any more.
  void alone();

  /// Every 20 ms: writes this frame's packet into `into` and returns its length, 0 if nothing is to be sent.
  std::size_t next_packet(std::span<std::uint8_t> into, TimePoint now);
  /// Fetches what next_packet() needs into the cache: it has been out of it since 20 ms ago.
  void prefetch() const;
  /// To be called when the packet is on its way.
  void packet_sent();
  /// A packet that pass_on() wrote is on its way.
  void passed_packet_sent() { stream_.sent(std::exchange(octets_written_, 0)); }
  /// Moves the clock by `frames` for which nothing is sent.
  void skip(std::uint32_t frames);
  const net::Address& remote() const { return source_.remote(); }
  /// What it hears of others has to be converted, which costs many times what all else does.
  bool converts() const { return converter_ != nullptr; }

  /// To be asked every 20 ms: whether the next RTCP report is due (RFC 3550 6.2).
  bool report_due() { return configured_ && --frames_to_report_ == 0; }
  /// Writes an RTCP report into `into`, the last one with `goodbye`. `ntp_now`: NTP time stamp. Returns its length; 0:
  /// nothing to be sent.
  std::size_t write_report(std::span<std::uint8_t> into, TimePoint now, std::uint64_t ntp_now, bool goodbye,
                           Counters& counters);
  net::Address remote_rtcp() const;
  bool rtcp_mux() const { return parameters_.rtcp_mux; }

 private:
  /// For how long after a packet of 20 ms of the other leg its silence is no reason to send our own frames.
  static constexpr std::chrono::milliseconds pass_on_gap{60};
  /// The same for a press that is not over: senders may update an event every 50 ms (RFC 4733 2.5.1.2), or more seldom.
  static constexpr std::chrono::milliseconds press_gap{200};

  /// An event of another leg that is on its way to the other side.
  struct PassedPress {
    LegId from;
    std::uint32_t number;
    std::uint32_t timestamp;  ///< of all its packets
  };

  /// For the detection of tones in the audio.
  struct Inband {
    DtmfDetector detector;
    std::array<std::unique_ptr<Decoder>, rtp::codecs.size()> decoders;
    std::optional<std::uint16_t> sequence;  ///< of the last packet
    std::uint32_t ssrc = 0;                 ///< its stream: another one's numbers have nothing to do with it
  };

  std::optional<Heard> receive_event(const rtp::Packet& packet, const rtp::EventFormat& format, TimePoint now,
                                     Counters& counters);
  bool may_press(TimePoint now);
  bool has_target() const;
  bool may_send() const;
  void is_alive(TimePoint now);
  void check_timeout(TimePoint now);
  void check_confirmation(TimePoint now);
  void check_silence(TimePoint now);
  bool may_hear() const;
  std::optional<char> detect_digit(const rtp::Packet& packet, rtp::Codec codec);
  void send_digit(char digit);
  void record(RecordedSide side, const rtp::Packet& packet, rtp::Codec codec, TimePoint now) const;
  std::span<const std::uint8_t> in_own_codec(const Heard& heard, std::size_t milliseconds,
                                             std::span<std::uint8_t> scratch);
  std::size_t write_passed(const rtp::Packet& packet, std::span<std::uint8_t> into, TimePoint now);
  std::size_t pass_press(const Heard& heard, std::span<std::uint8_t> into, TimePoint now);
  std::optional<rtp::Codec> received_codec(std::uint8_t payload_type) const;
  const rtp::EventFormat* received_events(std::uint8_t payload_type) const;
  void count_losses(Counters& counters);
  std::uint32_t random_report_interval();
  /// `now` in units of the RTP clock.
  std::uint32_t rtp_time(TimePoint now) const;

  // What each frame touches stands first: prefetch() fetches no more than that.
  const LegId id_;
  const EventSink sink_;
  const std::chrono::milliseconds rtp_timeout_;
  LegParameters parameters_;
  bool configured_ = false;
  bool reframes_ = false;  ///< the converter has been made because packets were too long
  // Whether the other side is there.
  bool confirmed_ = false;
  bool unheard_ = false;  ///< it is not confirmed, and the time for that is over
  TimePoint confirmed_until_ = TimePoint::max();
  bool echoing_ = false;
  bool watching_ = false;
  bool timed_out_ = false;
  std::uint16_t octets_written_ = 0;  ///< of the packet that is to be sent
  std::uint32_t frames_to_report_ = 0;
  TimePoint last_received_;
  TimePoint passing_until_;  ///< for so long no frames of our own are sent, as the other leg's pass
  Player player_;
  OutgoingStream stream_;
  std::unique_ptr<Converter> converter_;   ///< of what other legs hear, if it has to be converted
  std::unique_ptr<Converter> echo_;        ///< made for the first Echo
  std::unique_ptr<SilenceWatch> silence_;  ///< while somebody wants to know
  std::vector<Record> records_;
  SourceFilter source_;

  // What only something that comes in touches, or a report.
  rtp::TelephoneEventReceiver events_;
  std::optional<PassedPress> passed_press_;
  TokenBucket presses_;
  rtp::ReceiverStatistics statistics_;
  std::unique_ptr<Inband> inband_;  ///< only if telephone-event was not negotiated
  std::uint64_t losses_counted_ = 0;
  std::string cname_;
  std::uint64_t random_;
  std::uint32_t last_sender_report_ = 0;
  TimePoint last_sender_report_at_;
};

}  // namespace rw::media
