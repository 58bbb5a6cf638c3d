#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "media/recording_tap.h"
#include "media/sound.h"
#include "net/address.h"
#include "net/target_policy.h"
#include "rtp/codec.h"
#include "rtp/telephone_event.h"

/// The media engine: worker threads that own the legs' sockets and clocks. Commands are asynchronous, ordered per leg,
/// and may come from any thread; events come back through the sink given with the leg, on the worker's thread.
namespace rw::media {

using LegId = std::uint64_t;
using PlayId = std::uint64_t;
/// No PlayEnded comes for an item with this id.
inline constexpr PlayId unreported_play = ~PlayId{0};

enum class Latch : std::uint8_t { any, same_address, off };  ///< who may be latched (source_filter.h)

struct EngineOptions {
  net::Address address;              ///< bound for RTP (port ignored)
  std::uint16_t first_port = 16384;  ///< RTP on even ports, RTCP on the next odd one
  std::uint16_t last_port = 32767;
  int workers = 0;  ///< 0: one per core
  /// Legs on a worker before the next one gets any: some 30 % of a core when they send and receive. One that converts
  /// counts as several.
  std::size_t legs_per_worker = 1200;
  Latch latch = Latch::any;
  std::optional<net::TargetPolicy> latch_targets{};  ///< which sources may be latched; absent: any
  std::chrono::milliseconds rtp_timeout{60'000};
  std::chrono::milliseconds port_rest{30'000};  ///< how long a port rests before it is used again
  bool allow_io_uring = true;
};

enum class Direction : std::uint8_t { send_receive, send_only, receive_only, inactive };

/// What one offer/answer exchange settled for a leg, from our side.
struct LegParameters {
  net::Address remote;       ///< where RTP goes
  net::Address remote_rtcp;  ///< port 0: the next port behind RTP's
  /// Whether anything may be sent to `remote`. If not, as soon as another source has been latched.
  bool remote_allowed = true;
  bool rtcp_mux = false;
  rtp::Codec codec = rtp::Codec::pcma;  ///< what we send
  std::uint8_t payload_type = 8;        ///< number for it in what we send
  struct Receive {
    std::uint8_t payload_type;
    rtp::Codec codec;
  };
  std::vector<Receive> receive;                           ///< what may come, by our numbers
  std::optional<rtp::EventFormat> telephone_event_send;   ///< as the other side wants them
  std::vector<rtp::EventFormat> telephone_event_receive;  ///< what may come; empty: digits are looked for in the audio
  std::uint32_t longest_packet_ms = 20;  ///< what the other side takes of another leg as it comes; ours have 20 ms
  Direction direction = Direction::send_receive;
};

struct DtmfReceived {
  LegId leg = 0;
  char digit = 0;                         ///< 0-9 * # A-D
  std::chrono::milliseconds duration{0};  ///< 0: not known, as digits are reported when they begin
};
/// Once for each play() with an id other than unreported_play: it ran to its end (`completed`), or was stopped,
/// replaced or released.
struct PlayEnded {
  LegId leg = 0;
  PlayId play = 0;
  bool completed = false;
};
/// No valid RTP for EngineOptions::rtp_timeout after start_timeout_watch(), not counting time on hold.
struct RtpTimedOut {
  LegId leg = 0;
};
/// Nothing louder than noise has come from the other side for as long as watch_silence() said; once for each call of
/// it.
struct FellSilent {
  LegId leg = 0;
};
/// Nothing is sent to the leg's other side any more, since nothing has confirmed in time that it is there. Goes by
/// itself when something does.
struct Unconfirmed {
  LegId leg = 0;
};
/// The last event of a leg, after release() or the engine's end: its sockets are closed.
struct LegReleased {
  LegId leg = 0;
};
using Event = std::variant<DtmfReceived, PlayEnded, RtpTimedOut, FellSilent, Unconfirmed, LegReleased>;
/// Called on a worker's thread; must not block.
using EventSink = std::function<void(Event)>;

struct Play {
  PlayId id = 0;
  SoundPtr sound;  ///< null: silence of `silence` length
  std::chrono::milliseconds silence{0};
  bool loop = false;                   ///< again and again until stopped
  std::chrono::milliseconds pause{0};  ///< silence between two rounds of a loop
};

struct SendDigits {
  PlayId id = 0;
  std::string digits;  ///< 0-9 * # A-D; sent as RFC 4733 if negotiated, else as tones
  std::chrono::milliseconds tone{100};
  std::chrono::milliseconds gap{100};
};

/// Sends the caller's own audio back for `length`.
struct Echo {
  PlayId id = 0;
  std::chrono::milliseconds length{0};
};

/// What of a leg goes into a recording: what comes from its other side, or what is sent there.
enum class RecordedSide : std::uint8_t { heard, sent };

struct Record {
  std::shared_ptr<RecordingTap> tap;
  RecordedSide side = RecordedSide::heard;
  std::uint8_t channel = 0;
};

/// Counters since the start, and gauges; a consistent enough view for metrics.
struct EngineStatistics {
  std::uint64_t packets_sent = 0, packets_received = 0, packets_dropped = 0, rtcp_sent = 0, rtcp_received = 0;
  std::uint64_t packets_lost = 0;  ///< gaps in the received sequence numbers
  std::uint64_t late_ticks = 0;    ///< 1 ms slots served over 5 ms late
  std::size_t legs = 0;
  std::size_t ports_in_use = 0;  ///< not counting those that rest
  std::size_t ports_resting = 0;
  bool io_uring = false;
};

class Engine {
 public:
  explicit Engine(EngineOptions options);  ///< starts the workers
  ~Engine();                               ///< releases what is left and joins them
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  struct NewLeg {
    LegId leg;
    std::uint16_t port;  ///< RTP port bound on EngineOptions::address
  };
  /// Binds a port pair. Nothing is sent before configure(). `beside`: put it on that leg's worker (for legs to be
  /// joined); 0: the least loaded.
  Result<NewLeg> create(EventSink sink, LegId beside = 0);
  /// Applies the result of an offer/answer exchange; the first one starts the stream (silence, while nothing plays).
  /// One that names another address than before forgets a latched source.
  void configure(LegId leg, LegParameters parameters);
  /// The leg was answered: from now on the absence of RTP counts, and the first time the 5 s for latching begin.
  void start_timeout_watch(LegId leg);

  /// Unless it is known that the leg's other side is there, sending stops when `time` from now is over, until valid RTP
  /// comes or confirm() is called: it may be an address that somebody else has named.
  void expect_confirmation(LegId leg, std::chrono::milliseconds time);
  /// The other side is there: it has answered what only it can have got.
  void confirm(LegId leg);

  /// Queued behind what plays in the foreground; the next item starts with the next frame.
  void play(LegId leg, Play item);
  void send_digits(LegId leg, SendDigits digits);
  void echo(LegId leg, Echo echo);
  /// Stops or removes one item; PlayEnded{completed=false} comes for it.
  void stop(LegId leg, PlayId item);
  void stop_all(LegId leg);
  /// Heard whenever the foreground is empty; null ends it. Loops with `pause` of silence between rounds. No PlayEnded.
  void background(LegId leg, SoundPtr sound, std::chrono::milliseconds pause);

  /// Joins two legs: each hears the other, and digits that one of them presses reach the other in the form which that
  /// side negotiated (RFC 4733, or tones); they are reported as ever. What is in a leg's foreground is heard in place
  /// of the other leg; its background only while nothing comes from there. With the same codec payloads go through
  /// undecoded, as they come, without a buffer; else they are converted. A leg that was joined to another one leaves
  /// that, or those. If the legs live on different workers, `b` moves to that of `a`; its stream goes on without a gap
  /// over 40 ms.
  void join(LegId a, LegId b);
  /// The leg, and the one it was joined to, are alone again.
  void part(LegId leg);
  /// `listener` hears what `a` and `b` say, mixed, until it is joined, parted or released; nobody hears the listener.
  void monitor(LegId listener, LegId a, LegId b);

  /// From now on `record.tap` gets one side of the leg's audio as it is on the wire, wherever it goes or comes from;
  /// not while the leg's direction forbids it. Any number of taps may be there.
  void record(LegId leg, Record record);
  /// The tap gets no more of the leg, soon.
  void stop_recording(LegId leg, std::shared_ptr<RecordingTap> tap);

  /// From now on the other side's silence counts: FellSilent comes when it has lasted for `length`. Zero: no more.
  void watch_silence(LegId leg, std::chrono::milliseconds length);

  /// Ends the leg; its port rests, then is free. LegReleased is its last event.
  void release(LegId leg);

  EngineStatistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rw::media
