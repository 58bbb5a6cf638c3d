#include "media/outgoing_stream.h"

#include <cstdlib>

namespace rw::media {
namespace {

/// A stream whose numbers jump further has begun anew.
constexpr int max_sequence_jump = 100;
constexpr int max_frame_jump = 500;

}  // namespace

std::uint32_t OutgoingStream::frame() {
  if (anchor_ && static_cast<std::int32_t>(timestamp_ - last_timestamp_) < static_cast<std::int32_t>(frame_clock_))
    timestamp_ = last_timestamp_ + frame_clock_;
  return timestamp_;
}

rtp::Packet OutgoingStream::own_packet() {
  rtp::Packet packet;
  packet.timestamp = frame();
  anchor_.reset();
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
    const auto time =
        static_cast<std::int32_t>(packet.timestamp - anchor_->timestamp - last_timestamp_ + anchor_->our_timestamp);
    if (packet.ssrc != anchor_->ssrc || std::abs(ahead) > max_sequence_jump ||
        std::abs(static_cast<std::int64_t>(time)) > std::int64_t{max_frame_jump} * frame_clock_) {
      timestamp_ = frame();
      anchor_.reset();
    } else if (step < 0) {
      return std::nullopt;
    }
  }
  rtp::Packet ours = packet;
  if (!anchor_) {
    anchor_ = {packet.ssrc, packet.sequence, sequence_, packet.timestamp, timestamp_};
    last_timestamp_ = timestamp_;
    ours.marker = true;
  }
  ours.ssrc = ssrc_;
  ours.sequence = static_cast<std::uint16_t>(anchor_->our_sequence + (packet.sequence - anchor_->sequence));
  ours.timestamp = anchor_->our_timestamp + (packet.timestamp - anchor_->timestamp);
  if (static_cast<std::int16_t>(ours.sequence - sequence_) >= 0) {
    sequence_ = static_cast<std::uint16_t>(ours.sequence + 1);
    last_timestamp_ = ours.timestamp;
  }
  mark_ = false;
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
