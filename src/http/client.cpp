#include "http/client.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "http/curl.h"

namespace rw::http {
namespace {

/// A PEM text, which is not copied.
void set_blob(CURL* easy, CURLoption option, std::string_view text) {
  if (text.empty()) return;
  curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, option, &blob);
}

}  // namespace

/// curl's multi interface on an Asio loop: curl says which sockets and which time it waits for, the loop waits.
class Client::Impl : public std::enable_shared_from_this<Impl> {
 public:
  /// `policy`: null: any address.
  Impl(boost::asio::io_context& loop, std::optional<net::AddressPolicy> policy)
      : policy_(std::move(policy)), loop_(loop), timer_(loop), multi_(curl_multi_init()) {
    auto* multi = multi_.get();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::socket_wanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::time_wanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, max_kept_connections);
  }
  ~Impl() {
    for (auto& [id, transfer] : transfers_) curl_multi_remove_handle(multi_.get(), transfer.easy.get());
    // Closing kept connections calls socket_wanted(), so curl's state goes before the watches.
    transfers_.clear();
    multi_.reset();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  RequestId post(ClientRequest request, Handler handler) {
    const auto id = ++last_id_;
    Transfer& transfer = transfers_[id];
    transfer.id = id;
    transfer.handler = std::move(handler);
    transfer.body = std::move(request.body);
    transfer.tls = std::move(request.tls);
    if (idle_.empty()) {
      transfer.easy.reset(curl_easy_init());
    } else {
      transfer.easy = std::move(idle_.back());
      idle_.pop_back();
    }
    transfer.headers = header_list(request.headers);
    transfer.guard.policy = policy_ ? &*policy_ : nullptr;
    prepare(transfer, request);
    curl_multi_add_handle(multi_.get(), transfer.easy.get());
    return id;
  }

  void cancel(RequestId id) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return;
    curl_multi_remove_handle(multi_.get(), found->second.easy.get());
    transfers_.erase(found);
  }

  std::size_t in_flight() const { return transfers_.size(); }
  void stop() { timer_.cancel(); }

 private:
  struct Transfer {
    RequestId id = 0;
    Easy easy;
    HeaderList headers;
    std::string body;
    ClientTls tls;
    std::string answer;
    SocketGuard guard;
    Handler handler;
  };
  struct Watch {
    explicit Watch(boost::asio::io_context& loop, curl_socket_t socket) : descriptor(loop, socket) {}
    ~Watch() { descriptor.release(); }  // the socket is curl's
    boost::asio::posix::stream_descriptor descriptor;
    int wanted = 0;
    bool reading = false, writing = false;
  };

  static void prepare(Transfer& transfer, const ClientRequest& request) {
    CURL* easy = transfer.easy.get();
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set_usual_options(easy);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(transfer.body.size()));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, static_cast<long>(max_body));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Impl::received);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, transfer.tls.certificate);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, transfer.tls.key);
    set_blob(easy, CURLOPT_CAINFO_BLOB, transfer.tls.ca);
    if (!transfer.tls.ca.empty()) curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // else the system's count as well
    guard_sockets(easy, transfer.guard);
    if (transfer.guard.policy != nullptr) curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  }

  static std::size_t received(const char* data, std::size_t, std::size_t size, void* owner) {
    auto& answer = static_cast<Transfer*>(owner)->answer;
    if (answer.size() + size > max_body) return 0;
    answer.append(data, size);
    return size;
  }

  static int socket_wanted(CURL*, curl_socket_t socket, int what, void* owner, void*) {
    auto& self = *static_cast<Impl*>(owner);
    if (what == CURL_POLL_REMOVE) {
      self.watches_.erase(socket);
      return 0;
    }
    auto& watch = self.watches_[socket];
    if (!watch) watch = std::make_shared<Watch>(self.loop_, socket);
    watch->wanted = what;
    self.arm(watch);
    return 0;
  }

  static int time_wanted(CURLM*, long milliseconds, void* owner) {
    auto& self = *static_cast<Impl*>(owner);
    self.timer_.cancel();
    if (milliseconds < 0) return 0;
    self.timer_.expires_after(std::chrono::milliseconds(milliseconds));
    self.timer_.async_wait([weak = self.weak_from_this()](const boost::system::error_code& error) {
      const auto alive = weak.lock();
      if (!error && alive) alive->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
  }

  void arm(const std::shared_ptr<Watch>& watch) {
    if ((watch->wanted & CURL_POLL_IN) != 0 && !std::exchange(watch->reading, true)) wait(watch, CURL_CSELECT_IN);
    if ((watch->wanted & CURL_POLL_OUT) != 0 && !std::exchange(watch->writing, true)) wait(watch, CURL_CSELECT_OUT);
  }

  void wait(const std::shared_ptr<Watch>& watch, int mask) {
    using Descriptor = boost::asio::posix::stream_descriptor;
    const bool reads = mask == CURL_CSELECT_IN;
    watch->descriptor.async_wait(
        reads ? Descriptor::wait_read : Descriptor::wait_write,
        [weak = weak_from_this(), ready = std::weak_ptr(watch), mask, reads](const boost::system::error_code& error) {
          const auto alive = weak.lock();
          auto watch = ready.lock();
          if (error || !alive || !watch) return;
          (reads ? watch->reading : watch->writing) = false;
          const int socket = watch->descriptor.native_handle();
          watch.reset();
          if ((alive->wanted(socket) & (reads ? CURL_POLL_IN : CURL_POLL_OUT)) != 0) alive->act(socket, mask);
          if (const auto still = ready.lock()) alive->arm(still);
        });
  }

  int wanted(curl_socket_t socket) const {
    const auto found = watches_.find(socket);
    return found == watches_.end() ? 0 : found->second->wanted;
  }

  void act(curl_socket_t socket, int mask) {
    int running = 0;
    curl_multi_socket_action(multi_.get(), socket, mask, &running);
    for (int left = 0; auto* message = curl_multi_info_read(multi_.get(), &left);) {
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    }
  }

  void finish(CURL* easy, CURLcode result) {
    void* owner = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi_.get(), easy);
    auto node = transfers_.extract(static_cast<Transfer*>(owner)->id);
    auto& transfer = node.mapped();
    if (idle_.size() < most_idle) idle_.push_back(std::move(transfer.easy));
    if (result == CURLE_OK) {
      transfer.handler(ClientResponse{static_cast<int>(status), std::move(transfer.answer)});
    } else {
      const char* why = transfer.guard.refused ? address_refused : curl_easy_strerror(result);
      transfer.handler(tl::unexpected(ClientError{kind_of(result), why}));
    }
  }

  static constexpr std::size_t most_idle = 64;
  const std::optional<net::AddressPolicy> policy_;
  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  Multi multi_;
  std::vector<Easy> idle_;
  std::unordered_map<RequestId, Transfer> transfers_;  ///< nodes do not move: curl points to them
  RequestId last_id_ = 0;
};

Client::Client(boost::asio::io_context& loop, net::AddressPolicy policy)
    : trusted_(std::make_shared<Impl>(loop, std::nullopt)), checked_(std::make_shared<Impl>(loop, std::move(policy))) {}
Client::~Client() {
  trusted_->stop();
  checked_->stop();
}

Client::RequestId Client::post(ClientRequest request, Handler handler) {
  const RequestId kind = request.trusted ? 1 : 0;
  return 2 * pool(kind).post(std::move(request), std::move(handler)) + kind;
}
void Client::cancel(RequestId request) {
  pool(request).cancel(request / 2);
}
std::size_t Client::in_flight() const {
  return trusted_->in_flight() + checked_->in_flight();
}

ClientLibrary::ClientLibrary() {
  curl_global_init(CURL_GLOBAL_ALL);
}
ClientLibrary::~ClientLibrary() {
  curl_global_cleanup();
}

}  // namespace rw::http
