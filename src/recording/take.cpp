#include "recording/take.h"

#include <algorithm>

namespace rw::recording {
namespace {

void interleave(std::span<const std::int16_t> left, std::span<const std::int16_t> right, std::int16_t* out) {
  for (std::size_t at = 0; at < left.size(); ++at) {
    out[2 * at] = left[at];
    out[2 * at + 1] = right[at];
  }
}

}  // namespace

Take::Take(std::string id, Parts parts, TimePoint start) : id_(std::move(id)), parts_(std::move(parts)) {
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(parts_.channels); ++channel) {
    rings_[channel] = std::make_unique<PacketRing>();
    tracks_[channel] = std::make_unique<Track>(parts_.rate, start);
  }
}

void Take::put(const media::RecordedPacket& packet) {
  if (packet.channel >= most_channels || !rings_[packet.channel] || ended_.load(std::memory_order_relaxed)) return;
  rings_[packet.channel]->put(packet);
}

void Take::end(TimePoint at, std::string failure) {
  const std::lock_guard lock(end_mutex_);
  if (end_) return;
  end_ = End{at, std::move(failure)};
  ended_.store(true, std::memory_order_release);
}

std::optional<Take::End> Take::told_to_end() const {
  if (!ended_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock(end_mutex_);
  return end_;
}

void Take::release() {
  file_.reset();
  parts_.encoder.reset();
  parts_.seal.reset();
}

bool Take::heard() const {
  return std::any_of(tracks_.begin(), tracks_.end(), [](const auto& track) { return track && track->heard(); });
}

std::chrono::milliseconds Take::duration() const {
  return std::chrono::milliseconds(done_ * 1000 / parts_.rate);
}

std::uint64_t Take::dropped_packets() const {
  std::uint64_t all = 0;
  for (const auto& ring : rings_) all += ring ? ring->dropped() : 0;
  return all;
}

std::int64_t Take::position_of(std::chrono::milliseconds since_start) const {
  return since_start.count() * parts_.rate / 1000;
}

bool Take::advance(TimePoint now) {
  const auto end = told_to_end();  // first: what was put before it is in the rings by now
  if (end && !end->failure.empty()) return fail_with(end->failure, true);
  collect(now, end.has_value());
  const auto longest = position_of(parts_.longest);
  auto target = std::max(done_, tracks_[0]->position_of(end ? end->at : now - held_back));
  const bool too_long = target >= longest;
  if (too_long) target = longest;
  encode_until(target);
  const bool full = !has_room(!end && !too_long);
  const bool over = end || too_long || full;
  if (auto written = write(over); !written) return fail_with(written.error().message, end.has_value());
  if (over && !end) {
    ended_.store(true, std::memory_order_relaxed);
    if (parts_.ended) parts_.ended(Ending::longest);
  }
  return over;
}

/// Counts what is to be written. `asked`: false: it is the last of it, and has to be.
bool Take::has_room(bool asked) {
  const auto size = file_->size() + plain_.size();
  if (asked) {
    const auto room = parts_.space.grow_to(size);
    if (room) return true;
    cut_short_ = room.error().message;
  }
  parts_.space.grow_anyway(size);
  return !asked;
}

bool Take::fail_with(std::string reason, bool told) {
  failure_ = std::move(reason);
  ended_.store(true, std::memory_order_relaxed);
  if (!told && parts_.ended) parts_.ended(Ending::failed);
  return true;
}

void Take::collect(TimePoint now, bool all) {
  for (std::size_t channel = 0; channel < most_channels; ++channel) {
    if (!tracks_[channel]) continue;
    auto& track = *tracks_[channel];
    while (const auto packet = rings_[channel]->take()) track.put(*packet);
    track.settle(all ? TimePoint::max() : now);
  }
}

void Take::encode_until(std::int64_t position) {
  const auto channels = static_cast<std::size_t>(parts_.channels);
  if (!begun_) parts_.encoder->begin(plain_);
  begun_ = true;
  while (done_ < position) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(position - done_, parts_.rate));
    auto samples = tracks_[0]->line().front(count);
    if (channels == 2) {
      interleaved_.resize(count * 2);
      interleave(samples, tracks_[1]->line().front(count), interleaved_.data());
      samples = interleaved_;
    }
    parts_.encoder->add(samples, plain_);
    for (const auto& track : tracks_) {
      if (track) track->line().drop(count);
    }
    done_ += static_cast<std::int64_t>(count);
  }
}

Result<void> Take::write(bool last) {
  if (last) parts_.encoder->finish(plain_);
  Result<void> written;
  if (parts_.seal) {
    if (file_->size() == 0) sealed_ = parts_.seal->header();
    written = parts_.seal->add(plain_, last, sealed_);
    if (written) written = file_->append(sealed_);
    sealed_.clear();
  } else {
    written = file_->append(plain_);
    if (written && last) written = file_->replace_start(parts_.encoder->final_header());
  }
  plain_.clear();
  return written;
}

}  // namespace rw::recording
