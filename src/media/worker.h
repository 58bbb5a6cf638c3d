#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/mailbox.h"
#include "base/time.h"
#include "media/command.h"
#include "media/counters.h"
#include "media/file_descriptor.h"
#include "media/io.h"

namespace rw::media {

/// A thread that owns legs: their sockets, and the clock by which they send. The 20 ms between two packets of a leg are
/// divided into slots of 1 ms; each leg has one, so that the load is even. Once per slot the worker takes its commands,
/// lets the slot's legs send, and receives what has come for any leg. Without legs it sleeps until a command comes.
class Worker : private Io::Receiver {
 public:
  using PortClosed = std::function<void(std::uint16_t port)>;
  /// Starts the thread. `port_closed` is called on it when a leg's sockets are closed, before LegReleased.
  Worker(bool allow_io_uring, PortClosed port_closed);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Releases the legs that are left and joins the thread. The destructor does it too; among several workers, first
  /// stop all of them.
  void stop();
  /// Any thread, until stop().
  void post(Command command);
  /// Legs here, including those whose AddLeg is still on its way. Any thread.
  std::size_t legs() const { return legs_.load(std::memory_order_relaxed); }
  /// How busy the worker is, in legs without conversion. Any thread.
  std::size_t load() const { return legs() + legs_of_a_conversion * conversions_.load(std::memory_order_relaxed); }
  const PublishedCounters& counters() const { return published_; }
  bool is_io_uring() const { return io_uring_; }

 private:
  static constexpr std::size_t slot_count = 20;
  /// What a leg that converts to or from opus costs, in legs that don't convert (docs/performance.md).
  static constexpr std::size_t legs_of_a_conversion = 6;
  using Index = std::uint32_t;
  static constexpr Index nobody = ~Index{0};
  struct Entry {
    std::unique_ptr<Leg> leg;  ///< null once it has been handed over
    std::uint16_t port = 0;
    FileDescriptor rtp_socket, rtcp_socket;  ///< until they are listened to
    Io::SocketId rtp = 0, rtcp = 0;
    std::uint8_t slot = 0;
    std::uint8_t open_sockets = 0;
    bool released = false;
    Index peer = nobody;                                ///< leg that this one is joined to
    std::vector<Index> listeners;                       ///< legs that hear this one as monitors
    std::array<Index, 2> monitored = {nobody, nobody};  ///< legs that this one hears as a monitor
  };

  void run();
  bool wait_for_work();
  void take_commands();
  /// Applies the command, or holds it while a leg is expected.
  void take(Command& command);
  void apply(LegId id, AddLeg& command);
  void apply(LegId id, Expect& command);
  void apply(LegId id, HandOver& command);
  void apply(LegId id, Arrive& command);
  void apply(LegId id, Join& command);
  void apply(LegId id, Part& command);
  void apply(LegId id, Monitor& command);
  template <class What>
  void apply(LegId id, What& command);
  Index add(AddLeg& command, std::uint8_t slot);
  Index find(LegId id) const;
  /// The leg and the one that it is joined to hear nobody any more.
  void unlink(Index index);
  /// Takes the leg out of everything but its sockets.
  void take_out(Index index);
  void take_held();
  /// The leg has heard something: it goes to those who hear the leg.
  void pass_on(Index index, const Heard& heard);
  /// Packets that come before the leg is configured wait in the kernel until then: the caller may be quicker than we.
  void listen(Index index);
  void release(Index index);
  void release_all();
  void serve_slot(TimePoint now);
  void send_report(Entry& entry, bool goodbye);
  /// After a stall too long to be caught up packet by packet.
  void skip_time(TimePoint now);
  std::uint8_t emptiest_slot() const;
  bool entries_in_use() const { return free_entries_.size() < entries_.size(); }

  void received(std::uint64_t owner, std::span<const std::uint8_t> bytes, const net::Address& from) override;
  void closed(std::uint64_t owner) override;

  // Shared with other threads.
  Mailbox<Command> mailbox_;
  std::mutex waking_;
  std::condition_variable wake_;
  bool has_commands_ = false;  ///< guarded by waking_
  bool stopping_ = false;      ///< guarded by waking_
  std::atomic<std::size_t> legs_{0};
  std::atomic<std::size_t> conversions_{0};  ///< legs that convert, as of the last 20 ms
  PublishedCounters published_;
  bool io_uring_ = false;  ///< set before the constructor returns

  // The thread's own.
  const PortClosed port_closed_;
  std::unique_ptr<Io> io_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<Index> free_entries_;
  std::unordered_map<LegId, Index> by_id_;
  std::array<std::vector<Index>, slot_count> slots_;
  std::size_t slot_ = 0;
  std::size_t converting_ = 0;  ///< legs seen since slot 0
  TimePoint deadline_;
  TimePoint now_;
  std::vector<Command> commands_;
  // While a leg is expected, all commands wait for it, so that none overtakes another. As all workers get theirs in one
  // order, in which a leg's Expect and HandOver stand together, no two workers can wait for each other.
  std::unordered_set<LegId> expected_;
  std::unordered_set<LegId> early_;  ///< arrived while their Expect is still held
  std::vector<Command> held_;
  Counters counters_;

  std::thread thread_;
};

}  // namespace rw::media
