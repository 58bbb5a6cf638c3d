#include "app/shard.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>

#include "app/keeping.h"
#include "app/part_settings.h"
#include "app/trunk_registrations.h"
#include "base/ascii.h"
#include "base/thread_name.h"
#include "call/inbound_call.h"
#include "ops/bound.h"
#include "sip/header_lines.h"

namespace rw::app {

/// The media engine, whose events come back as messages to the shard.
class Shard::Media final : public call::MediaPort {
 public:
  Media(media::Engine& engine, Shard& shard) : engine_(engine), shard_(shard) {}
  Result<media::Engine::NewLeg> create(media::LegId beside) override {
    return engine_.create(
        [this](media::Event event) {
          shard_.post([this, event] {
            shard_.switchboard_->media_event(event, Clock::now());
            shard_.settle();
          });
        },
        beside);
  }
  void configure(media::LegId leg, media::LegParameters parameters) override {
    engine_.configure(leg, std::move(parameters));
  }
  void start_timeout_watch(media::LegId leg) override { engine_.start_timeout_watch(leg); }
  void expect_confirmation(media::LegId leg, std::chrono::milliseconds time) override {
    engine_.expect_confirmation(leg, time);
  }
  void confirm(media::LegId leg) override { engine_.confirm(leg); }
  void play(media::LegId leg, media::Play item) override { engine_.play(leg, std::move(item)); }
  void send_digits(media::LegId leg, media::SendDigits digits) override { engine_.send_digits(leg, std::move(digits)); }
  void echo(media::LegId leg, media::Echo echo) override { engine_.echo(leg, echo); }
  void stop(media::LegId leg, media::PlayId item) override { engine_.stop(leg, item); }
  void stop_all(media::LegId leg) override { engine_.stop_all(leg); }
  void background(media::LegId leg, media::SoundPtr sound, std::chrono::milliseconds pause) override {
    engine_.background(leg, std::move(sound), pause);
  }
  void join(media::LegId a, media::LegId b) override { engine_.join(a, b); }
  void part(media::LegId leg) override { engine_.part(leg); }
  void monitor(media::LegId listener, media::LegId a, media::LegId b) override { engine_.monitor(listener, a, b); }
  void record(media::LegId leg, media::Record record) override { engine_.record(leg, std::move(record)); }
  void stop_recording(media::LegId leg, std::shared_ptr<media::RecordingTap> tap) override {
    engine_.stop_recording(leg, std::move(tap));
  }
  void watch_silence(media::LegId leg, std::chrono::milliseconds length) override {
    engine_.watch_silence(leg, length);
  }
  void release(media::LegId leg) override { engine_.release(leg); }

 private:
  media::Engine& engine_;
  Shard& shard_;
};

/// The sound loader, whose answers come back on the shard's thread.
class Shard::Sounds final : public audio::SoundLoader {
 public:
  Sounds(audio::SoundLoader& loader, Shard& shard) : loader_(loader), shard_(shard) {}
  void add_form(media::SoundPtr sound, rtp::Codec codec, const std::string& domain) override {
    loader_.add_form(std::move(sound), codec, domain);
  }
  void load(audio::SoundRequest request, rtp::Codec codec, Wanted wanted, Done done) override {
    loader_.load(std::move(request), codec, std::move(wanted),
                 [this, done = std::move(done)](Result<media::SoundPtr> sound) {
                   if (shard_.on_own_thread()) {  // it was at hand: we are still inside load()
                     done(std::move(sound));
                     return;
                   }
                   shard_.post([this, done, sound = std::move(sound)] {
                     shard_.switchboard_->run([&] { done(sound); }, Clock::now());
                     shard_.settle();
                   });
                 });
  }

 private:
  audio::SoundLoader& loader_;
  Shard& shard_;
};

/// The callback channel, whose answers are inputs of the switchboard.
class Shard::Application final : public callbacks::Channel {
 public:
  Application(callbacks::Channel& channel, Shard& shard) : channel_(channel), shard_(shard) {}
  callbacks::QuestionId ask(const callbacks::Context& context, std::string event, boost::json::object body,
                            callbacks::ReplyHandler handler) override {
    return channel_.ask(context, std::move(event), std::move(body), [this, handler = std::move(handler)](auto reply) {
      shard_.switchboard_->run([&] { handler(std::move(reply)); }, Clock::now());
      shard_.settle();
    });
  }
  void forget(callbacks::QuestionId question) override { channel_.forget(question); }
  void notify(const callbacks::Context& context, std::string event, boost::json::object body,
              std::function<void()> over) override {
    channel_.notify(context, std::move(event), std::move(body), std::move(over));
  }
  void alarm(const callbacks::Context& context, boost::json::object body) override {
    channel_.alarm(context, std::move(body));
  }
  void session_open(const callbacks::Context& context, TimePoint begun, boost::json::object members) override {
    channel_.session_open(context, begun, std::move(members));
  }
  void session_discarded(const callbacks::Context& context) override { channel_.session_discarded(context); }

 private:
  callbacks::Channel& channel_;
  Shard& shard_;
};

Shard::Shard(const Shared& shared, std::size_t index, std::size_t count)
    : shared_(shared),
      index_(index),
      count_(count),
      work_(boost::asio::make_work_guard(loop_)),
      timer_(loop_),
      admission_({}),
      callers_(shared.config.sip.ignore_unauthorised, shared.config.sip.digest_algorithms,
               (static_cast<std::size_t>(shared.config.sip.failed_authorisations_per_minute) + count - 1) / count),
      loops_(shared.tokens),
      targets_(target_policy(shared.config)),
      named_media_([this](const auto& host, auto found) { look_up_media(host, std::move(found)); },
                   [this](const auto& event) { switchboard_->sip_event(event, Clock::now()); }) {
  set_limits(shared.config.limits);
  channel_ = std::make_unique<callbacks::HttpChannel>(loop_, callback_settings(shared.config), shared.keep(index),
                                                      shared.metrics, shared.log);
  media_ = std::make_unique<Media>(shared.engine, *this);
  sounds_ = std::make_unique<Sounds>(shared.sounds, *this);
  application_ = std::make_unique<Application>(*channel_, *this);
}

Shard::~Shard() {
  stop();
}

sip::UserAgentOptions Shard::user_agent_options() {
  sip::UserAgentOptions options;
  options.server_name = shared_.config.sip.server_header;
  options.shard_tag = shard_tag(index_, shared_.mark);
  options.advertise = shared_.config.sip.advertise;
  options.session_expires = shared_.config.sip.session_expires;
  options.min_session_expires = shared_.config.sip.min_session_expires;
  options.listeners = shared_.listeners;
  options.admit = [this](const sip::Message& invite, const sip::Flow& flow, TimePoint now) {
    return admit(invite, flow, now);
  };
  options.may_replace = [this](sip::LegId leg, const sip::Message& invite, const sip::Flow& flow) {
    return switchboard_->may_replace(leg, invite, flow);
  };
  options.forgotten = [this] { shared_.metrics.refused("sipTransactions"); };
  options.flooded = [this] { shared_.metrics.refused("dialogRequests"); };
  options.may_reach = [this](const net::Address& target) { return may_reach(target); };
  options.refused = [this](const sip::RefusedRequest& request) { log_refused(request); };
  return options;
}

void Shard::start(const std::vector<ledger::Waiting>& notices) {
  channel_->restore(notices);
  user_agent_ = std::make_unique<sip::UserAgent>(user_agent_options());
  services_ = std::make_unique<call::Services>(call::Services{.settings = shared_.call_settings,
                                                              .sip = *user_agent_,
                                                              .media = *media_,
                                                              .sounds = *sounds_,
                                                              .application = *application_,
                                                              .recordings = shared_.recordings,
                                                              .tokens = shared_.tokens,
                                                              .metrics = shared_.metrics,
                                                              .log = shared_.log,
                                                              .directory = shared_.directory,
                                                              .fallback = shared_.fallback,
                                                              .shard = index_,
                                                              .shards = count_,
                                                              .carry = shared_.carry,
                                                              .limits = shared_.call_limits,
                                                              .unconfirmed = shared_.unconfirmed_calls,
                                                              .admission = &admission_});
  switchboard_ = std::make_unique<call::Switchboard>(*services_);
  if (index_ == 0) {
    registrations_ = std::make_unique<TrunkRegistrations>(loop_, shared_, shard_tag(index_, shared_.mark));
    boost::asio::post(loop_, [this] { directory_changed(); });
  }
  thread_ = std::thread([this] {
    name_this_thread("calls");
    loop_.run();
  });
}

void Shard::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(loop_, [this] { loop_.stop(); });
  thread_.join();
}

void Shard::post(std::function<void()> job) {
  if (on_own_thread()) {
    job();
  } else {
    boost::asio::post(loop_, std::move(job));
  }
}

void Shard::receive(const sip::Flow& flow, std::string_view message) {
  if (registrations_ && registrations_->receive(message)) return;
  user_agent_->receive(flow, message, Clock::now());
  settle();
}

void Shard::connection_closed(const sip::Flow& flow) {
  if (registrations_) registrations_->connection_closed(flow);
  user_agent_->connection_closed(flow, Clock::now());
  settle();
}

void Shard::receive(call::Letter letter) {
  switchboard_->receive(std::move(letter), Clock::now());
  settle();
}

sip::Admission Shard::admit(const sip::Message& invite, const sip::Flow& flow, TimePoint now) {
  auto verdict = callers_.decide(*shared_.directory(), invite, flow, now);
  if (verdict.status == 0) {
    const bool stranger = verdict.stranger;
    verdict = loops_.decide(*shared_.directory(), invite, flow.remote);
    if (verdict.status == 0) {
      verdict = admit(now);
      verdict.stranger = stranger;
    } else {
      shared_.metrics.call_refused(verdict.status);
      shared_.metrics.refused(verdict.status == 483 ? ops::Bound("maxForwards") : ops::Bound("loop"));
    }
  } else if (verdict.status != 401) {
    shared_.metrics.call_refused(verdict.status);
    if (verdict.why == call::CallerCheck::too_many_guesses) shared_.metrics.refused("sipCredentials");
    if (verdict.why.empty()) verdict.why = "no trunk of such a domain allows this caller";
  }
  if (verdict.status != 0 && verdict.status != 401) log_refused(invite, flow, verdict, now);
  return verdict;
}

std::optional<std::string> Shard::line_left_out(TimePoint now) {
  auto left_out = refusals_.take(now);
  if (!left_out) shared_.metrics.refused("logLines");
  return left_out;
}

void Shard::log_refused(const sip::Message& invite, const sip::Flow& flow, const sip::Admission& verdict,
                        TimePoint now) {
  const auto left_out = line_left_out(now);
  if (!left_out) return;
  const auto call = call::InboundCall::read(invite);
  shared_.log.info("call refused", {{"callId", call.call_id},
                                    {"status", std::to_string(verdict.status)},
                                    {"from", flow.remote.to_string()},
                                    ops::text("domain", call.called_host),
                                    ops::personal("number", call.called_party),
                                    ops::personal("caller", call.calling_party),
                                    {"why", verdict.why},
                                    ops::if_any("leftOut", *left_out)});
}

void Shard::log_refused(const sip::RefusedRequest& request) {
  const auto left_out = line_left_out(Clock::now());
  if (!left_out) return;
  shared_.log.info("request refused", {ops::if_any("callId", request.call_id),
                                       ops::if_any("method", request.method),
                                       {"status", std::to_string(request.status)},
                                       {"from", request.flow.remote.to_string()},
                                       ops::text("why", request.why),
                                       ops::if_any("leftOut", *left_out)});
}

bool Shard::may_reach(const net::Address& target) {
  if (targets_.allows(target)) return true;
  shared_.metrics.refused("sipTargets");
  if (const auto left_out = line_left_out(Clock::now())) {
    shared_.log.info("target refused", {{"to", target.to_string()},
                                        {"why", "its address is not one that may be used: sip.allow_targets"},
                                        ops::if_any("leftOut", *left_out)});
  }
  return false;
}

sip::Admission Shard::admit(TimePoint now) {
  auto admission = admission_.decide(switchboard_->sessions(), now);
  if (admission.status != 0) shared_.metrics.call_refused(admission.status);
  return admission;
}

void Shard::set_limits(const Config::Limits& limits) {
  const auto shards = static_cast<double>(count_);
  const auto of_source =
      limits.calls_per_second_per_source.value_or(limits.calls_per_second * call::AdmissionControl::usual_share);
  admission_.set_limits(
      {std::max<std::size_t>(1, limits.max_calls / count_), limits.calls_per_second / shards, of_source / shards});
}

void Shard::set_draining() {
  admission_.set_draining(true);
  user_agent_->set_draining(true);
  if (registrations_) registrations_->stop();
}

void Shard::hand_over() {
  admission_.set_draining(true);
  user_agent_->set_draining(true);
  if (registrations_) registrations_->abandon();
}

void Shard::directory_changed() {
  if (registrations_) registrations_->follow(*shared_.directory());
}

void Shard::tell(const callbacks::Context& application, std::string event, boost::json::object body,
                 std::function<void()> over) {
  if (event.empty()) {
    channel_->alarm(application, std::move(body));
  } else {
    channel_->notify(application, std::move(event), std::move(body), std::move(over));
  }
}

std::size_t Shard::registrations() const {
  return registrations_ ? registrations_->remaining() : 0;
}

void Shard::settle() {
  for (user_agent_->take_events(events_); !events_.empty(); user_agent_->take_events(events_)) {
    auto events = std::exchange(events_, {});
    for (auto& event : events) named_media_.pass(std::move(event));
  }
  user_agent_->take_lookups(lookups_);
  for (const auto& one : std::exchange(lookups_, {})) look_up(one);
  user_agent_->take_transmits(transmits_);
  for (auto& one : std::exchange(transmits_, {})) shared_.transmit(std::move(one));
  sessions_.store(switchboard_->sessions(), std::memory_order_relaxed);
  participants_.store(switchboard_->participants(), std::memory_order_relaxed);
  transactions_.store(user_agent_->counts().transactions, std::memory_order_relaxed);
  const auto sip = user_agent_->next_timer();
  const auto calls = switchboard_->next_timer();
  const auto next = std::min(sip.value_or(TimePoint::max()), calls.value_or(TimePoint::max()));
  // Timers mostly move away: one that fires too early costs less than setting it anew each time.
  if (next < armed_) arm(next);
}

void Shard::look_up(const sip::Lookup& lookup) {
  shared_.find_next_hops(lookup.uri, [this, id = lookup.id](std::vector<sip::Flow> hops) {
    post([this, id, hops = std::move(hops)] {
      user_agent_->resolved(id, hops, Clock::now());
      settle();
    });
  });
}

void Shard::look_up_media(const std::string& host, std::function<void(std::string address)> found) {
  // Any port, so that only the address is asked for; a transport of ours, so that there is a way.
  static constexpr std::string_view transports[]{"udp", "tcp", "tls"};
  const auto way = shared_.listeners.empty() ? sip::Transport::udp : shared_.listeners.front().transport;
  const auto uri = "sip:" + host + ":9;transport=" + std::string(transports[static_cast<std::size_t>(way)]);
  const bool v6 = shared_.call_settings.media_address.is_v6();
  shared_.find_next_hops(uri, [this, v6, found = std::move(found)](const std::vector<sip::Flow>& hops) {
    const auto hop = std::ranges::find_if(hops, [v6](const sip::Flow& one) { return one.remote.is_v6() == v6; });
    post([this, found, address = hop == hops.end() ? std::string() : hop->remote.host()] {
      found(address);
      settle();
    });
  });
}

void Shard::arm(TimePoint due) {
  armed_ = due;
  timer_.expires_at(due);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) turn();
  });
}

void Shard::turn() {
  armed_ = TimePoint::max();
  const auto now = Clock::now();
  user_agent_->advance(now);
  switchboard_->advance(now);
  settle();
}

std::string shard_tag(std::size_t index, std::string_view mark) {
  return "s" + std::to_string(index) + "." + std::string(mark) + ".";
}

namespace {

/// The shard whose tag a Call-ID begins with: one of ours.
std::optional<std::size_t> tagged_shard(std::string_view call_id, std::size_t count) {
  if (!call_id.starts_with('s')) return std::nullopt;
  std::size_t index = 0;
  const auto* end = call_id.data() + call_id.size();
  const auto read = std::from_chars(call_id.data() + 1, end, index);
  if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '.' || index >= count) return std::nullopt;
  return index;
}

}  // namespace

std::size_t shard_of_call(std::string_view call_id, std::size_t count) {
  return tagged_shard(call_id, count).value_or(std::hash<std::string_view>{}(call_id) % count);
}

std::size_t shard_of(std::string_view message, std::size_t count) {
  if (count == 1) return 0;
  // The Call-ID, by its long or short name, wherever it stands: what a parser will find too.
  for (std::string_view rest = message; !rest.empty();) {
    const auto header = sip::take_header(rest);
    const auto name = sip::name_in(header);
    if (!same_letters(name, "call-id") && !same_letters(name, "i")) continue;
    const auto id = sip::value_in(header);
    return shard_of_call(id, count);
  }
  return 0;
}

}  // namespace rw::app
