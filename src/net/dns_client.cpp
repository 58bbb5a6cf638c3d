#include "net/dns_client.h"

#include <ares.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <unordered_map>

#include "base/ascii.h"
#include "base/time.h"
#include "net/dns_answer.h"

namespace rw::net {
namespace {

using boost::asio::posix::stream_descriptor;
using std::chrono::seconds;

constexpr int first_try_ms = 700;  ///< the second try waits twice as long
constexpr int tries = 2;
constexpr int udp_payload = 1232;  ///< EDNS: what passes everywhere in one piece
constexpr auto longest_kept = seconds(300);
constexpr auto nothing_kept = seconds(5);
constexpr std::size_t longest_name = 255;
constexpr int class_in = 1;
constexpr int type_naptr = 35;
constexpr int type_srv = 33;

}  // namespace

/// c-ares on an Asio loop: it says which sockets and which time it waits for, the loop waits.
class DnsClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& loop, const Options& options) : loop_(loop), timer_(loop) {
    family_ = options.v4 && options.v6 ? AF_UNSPEC : options.v6 ? AF_INET6 : AF_INET;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) throw std::runtime_error("c-ares can't be set up");
    ares_options settings{};
    char lookups[] = "fb";  // the hosts file first
    settings.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_EDNS;
    settings.timeout = first_try_ms;
    settings.tries = tries;
    settings.ednspsz = udp_payload;
    settings.lookups = lookups;
    settings.sock_state_cb = &Impl::socket_wanted;
    settings.sock_state_cb_data = this;
    const int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS |
                      ARES_OPT_SOCK_STATE_CB;
    if (const int status = ares_init_options(&channel_, &settings, given); status != ARES_SUCCESS)
      throw std::runtime_error(std::string("DNS: ") + ares_strerror(status));
    std::string servers;
    for (const auto& server : options.servers) servers += (servers.empty() ? "" : ",") + server.to_string();
    if (servers.empty()) return;
    if (const int status = ares_set_servers_ports_csv(channel_, servers.c_str()); status != ARES_SUCCESS) {
      ares_destroy(channel_);
      throw std::runtime_error("DNS servers " + servers + ": " + ares_strerror(status));
    }
  }
  ~Impl() {
    stop();
    ares_library_cleanup();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void stop() {
    if (channel_ == nullptr) return;
    timer_.cancel();
    waiting_.clear();
    ares_destroy(std::exchange(channel_, nullptr));
    watches_.clear();
  }

  void ask(Type type, const std::string& name, Handler handler) {
    static const auto nothing = std::make_shared<const Records>();
    const Key key{type, lower_case(std::string_view(name).substr(0, name.find('\0')))};
    if (const auto found = remembered_.find(key); found != remembered_.end()) {
      if (found->second.until > Clock::now()) {
        const auto records = found->second.records;
        handler(records);
        return;
      }
      remembered_.erase(found);
    }
    if (const auto found = waiting_.find(key); found != waiting_.end()) {
      found->second.push_back(std::move(handler));
      return;
    }
    if (name.empty() || name.size() > longest_name || waiting_.size() >= most_questions) {
      handler(nothing);
      return;
    }
    waiting_[key].push_back(std::move(handler));
    query(key);
    set_timer();
  }

 private:
  using Key = std::pair<Type, std::string>;
  struct Remembered {
    std::shared_ptr<const Records> records;
    TimePoint until;
  };
  /// What c-ares hands back with an answer.
  struct Asked {
    Impl& owner;
    Key key;
  };
  struct Watch {
    Watch(boost::asio::io_context& loop, ares_socket_t socket) : descriptor(loop, socket), number(socket) {}
    stream_descriptor descriptor;  ///< released, never closed: the socket is c-ares'
    ares_socket_t number;
    bool wants_read = false, wants_write = false, reading = false, writing = false;
  };

  void query(const Key& key) {
    const auto& name = key.second;
    auto asked = std::make_unique<Asked>(Asked{*this, key});
    if (key.first == Type::address) {
      ares_addrinfo_hints hints{};
      hints.ai_family = family_;
      hints.ai_socktype = SOCK_DGRAM;
      ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &Impl::addresses_came, asked.release());
    } else {
      const int type = key.first == Type::srv ? type_srv : type_naptr;
      ares_query(channel_, name.c_str(), class_in, type, &Impl::records_came, asked.release());
    }
  }

  static void records_came(void* argument, int status, int, unsigned char* bytes, int length) {
    const std::unique_ptr<Asked> asked(static_cast<Asked*>(argument));
    if (status == ARES_EDESTRUCTION) return;
    Records records;
    std::optional<seconds> ttl;
    if (status == ARES_SUCCESS) {
      const std::span<const unsigned char> message(bytes, static_cast<std::size_t>(length));
      read_answer(asked->key.first, message, records);
      ttl = answer_ttl(message);
    }
    const bool found = !records.srv.empty() || !records.naptr.empty();
    asked->owner.came(asked->key, std::move(records), found ? ttl.value_or(nothing_kept) : nothing_kept);
  }

  static void addresses_came(void* argument, int status, int, ares_addrinfo* list) {
    const std::unique_ptr<Asked> asked(static_cast<Asked*>(argument));
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owner(list, &ares_freeaddrinfo);
    if (status == ARES_EDESTRUCTION) return;
    Records records;
    seconds ttl = longest_kept;
    const auto* node = status == ARES_SUCCESS && list != nullptr ? list->nodes : nullptr;
    for (; node != nullptr && records.addresses.size() < most_records; node = node->ai_next) {
      Address address(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen));
      address.set_port(0);
      records.addresses.push_back(address);
      ttl = std::min(ttl, seconds(node->ai_ttl));
    }
    if (records.addresses.empty()) ttl = nothing_kept;
    asked->owner.came(asked->key, std::move(records), ttl);
  }

  void came(const Key& key, Records records, seconds ttl) {
    auto waiting = waiting_.extract(key);
    const auto shared = std::make_shared<const Records>(std::move(records));
    remember(key, shared, std::min(ttl, longest_kept));
    if (waiting.empty()) return;
    for (const auto& handler : waiting.mapped()) handler(shared);
  }

  void remember(const Key& key, const std::shared_ptr<const Records>& records, seconds time) {
    if (time <= seconds(0)) return;
    const auto now = Clock::now();
    if (remembered_.size() >= most_remembered)
      std::erase_if(remembered_, [now](const auto& one) { return one.second.until <= now; });
    if (remembered_.size() >= most_remembered) remembered_.clear();
    remembered_[key] = {records, now + time};
  }

  // ---- sockets and time

  static void socket_wanted(void* self, ares_socket_t socket, int read, int write) {
    static_cast<Impl*>(self)->watch(socket, read != 0, write != 0);
  }

  void watch(ares_socket_t socket, bool read, bool write) {
    auto found = watches_.find(socket);
    if (!read && !write) {
      if (found == watches_.end()) return;
      found->second->descriptor.release();
      watches_.erase(found);
      return;
    }
    if (found == watches_.end()) found = watches_.emplace(socket, std::make_shared<Watch>(loop_, socket)).first;
    found->second->wants_read = read;
    found->second->wants_write = write;
    wait(found->second);
  }

  void wait(const std::shared_ptr<Watch>& watch) {
    if (watch->wants_read && !std::exchange(watch->reading, true)) {
      watch->descriptor.async_wait(stream_descriptor::wait_read,
                                   [weak = weak_from_this(), watch](const boost::system::error_code& error) {
                                     watch->reading = false;
                                     if (const auto self = weak.lock()) self->ready(watch, error, true);
                                   });
    }
    if (watch->wants_write && !std::exchange(watch->writing, true)) {
      watch->descriptor.async_wait(stream_descriptor::wait_write,
                                   [weak = weak_from_this(), watch](const boost::system::error_code& error) {
                                     watch->writing = false;
                                     if (const auto self = weak.lock()) self->ready(watch, error, false);
                                   });
    }
  }

  void ready(const std::shared_ptr<Watch>& watch, const boost::system::error_code& error, bool read) {
    if (error || channel_ == nullptr || !watch->descriptor.is_open()) return;
    ares_process_fd(channel_, read ? watch->number : ARES_SOCKET_BAD, read ? ARES_SOCKET_BAD : watch->number);
    if (channel_ == nullptr) return;  // a handler ended us
    if (watch->descriptor.is_open()) wait(watch);
    set_timer();
  }

  void set_timer() {
    timeval time{};
    if (channel_ == nullptr || ares_timeout(channel_, nullptr, &time) == nullptr) return;
    timer_.expires_after(seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self || self->channel_ == nullptr) return;
      ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->set_timer();
    });
  }

  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  int family_ = AF_UNSPEC;
  std::map<Key, std::vector<Handler>> waiting_;
  std::map<Key, Remembered> remembered_;
  std::unordered_map<ares_socket_t, std::shared_ptr<Watch>> watches_;
};

DnsClient::DnsClient(boost::asio::io_context& loop, const Options& options)
    : impl_(std::make_shared<Impl>(loop, options)) {}
DnsClient::~DnsClient() {
  impl_->stop();
}

void DnsClient::ask(Type type, const std::string& name, Handler handler) {
  impl_->ask(type, name, std::move(handler));
}

}  // namespace rw::net
