#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/json/value_from.hpp>
#include <filesystem>

#include "api/rest_api.h"
#include "app/database_fallback_store.h"
#include "app/make_jwks_cache.h"
#include "app/make_prompt_store.h"
#include "app/part_settings.h"
#include "app/server_process.h"
#include "app/shared_speech.h"
#include "base/thread_name.h"
#include "ops/bound.h"
#include "sip/stream_framer.h"

namespace rw::app {
namespace {

net::SipTransports::Hop to_hop(const sip::Flow& flow) {
  const auto protocol =
      sip::is_stream(flow.transport) ? net::SipTransports::Protocol::tcp : net::SipTransports::Protocol::udp;
  return {protocol, flow.local, flow.remote, flow.connection, flow.instead};
}

}  // namespace

Result<void> Server::start() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  for (const auto step :
       {&Server::find_predecessor, &Server::start_storage, &Server::start_demo, &Server::start_directory,
        &Server::start_fallbacks, &Server::start_shards, &Server::start_sip, &Server::start_http, &Server::take_over}) {
    if (auto started = (this->*step)(); !started) return started;
  }
  return {};
}

Result<void> Server::start_storage() {
  auto secret = reply_secret(config_);
  if (!secret) return tl::unexpected(secret.error());
  tokens_ = std::make_unique<ReplyTokens>(std::move(*secret));
  disk_ = std::make_shared<storage::DiskShares>(storage::DiskShares::Options{
      .folder = config_.server.data_dir,
      .reserve = config_.storage.reserve_mb << 20U,
      .most =
          [this](const std::string& name) {
            const auto directory = directory_.get();
            const auto domain = directory ? directory->domain(name) : nullptr;
            return domain ? domain->max_storage : tenant::Domain::usual_storage;
          },
      .refused =
          [this](storage::DiskShares::Bound bound) {
            metrics_.refused(bound == storage::DiskShares::Bound::share ? ops::Bound("storage")
                                                                        : ops::Bound("storageReserve"));
          }});
  auto store = make_prompt_store(config_, own_folder_->path, !predecessor_, disk_);
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
  options.makers.find_waits = prompts_->remote();
  options.downloads.policy = net::AddressPolicy(config_.fetch.allow);
  options.downloads.ca_file = config_.fetch.ca_file;
  auto speech = speech::SpeechService::make(
      config_.speech, config_.server.data_dir + "/speech", make_shared_speech(config_), log_,
      [disk = disk_](std::uint64_t bytes) { return disk->may_take({}, bytes).has_value(); });
  if (!speech) return tl::unexpected(speech.error());
  speech_ = std::move(*speech);
  options.makers.make_engine = [this] { return speech_->make_engine(); };
  options.makers.speech_lane = [this](const audio::SoundRequest& request) { return speech_->lane_of(request); };
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
                                        .tag_key = tokens_->derive_key("provisioning tags"),
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

std::unique_ptr<Recordings> Server::make_recordings() {
  return std::make_unique<Recordings>(Recordings::Options{
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
}

Result<void> Server::start_shards() {
  try {
    engine_ = std::make_unique<media::Engine>(engine_options(config_));
  } catch (const std::exception& problem) {
    return fail(std::string("media engine: ") + problem.what());
  }
  const auto own = own_folder_->path;
  auto keeping = Keeping::open(
      config_, std::move(*own_folder_),
      [this](std::string_view name, std::string_view id) {
        const auto domain = directory_.get()->domain(name);
        return domain ? domain->service(id) : nullptr;
      },
      metrics_, log_);
  if (!keeping) return tl::unexpected(keeping.error());
  keeping_ = std::move(*keeping);
  recordings_ = make_recordings();
  recordings_folder_ = own + "/recordings";
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
              relay_->send(to_hop(message.flow), std::move(message.bytes));
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
      .mark = mark_,
      .listeners = {},
      .unconfirmed_calls = std::make_shared<call::UnconfirmedCalls>(unconfirmed_calls(config_))});
  const auto count = static_cast<std::size_t>(config_.server.shards);
  for (std::size_t at = 0; at < count; ++at) shards_.push_back(std::make_unique<Shard>(*shared_, at, count));
  return {};
}

Result<void> Server::start_sip() {
  net::SipTransports::Handlers handlers;
  handlers.cut = &sip::first_message;
  handlers.message = [this](const net::SipTransports::Hop& hop, std::string_view bytes) {
    metrics_.sip_message(hop.protocol == net::SipTransports::Protocol::udp ? "udp" : "tcp");
    relay_->received(hop, bytes);
  };
  handlers.closed = [this](const net::SipTransports::Hop& hop) { relay_->closed(hop); };
  handlers.binds = &sip::opens_call;
  handlers.refused = [this] { metrics_.refused("sipConnections"); };
  relay_ = make_relay();
  transports_ = std::make_unique<net::SipTransports>(shards_.front()->loop(), std::move(handlers));
  transports_->limit_connections(static_cast<std::size_t>(config_.sip.max_connections_per_client));
  // Numbers that no other process of the data_dir has: connections are told of from one to another.
  transports_->number_connections_from((IdSource().number() & 0x7fffffff) << 32U);
  bool took_sip = false;
  for (const auto& listener : config_.sip.listen) {
    const bool udp = listener.transport == SipListener::Transport::udp;
    const auto protocol = udp ? net::SipTransports::Protocol::udp : net::SipTransports::Protocol::tcp;
    const auto given = given_socket(udp ? "udp" : "tcp", listener.address);
    const auto address =
        given >= 0 ? transports_->listen(protocol, given) : transports_->listen(protocol, listener.address);
    if (!address) return fail("sip.listen: " + address.error().message);
    took_sip = took_sip || given >= 0;
    sip_addresses_ += (sip_addresses_.empty() ? "" : ",") + std::string(udp ? "udp:" : "tcp:") + address->to_string();
    shared_->listeners.push_back({udp ? sip::Transport::udp : sip::Transport::tcp, *address, {}, 0, {}});
  }
  if (predecessor_ && !took_sip)  // a mistake, rather than a restart
    return fail(config_.server.data_dir + ": another server that runs uses this data_dir, and listens elsewhere");
  try {
    next_hops_ = std::make_unique<NextHops>(shards_.front()->loop(), config_.sip.dns_servers, shared_->listeners);
  } catch (const std::exception& problem) {
    return fail(std::string("sip.dns_servers: ") + problem.what());
  }
  recording::Recorder::Options recorder(*prompts_);
  recorder.folder = recordings_folder_;
  recorder.shares = disk_;
  recorder.log = log_;
  if (auto opened = recordings_->open(std::move(recorder)); !opened) return opened;
  if (predecessor_) {
    for (const auto& one : transports_->listeners())
      transports_->pause(one);  // until the other one has stopped reading
  }
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
                 [this](std::string_view limit) { metrics_.api_refused(limit); },
                 &upload_checks_,
                 [this](const http::IncomingRequest& request, const http::Responder& respond) {
                   return ask_predecessor(request, respond);
                 },
                 disk_.get(),
                 [this](ops::Bound bound) { metrics_.refused(bound); }};
  provisioner_->start();
  public_url_ = config_.http.public_url;
  http_ = std::make_unique<http::Server>(http_loop_, api::make_router(std::move(deps)),
                                         http_options(config_, metrics_, log_));
  for (const auto& wanted : config_.http.listen) {
    const auto given = given_socket("http", wanted);
    const auto address = given >= 0 ? http_->listen(given) : http_->listen(wanted);
    if (!address) return fail("http.listen: " + address.error().message);
    if (public_url_.empty()) public_url_ = "http://" + address->to_string();
    http_addresses_ += (http_addresses_.empty() ? "http://" : ",http://") + address->to_string();
  }
  if (predecessor_) {
    std::vector<net::Address> all;
    for (const auto& one : http_->listeners()) all.push_back(one.local);
    http_->pause(all);
    http_work_.emplace(http_loop_.get_executor());  // while it waits for nothing
  }
  http_thread_ = std::thread([this] {
    name_this_thread("http");
    http_loop_.run();
  });
  return {};
}

}  // namespace rw::app
