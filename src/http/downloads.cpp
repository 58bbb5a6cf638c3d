#include "http/downloads.h"

#include <limits>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fair_queue.h"
#include "base/thread_name.h"
#include "http/content_decoder.h"
#include "http/curl_transfer.h"

namespace rw::http {
namespace {

/// Small: what the kernel takes from a fast sender is memory as well, and stays unread for long.
constexpr int receive_buffer = 64 * 1024;
constexpr long kept_connections = 64;

/// What the loop and the reader share of a download.
struct Shared {
  std::string owner;
  TransferRequest request;
  std::function<void()> came;

  std::mutex mutex;
  std::string bytes;  ///< of the body as it came; guarded by mutex, like what follows
  std::optional<TransferResponse> head;
  std::optional<ClientError> error;
  bool over = false, paused = false;

  // ---- the loop's
  Easy easy;
  std::unique_ptr<CurlTransfer> transfer;
};
using SharedPtr = std::shared_ptr<Shared>;

}  // namespace

class Downloads::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), multi_(curl_multi_init()) {
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kept_connections);
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  void begin(const SharedPtr& one) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.put(one->owner, one);
    }
    curl_multi_wakeup(multi_.get());
  }
  void resume(const SharedPtr& one) {
    {
      const std::lock_guard lock(mutex_);
      resumed_.push_back(one);
    }
    curl_multi_wakeup(multi_.get());
  }
  void drop(const SharedPtr& one) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.remove(one->owner, [&](const SharedPtr& other) { return other == one; });
      dropped_.push_back(one);
    }
    curl_multi_wakeup(multi_.get());
  }
  const Options& options() const { return options_; }

 private:
  void run() {
    constexpr int longest_wait = std::numeric_limits<int>::max();
    name_this_thread("downloads");
    while (obey()) {
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      if (!reap()) curl_multi_poll(multi_.get(), nullptr, 0, longest_wait, nullptr);
    }
    while (!active_.empty()) end(active_.begin()->first, CURLE_ABORTED_BY_CALLBACK);
    const std::lock_guard lock(mutex_);
    while (const auto one = waiting_.take()) tell(**one, ClientError{ClientError::Kind::other, "it was given up"});
  }

  /// Does what was asked for meanwhile. False: the end.
  bool obey() {
    std::vector<SharedPtr> resumed, dropped, begun;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      resumed.swap(resumed_);
      dropped.swap(dropped_);
    }
    for (const auto& one : dropped) release(one);
    {
      const std::lock_guard lock(mutex_);
      const auto may = [this](const SharedPtr& one) { return of_owner_[one->owner] < options_.most_of_an_owner; };
      while (active_.size() + begun.size() < options_.most) {
        auto next = waiting_.take(may);
        if (!next) break;
        ++of_owner_[(*next)->owner];
        begun.push_back(std::move(*next));
      }
    }
    for (const auto& one : begun) start(one);
    for (const auto& one : resumed)
      if (one->transfer) curl_easy_pause(one->easy.get(), CURLPAUSE_CONT);
    return true;
  }

  void start(const SharedPtr& one) {
    one->easy.reset(curl_easy_init());
    CurlTransfer::Options options;
    options.may_come = [this, shared = one.get()] { return may_come(*shared); };
    options.receive_buffer = receive_buffer;
    one->transfer = std::make_unique<CurlTransfer>(one->request, one->easy.get(), std::move(options));
    active_.emplace(one->easy.get(), one);
    if (auto refused = one->transfer->refused()) return end(one->easy.get(), tl::unexpected(*std::move(refused)));
    curl_multi_add_handle(multi_.get(), one->easy.get());
  }

  bool may_come(Shared& one) const {
    const std::lock_guard lock(one.mutex);
    one.paused = one.bytes.size() >= options_.buffer;
    return !one.paused;
  }

  /// True: some are over.
  bool reap() {
    bool any = false;
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      any = true;
      end(message->easy_handle, message->data.result);
    }
    return any;
  }

  void end(CURL* easy, CURLcode result) { end(easy, active_.at(easy)->transfer->finish(result)); }
  void end(CURL* easy, tl::expected<TransferResponse, ClientError> result) {
    const auto one = active_.at(easy);
    release(one);
    tell(*one, result ? std::nullopt : std::optional(std::move(result.error())));
  }
  static void tell(Shared& one, std::optional<ClientError> error) {
    {
      const std::lock_guard lock(one.mutex);
      one.over = true;
      one.error = std::move(error);
    }
    one.came();
  }

  void release(const SharedPtr& one) {
    if (!one->transfer) return;
    curl_multi_remove_handle(multi_.get(), one->easy.get());
    active_.erase(one->easy.get());
    one->transfer.reset();
    one->easy.reset();
    const auto count = of_owner_.find(one->owner);
    if (--count->second == 0) of_owner_.erase(count);
  }

  const Options options_;
  Multi multi_;
  std::mutex mutex_;
  FairQueue<SharedPtr> waiting_;  ///< guarded by mutex_, like what follows
  std::vector<SharedPtr> resumed_, dropped_;
  bool stopping_ = false;
  std::unordered_map<CURL*, SharedPtr> active_;            ///< the loop's
  std::unordered_map<std::string, std::size_t> of_owner_;  ///< of active_; the loop's
  std::thread thread_;
};

namespace {

/// The reader's side.
template <class Loop>
class Reader final : public Download {
 public:
  Reader(std::shared_ptr<Loop> loop, SharedPtr shared) : loop_(std::move(loop)), shared_(std::move(shared)) {}
  ~Reader() override { loop_->drop(shared_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::optional<TransferResponse> head() const override {
    const std::lock_guard lock(shared_->mutex);
    return shared_->head;
  }

  tl::expected<Bytes, ClientError> read(std::span<char> room) override {
    const auto failed = [](std::string why) {
      return tl::unexpected(ClientError{ClientError::Kind::other, std::move(why)});
    };
    Bytes got;
    bool resume = false;
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->head && !decoder_) {
        auto made = ContentDecoder::make(shared_->head->header("content-encoding").value_or(""));
        if (!made) return failed(made.error().message);
        decoder_ = std::move(*made);
      }
      if (decoder_) {
        auto put = decode(room);
        if (!put) return failed(put.error().message);
        got.put = *put;
      }
      got.over = shared_->over && got.put == 0;
      if (got.over && shared_->error) return tl::unexpected(*shared_->error);
      resume = shared_->paused && shared_->bytes.size() <= loop_->options().buffer / 2;
      if (resume) shared_->paused = false;
    }
    if (resume) loop_->resume(shared_);
    decoded_ += got.put;
    if (decoded_ > shared_->request.most_bytes) return tl::unexpected(too_large(shared_->request));
    return got;
  }

 private:
  Result<std::size_t> decode(std::span<char> room) {
    std::size_t taken = 0, put = 0;
    while (put < room.size()) {
      const auto done = decoder_->decode(std::span(shared_->bytes).subspan(taken), room.subspan(put));
      if (!done) return tl::unexpected(done.error());
      taken += done->taken;
      put += done->put;
      if (done->put == 0 && (done->taken == 0 || taken == shared_->bytes.size())) break;
    }
    shared_->bytes.erase(0, taken);
    return put;
  }

  const std::shared_ptr<Loop> loop_;
  const SharedPtr shared_;
  std::optional<ContentDecoder> decoder_;  ///< once the headers are there
  std::uint64_t decoded_ = 0;
};

}  // namespace

Downloads::Downloads(Options options) : impl_(std::make_shared<Impl>(std::move(options))) {}
Downloads::~Downloads() {
  impl_->stop();
}

std::unique_ptr<Download> Downloads::begin(const std::string& owner, TransferRequest request,
                                           std::function<void()> came) {
  auto shared = std::make_shared<Shared>();
  shared->owner = owner;
  shared->request = std::move(request);
  shared->request.decode = false;
  shared->request.policy = &impl_->options().policy;
  shared->request.ca_file = impl_->options().ca_file;
  shared->request.headers.emplace_back("Accept-Encoding: identity");
  shared->came = std::move(came);
  shared->request.headers_came = [one = shared.get()](const TransferResponse& response) {
    const std::lock_guard lock(one->mutex);
    one->head = response;
    return response.status >= 200 && response.status < 300;
  };
  shared->request.take = [one = shared.get()](std::span<const char> bytes) {
    {
      const std::lock_guard lock(one->mutex);
      one->bytes.append(bytes.data(), bytes.size());
    }
    one->came();
    return true;
  };
  impl_->begin(shared);
  return std::make_unique<Reader<Impl>>(impl_, std::move(shared));
}

}  // namespace rw::http
