#include "media/worker.h"

#include <algorithm>
#include <ctime>
#include <future>
#include <stdexcept>
#include <utility>

#include "base/thread_name.h"
#include "rtp/packet.h"

namespace rw::media {
namespace {

using namespace std::chrono_literals;

constexpr Duration slot_length = 1ms;
constexpr Duration late_after = 5ms;
constexpr Duration longest_stall = 1s;
constexpr std::size_t mailbox_capacity = 1U << 20;

/// NTP time stamp (RFC 3550 4): seconds since 1900 and their fraction.
std::uint64_t ntp_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  constexpr std::uint64_t from_1900_to_1970 = 2'208'988'800;
  const auto fraction = (static_cast<std::uint64_t>(now.tv_nsec) << 32) / 1'000'000'000;
  return ((static_cast<std::uint64_t>(now.tv_sec) + from_1900_to_1970) << 32) | fraction;
}

// What a socket's owner number means: the leg's index, and which of its two sockets.
constexpr std::uint64_t owner_of(std::uint32_t index, bool is_rtcp) {
  return std::uint64_t{index} << 1 | (is_rtcp ? 1U : 0U);
}
constexpr std::uint32_t index_of(std::uint64_t owner) {
  return static_cast<std::uint32_t>(owner >> 1);
}
constexpr bool is_rtcp_socket(std::uint64_t owner) {
  return (owner & 1U) != 0;
}

void change(Leg& leg, Configure& command, TimePoint now) {
  leg.configure(std::move(command.parameters), now);
}
void change(Leg& leg, StartTimeoutWatch&, TimePoint now) {
  leg.start_timeout_watch(now);
}
void change(Leg& leg, ExpectConfirmation& command, TimePoint now) {
  leg.expect_confirmation(command.time, now);
}
void change(Leg& leg, Confirm&, TimePoint) {
  leg.confirm();
}
void change(Leg& leg, Play& command, TimePoint) {
  leg.player().add(std::move(command));
}
void change(Leg& leg, SendDigits& command, TimePoint) {
  leg.player().add(std::move(command));
}
void change(Leg& leg, Echo& command, TimePoint) {
  leg.player().add(command);
}
void change(Leg& leg, StopPlay& command, TimePoint) {
  leg.player().stop(command.item);
}
void change(Leg& leg, StopAll&, TimePoint) {
  leg.player().stop_all();
}
void change(Leg& leg, Record& command, TimePoint) {
  leg.record(std::move(command));
}
void change(Leg& leg, StopRecording& command, TimePoint) {
  leg.stop_recording(command.tap.get());
}
void change(Leg& leg, WatchSilence& command, TimePoint now) {
  leg.watch_silence(command.length, now);
}
void change(Leg& leg, Background& command, TimePoint) {
  leg.player().set_background(std::move(command.sound), command.pause);
}

}  // namespace

Worker::Worker(bool allow_io_uring, PortClosed port_closed)
    : mailbox_(mailbox_capacity), port_closed_(std::move(port_closed)) {
  std::promise<void> ready;
  thread_ = std::thread([this, allow_io_uring, &ready] {
    name_this_thread("media");
    // An Io belongs to the thread that makes it.
    if (allow_io_uring) io_ = make_uring_io();
    if (!io_) io_ = make_epoll_io();
    if (!io_) {
      ready.set_exception(std::make_exception_ptr(std::runtime_error("a media worker could not open a poller")));
      return;
    }
    io_uring_ = io_->is_io_uring();
    ready.set_value();
    run();
    io_.reset();
  });
  try {
    ready.get_future().get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

Worker::~Worker() {
  stop();
}

void Worker::stop() {
  {
    const std::lock_guard lock(waking_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Worker::post(Command command) {
  const bool adds = std::holds_alternative<AddLeg>(command.what) || std::holds_alternative<Arrive>(command.what);
  if (adds) legs_.fetch_add(1, std::memory_order_relaxed);
  switch (mailbox_.post(std::move(command))) {
    case Mailbox<Command>::Posted::behind:
      return;
    case Mailbox<Command>::Posted::full:
      throw std::length_error("a media worker has not taken its commands for long");
    case Mailbox<Command>::Posted::first:
      break;
  }
  {
    const std::lock_guard lock(waking_);
    has_commands_ = true;
  }
  wake_.notify_one();
}

void Worker::run() {
  deadline_ = Clock::now();
  while (wait_for_work()) {
    now_ = Clock::now();
    if (now_ - deadline_ > late_after) ++counters_.late_ticks;
    if (now_ - deadline_ > longest_stall) skip_time(now_);
    take_commands();
    serve_slot(now_);
    slot_ = (slot_ + 1) % slot_count;
    deadline_ += slot_length;
    do {
      io_->serve(*this, deadline_);
      published_.publish(counters_);
      now_ = Clock::now();
    } while (now_ < deadline_);
  }
  release_all();
}

bool Worker::wait_for_work() {
  std::unique_lock lock(waking_);
  if (!entries_in_use()) {
    converting_ = 0;
    conversions_.store(0, std::memory_order_relaxed);
    wake_.wait(lock, [this] { return has_commands_ || stopping_; });
    deadline_ = Clock::now();
  }
  has_commands_ = false;
  return !stopping_;
}

void Worker::skip_time(TimePoint now) {
  const auto frames = static_cast<std::uint32_t>((now - deadline_) / (slot_length * slot_count));
  const std::uint64_t slots = std::uint64_t{frames} * slot_count;
  for (const auto& [id, index] : by_id_) entries_[index]->leg->skip(frames);
  counters_.late_ticks += slots;
  deadline_ += slot_length * static_cast<std::int64_t>(slots);
}

void Worker::take_commands() {
  mailbox_.drain(commands_);
  for (Command& command : commands_) take(command);
  commands_.clear();
}

void Worker::take(Command& command) {
  if (!expected_.empty() && !std::holds_alternative<Arrive>(command.what)) {
    held_.push_back(std::move(command));
    return;
  }
  std::visit([&](auto& what) { apply(command.leg, what); }, command.what);
}

void Worker::apply(LegId id, AddLeg& command) {
  by_id_.emplace(id, add(command, emptiest_slot()));
}

Worker::Index Worker::add(AddLeg& command, std::uint8_t slot) {
  Index index = 0;
  if (free_entries_.empty()) {
    index = static_cast<Index>(entries_.size());
    entries_.emplace_back();
  } else {
    index = free_entries_.back();
    free_entries_.pop_back();
  }
  auto entry = std::make_unique<Entry>();
  entry->leg = std::move(command.leg);
  entry->port = command.port;
  entry->rtp_socket = std::move(command.rtp);
  entry->rtcp_socket = std::move(command.rtcp);
  entry->slot = slot;
  slots_[slot].push_back(index);
  entries_[index] = std::move(entry);
  return index;
}

Worker::Index Worker::find(LegId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nobody : found->second;
}

template <class What>
void Worker::apply(LegId id, What& command) {
  const Index index = find(id);
  if (index == nobody) return;  // released meanwhile
  if constexpr (std::is_same_v<What, Release>) {
    release(index);
  } else {
    Leg& leg = *entries_[index]->leg;
    change(leg, command, now_);
    if constexpr (std::is_same_v<What, Configure>) listen(index);
    leg.report_ended();
  }
}

std::uint8_t Worker::emptiest_slot() const {
  // Where there is a choice, a leg begins soon, but not before an application nearby has said what is to be heard: what
  // comes just after a frame waits for the next one.
  constexpr std::size_t ahead = 5;
  const std::size_t first = (slot_ + ahead) % slot_count;
  std::size_t best = first;
  for (std::size_t i = 1; i < slot_count; ++i) {
    const std::size_t slot = (first + i) % slot_count;
    if (slots_[slot].size() < slots_[best].size()) best = slot;
  }
  return static_cast<std::uint8_t>(best);
}

void Worker::serve_slot(TimePoint now) {
  if (slot_ == 0) conversions_.store(std::exchange(converting_, 0), std::memory_order_relaxed);
  const std::vector<Index>& due = slots_[slot_];
  for (std::size_t at = 0; at < due.size(); ++at) {
    if (at + 2 < due.size()) __builtin_prefetch(entries_[due[at + 2]].get());
    if (at + 1 < due.size()) entries_[due[at + 1]]->leg->prefetch();
    Entry& entry = *entries_[due[at]];
    if (const std::size_t length = entry.leg->next_packet(io_->packet(), now); length != 0) {
      io_->send(entry.rtp, length, entry.leg->remote());
      ++counters_.packets_sent;
    }
    entry.leg->packet_sent();
    if (entry.leg->converts()) ++converting_;
    if (entry.leg->report_due()) send_report(entry, false);
  }
}

void Worker::send_report(Entry& entry, bool goodbye) {
  const std::size_t length = entry.leg->write_report(io_->packet(), now_, ntp_now(), goodbye, counters_);
  if (length == 0) return;
  io_->send(entry.leg->rtcp_mux() ? entry.rtp : entry.rtcp, length, entry.leg->remote_rtcp());
  ++counters_.rtcp_sent;
}

void Worker::listen(Index index) {
  Entry& entry = *entries_[index];
  if (entry.open_sockets != 0) return;
  entry.rtp = io_->add(std::move(entry.rtp_socket), owner_of(index, false));
  entry.rtcp = io_->add(std::move(entry.rtcp_socket), owner_of(index, true));
  entry.open_sockets = 2;
}

void Worker::release(Index index) {
  listen(index);  // one way to close the sockets
  Entry& entry = *entries_[index];
  send_report(entry, true);
  entry.leg->end();
  take_out(index);
  io_->remove(entry.rtp);
  io_->remove(entry.rtcp);
}

void Worker::take_out(Index index) {
  Entry& entry = *entries_[index];
  unlink(index);
  for (const Index listener : std::exchange(entry.listeners, {}))
    std::ranges::replace(entries_[listener]->monitored, index, nobody);
  by_id_.erase(entry.leg->id());
  std::erase(slots_[entry.slot], index);
  entry.released = true;
}

void Worker::release_all() {
  take_commands();
  while (!by_id_.empty()) release(by_id_.begin()->second);
  const TimePoint give_up = Clock::now() + longest_stall;
  while (entries_in_use() && Clock::now() < give_up) io_->serve(*this, Clock::now() + slot_length);
  published_.publish(counters_);
}

void Worker::received(std::uint64_t owner, std::span<const std::uint8_t> bytes, const net::Address& from) {
  Entry& entry = *entries_[index_of(owner)];
  if (entry.released) return;
  if (is_rtcp_socket(owner) || (entry.leg->rtcp_mux() && rtp::is_rtcp(bytes))) {
    entry.leg->receive_rtcp(bytes, from, now_, counters_);
  } else {
    const std::optional<Heard> heard = entry.leg->receive_rtp(bytes, from, now_, counters_);
    if (heard) pass_on(index_of(owner), *heard);
  }
}

void Worker::closed(std::uint64_t owner) {
  const Index index = index_of(owner);
  Entry& entry = *entries_[index];
  if (--entry.open_sockets != 0) return;
  legs_.fetch_sub(1, std::memory_order_relaxed);
  if (entry.leg) {
    port_closed_(entry.port);
    entry.leg->report_released();
  }
  entries_[index].reset();
  free_entries_.push_back(index);
}

}  // namespace rw::media
