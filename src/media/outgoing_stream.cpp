#include "media/outgoing_stream.h"

#include <cstdlib>

namespace rw::media {
namespace {

/// A stream whose numbers jump further has begun anew.
constexpr int max_sequence_jump = 100;
constexpr int max_frame_jump = 500;
/// An event begins soon behind the audio before it, or has nothing to do with it.
constexpr int max_event_jump = 50;

}  // namespace

std::uint32_t OutgoingStream::frame() {
  if (passed_timestamp_ &&
      static_cast<std::int32_t>(timestamp_ - *passed_timestamp_) < static_cast<std::int32_t>(frame_clock_))
    timestamp_ = *passed_timestamp_ + frame_clock_;
  return timestamp_;
}

rtp::Packet OutgoingStream::own_packet() {
  rtp::Packet packet;
  packet.timestamp = frame();
  anchor_.reset();
  passed_timestamp_.reset();
  packet.ssrc = ssrc_;
  packet.sequence = sequence_++;
  packet.marker = mark_;
  mark_ = false;
  return packet;
}

std::optional<rtp::Packet> OutgoingStream::passed_on(const rtp::Packet& packet) {
  if (anchor_) {
    const auto step = static_cast<std::int16_t>(packet.sequence - anchor_->sequence);
    const auto ahead = static_cast<std::int16_t>(anchor_->our_sequence + step - sequence_);
    const auto time = static_cast<std::int32_t>(packet.timestamp - anchor_->timestamp + anchor_->our_timestamp -
                                                passed_timestamp_.value_or(anchor_->our_timestamp));
    if (packet.ssrc != anchor_->ssrc || std::abs(ahead) > max_sequence_jump ||
        std::abs(static_cast<std::int64_t>(time)) > std::int64_t{max_frame_jump} * frame_clock_) {
      anchor_.reset();
    } else if (step < 0) {
      return std::nullopt;
    }
  }
  rtp::Packet ours = packet;
  if (!anchor_) {
    anchor_ = {packet.ssrc, packet.sequence, sequence_, packet.timestamp, frame()};
    ours.marker = true;
  }
  ours.ssrc = ssrc_;
  ours.sequence = static_cast<std::uint16_t>(anchor_->our_sequence + (packet.sequence - anchor_->sequence));
  ours.timestamp = anchor_->our_timestamp + (packet.timestamp - anchor_->timestamp);
  if (static_cast<std::int16_t>(ours.sequence - sequence_) >= 0) {
    sequence_ = static_cast<std::uint16_t>(ours.sequence + 1);
    passed_up_to(ours.timestamp);
  }
  mark_ = false;
  return ours;
}

void OutgoingStream::passed_up_to(std::uint32_t timestamp) {
  if (!passed_timestamp_ || static_cast<std::int32_t>(timestamp - *passed_timestamp_) > 0)
    passed_timestamp_ = timestamp;
}

std::uint32_t OutgoingStream::event_begins(const rtp::Packet& packet) {
  std::uint32_t begins = frame();
  if (anchor_ && anchor_->ssrc == packet.ssrc) {
    const std::uint32_t in_place = anchor_->our_timestamp + (packet.timestamp - anchor_->timestamp);
    const auto ahead = static_cast<std::int32_t>(in_place - passed_timestamp_.value_or(in_place));
    if (ahead > 0 && static_cast<std::uint32_t>(ahead) <= max_event_jump * frame_clock_) begins = in_place;
  }
  passed_up_to(begins);
  return begins;
}

rtp::Packet OutgoingStream::event_packet(const rtp::Packet& packet, std::uint32_t timestamp) {
  rtp::Packet ours;
  ours.ssrc = ssrc_;
  ours.sequence = sequence_++;
  ours.timestamp = timestamp;
  if (anchor_) {
    // The audio goes on behind it; what of it is late has lost its number.
    auto next = static_cast<std::uint16_t>(anchor_->sequence + (ours.sequence - anchor_->our_sequence));
    const auto behind = static_cast<std::uint16_t>(packet.sequence + 1);
    if (packet.ssrc == anchor_->ssrc && static_cast<std::int16_t>(behind - next) > 0) next = behind;
    anchor_->sequence = next;
    anchor_->our_sequence = sequence_;
  }
  return ours;
}

void OutgoingStream::sent(std::size_t octets) {
  ++packets_;
  octets_ += static_cast<std::uint32_t>(octets);
  sent_since_report_ = true;
}

std::optional<rtp::SenderInfo> OutgoingStream::report(std::uint64_t ntp_now) {
  if (!sent_since_report_) return std::nullopt;
  sent_since_report_ = false;
  return rtp::SenderInfo{ntp_now, timestamp_, packets_, octets_};
}

}  // namespace rw::media
