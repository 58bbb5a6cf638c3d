#include <algorithm>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <future>
#include <initializer_list>

#include "api/answers.h"
#include "app/server_process.h"
#include "base/ascii.h"
#include "http/transfer.h"

/// How one process takes over from another (docs/operations.md has the whole). The earlier one gives its sockets away,
/// drains, and gets through the later one what still comes for its calls.
namespace rw::app {
namespace {

constexpr auto adoption_pause = std::chrono::seconds(1);

sip::Flow to_flow(const net::SipTransports::Hop& hop) {
  const auto transport = hop.protocol == net::SipTransports::Protocol::tcp ? sip::Transport::tcp : sip::Transport::udp;
  return {transport, hop.local, hop.remote, hop.connection, {}};
}

const char* kind_of(SipListener::Transport transport) {
  return transport == SipListener::Transport::udp ? "udp" : "tcp";
}

}  // namespace

// ---- the later process

Result<void> Server::find_predecessor() {
  const auto& data_dir = config_.server.data_dir;
  std::error_code error;
  std::filesystem::create_directories(data_dir, error);
  if (error) return fail(data_dir + ": " + error.message());
  auto found = Predecessor::find(data_dir);
  if (!found) return tl::unexpected(found.error());
  predecessor_ = std::move(*found);
  auto own = OwnFolder::take(data_dir, predecessor_ != nullptr);
  if (!own) return tl::unexpected(own.error());
  own_folder_ = std::move(*own);
  return {};
}

int Server::given_socket(const char* kind, const net::Address& wanted) {
  return predecessor_ ? predecessor_->socket(kind, wanted.to_string()) : -1;
}

Result<void> Server::take_over() {
  if (predecessor_) {
    const auto given = predecessor_->take();
    if (!given) return tl::unexpected(given.error());
    log_.info("taken over from an earlier process", {{"sessions", std::to_string(given->sessions)}});
    {
      const std::lock_guard lock(earlier_mutex_);
      earlier_http_ = given->http;
    }
    follows_ = true;
    std::promise<void> done;
    shards_.front()->post([&] {
      relay_->follow(*predecessor_, *given);
      transports_->resume();
      done.set_value();
    });
    done.get_future().wait();
    boost::asio::post(http_loop_, [this] { http_->resume(); });
    http_work_.reset();
    predecessor_ = nullptr;
  }
  shards_.front()->post([this] {
    if (const auto listens = relay_->listen(takeover_path(config_.server.data_dir)); !listens)
      log_.warning("no other process can take over from this one", {ops::text("reason", listens.error().message)});
  });
  boost::asio::post(prompts_threads_, [this] { adopt_what_is_left(); });
  return {};
}

bool Server::ask_predecessor(const http::IncomingRequest& request, const http::Responder& respond) {
  std::string address;
  {
    const std::lock_guard lock(earlier_mutex_);
    address = earlier_http_;
  }
  if (address.empty()) return false;
  http::TransferRequest order;
  order.method = request.method;
  order.url = "http://" + address + request.path;
  order.body = request.body;
  for (const auto& [name, value] : request.headers) {
    // The host too: signatures cover it.
    const bool of_connection =
        std::ranges::any_of(std::initializer_list<std::string_view>{"content-length", "connection", "expect",
                                                                    "transfer-encoding", "accept-encoding"},
                            [&name = name](std::string_view one) { return same_letters(name, one); });
    if (!of_connection) order.headers.push_back(std::string(name).append(": ").append(value));
  }
  boost::asio::post(prompts_threads_, [order = std::move(order), respond] {
    http::Transfers transfers;
    const auto response = transfers.run(order);
    if (!response) return respond(api::failure(503, "the process that has the session can't be reached"));
    http::Answer answer = api::json_answer(response->status, {});
    answer.body = response->body;
    if (response->status >= 400) answer.refused_because = "by the earlier process, which has the session";
    respond(std::move(answer));
  });
  return true;
}

void Server::predecessor_gone() {
  {
    const std::lock_guard lock(earlier_mutex_);
    earlier_http_.clear();
  }
  log_.info("the earlier process has ended");
  boost::asio::post(main_, [this] {
    follows_ = false;
    adoption_.expires_after(adoption_pause);  // until it has let go of its folder
    adoption_.async_wait([this](const boost::system::error_code& failed) {
      if (!failed) boost::asio::post(prompts_threads_, [this] { adopt_what_is_left(); });
    });
  });
}

void Server::adopt_what_is_left() {
  for (auto& left : OwnFolder::take_left(config_.server.data_dir, keeping_->folder())) {
    auto waiting = keeping_->adopt(left, config_, metrics_, log_);
    if (!waiting) {
      log_.error("what another process has left can't be taken in",
                 {{"folder", left.path}, ops::text("reason", waiting.error().message)});
      continue;
    }
    for (std::size_t at = 0; at < shards_.size(); ++at) {
      shards_[at]->post([&shard = *shards_[at], notices = std::move((*waiting)[at])] { shard.restore(notices); });
    }
    recording::Recorder::Options recorder(*prompts_);
    recorder.folder = left.path + "/recordings";
    recorder.shares = disk_;
    recorder.log = log_;
    auto recordings = make_recordings();
    if (const auto opened = recordings->open(std::move(recorder)); !opened)
      log_.error("what another process has recorded can't be taken in", {ops::text("reason", opened.error().message)});
    const std::lock_guard lock(earlier_mutex_);
    left_recordings_.push_back(std::move(recordings));
    left_folders_.push_back(std::move(left));
  }
}

// ---- the earlier process

std::vector<OfferedSocket> Server::offered_sockets() const {
  std::vector<OfferedSocket> all;
  const auto sip = transports_->listeners();
  const auto udp =
      std::ranges::count_if(sip, [](const auto& one) { return one.protocol == net::SipTransports::Protocol::udp; });
  // Of each kind in the order of the configuration, as they were opened.
  std::ptrdiff_t next_udp = 0;
  std::ptrdiff_t next_tcp = udp;
  for (const auto& one : config_.sip.listen) {
    auto& next = one.transport == SipListener::Transport::udp ? next_udp : next_tcp;
    all.push_back({kind_of(one.transport), one.address.to_string(), sip[static_cast<std::size_t>(next++)].descriptor});
  }
  const auto http = http_->listeners();
  for (std::size_t at = 0; at < config_.http.listen.size(); ++at)
    all.push_back({"http", config_.http.listen[at].to_string(), http[at].descriptor});
  return all;
}

/// What is collected from several threads before it is answered.
struct Server::Giving {
  HandedOver result;
  std::size_t missing = 0;
  std::function<void(HandedOver)> given;
  void arrived() {
    if (--missing == 0) given(std::move(result));
  }
};

void Server::hand_over(const std::vector<std::size_t>& places, std::function<void(HandedOver)> given) {
  const auto offered = offered_sockets();
  const auto giving = std::make_shared<Giving>();
  giving->missing = shards_.size() + 1;
  giving->given = std::move(given);
  giving->result.sessions = sum(&Shard::sessions);
  std::vector<net::Address> http;
  for (const auto place : places) {
    if (place >= offered.size()) continue;
    for (const auto& one : transports_->listeners()) {
      if (one.descriptor == offered[place].descriptor) transports_->pause(one);
    }
    for (const auto& one : http_->listeners()) {
      if (one.descriptor == offered[place].descriptor) http.push_back(one.local);
    }
  }
  auto& first = *shards_.front();
  for (auto& shard : shards_) {
    shard->post([giving, &first, &shard = *shard] {
      shard.hand_over();
      first.post([giving, keys = shard.server_transactions()] {
        giving->result.transactions.insert(giving->result.transactions.end(), keys.begin(), keys.end());
        giving->arrived();
      });
    });
  }
  boost::asio::post(http_loop_, [this, giving, &first, http = std::move(http)] {
    http_->pause(http);
    const auto address = http_->listen(*net::Address::parse("127.0.0.1:0"));
    first.post([giving, address] {
      if (address) giving->result.http = address->to_string();
      giving->arrived();
    });
  });
  boost::asio::post(main_, [this] { handed_over(); });
}

void Server::handed_over() {
  ready_ = false;
  handed_over_ = true;
  provisioner_->follow_database();
  log_.info("another process has taken over: no new calls", {{"sessions", std::to_string(sum(&Shard::sessions))}});
  if (!std::exchange(draining_, true)) watch_drain(Clock::now() + config_.server.drain_timeout);
}

void Server::successor_gone() {
  transports_->resume();
  boost::asio::post(http_loop_, [this] { http_->resume(); });
  log_.warning("the process that had taken over has gone: new calls are refused until another one takes over");
}

void Server::deliver(const net::SipTransports::Hop& hop, std::string_view bytes) {
  auto& shard = *shards_[shard_of(bytes, shards_.size())];
  if (shard.on_own_thread()) {
    shard.receive(to_flow(hop), bytes);
  } else {
    shard.post([&shard, flow = to_flow(hop), message = std::string(bytes)] { shard.receive(flow, message); });
  }
}

std::unique_ptr<Relay> Server::make_relay() {
  Relay::Host host;
  host.deliver = [this](const Relay::Hop& hop, std::string_view bytes) { deliver(hop, bytes); };
  host.send = [this](const Relay::Hop& hop, std::string bytes) { transports_->send(hop, std::move(bytes)); };
  host.closed = [this](const Relay::Hop& hop) {
    for (auto& shard : shards_) shard->post([&shard = *shard, flow = to_flow(hop)] { shard.connection_closed(flow); });
  };
  host.sockets = [this] { return offered_sockets(); };
  host.give = [this](const std::vector<std::size_t>& places, std::function<void(HandedOver)> given) {
    hand_over(places, std::move(given));
  };
  host.successor_gone = [this] { successor_gone(); };
  host.predecessor_gone = [this] { predecessor_gone(); };
  return std::make_unique<Relay>(shards_.front()->loop(), mark_, std::move(host));
}

}  // namespace rw::app
