#include "media/engine.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "base/ids.h"
#include "media/port_pool.h"
#include "media/worker.h"

namespace rw::media {
namespace {

constexpr std::size_t max_workers = 256;
/// Ports tried before giving up when other programs hold them.
constexpr int max_bind_tries = 64;

std::size_t worker_count(int wanted) {
  const std::size_t count = wanted > 0 ? static_cast<std::size_t>(wanted) : std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(count, 1, max_workers);
}

/// Each leg takes two descriptors: the soft limit, often 1024, is meant for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// A datagram socket bound to `address`; without a descriptor, errno says why.
FileDescriptor bound_socket(const net::Address& address) {
  FileDescriptor fd(::socket(address.raw()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && ::bind(fd.get(), address.raw(), address.length()) != 0) {
    const int error = errno;
    fd.reset();
    errno = error;
  }
  return fd;
}

struct PortPair {
  std::uint16_t port = 0;
  FileDescriptor rtp, rtcp;
};

}  // namespace

class Engine::Impl {
 public:
  explicit Impl(EngineOptions options)
      : options_(std::move(options)),
        ports_(options_.first_port, options_.last_port, options_.port_rest, ids_.number()) {
    raise_descriptor_limit();
    for (std::size_t i = 0; i < worker_count(options_.workers); ++i)
      workers_.push_back(
          std::make_unique<Worker>(options_.allow_io_uring, [this](std::uint16_t port) { give_back(port); }));
  }

  Result<NewLeg> create(EventSink sink, LegId beside) {
    Result<PortPair> pair = bind_pair();
    if (!pair) return tl::unexpected(pair.error());
    const std::lock_guard routing(routing_);
    const std::size_t worker = beside != 0 ? worker_of(beside) : choose_worker();
    if (worker == none) {
      give_back(pair->port);
      return fail("there is no media leg " + std::to_string(beside));
    }
    const std::uint16_t port = pair->port;
    const LegId id = next_id_++;
    homes_.emplace(id, worker);
    AddLeg add{std::make_unique<Leg>(id, std::move(sink), options_.latch, options_.rtp_timeout, seed(),
                                     options_.latch_targets ? &*options_.latch_targets : nullptr),
               std::move(pair->rtp), std::move(pair->rtcp), port};
    workers_[worker]->post({id, std::move(add)});
    return NewLeg{id, port};
  }  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the leg went with its command

  ~Impl() {
    for (const auto& worker : workers_) worker->stop();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  template <class What>
  void post(LegId leg, What what) {
    const std::lock_guard routing(routing_);
    const std::size_t worker = worker_of(leg);
    if (worker != none) workers_[worker]->post({leg, std::move(what)});
    if constexpr (std::is_same_v<What, Release>) homes_.erase(leg);
  }

  /// Tells `leg` something that concerns `other` too: it goes to that one's worker first.
  template <class What>
  void post_beside(LegId leg, LegId other, What what) {
    const std::lock_guard routing(routing_);
    const std::size_t from = worker_of(leg), to = worker_of(other);
    if (from == none || to == none) return;
    if (from != to) {
      homes_[leg] = to;
      workers_[to]->post({leg, Expect{}});
      workers_[from]->post({leg, HandOver{workers_[to].get()}});
    }
    workers_[to]->post({leg, std::move(what)});
  }

  EngineStatistics statistics() const {
    Counters sum;
    EngineStatistics result;
    for (const auto& worker : workers_) {
      worker->counters().add_to(sum);
      result.legs += worker->legs();
      result.io_uring = result.io_uring || worker->is_io_uring();
    }
    result.packets_sent = sum.packets_sent;
    result.packets_received = sum.packets_received;
    result.packets_dropped = sum.packets_dropped;
    result.rtcp_sent = sum.rtcp_sent;
    result.rtcp_received = sum.rtcp_received;
    result.packets_lost = sum.packets_lost;
    result.late_ticks = sum.late_ticks;
    const std::lock_guard lock(mutex_);
    result.ports_in_use = ports_.in_use();
    result.ports_resting = ports_.resting(Clock::now());
    return result;
  }

 private:
  static constexpr std::size_t none = max_workers;

  std::size_t worker_of(LegId leg) const {
    const auto home = homes_.find(leg);
    return home == homes_.end() ? none : home->second;
  }

  /// The first worker that is not full; then the least loaded. A worker with few legs wakes up as often as one with
  /// many, so legs are not spread thinner than needed.
  std::size_t choose_worker() const {
    const auto open = std::ranges::find_if(
        workers_, [this](const auto& worker) { return worker->load() < options_.legs_per_worker; });
    if (open != workers_.end()) return static_cast<std::size_t>(open - workers_.begin());
    const auto least = std::ranges::min_element(workers_, {}, [](const auto& worker) { return worker->load(); });
    return static_cast<std::size_t>(least - workers_.begin());
  }

  Result<PortPair> bind_pair() {
    std::string reason;
    for (int tries = 0; tries < max_bind_tries; ++tries) {
      const std::optional<std::uint16_t> port = take_port();
      if (!port) break;
      net::Address address = options_.address;
      address.set_port(*port);
      FileDescriptor rtp = bound_socket(address);
      address.set_port(static_cast<std::uint16_t>(*port + 1));
      FileDescriptor rtcp = rtp ? bound_socket(address) : FileDescriptor();
      if (rtp && rtcp) return PortPair{*port, std::move(rtp), std::move(rtcp)};
      const int error = errno;
      give_back(*port);
      reason = "; the last one failed: " + std::system_category().message(error);
      if (error != EADDRINUSE && error != EACCES) break;  // another port would not help
    }
    return fail("no RTP port on " + options_.address.host() + " between " + std::to_string(options_.first_port) +
                " and " + std::to_string(options_.last_port) + " could be taken: all are in use or rest" + reason);
  }

  std::optional<std::uint16_t> take_port() {
    const std::lock_guard lock(mutex_);
    return ports_.take(Clock::now());
  }
  void give_back(std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    ports_.give_back(port, Clock::now());
  }
  LegSeed seed() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = ids_.number();
    return {static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32),
            static_cast<std::uint16_t>(ids_.number()), ids_.number(), ids_.token(16)};
  }

  const EngineOptions options_;
  mutable std::mutex mutex_;  ///< guards ids_ and ports_
  IdSource ids_;
  PortPool ports_;
  std::mutex routing_;  ///< keeps the order of a leg's commands when it moves; guards next_id_ and homes_
  LegId next_id_ = 1;
  std::unordered_map<LegId, std::size_t> homes_;  ///< which worker a leg is on
  std::vector<std::unique_ptr<Worker>> workers_;  ///< the last member: they give ports back until they are gone
};

Engine::Engine(EngineOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Engine::~Engine() = default;

Result<Engine::NewLeg> Engine::create(EventSink sink, LegId beside) {
  return impl_->create(std::move(sink), beside);
}
void Engine::configure(LegId leg, LegParameters parameters) {
  impl_->post(leg, Configure{std::move(parameters)});
}
void Engine::start_timeout_watch(LegId leg) {
  impl_->post(leg, StartTimeoutWatch{});
}
void Engine::expect_confirmation(LegId leg, std::chrono::milliseconds time) {
  impl_->post(leg, ExpectConfirmation{time});
}
void Engine::confirm(LegId leg) {
  impl_->post(leg, Confirm{});
}
void Engine::play(LegId leg, Play item) {
  impl_->post(leg, std::move(item));
}
void Engine::send_digits(LegId leg, SendDigits digits) {
  impl_->post(leg, std::move(digits));
}
void Engine::echo(LegId leg, Echo echo) {
  impl_->post(leg, echo);
}
void Engine::stop(LegId leg, PlayId item) {
  impl_->post(leg, StopPlay{item});
}
void Engine::stop_all(LegId leg) {
  impl_->post(leg, StopAll{});
}
void Engine::background(LegId leg, SoundPtr sound, std::chrono::milliseconds pause) {
  impl_->post(leg, Background{std::move(sound), pause});
}
void Engine::join(LegId a, LegId b) {
  impl_->post_beside(b, a, Join{a});
}
void Engine::part(LegId leg) {
  impl_->post(leg, Part{});
}
void Engine::monitor(LegId listener, LegId a, LegId b) {
  impl_->post_beside(listener, a, Monitor{a, b});
}
void Engine::record(LegId leg, Record record) {
  impl_->post(leg, std::move(record));
}
void Engine::stop_recording(LegId leg, std::shared_ptr<RecordingTap> tap) {
  impl_->post(leg, StopRecording{std::move(tap)});
}
void Engine::watch_silence(LegId leg, std::chrono::milliseconds length) {
  impl_->post(leg, WatchSilence{length});
}
void Engine::release(LegId leg) {
  impl_->post(leg, Release{});
}
EngineStatistics Engine::statistics() const {
  return impl_->statistics();
}

}  // namespace rw::media
