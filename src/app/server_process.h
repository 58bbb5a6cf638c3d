#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/jwks_cache.h"
#include "app/call_router.h"
#include "app/config.h"
#include "app/demo_server.h"
#include "app/fallback_keeper.h"
#include "app/keeping.h"
#include "app/next_hops.h"
#include "app/own_folder.h"
#include "app/predecessor.h"
#include "app/provisioner.h"
#include "app/recordings.h"
#include "app/relay.h"
#include "app/shard.h"
#include "base/fair_lane.h"
#include "base/ids.h"
#include "http/client.h"
#include "http/server.h"
#include "media/engine.h"
#include "net/sip_transports.h"
#include "ops/log.h"
#include "ops/metrics.h"
#include "sounds/sound_loader_pool.h"
#include "speech/speech_service.h"
#include "storage/disk_shares.h"
#include "storage/prompt_store.h"
#include "tenant/current_directory.h"

namespace rw::app {

/// Everything that runs, in the order in which it has to stop: what stands further down goes first. server.cpp starts
/// it, server_run.cpp has what happens from then on.
class Server {
 public:
  /// `file`: what the configuration was read from, to be read again on SIGHUP; empty: none.
  /// `follows_terminal`: when the terminal is closed that it runs in, it drains.
  Server(Config config, std::string file, bool follows_terminal)
      : config_(std::move(config)),
        file_(std::move(file)),
        follows_terminal_(follows_terminal),
        log_(config_.log.format, config_.log.level),
        prompts_threads_(config_.storage.s3 ? 16 : 2),
        main_(1),
        http_loop_(1),
        signals_(main_),
        watch_(main_),
        heartbeat_(main_),
        adoption_(main_) {}

  Result<void> start();
  int run();

 private:
  Result<void> find_predecessor();
  Result<void> start_storage();
  Result<void> start_fallbacks();
  Result<void> start_demo();
  Result<void> start_directory();
  Result<void> start_shards();
  Result<void> start_sip();
  Result<void> start_http();
  Result<void> take_over();
  std::unique_ptr<Recordings> make_recordings();
  // ---- server_takeover.cpp
  std::unique_ptr<Relay> make_relay();
  int given_socket(const char* kind, const net::Address& wanted);
  std::vector<OfferedSocket> offered_sockets() const;
  void deliver(const net::SipTransports::Hop& hop, std::string_view bytes);
  void hand_over(const std::vector<std::size_t>& places, std::function<void(HandedOver)> given);
  void handed_over();
  void successor_gone();
  void predecessor_gone();
  bool ask_predecessor(const http::IncomingRequest& request, const http::Responder& respond);
  void adopt_what_is_left();
  // ---- server_run.cpp
  void announce();
  void wait_for_signal();
  void signalled(int signal);
  void reload();
  void reloaded(Config fresh, const Result<std::size_t>& changed);
  void told_to_stop();
  void watch_drain(TimePoint deadline);
  void finish(std::chrono::seconds patience);
  void watch_deliveries(TimePoint deadline);
  void beat();
  void look_at_disk();
  void stop_all();
  std::size_t pending_recordings() const;
  std::size_t sum(std::size_t (Shard::*what)() const) const;
  ops::Metrics::Sample sample() const;

  struct Giving;

  Config config_;
  const std::string file_;
  const bool follows_terminal_;
  ops::Log log_;
  ops::Metrics metrics_;
  http::ClientLibrary client_library_;
  tenant::CurrentDirectory directory_;
  std::unique_ptr<ReplyTokens> tokens_;
  std::shared_ptr<storage::DiskShares> disk_;
  std::unique_ptr<storage::PromptStore> prompts_;
  std::unique_ptr<FallbackKeeper> fallbacks_;
  boost::asio::thread_pool prompts_threads_;
  FairLane upload_checks_{"checks"};
  boost::asio::io_context main_, http_loop_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer watch_, heartbeat_, adoption_;
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
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> http_work_;
  std::thread http_thread_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Predecessor> predecessor_;  ///< while this process starts
  std::optional<OwnFolder> own_folder_;       ///< until it is keeping_'s
  std::string recordings_folder_;
  const std::string mark_ = IdSource().token(6);
  mutable std::mutex earlier_mutex_;  ///< guards what follows
  std::string earlier_http_;          ///< where the API of the process goes on that this one has taken over from
  std::vector<std::unique_ptr<Recordings>> left_recordings_;
  std::vector<OwnFolder> left_folders_;  ///< that are kept locked
  std::atomic<bool> follows_{false};     ///< an earlier process still has calls
  std::string sip_addresses_, http_addresses_, public_url_;
  std::atomic<bool> ready_{false};
  bool draining_ = false;
  bool handed_over_ = false;  ///< draining because another process takes the new calls
  bool has_terminal_ = false;
  bool disk_is_low_ = false;  ///< the log has said so
};

}  // namespace rw::app
