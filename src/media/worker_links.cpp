#include <algorithm>
#include <utility>

#include "media/worker.h"

/// What a worker does with legs that hear each other, and with legs that go to another worker for that.
namespace rw::media {

void Worker::pass_on(Index index, const Heard& heard) {
  const Entry& from = *entries_[index];
  if (from.peer != nobody) {
    Entry& peer = *entries_[from.peer];
    if (const std::size_t length = peer.leg->pass_on(heard, io_->packet(), now_); length != 0) {
      io_->send(peer.rtp, length, peer.leg->remote());
      peer.leg->passed_packet_sent();
      ++counters_.packets_sent;
    }
  }
  for (const Index listener : from.listeners) {
    const Entry& monitor = *entries_[listener];
    monitor.leg->mix(monitor.monitored[0] == index ? 0 : 1, heard);
  }
}

void Worker::apply(LegId id, Join& command) {
  const Index one = find(id), other = find(command.other);
  if (one == nobody || other == nobody || one == other || entries_[one]->peer == other) return;
  unlink(one);
  unlink(other);
  entries_[one]->peer = other;
  entries_[other]->peer = one;
}

void Worker::apply(LegId id, Part&) {
  const Index index = find(id);
  if (index == nobody) return;
  unlink(index);
}

void Worker::apply(LegId id, Monitor& command) {
  const Index index = find(id);
  if (index == nobody) return;
  unlink(index);
  Entry& monitor = *entries_[index];
  monitor.monitored = {find(command.a), find(command.b)};
  for (const Index heard : monitor.monitored)
    if (heard != nobody) entries_[heard]->listeners.push_back(index);
}

void Worker::unlink(Index index) {
  Entry& entry = *entries_[index];
  if (const Index peer = std::exchange(entry.peer, nobody); peer != nobody) {
    entries_[peer]->peer = nobody;
    entries_[peer]->leg->alone();
  }
  for (const Index heard : std::exchange(entry.monitored, {nobody, nobody}))
    if (heard != nobody) std::erase(entries_[heard]->listeners, index);
  entry.leg->alone();
}

// ---------------------------------------------------------------------------------------------- from worker to worker

void Worker::apply(LegId id, Expect&) {
  if (early_.erase(id) == 0) expected_.insert(id);
}

void Worker::apply(LegId id, HandOver& command) {
  const Index index = find(id);
  if (index == nobody) {  // it was released: nothing is to be held back for it
    command.to->post({id, Arrive{}});
    return;
  }
  Entry& entry = *entries_[index];
  const std::size_t slots = (entry.slot + slot_count - slot_) % slot_count;
  Arrive arrival{
      {nullptr, {}, {}, entry.port}, entry.open_sockets != 0, deadline_ + slots * std::chrono::milliseconds(1)};
  take_out(index);
  if (arrival.listening) {
    arrival.leg.rtp = io_->take(entry.rtp);
    arrival.leg.rtcp = io_->take(entry.rtcp);
  } else {
    arrival.leg.rtp = std::move(entry.rtp_socket);
    arrival.leg.rtcp = std::move(entry.rtcp_socket);
  }
  arrival.leg.leg = std::move(entry.leg);
  command.to->post({id, std::move(arrival)});
  if (entry.open_sockets != 0) return;
  legs_.fetch_sub(1, std::memory_order_relaxed);
  entries_[index].reset();
  free_entries_.push_back(index);
}

void Worker::apply(LegId id, Arrive& command) {
  if (command.leg.leg) {
    // The slot in which it would have sent, so that there is no gap.
    const auto wait = (command.due - deadline_) / std::chrono::milliseconds(1);
    const auto ahead = static_cast<std::size_t>(std::clamp<std::int64_t>(wait, 0, slot_count - 1));
    const Index index = add(command.leg, static_cast<std::uint8_t>((slot_ + ahead) % slot_count));
    by_id_.emplace(id, index);
    if (command.listening) listen(index);
  } else {
    legs_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (expected_.erase(id) == 0) early_.insert(id);
  if (expected_.empty()) take_held();
}

void Worker::take_held() {
  std::vector<Command> held = std::exchange(held_, {});
  for (Command& command : held) take(command);
}

}  // namespace rw::media
