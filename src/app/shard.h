#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/config.h"
#include "app/named_media.h"
#include "app/next_hops.h"
#include "call/admission_control.h"
#include "call/caller_check.h"
#include "call/loop_check.h"
#include "call/switchboard.h"
#include "callbacks/http_channel.h"
#include "media/engine.h"
#include "net/target_policy.h"
#include "ops/line_limit.h"
#include "sip/user_agent.h"
#include "tenant/fallbacks.h"

namespace rw::app {

/// What all shards share: each of it is thread-safe or read-only.
struct Shared {
  const Config& config;
  call::Settings call_settings;
  media::Engine& engine;
  audio::SoundLoader& sounds;
  call::RecordingPort& recordings;
  const ReplyTokens& tokens;
  ops::Metrics& metrics;
  ops::Log log;
  std::function<std::shared_ptr<const tenant::Directory>()> directory;
  /// The fallback for a called number; any shard, from its own thread.
  std::function<tenant::FallbackPtr(std::string_view domain, std::string_view number)> fallback;
  /// Sends a SIP message; any shard, from its own thread.
  std::function<void(sip::Transmit)> transmit;
  /// Finds where a URI leads to; any shard, from its own thread. The handler is called once, on some thread, later.
  std::function<void(std::string uri, NextHops::Handler)> find_next_hops;
  /// Brings a letter to another shard; any shard, from its own thread.
  std::function<void(std::size_t shard, call::Letter letter)> carry;
  /// What the notifications and sessions of a shard are kept in. Once for each.
  std::function<callbacks::HttpChannel::Keeping(std::size_t shard)> keep;
  std::string mark;  ///< of this process
  /// What is bound, for what we send: known before the shards start.
  std::vector<sip::Flow> listeners;
  std::shared_ptr<call::CallLimits> call_limits = std::make_shared<call::CallLimits>();
  std::shared_ptr<call::UnconfirmedCalls> unconfirmed_calls = std::make_shared<call::UnconfirmedCalls>();
};

class TrunkRegistrations;

/// Begins every Call-ID, tag and branch that a shard makes: "s0.5f0c.". `mark`: of this process (sip::Ownership).
std::string shard_tag(std::size_t index, std::string_view mark);
/// Which of `count` shards a message is for: the one whose tag its Call-ID begins with, else the one that it hashes to.
std::size_t shard_of(std::string_view message, std::size_t count);
/// The same by the Call-ID.
std::size_t shard_of_call(std::string_view call_id, std::size_t count);

/// One event loop on one thread, with a user agent and all the calls whose Call-IDs hash to it.
class Shard {
 public:
  /// `index` < `count`: each shard admits its part of the limits.
  Shard(const Shared& shared, std::size_t index, std::size_t count);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Makes the user agent, which has to know the listeners, and runs the loop. `notices`: what an earlier process has
  /// left to be delivered.
  void start(const std::vector<ledger::Waiting>& notices);
  /// Ends the loop after what is queued, and joins the thread.
  void stop();

  boost::asio::io_context& loop() { return loop_; }
  bool on_own_thread() { return loop_.get_executor().running_in_this_thread(); }
  /// Runs `job` on the shard's thread; at once, if it is called there.
  void post(std::function<void()> job);

  // ---- on the shard's thread
  void receive(const sip::Flow& flow, std::string_view message);
  void connection_closed(const sip::Flow& flow);
  void receive(call::Letter letter);
  call::Switchboard& calls() { return *switchboard_; }
  /// Moves what the calls want to say to the wire, and sets the next timer. After each input.
  void settle();
  void set_draining();
  /// Another process takes the new calls, and registers the trunks.
  void hand_over();
  /// Keys of the SIP server transactions that there are.
  std::vector<std::string> server_transactions() const { return user_agent_->server_transactions(); }
  /// Takes up notifications that another process has left.
  void restore(const std::vector<ledger::Waiting>& notices) { channel_->restore(notices); }
  /// The shard's part of them, for new calls.
  void set_limits(const Config::Limits& limits);
  /// The first shard: trunks may have come, changed or gone.
  void directory_changed();
  /// Puts a notification into the outbox, or an alarm (with an empty event), that is not a call's doing.
  void tell(const callbacks::Context& application, std::string event, boost::json::object body,
            std::function<void()> over);
  /// Whether a call may begin: for its caller, then for our load.
  sip::Admission admit(const sip::Message& invite, const sip::Flow& flow, TimePoint now);
  sip::Admission admit(TimePoint now);

  // ---- from any thread
  std::size_t sessions() const { return sessions_.load(std::memory_order_relaxed); }
  std::size_t participants() const { return participants_.load(std::memory_order_relaxed); }
  std::size_t transactions() const { return transactions_.load(std::memory_order_relaxed); }
  /// Notifications that have not been delivered.
  std::size_t undelivered() const { return channel_->pending(); }
  /// Sessions or so whose notifications are on their way, not just waiting for a repetition.
  std::size_t delivering() const { return channel_->delivering(); }
  /// Trunk registrations that have not been removed, when draining.
  std::size_t registrations() const;

 private:
  class Media;
  class Sounds;
  class Application;

  sip::UserAgentOptions user_agent_options();
  /// For a line that strangers can cause: how many have been left out before it; nothing: it is left out too.
  std::optional<std::string> line_left_out(TimePoint now);
  void log_refused(const sip::Message& invite, const sip::Flow& flow, const sip::Admission& verdict, TimePoint now);
  void log_refused(const sip::RefusedRequest& request);
  bool may_reach(const net::Address& target);
  void look_up(const sip::Lookup& lookup);
  void look_up_media(const std::string& host, std::function<void(std::string address)> found);
  void turn();
  void arm(TimePoint due);

  const Shared& shared_;
  const std::size_t index_, count_;
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  TimePoint armed_ = TimePoint::max();
  call::AdmissionControl admission_;
  call::CallerCheck callers_;
  const call::LoopCheck loops_;
  const net::TargetPolicy targets_;
  ops::LineLimit refusals_;
  std::unique_ptr<sip::UserAgent> user_agent_;
  std::unique_ptr<callbacks::HttpChannel> channel_;
  std::unique_ptr<Media> media_;
  std::unique_ptr<Sounds> sounds_;
  std::unique_ptr<Application> application_;
  std::unique_ptr<call::Services> services_;
  std::unique_ptr<call::Switchboard> switchboard_;
  NamedMedia named_media_;
  std::vector<sip::Event> events_;
  std::vector<sip::Transmit> transmits_;
  std::vector<sip::Lookup> lookups_;
  std::unique_ptr<TrunkRegistrations> registrations_;  ///< of the first shard
  std::atomic<std::size_t> sessions_{0}, participants_{0}, transactions_{0};
  std::thread thread_;
};

}  // namespace rw::app
