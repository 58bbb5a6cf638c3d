#include "app/server.h"

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/value_from.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <thread>

#include "api/rest_api.h"
#include "app/call_router.h"
#include "app/database_fallback_store.h"
#include "app/demo_server.h"
#include "app/fallback_keeper.h"
#include "app/keeping.h"
#include "app/make_jwks_cache.h"
#include "app/make_prompt_store.h"
#include "app/part_settings.h"
#include "app/provisioner.h"
#include "app/recordings.h"
#include "app/shard.h"
#include "app/shared_speech.h"
#include "base/thread_name.h"
#include "http/client.h"
#include "net/sip_transports.h"
#include "sip/stream_framer.h"
#include "sounds/sound_loader_pool.h"
#include "speech/speech_service.h"

namespace rw::app {
namespace {

using std::chrono::milliseconds;

constexpr auto watch_step = milliseconds(50);
constexpr auto last_deliveries = std::chrono::seconds(10);  ///< for notifications, when a drain has ended
constexpr auto hasty_deliveries = std::chrono::seconds(1);  ///< when the stop was told twice

net::SipTransports::Hop to_hop(const sip::Flow& flow) {
  const auto protocol =
      sip::is_stream(flow.transport) ? net::SipTransports::Protocol::tcp : net::SipTransports::Protocol::udp;
  return {protocol, flow.local, flow.remote, flow.connection};
}

sip::Flow to_flow(const net::SipTransports::Hop& hop) {
  const auto transport = hop.protocol == net::SipTransports::Protocol::tcp ? sip::Transport::tcp : sip::Transport::udp;
  return {transport, hop.local, hop.remote, hop.connection};
}

/// Everything that runs, in the order in which it has to stop: what stands further down goes first.
class Server {
 public:
  explicit Server(Config config)
      : config_(std::move(config)),
        log_(config_.log.format, config_.log.level),
        prompts_threads_(config_.storage.s3 ? 16 : 2),
        main_(1),
        http_loop_(1),
        signals_(main_),
        watch_(main_),
        heartbeat_(main_) {}

  Result<void> start();
  int run();

 private:
  Result<void> start_storage();
  Result<void> start_fallbacks();
  Result<void> start_demo();
  Result<void> start_directory();
  Result<void> start_shards();
  Result<void> start_sip();
  Result<void> start_http();
  void announce();
  void wait_for_signal();
  void told_to_stop();
  void watch_drain(TimePoint deadline);
  void finish(std::chrono::seconds patience);
  void watch_deliveries(TimePoint deadline);
  void beat();
  void stop_all();
  std::size_t sum(std::size_t (Shard::*what)() const) const;
  ops::Metrics::Sample sample() const;

  Config config_;
  ops::Log log_;
  ops::Metrics metrics_;
  http::ClientLibrary client_library_;
  tenant::CurrentDirectory directory_;
  std::unique_ptr<ReplyTokens> tokens_;
  std::unique_ptr<storage::PromptStore> prompts_;
  std::unique_ptr<FallbackKeeper> fallbacks_;
  boost::asio::thread_pool prompts_threads_;
  boost::asio::io_context main_, http_loop_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer watch_, heartbeat_;
  std::unique_ptr<DemoServer> demo_;
  std::unique_ptr<Keeping> keeping_;
  std::unique_ptr<Recordings> recordings_;
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<speech::SpeechService> speech_;
  std::unique_ptr<sounds::SoundLoaderPool> sounds_;
  std::unique_ptr<media::Engine> engine_;
  std::unique_ptr<net::SipTransports> transports_;
  std::unique_ptr<NextHops> next_hops_;
  std::unique_ptr<CallRouter> router_;
  std::shared_ptr<api::JwksCache> jwks_;
  std::unique_ptr<Provisioner> provisioner_;
  std::unique_ptr<http::Server> http_;
  std::thread http_thread_;
  std::string sip_addresses_, http_addresses_, public_url_;
  std::atomic<bool> ready_{false};
  bool draining_ = false;
};

Result<void> Server::start() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  for (const auto step : {&Server::start_storage, &Server::start_demo, &Server::start_directory,
                          &Server::start_fallbacks, &Server::start_shards, &Server::start_sip, &Server::start_http}) {
    if (auto started = (this->*step)(); !started) return started;
  }
  return {};
}

Result<void> Server::start_storage() {
  std::error_code error;
  std::filesystem::create_directories(config_.server.data_dir, error);
  if (error) return fail(config_.server.data_dir + ": " + error.message());
  auto secret = reply_secret(config_);
  if (!secret) return tl::unexpected(secret.error());
  tokens_ = std::make_unique<ReplyTokens>(std::move(*secret));
  auto store = make_prompt_store(config_);
  if (!store) return tl::unexpected(store.error());
  prompts_ = std::move(*store);
  prompts_->on_change([this](const std::string& domain) { sounds_->forget(domain); });
  sounds::SoundLoaderPool::Options options;
  options.makers.find = [this](const audio::FilePrompt& file) -> Result<sounds::PromptFile> {
    auto found = prompts_->find(file.domain, file.name);
    if (!found) return fail(found.error().message);
    sounds::PromptFile prompt{found->path, found->etag};
    if (prompts_->remote()) prompt.fresh_for = storage::PromptStore::revalidate_after;
    return prompt;
  };
  options.makers.fetch_rules = {net::AddressPolicy(config_.fetch.allow), config_.fetch.ca_file};
  auto speech = speech::SpeechService::make(config_.speech, config_.server.data_dir + "/speech",
                                            make_shared_speech(config_), log_);
  if (!speech) return tl::unexpected(speech.error());
  speech_ = std::move(*speech);
  options.makers.make_engine = [this] { return speech_->make_engine(); };
  sounds_ = std::make_unique<sounds::SoundLoaderPool>(std::move(options));
  boost::asio::post(prompts_threads_, [this] { check_prompt_store(*prompts_, log_); });
  return {};
}

Result<void> Server::start_fallbacks() {
  fallbacks_ = std::make_unique<FallbackKeeper>(
      std::make_unique<DatabaseFallbackStore>(config_.database_url, config_.server.data_dir), log_);
  return {};
}

Result<void> Server::start_demo() {
  if (config_.demo) {
    auto demo = DemoServer::start(http_loop_);
    if (!demo) return tl::unexpected(demo.error());
    demo_ = std::move(*demo);
    if (auto made = make_demo_prompts(*prompts_, config_.domains.front()->name); !made) return made;
    auto domain = std::make_shared<tenant::Domain>(*config_.domains.front());
    auto service = std::make_shared<tenant::Mediaservice>(*domain->mediaservices.front());
    service->callback_url = demo_->url();
    service->alarm_url = demo_->url() + "/alarm";
    config_.domain_documents = {{{"name", domain->name},
                                 {"aliases", boost::json::value_from(domain->aliases)},
                                 {"auth", "none"},
                                 {"mediaservices",
                                  {{{"id", service->id},
                                    {"numbers", {"*"}},
                                    {"callback_url", service->callback_url},
                                    {"alarm_url", service->alarm_url}}}}}};
    domain->mediaservices.front() = std::move(service);
    config_.domains.front() = std::move(domain);
  }
  return {};
}

Result<void> Server::start_directory() {
  auto provisioner = Provisioner::open({.database_url = config_.database_url,
                                        .data_dir = config_.server.data_dir,
                                        .domains = config_.domains,
                                        .documents = config_.domain_documents,
                                        .exposure = exposure_of(config_),
                                        .directory = directory_,
                                        .changed =
                                            [this] {
                                              fallbacks_->refresh();  // those of a removed domain are gone
                                              auto& first = *shards_.front();
                                              first.post([&first] { first.directory_changed(); });
                                            },
                                        .log = log_});
  if (!provisioner) return tl::unexpected(provisioner.error());
  provisioner_ = std::move(*provisioner);
  return {};
}

Result<void> Server::start_shards() {
  try {
    engine_ = std::make_unique<media::Engine>(engine_options(config_));
  } catch (const std::exception& problem) {
    return fail(std::string("media engine: ") + problem.what());
  }
  auto keeping = Keeping::open(
      config_,
      [this](std::string_view name, std::string_view id) {
        const auto domain = directory_.get()->domain(name);
        return domain ? domain->service(id) : nullptr;
      },
      metrics_, log_);
  if (!keeping) return tl::unexpected(keeping.error());
  keeping_ = std::move(*keeping);
  recordings_ = std::make_unique<Recordings>(Recordings::Options{
      [this] { return directory_.get(); },
      [this](callbacks::Context application, std::string event, boost::json::object body, std::function<void()> over) {
        // On the shard that its session was on: notifications of one session keep their order.
        auto& shard = *shards_[shard_of_call(application.call_id, shards_.size())];
        shard.post([&shard, application = std::move(application), event = std::move(event), body = std::move(body),
                    over = std::move(over)]() mutable {
          shard.tell(application, std::move(event), std::move(body), std::move(over));
        });
      },
      log_});
  shared_ = std::make_unique<Shared>(Shared{
      .config = config_,
      .call_settings = call_settings(config_),
      .engine = *engine_,
      .sounds = *sounds_,
      .recordings = *recordings_,
      .tokens = *tokens_,
      .metrics = metrics_,
      .log = log_,
      .directory = [this] { return directory_.get(); },
      .fallback = [this](std::string_view domain, std::string_view number) { return fallbacks_->find(domain, number); },
      .transmit =
          [this](sip::Transmit message) {
            shards_.front()->post([this, message = std::move(message)]() mutable {
              transports_->send(to_hop(message.flow), std::move(message.bytes));
            });
          },
      .find_next_hops =
          [this](std::string uri, NextHops::Handler handler) {
            shards_.front()->post(
                [this, uri = std::move(uri), handler = std::move(handler)] { next_hops_->find(uri, handler); });
          },
      .carry =
          [this](std::size_t to, call::Letter letter) {
            shards_[to]->post([shard = shards_[to].get(), letter = std::move(letter)]() mutable {
              shard->receive(std::move(letter));
            });
          },
      .keep = [this](std::size_t shard) { return keeping_->for_shard(shard); },
      .listeners = {}});
  const auto count = static_cast<std::size_t>(config_.server.shards);
  for (std::size_t at = 0; at < count; ++at) shards_.push_back(std::make_unique<Shard>(*shared_, at, count));
  return {};
}

Result<void> Server::start_sip() {
  net::SipTransports::Handlers handlers;
  handlers.cut = &sip::first_message;
  handlers.message = [this](const net::SipTransports::Hop& hop, std::string_view bytes) {
    metrics_.sip_message(hop.protocol == net::SipTransports::Protocol::udp ? "udp" : "tcp");
    auto& shard = *shards_[shard_of(bytes, shards_.size())];
    if (shard.on_own_thread()) {
      shard.receive(to_flow(hop), bytes);
    } else {
      shard.post([&shard, flow = to_flow(hop), message = std::string(bytes)] { shard.receive(flow, message); });
    }
  };
  handlers.closed = [this](const net::SipTransports::Hop& hop) {
    for (auto& shard : shards_) shard->post([&shard = *shard, flow = to_flow(hop)] { shard.connection_closed(flow); });
  };
  transports_ = std::make_unique<net::SipTransports>(shards_.front()->loop(), std::move(handlers));
  for (const auto& listener : config_.sip.listen) {
    const bool udp = listener.transport == SipListener::Transport::udp;
    const auto protocol = udp ? net::SipTransports::Protocol::udp : net::SipTransports::Protocol::tcp;
    const auto address = transports_->listen(protocol, listener.address);
    if (!address) return fail("sip.listen: " + address.error().message);
    sip_addresses_ += (sip_addresses_.empty() ? "" : ",") + std::string(udp ? "udp:" : "tcp:") + address->to_string();
    shared_->listeners.push_back({udp ? sip::Transport::udp : sip::Transport::tcp, *address, {}, 0});
  }
  try {
    next_hops_ = std::make_unique<NextHops>(shards_.front()->loop(), config_.sip.dns_servers, shared_->listeners);
  } catch (const std::exception& problem) {
    return fail(std::string("sip.dns_servers: ") + problem.what());
  }
  recording::Recorder::Options recorder(*prompts_);
  recorder.folder = (std::filesystem::path(config_.server.data_dir) / "recordings").string();
  recorder.log = log_;
  if (auto opened = recordings_->open(std::move(recorder)); !opened) return opened;
  for (std::size_t at = 0; at < shards_.size(); ++at) shards_[at]->start(keeping_->left_for(at));
  return {};
}

Result<void> Server::start_http() {
  router_ = std::make_unique<CallRouter>(shards_);
  metrics_.set_sampler([this] { return sample(); });
  jwks_ = make_jwks_cache(http_loop_, config_, log_);
  api::Deps deps{[this] { return directory_.get(); },
                 *router_,
                 *prompts_,
                 prompts_threads_,
                 fallbacks_->entries(),
                 *tokens_,
                 config_.server.node_id,
                 log_,
                 [this] { return ready_.load(std::memory_order_relaxed); },
                 [this] { return metrics_.text(); },
                 [this] { return public_url_; },
                 jwks_,
                 provisioner_.get(),
                 config_.provisioning_token,
                 static_cast<std::size_t>(config_.http.failed_authorisations_per_minute),
                 [this](std::string_view limit) { metrics_.api_refused(limit); }};
  provisioner_->start();
  public_url_ = config_.http.public_url;
  http_ =
      std::make_unique<http::Server>(http_loop_, api::make_router(std::move(deps)), http_options(config_, metrics_));
  for (const auto& wanted : config_.http.listen) {
    const auto address = http_->listen(wanted);
    if (!address) return fail("http.listen: " + address.error().message);
    if (public_url_.empty()) public_url_ = "http://" + address->to_string();
    http_addresses_ += (http_addresses_.empty() ? "http://" : ",http://") + address->to_string();
  }
  http_thread_ = std::thread([this] {
    name_this_thread("http");
    http_loop_.run();
  });
  return {};
}

void Server::announce() {
  std::cout << "ready sip " << sip_addresses_ << " http " << http_addresses_ << '\n';
  if (config_.demo && !config_.sip.listen.empty()) {
    std::cout << "Call sip:demo@" << config_.sip.listen.front().address.to_string()
              << " with any softphone on this machine, for example:\n"
              << "  baresip -e '/dial sip:demo@" << config_.sip.listen.front().address.to_string() << "'\n";
  }
  std::cout.flush();
}

int Server::run() {
  signals_.add(SIGTERM);  // who reads that we are ready may tell us to stop
  signals_.add(SIGINT);
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
  heartbeat_.expires_after(std::chrono::seconds(1));
  heartbeat_.async_wait([this](const boost::system::error_code& error) {
    if (!error) beat();
  });
}

void Server::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    told_to_stop();
    wait_for_signal();
  });
}

void Server::told_to_stop() {
  ready_ = false;
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
  if (sum(&Shard::sessions) == 0 || Clock::now() >= deadline) {
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
                    recordings_->pending() == 0;
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
  if (const auto left = sum(&Shard::undelivered); left != 0)
    log_.warning("notifications will be delivered after the next start", {{"count", std::to_string(left)}});
  http_->stop(milliseconds(500));
  jwks_->stop();
  if (demo_) demo_->stop();
  http_thread_.join();
  provisioner_->stop();
  prompts_->stop();
  prompts_threads_.join();
  fallbacks_->stop();
  shards_.front()->post([this] { transports_->stop(); });
  engine_.reset();  // its last events are messages to the shards
  recordings_->close();
  speech_->stop();
  sounds_.reset();
  for (auto& shard : shards_) shard->stop();
  keeping_->stop();
  next_hops_.reset();
  transports_.reset();
  log_.info("stopped");
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
  sample.recordings = static_cast<double>(recordings_->pending());
  sample.outbox = static_cast<double>(keeping_->undelivered());
  sample.rtp_ports_in_use = static_cast<double>(media.ports_in_use);
  sample.rtp_ports_resting = static_cast<double>(media.ports_resting);
  sample.media_legs = static_cast<double>(media.legs);
  sample.packets_sent = static_cast<double>(media.packets_sent);
  sample.packets_received = static_cast<double>(media.packets_received);
  sample.packets_dropped = static_cast<double>(media.packets_dropped);
  sample.packets_lost = static_cast<double>(media.packets_lost);
  sample.late_ticks = static_cast<double>(media.late_ticks);
  sample.io_uring = media.io_uring;
  return sample;
}

}  // namespace

int serve(Config config) {
  std::signal(SIGPIPE, SIG_IGN);
  Server server(std::move(config));
  if (auto started = server.start(); !started) {
    std::cerr << "ringwright: " << started.error().message << '\n';
    std::cerr.flush();
    std::_Exit(1);  // threads may be running; nothing is in use yet
  }
  return server.run();
}

}  // namespace rw::app
