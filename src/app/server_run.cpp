#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <iostream>

#include "app/server.h"
#include "app/server_process.h"

/// The server from the moment it is ready: signals, the drain, the end.
namespace rw::app {
namespace {

using std::chrono::milliseconds;

constexpr auto watch_step = milliseconds(50);
constexpr auto last_deliveries = std::chrono::seconds(10);  ///< for notifications, when a drain has ended
constexpr auto hasty_deliveries = std::chrono::seconds(1);  ///< when the stop was told twice

/// Whether there is a terminal that could be closed.
bool controls_a_terminal() {
  const int terminal = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  if (terminal >= 0) ::close(terminal);
  return terminal >= 0;
}

}  // namespace

void Server::announce() {
  std::cout << "ready sip " << sip_addresses_ << " http " << http_addresses_ << '\n';
  if (config_.demo && !config_.sip.listen.empty()) {
    std::cout << "Call sip:demo@127.0.0.1 with any softphone on this machine, for example:\n"
              << "  baresip -e '/uanew <sip:me@127.0.0.1>;regint=0' -e '/dial sip:demo@127.0.0.1'\n";
  }
  std::cout.flush();
}

int Server::run() {
  signals_.add(SIGTERM);  // who reads that we are ready may tell us to stop
  signals_.add(SIGINT);
  has_terminal_ = follows_terminal_ && controls_a_terminal();
  signals_.add(SIGHUP);
  ready_ = true;
  announce();
  beat();
  wait_for_signal();
  main_.run();
  stop_all();
  return 0;
}

void Server::beat() {
  keeping_->touch();
  look_at_disk();
  heartbeat_.expires_after(std::chrono::seconds(1));
  heartbeat_.async_wait([this](const boost::system::error_code& error) {
    if (!error) beat();
  });
}

void Server::look_at_disk() {
  const auto disk = disk_->disk();
  if (disk.nearly_full() == disk_is_low_) return;
  disk_is_low_ = !disk_is_low_;
  const auto free = std::to_string(disk.free), reserve = std::to_string(disk.reserve);
  if (disk_is_low_) {
    log_.warning("the disk is nearly full", {{"free", free}, {"reserve", reserve}});
  } else {
    log_.info("the disk has room again", {{"free", free}, {"reserve", reserve}});
  }
}

void Server::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    signalled(signal);
    wait_for_signal();
  });
}

void Server::signalled(int signal) {
  if (signal != SIGHUP) {
    told_to_stop();
  } else if (has_terminal_ && !controls_a_terminal()) {
    has_terminal_ = false;  // it sends more than one signal as it goes
    log_.info("the terminal was closed");
    if (!draining_) told_to_stop();
  } else if (draining_) {
    log_.info("configuration not reloaded: the server drains");
  } else {
    reload();
  }
}

void Server::told_to_stop() {
  ready_ = false;
  if (std::exchange(handed_over_, false)) {
    log_.info("told to stop: running calls go on, as they do since another process has taken over");
    return;
  }
  if (std::exchange(draining_, true)) {
    log_.warning("told to stop again: ending all calls");
    finish(hasty_deliveries);
    return;
  }
  log_.info("draining: no new calls", {{"sessions", std::to_string(sum(&Shard::sessions))}});
  for (auto& shard : shards_) shard->post([&shard = *shard] { shard.set_draining(); });
  watch_drain(Clock::now() + config_.server.drain_timeout);
}

void Server::watch_drain(TimePoint deadline) {
  // What comes for the calls of an earlier process comes through this one.
  if ((sum(&Shard::sessions) == 0 && !follows_) || Clock::now() >= deadline) {
    finish(last_deliveries);
    return;
  }
  watch_.expires_after(watch_step);
  watch_.async_wait([this, deadline](const boost::system::error_code& error) {
    if (!error) watch_drain(deadline);
  });
}

void Server::finish(std::chrono::seconds patience) {
  for (auto& shard : shards_) {
    shard->post([&shard = *shard] {
      shard.set_draining();
      shard.calls().end_all(Clock::now());
      shard.settle();
    });
  }
  watch_deliveries(Clock::now() + patience);
}

void Server::watch_deliveries(TimePoint deadline) {
  const bool over = sum(&Shard::sessions) == 0 && sum(&Shard::delivering) == 0 && sum(&Shard::registrations) == 0 &&
                    pending_recordings() == 0;
  if (over || Clock::now() >= deadline) {
    main_.stop();
    return;
  }
  watch_.expires_after(watch_step);
  watch_.async_wait([this, deadline](const boost::system::error_code& error) {
    if (!error) watch_deliveries(deadline);
  });
}

void Server::stop_all() {
  signals_.clear();  // one that comes now changes nothing any more, and must not make the end look like a failure
  for (const int late : {SIGTERM, SIGINT, SIGHUP}) std::signal(late, SIG_IGN);
  if (const auto left = sum(&Shard::undelivered); left != 0)
    log_.warning("notifications will be delivered after the next start", {{"count", std::to_string(left)}});
  http_->stop(milliseconds(500));
  jwks_->stop();
  if (demo_) demo_->stop();
  http_thread_.join();
  provisioner_->stop();
  prompts_->stop();
  upload_checks_.stop();
  prompts_threads_.join();
  fallbacks_->stop();
  shards_.front()->post([this] {
    relay_->stop();
    transports_->stop();
  });
  engine_.reset();  // its last events are messages to the shards
  recordings_->close();
  for (const auto& one : left_recordings_) one->close();
  speech_->stop();
  sounds_.reset();
  for (auto& shard : shards_) shard->stop();
  keeping_->stop();
  next_hops_.reset();
  transports_.reset();
  log_.info("stopped");
}

std::size_t Server::pending_recordings() const {
  auto total = recordings_->pending();
  const std::lock_guard lock(earlier_mutex_);
  for (const auto& one : left_recordings_) total += one->pending();
  return total;
}

std::size_t Server::sum(std::size_t (Shard::*what)() const) const {
  std::size_t total = 0;
  for (const auto& shard : shards_) total += ((*shard).*what)();
  return total;
}

ops::Metrics::Sample Server::sample() const {
  const auto media = engine_->statistics();
  ops::Metrics::Sample sample;
  sample.sessions = static_cast<double>(sum(&Shard::sessions));
  sample.participants = static_cast<double>(sum(&Shard::participants));
  sample.sip_transactions = static_cast<double>(sum(&Shard::transactions));
  sample.recordings = static_cast<double>(pending_recordings());
  sample.outbox = static_cast<double>(keeping_->undelivered());
  sample.rtp_ports_in_use = static_cast<double>(media.ports_in_use);
  sample.rtp_ports_resting = static_cast<double>(media.ports_resting);
  const auto disk = disk_->disk();
  sample.disk_free = static_cast<double>(disk.free);
  sample.disk_reserve = static_cast<double>(disk.reserve);
  sample.media_legs = static_cast<double>(media.legs);
  sample.packets_sent = static_cast<double>(media.packets_sent);
  sample.packets_received = static_cast<double>(media.packets_received);
  sample.packets_dropped = static_cast<double>(media.packets_dropped);
  sample.packets_lost = static_cast<double>(media.packets_lost);
  sample.late_ticks = static_cast<double>(media.late_ticks);
  sample.io_uring = media.io_uring;
  return sample;
}

int serve(Config config, std::string file) {
  std::signal(SIGPIPE, SIG_IGN);
  const bool without_terminal = std::signal(SIGHUP, SIG_IGN) == SIG_IGN;  // as nohup starts us
  Server server(std::move(config), std::move(file), !without_terminal);
  if (auto started = server.start(); !started) {
    std::cerr << "ringwright: " << started.error().message << '\n';
    std::cerr.flush();
    std::_Exit(1);  // threads may be running; nothing is in use yet
  }
  return server.run();
}

}  // namespace rw::app
