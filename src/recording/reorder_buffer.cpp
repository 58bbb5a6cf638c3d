#include "recording/reorder_buffer.h"

namespace rw::recording {
namespace {

/// A packet so far behind the others isn't late, its sender has begun to count anew.
constexpr int far_behind = 64;

int distance(std::uint16_t from, std::uint16_t to) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(to - from));
}

}  // namespace

void ReorderBuffer::put(const media::RecordedPacket& packet) {
  if (!started_ || packet.ssrc != ssrc_) {
    restarting_ = waiting_ > 0;
    begin_stream(packet);
    return;
  }
  const int ahead = distance(expected_, packet.sequence);
  if (ahead == 0) {
    passing_ = packet;
  } else if (ahead > 0) {
    hold(packet);
  } else if (ahead <= -far_behind) {
    if (restart_ == packet.sequence) {
      restarting_ = waiting_ > 0;
      begin_stream(packet);
    } else {
      restart_ = static_cast<std::uint16_t>(packet.sequence + 1);
    }
  }
}

std::optional<ReorderBuffer::Next> ReorderBuffer::next(TimePoint now) {
  if (restarting_) {
    if (auto* left = oldest()) {
      left->used = false;
      --waiting_;
      return Next{left->packet, false};
    }
    restarting_ = false;
  }
  if (passing_) {
    const auto packet = *passing_;
    passing_.reset();
    return give(packet);
  }
  if (waiting_ == 0) return std::nullopt;
  auto* first = oldest();
  const bool due = first->packet.sequence == expected_ || now == TimePoint::max() ||
                   now - first->packet.at >= patience || waiting_ == most_held;
  if (!due) return std::nullopt;
  first->used = false;
  --waiting_;
  return give(first->packet);
}

ReorderBuffer::Next ReorderBuffer::give(const media::RecordedPacket& packet) {
  const bool lost = packet.sequence != expected_;
  expected_ = static_cast<std::uint16_t>(packet.sequence + 1);
  restart_.reset();
  return {packet, lost};
}

void ReorderBuffer::begin_stream(const media::RecordedPacket& packet) {
  started_ = true;
  ssrc_ = packet.ssrc;
  expected_ = packet.sequence;
  restart_.reset();
  passing_ = packet;
}

void ReorderBuffer::hold(const media::RecordedPacket& packet) {
  Held* free = nullptr;
  for (auto& held : held_) {
    if (held.used && held.packet.sequence == packet.sequence) return;  // a duplicate
    if (!held.used) free = &held;
  }
  if (free == nullptr) free = &held_.emplace_back();
  free->payload.assign(packet.payload.begin(), packet.payload.end());
  free->packet = packet;
  free->packet.payload = free->payload;
  free->used = true;
  ++waiting_;
}

ReorderBuffer::Held* ReorderBuffer::oldest() {
  Held* first = nullptr;
  for (auto& held : held_) {
    if (held.used && (first == nullptr || distance(held.packet.sequence, first->packet.sequence) > 0)) first = &held;
  }
  return first;
}

}  // namespace rw::recording
