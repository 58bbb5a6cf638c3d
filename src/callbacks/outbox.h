#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "callbacks/gate.h"
#include "callbacks/sender.h"
#include "ledger/notice_store.h"

namespace rw::callbacks {

/// The mediaservice as it is configured now; null if there is none any more. From any thread.
using FindService =
    std::function<std::shared_ptr<const tenant::Mediaservice>(std::string_view domain, std::string_view id)>;

/// Notifications that must arrive: each is stored before it is tried first, and delivered at least once, in order
/// within its lane, repeated with back-off until it is too old, in the next process if need be. Of those that wait only
/// so many are held in memory; the others are read when their turn comes. Belongs to the thread of its loop.
class Outbox {
 public:
  Outbox(boost::asio::io_context& loop, const Settings& settings, Sender& sender, ledger::NoticeStore& store,
         FindService find_service);

  /// `stored`: called when it is on the disk, so that it outlives the process; or when it has been dropped, because too
  /// many wait. May be empty.
  void put(ledger::Notice notice, std::shared_ptr<const tenant::Mediaservice> service, std::function<void()> stored);
  /// Takes up what an earlier process has left, in that order.
  void restore(const std::vector<ledger::Waiting>& waiting);

  // ---- from any thread
  /// What has not been delivered.
  std::size_t pending() const { return pending_.load(std::memory_order_relaxed); }
  /// Lanes that do more than wait for their next repetition.
  std::size_t busy() const { return busy_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t most_in_flight = 32;  ///< requests to one mediaservice
  static constexpr std::size_t most_held = 4096;     ///< notices of lanes that wait for a repetition

  struct Entry {
    std::int64_t number = 0;
    std::shared_ptr<const ledger::Notice> notice;  ///< null: it is only on the disk
    std::function<void()> stored;
    bool storing = false, durable = true;
  };
  enum class State : std::uint8_t {
    storing,  ///< the first entry is on its way to the disk
    active,   ///< waits for the gate, is read, or is under way
    resting   ///< waits for its repetition
  };
  struct Lane {
    Lane(boost::asio::io_context& loop, std::string service_key) : gate_key(std::move(service_key)), timer(loop) {}
    std::deque<Entry> entries;
    std::shared_ptr<const tenant::Mediaservice> service;  ///< null: to be looked up
    std::string gate_key;
    State state = State::resting;
    int tries = 0;  ///< of the first entry
    boost::asio::steady_timer timer;
  };

  Lane& lane_of(const std::string& name, const std::string& domain, const std::string& mediaservice);
  void append(Lane& lane, Entry entry);
  void stored(const std::string& name, std::int64_t number, bool durable);
  void start(const std::string& name);
  void deliver(const std::string& name);
  void loaded(const std::string& name, std::shared_ptr<const ledger::Notice> notice);
  void send(const std::string& name);
  void answered(const std::string& name, const std::string& url, const Sender::Outcome& outcome);
  void repeat_later(const std::string& name);
  void give_up(const std::string& name, std::string_view kind, const std::string& url, const std::string& problem);
  void finish_first(const std::string& name);
  void change(Lane& lane, State state);
  void hold(Entry& entry, std::shared_ptr<const ledger::Notice> notice);

  boost::asio::io_context& loop_;
  const Settings& settings_;
  Sender& sender_;
  ledger::NoticeStore& store_;
  const FindService find_service_;
  Gate gate_;
  std::unordered_map<std::string, Lane> lanes_;
  std::size_t held_ = 0;
  std::atomic<std::size_t> pending_{0}, busy_{0};
};

}  // namespace rw::callbacks
