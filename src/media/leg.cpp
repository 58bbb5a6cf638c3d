#include "media/leg.h"

#include <algorithm>
#include <utility>

#include "media/payload_length.h"

namespace rw::media {
namespace {

constexpr std::uint32_t report_frames = 5000 / frame_ms;

/// Samples of the longest packet that is listened to.
constexpr std::size_t max_packet_samples = 1600;
/// Octets of the longest packet that is passed on as it is: G.711 of 60 ms.
constexpr std::size_t max_passed_bytes = 480;
constexpr int max_gap_frames = 50;

/// Whether RFC 3551 6 gives the payload type to an audio encoding, or to comfort noise (13; 19 of older ones).
constexpr bool is_static_audio(std::uint8_t payload_type) {
  return payload_type == 0 || (payload_type >= 3 && payload_type <= 19);
}

}  // namespace

Leg::Leg(LegId id, EventSink sink, Latch latch, std::chrono::milliseconds rtp_timeout, LegSeed seed,
         const net::TargetPolicy* latch_targets)
    : id_(id),
      sink_(std::move(sink)),
      rtp_timeout_(rtp_timeout),
      stream_(seed.ssrc, seed.timestamp, seed.sequence),
      source_(latch, latch_targets),
      cname_(std::move(seed.cname)),
      random_(seed.rtcp_jitter | 1U) {
  frames_to_report_ = random_report_interval();
}

void Leg::configure(LegParameters parameters, TimePoint now) {
  parameters_ = std::move(parameters);
  configured_ = true;
  reframes_ = false;
  stream_.set_frame_clock(rtp::facts(parameters_.codec).rtp_clock / 1000 * frame_ms);
  source_.configure(parameters_.remote, now);
  last_received_ = now;
  if (!parameters_.telephone_event_receive.empty()) {
    inband_.reset();
    return;
  }
  if (!inband_) inband_ = std::make_unique<Inband>();
  for (const LegParameters::Receive& entry : parameters_.receive) {
    auto& decoder = inband_->decoders[static_cast<std::size_t>(entry.codec)];
    if (!decoder) decoder = make_decoder(entry.codec);
  }
}

void Leg::start_timeout_watch(TimePoint now) {
  watching_ = true;
  timed_out_ = false;
  last_received_ = now;
  source_.answered(now);
}

void Leg::expect_confirmation(std::chrono::milliseconds time, TimePoint now) {
  if (!confirmed_) confirmed_until_ = now + time;
}

void Leg::confirm() {
  confirmed_ = true;
  unheard_ = false;
  confirmed_until_ = TimePoint::max();
}

void Leg::report_ended() {
  if (player_.ended().empty()) return;
  for (const Player::Ended& item : player_.ended())
    if (item.play != unreported_play) sink_(PlayEnded{id_, item.play, item.completed});
  player_.clear_ended();
}

void Leg::end() {
  player_.stop_all();
  player_.set_background(nullptr, {});
  report_ended();
}

void Leg::report_released() {
  sink_(LegReleased{id_});
}

// ------------------------------------------------------------------------------------------------------------ received

std::optional<rtp::Codec> Leg::received_codec(std::uint8_t payload_type) const {
  for (const LegParameters::Receive& entry : parameters_.receive)
    if (entry.payload_type == payload_type) return entry.codec;
  return std::nullopt;
}

const rtp::EventFormat* Leg::received_events(std::uint8_t payload_type) const {
  for (const rtp::EventFormat& format : parameters_.telephone_event_receive)
    if (format.payload_type == payload_type) return &format;
  return nullptr;
}

std::optional<Heard> Leg::receive_rtp(std::span<const std::uint8_t> datagram, const net::Address& from, TimePoint now,
                                      Counters& counters) {
  const std::optional<rtp::Packet> packet = configured_ ? rtp::Packet::parse(datagram) : std::nullopt;
  const std::optional<rtp::Codec> codec = packet ? received_codec(packet->payload_type) : std::nullopt;
  const rtp::EventFormat* events = packet && !codec ? received_events(packet->payload_type) : nullptr;
  const bool negotiated = events != nullptr || codec;
  // Whatever comes from there: keep-alives are of many kinds (RFC 6263 4).
  if (configured_ && source_.is_party(from)) is_alive(now);
  if (!packet || (!negotiated && !is_static_audio(packet->payload_type)) ||
      !source_.accept(from, *packet, negotiated, now)) {
    ++counters.packets_dropped;
    return std::nullopt;
  }
  ++counters.packets_received;
  is_alive(now);
  if (!confirmed_) confirm();
  if (events != nullptr) return receive_event(*packet, *events, now, counters);
  statistics_.received(packet->ssrc, packet->sequence, packet->timestamp, rtp_time(now));
  if (!negotiated) return std::nullopt;  // comfort noise: our own silence is heard
  const std::optional<char> digit = inband_ ? detect_digit(*packet, *codec) : std::nullopt;
  if (digit && may_press(now)) sink_(DtmfReceived{id_, *digit, std::chrono::milliseconds(0)});
  if (echoing_ && codec) echo_->put(0, *codec, packet->ssrc, packet->sequence, packet->payload);
  if (!may_hear()) return std::nullopt;
  record(RecordedSide::heard, *packet, *codec, now);
  if (silence_) silence_->put(*codec, packet->payload, now);
  return Heard{id_, *packet, codec, {}, digit.value_or('\0')};
}

std::optional<Heard> Leg::receive_event(const rtp::Packet& packet, const rtp::EventFormat& format, TimePoint now,
                                        Counters& counters) {
  statistics_.received_event(packet.ssrc, packet.sequence);
  const std::optional<rtp::Press> press = events_.receive(packet, format.clock);
  if (!press) return std::nullopt;
  const char digit = press->begins ? press->digit : '\0';
  if (digit != 0 && !may_press(now)) {
    ++counters.packets_dropped;
    return std::nullopt;
  }
  if (digit != 0) sink_(DtmfReceived{id_, digit, std::chrono::milliseconds(0)});
  if (!may_hear()) return std::nullopt;
  return Heard{id_, packet, std::nullopt, *press, digit};
}

/// A digit is told to the calls: a flood of them would keep those busy.
bool Leg::may_press(TimePoint now) {
  constexpr double most_per_second = 100;
  return !presses_.take(most_per_second, now);
}

std::optional<char> Leg::detect_digit(const rtp::Packet& packet, rtp::Codec codec) {
  Decoder* decoder = inband_->decoders[static_cast<std::size_t>(codec)].get();
  if (decoder == nullptr) return std::nullopt;
  if (inband_->sequence && packet.ssrc == inband_->ssrc) {
    const auto step = static_cast<std::int16_t>(packet.sequence - *inband_->sequence);
    if (step <= 0 && step > -100) return std::nullopt;  // late or double: its place in the tone has passed
    if (step > 1)
      inband_->detector.put_gap(static_cast<std::size_t>(std::min(step - 1, max_gap_frames)) * frame_samples);
  }
  inband_->sequence = packet.sequence;
  inband_->ssrc = packet.ssrc;
  std::array<std::int16_t, max_packet_samples> samples;
  const std::size_t count = decoder->decode(packet.payload, samples);
  return inband_->detector.put(std::span(samples).first(count));
}

void Leg::receive_rtcp(std::span<const std::uint8_t> datagram, const net::Address& from, TimePoint now,
                       Counters& counters) {
  const std::optional<rtp::RtcpSummary> summary = configured_ ? rtp::parse_rtcp(datagram) : std::nullopt;
  if (!summary || (!source_.accept_rtcp(from) && !from.same_host(parameters_.remote_rtcp))) {
    ++counters.packets_dropped;
    return;
  }
  ++counters.rtcp_received;
  is_alive(now);
  if (summary->sender_ntp_middle) {
    last_sender_report_ = *summary->sender_ntp_middle;
    last_sender_report_at_ = now;
  }
}

// ---------------------------------------------------------------------------------------------------------------- sent

bool Leg::has_target() const {
  return !parameters_.remote.is_unspecified() && (parameters_.remote_allowed || source_.is_latched());
}

bool Leg::may_send() const {
  const bool wanted = parameters_.direction == Direction::send_receive || parameters_.direction == Direction::send_only;
  return wanted && !unheard_ && parameters_.remote.port() != 0 && has_target();
}

bool Leg::may_hear() const {
  return parameters_.direction == Direction::send_receive || parameters_.direction == Direction::receive_only;
}

std::size_t Leg::next_packet(std::span<std::uint8_t> into, TimePoint now) {
  octets_written_ = 0;
  if (!configured_) return 0;
  check_timeout(now);
  check_confirmation(now);
  check_silence(now);
  Player::Frame frame;
  std::span<const std::uint8_t> converted;
  const bool passing = !player_.busy() && now <= passing_until_;
  if (!passing) {
    if (converter_ && !player_.busy()) converted = converter_->next();
    if (converted.empty()) frame = player_.next(parameters_.codec, parameters_.telephone_event_send, stream_.frame());
  }
  if (frame.echo && (!echoing_ || echo_->codec() != parameters_.codec))
    echo_ = std::make_unique<Converter>(parameters_.codec, 1);
  echoing_ = frame.echo;
  if (!may_send()) stream_.pause();
  if (passing || !may_send()) {
    stream_.advance();
    return 0;
  }
  rtp::Packet packet = stream_.own_packet();
  stream_.advance();
  if (frame.event && parameters_.telephone_event_send) {
    passed_press_.reset();  // a press that goes on behind another one would be taken for a new one
    packet.payload_type = parameters_.telephone_event_send->payload_type;
    packet.timestamp = frame.event->timestamp;
    packet.marker = frame.event->marker;
    packet.payload = frame.event->payload;
  } else {
    packet.payload_type = parameters_.payload_type;
    packet.payload = converted.empty() ? frame.payload : converted;
    if (echoing_) packet.payload = echo_->next();
    if (packet.payload.empty()) packet.payload = silence_frame(parameters_.codec);
    record(RecordedSide::sent, packet, parameters_.codec, now);
  }
  octets_written_ = static_cast<std::uint16_t>(packet.payload.size());
  return packet.write(into);
}

void Leg::prefetch() const {
  constexpr std::size_t line = 64;
  const auto* bytes = reinterpret_cast<const char*>(this);
  for (const auto* end = reinterpret_cast<const char*>(&events_); bytes < end; bytes += line) __builtin_prefetch(bytes);
}

void Leg::packet_sent() {
  if (octets_written_ != 0) stream_.sent(octets_written_);
  player_.frame_sent();
  report_ended();
}

void Leg::skip(std::uint32_t frames) {
  stream_.advance(frames);
}

/// Something has come from the other side.
void Leg::is_alive(TimePoint now) {
  last_received_ = now;
  timed_out_ = false;
}

void Leg::check_timeout(TimePoint now) {
  if (!watching_ || timed_out_ || parameters_.direction != Direction::send_receive) return;
  if (now - last_received_ < rtp_timeout_) return;
  timed_out_ = true;
  sink_(RtpTimedOut{id_});
}

void Leg::check_confirmation(TimePoint now) {
  if (unheard_ || now < confirmed_until_) return;
  unheard_ = true;
  sink_(Unconfirmed{id_});
}

void Leg::watch_silence(std::chrono::milliseconds length, TimePoint now) {
  silence_ = length.count() > 0 ? std::make_unique<SilenceWatch>(length, now) : nullptr;
}

void Leg::check_silence(TimePoint now) {
  if (!silence_ || !silence_->is_over(now)) return;
  silence_.reset();
  sink_(FellSilent{id_});
}

// ----------------------------------------------------------------------------------------------------- of other legs

std::size_t Leg::pass_on(const Heard& heard, std::span<std::uint8_t> into, TimePoint now) {
  if (!configured_ || !may_send()) return 0;
  if (!heard.codec) {
    if (converter_) converter_->skip(0, heard.packet.ssrc, heard.packet.sequence);
    return pass_press(heard, into, now);
  }
  // The tone stays in the audio, but a side that has events does not listen for it.
  if (heard.digit != 0 && parameters_.telephone_event_send) send_digit(heard.digit);

  rtp::Packet packet = heard.packet;
  std::array<std::uint8_t, max_passed_bytes> scratch;
  packet.payload_type = parameters_.payload_type;
  const std::size_t milliseconds = payload_ms(*heard.codec, heard.packet.payload);
  packet.payload = in_own_codec(heard, milliseconds, scratch);
  if (packet.payload.empty()) return 0;
  const auto beyond_a_frame = std::chrono::milliseconds(std::max<std::size_t>(milliseconds, frame_ms) - frame_ms);
  passing_until_ = std::max(passing_until_, now + beyond_a_frame + pass_on_gap);
  return player_.busy() ? 0 : write_passed(packet, into, now);
}

/// A press that the other leg hears becomes one here: with one timestamp, however its sender counts, and however long
/// its packets pause. Those who were not there when it began hear nothing of it: it was meant for others.
std::size_t Leg::pass_press(const Heard& heard, std::span<std::uint8_t> into, TimePoint now) {
  const rtp::Press& press = heard.press;
  if (press.digit == 0) return 0;  // neither side has been told of other events
  const bool in_our_words = !parameters_.telephone_event_send || player_.sends_digits();
  if (press.begins || in_our_words) passed_press_.reset();
  if (in_our_words) {
    if (heard.digit != 0) send_digit(heard.digit);
    return 0;
  }
  if (press.begins) passed_press_ = {heard.from, press.number, stream_.event_begins(heard.packet)};
  if (press.late || !passed_press_ || passed_press_->from != heard.from || passed_press_->number != press.number)
    return 0;

  const rtp::EventFormat& format = *parameters_.telephone_event_send;
  const std::uint64_t duration = std::uint64_t{press.duration} * format.clock / press.clock;
  const auto payload = rtp::event_payload(press.event, press.ended, press.volume, duration);
  rtp::Packet packet = stream_.event_packet(heard.packet, passed_press_->timestamp);
  packet.payload_type = format.payload_type;
  packet.marker = press.begins;
  packet.payload = payload;
  if (!converter_) passing_until_ = std::max(passing_until_, now + (press.ended ? pass_on_gap : press_gap));
  octets_written_ = static_cast<std::uint16_t>(payload.size());
  return packet.write(into);
}

/// The payload as it can be sent on at once; empty if it has to be converted, for which it is put down.
std::span<const std::uint8_t> Leg::in_own_codec(const Heard& heard, std::size_t milliseconds,
                                                std::span<std::uint8_t> scratch) {
  const std::span<const std::uint8_t> payload = heard.packet.payload;
  const rtp::Codec own = parameters_.codec;
  const bool passes = *heard.codec == own || are_both_g711(*heard.codec, own);
  const bool too_long = milliseconds > parameters_.longest_packet_ms || payload.size() > scratch.size();
  reframes_ = passes && (reframes_ || too_long);
  if (passes && !reframes_) {
    converter_.reset();
    if (*heard.codec == own) return payload;
    own == rtp::Codec::pcma ? ulaw_to_alaw(payload, scratch) : alaw_to_ulaw(payload, scratch);
    return scratch.first(payload.size());
  }
  passing_until_ = {};
  if (player_.busy()) return {};
  if (!converter_ || converter_->codec() != own) converter_ = std::make_unique<Converter>(own, 1);
  converter_->put(0, *heard.codec, heard.packet.ssrc, heard.packet.sequence, payload);
  return {};
}

std::size_t Leg::write_passed(const rtp::Packet& packet, std::span<std::uint8_t> into, TimePoint now) {
  if (packet.payload.size() + rtp::header_bytes > into.size()) return 0;
  const std::optional<rtp::Packet> ours = stream_.passed_on(packet);
  if (!ours) return 0;
  record(RecordedSide::sent, *ours, parameters_.codec, now);
  octets_written_ = static_cast<std::uint16_t>(ours->payload.size());
  return ours->write(into);
}

void Leg::record(RecordedSide side, const rtp::Packet& packet, rtp::Codec codec, TimePoint now) const {
  for (const Record& one : records_)
    if (one.side == side)
      one.tap->put({one.channel, codec, rtp::facts(codec).rtp_clock, packet.ssrc, packet.timestamp, packet.sequence,
                    now, packet.payload});
}

void Leg::stop_recording(const RecordingTap* tap) {
  std::erase_if(records_, [tap](const Record& one) { return one.tap.get() == tap; });
}

void Leg::send_digit(char digit) {
  player_.add(SendDigits{unreported_play, std::string(1, digit)});
}

void Leg::mix(std::size_t source, const Heard& heard) {
  if (!configured_) return;
  if (!heard.codec) {
    if (converter_) converter_->skip(source, heard.packet.ssrc, heard.packet.sequence);
    return;
  }
  if (!converter_ || converter_->codec() != parameters_.codec)
    converter_ = std::make_unique<Converter>(parameters_.codec, 2);
  converter_->put(source, *heard.codec, heard.packet.ssrc, heard.packet.sequence, heard.packet.payload);
}

void Leg::alone() {
  converter_.reset();
  reframes_ = false;
  passing_until_ = {};
}

// ------------------------------------------------------------------------------------------------------------- reports

net::Address Leg::remote_rtcp() const {
  if (parameters_.rtcp_mux) return source_.remote();
  if (!source_.is_latched() && parameters_.remote_rtcp.port() != 0) return parameters_.remote_rtcp;
  net::Address next_port = source_.remote();
  next_port.set_port(static_cast<std::uint16_t>(next_port.port() + 1));
  return next_port;
}

std::size_t Leg::write_report(std::span<std::uint8_t> into, TimePoint now, std::uint64_t ntp_now, bool goodbye,
                              Counters& counters) {
  frames_to_report_ = random_report_interval();
  count_losses(counters);
  if (!configured_ || unheard_ || !has_target() || remote_rtcp().port() == 0) return 0;
  const std::optional<rtp::SenderInfo> sender = stream_.report(ntp_now);
  rtp::LastSenderReport last;
  if (last_sender_report_ != 0) {
    const double seconds = std::chrono::duration<double>(now - last_sender_report_at_).count();
    last = {last_sender_report_, static_cast<std::uint32_t>(std::clamp(seconds, 0.0, 65535.0) * 65536)};
  }
  return rtp::write_report(into, stream_.ssrc(), sender, statistics_.report(), last, cname_, goodbye);
}

void Leg::count_losses(Counters& counters) {
  const std::uint64_t lost = statistics_.lost();
  if (lost > losses_counted_) counters.packets_lost += lost - losses_counted_;
  losses_counted_ = lost;
}

std::uint32_t Leg::random_report_interval() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  // Half to one and a half of the interval (RFC 3550 6.3.1), so that legs that began together don't report together.
  return report_frames / 2 + static_cast<std::uint32_t>(random_ % report_frames);
}

std::uint32_t Leg::rtp_time(TimePoint now) const {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(micros) *
                                    (rtp::facts(parameters_.codec).rtp_clock / 1000) / 1000);
}

}  // namespace rw::media
