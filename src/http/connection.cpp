#include "http/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>

#include "base/ascii.h"
#include "http/answer_message.h"
#include "http/forwarded.h"
#include "http/request_body.h"
#include "http/target.h"

namespace rw::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t max_head_bytes = 16 * 1024;
constexpr std::size_t piece_bytes = 32 * 1024;
constexpr std::size_t first_read_bytes = 4096;
constexpr std::size_t max_lingering_bytes = 4 << 20;
constexpr milliseconds lingering_time{2000};

/// Whether the peer sent what is not HTTP (and has not just gone away).
bool is_syntax_error(error_code error) {
  return error.category() == beast::http::make_error_code(beast::http::error::bad_method).category() &&
         error != beast::http::error::end_of_stream && error != beast::http::error::partial_message;
}

/// The exchanges of one connection, one after the other. Each step starts one asynchronous operation and is continued
/// by its completion; while a handler or a sink has the request there is none, and their call continues.
template <class Stream>
class StreamConnection final : public Connection, public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  StreamConnection(Stream stream, const net::Address& peer, std::shared_ptr<ConnectionContext> context)
      : stream_(std::move(stream)), context_(std::move(context)), peer_(peer), buffer_(max_head_bytes + piece_bytes) {}

  void start() override { await_request(options().header_timeout); }

  void wind_down() override {
    keep_alive_ = false;
    if (phase_ == Phase::idle) close();
  }

  void close() override {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    sink_.reset();
    error_code ignored;
    socket().close(ignored);
    const auto self = this->shared_from_this();  // `open` may be the last to hold it
    if (context_->open.remove(self) && context_->closed) context_->closed();
  }

 private:
  enum class Phase {
    idle,      ///< waiting for the first byte of a request
    reading,   ///< the head or the body comes in
    sinking,   ///< the sink has a piece
    handling,  ///< nothing to do but wait for the answer
    sending,
    lingering,  ///< the answer is out; what the peer still sends is thrown away
    closed
  };

  const ServerOptions& options() const { return context_->options; }
  tcp::socket& socket() { return beast::get_lowest_layer(stream_).socket(); }
  void set_deadline(milliseconds time) { beast::get_lowest_layer(stream_).expires_after(time); }

  /// Continues with `step`, unless the connection has been closed meanwhile.
  template <class Step>
  auto then(Step step) {
    return [self = this->shared_from_this(), step](error_code error, std::size_t bytes) {
      if (self->phase_ != Phase::closed) ((*self).*step)(error, bytes);
    };
  }

  // ---- the head of a request
  void await_request(milliseconds time) {
    parser_.emplace();
    parser_->header_limit(max_head_bytes);
    parser_->body_limit(boost::none);  // the route says how much
    answer_.reset();
    ++exchange_;
    body_unread_ = head_only_ = false;
    phase_ = Phase::idle;
    set_deadline(time);
    if (buffer_.size() > 0) {
      first_bytes_read({}, 0);
    } else {
      // Not by the parser: that waits for a whole head, and the time for it begins with its first byte.
      stream_.async_read_some(buffer_.prepare(first_read_bytes), then(&StreamConnection::first_bytes_read));
    }
  }

  void first_bytes_read(error_code error, std::size_t bytes) {
    if (error) return close();  // also on a time-out, which has closed the socket already
    phase_ = Phase::reading;
    buffer_.commit(bytes);
    set_deadline(options().header_timeout);
    beast::http::async_read_header(stream_, buffer_, *parser_, then(&StreamConnection::head_read));
  }

  void head_read(error_code error, std::size_t) {
    if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
      refuse(431, "the head of the request is larger than 16 KB");
    } else if (is_syntax_error(error)) {
      refuse(400, "not an HTTP request: " + error.message());
    } else if (error) {
      close();  // also on a time-out, which has closed the socket already
    } else {
      dispatch();
    }
  }

  void dispatch() {
    const auto& head = parser_->get();
    keep_alive_ = parser_->keep_alive();
    head_only_ = head.method() == beast::http::verb::head;
    const auto length = parser_->content_length();
    const auto framing = body_framing(head, length.has_value(), length.value_or(0));
    body_unread_ = !framing || framing->chunked || framing->length > 0;
    if (!framing) return refuse(framing.error().status, framing.error().reason);
    if (head.version() >= 11 && head.count(beast::http::field::host) != 1)
      return refuse(400, "Host: expected exactly one");
    auto target = parse_target(std::string_view(head.target()));
    if (!target) return refuse(400, "the request target can't be decoded");
    auto match = context_->router.find(std::string_view(head.method_string()), target->path);
    if (match.status != 200) return refuse(match);
    route_ = match.route;
    if (framing->length > route_->max_body) return refuse_size();
    if (route_->upload && !framing->chunked && !framing->has_length)
      return refuse(411, "an upload needs a Content-Length or Transfer-Encoding: chunked");
    make_request(std::move(*target), std::move(match.captures));
    if (route_->upload) {
      sink_ = route_->upload(std::move(request_), responder());
      if (!sink_) return wait_for_answer();
    }
    body_ = BodyReader(*framing);
    body_bytes_ = 0;
    body_begun_ = steady_clock::now();
    body_deadline_ = body_begun_ + options().upload_timeout;
    sinking_ = {};
    if (!body_unread_) return body_complete();
    const bool awaits_continue = head.version() >= 11 && same_letters(head[beast::http::field::expect], "100-continue");
    if (awaits_continue) return write_continue();
    read_body();
  }

  void make_request(Target target, std::map<std::string, std::string, std::less<>> captures) {
    const auto& head = parser_->get();
    request_ = {};
    request_.method = head.method_string();
    request_.path = std::move(target.path);
    request_.query = std::move(target.query);
    request_.captures = std::move(captures);
    for (const auto& field : head)
      request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    request_.remote = client_of(request_, peer_, options().trusted_proxies);
  }

  // ---- the body of a request
  void write_continue() {
    static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    set_deadline(options().body_timeout);
    asio::async_write(stream_, asio::buffer(interim), then(&StreamConnection::continue_written));
  }

  void continue_written(error_code error, std::size_t) { error ? close() : read_body(); }

  void read_body() {
    phase_ = Phase::reading;
    const auto now = steady_clock::now();
    if (now >= body_deadline_ || is_slow(now)) return refuse(408, "the body did not come in time");
    piece_.clear();
    set_deadline(options().body_timeout);
    fill_piece();
  }

  /// It drips; what we took ourselves to store it doesn't count.
  bool is_slow(steady_clock::time_point now) const {
    const auto expected = body_bytes_ / options().least_rate;  // seconds
    return now - body_begun_ - sinking_ > options().rate_patience + std::chrono::seconds(expected);
  }

  /// Until there are 32 KB, or the rest: then it is all the same in what parts they came.
  void fill_piece() {
    const auto octets = buffer_.data();
    buffer_.consume(body_.read({static_cast<const char*>(octets.data()), octets.size()}, piece_, piece_bytes));
    if (!body_.problem().empty()) return refuse(400, "the body is malformed: " + std::string(body_.problem()));
    if (body_.at_end() || piece_.size() >= piece_bytes) return piece_read();
    stream_.async_read_some(buffer_.prepare(piece_bytes), then(&StreamConnection::body_octets_read));
  }

  void body_octets_read(error_code error, std::size_t bytes) {
    if (error) return close();  // also on a time-out, which has closed the socket already
    buffer_.commit(bytes);
    fill_piece();
  }

  void piece_read() {
    body_bytes_ += piece_.size();
    body_unread_ = !body_.at_end();
    if (body_bytes_ > route_->max_body) return refuse_size();
    if (answer_) return send();  // an upload was refused while it came in
    if (!sink_ || piece_.empty()) {
      request_.body += piece_;
      body_unread_ ? read_body() : body_complete();
      return;
    }
    phase_ = Phase::sinking;
    sinking_since_ = steady_clock::now();
    sink_->write(std::move(piece_), [weak = this->weak_from_this(), exchange = exchange_](bool more) {
      post_to(weak, [more, exchange](StreamConnection& self) {
        if (self.exchange_ == exchange && self.phase_ == Phase::sinking) self.piece_taken(more);
      });
    });
  }

  void piece_taken(bool more) {
    sinking_ += steady_clock::now() - sinking_since_;
    if (answer_ || !more) return wait_for_answer();
    body_unread_ ? read_body() : body_complete();
  }

  void body_complete() {
    piece_ = {};
    phase_ = Phase::handling;
    if (sink_) {
      sink_->finish();
    } else {
      route_->handler(std::move(request_), responder());
    }
  }

  // ---- the answer
  /// Runs `job` on the loop's thread, unless the connection has gone. From any thread.
  template <class Job>
  static void post_to(const std::weak_ptr<StreamConnection>& weak, Job job) {
    auto self = weak.lock();
    if (!self) return;
    const auto executor = self->stream_.get_executor();
    asio::post(executor, [self = std::move(self), job = std::move(job)]() mutable {
      if (self->phase_ != Phase::closed) job(*self);
    });
  }

  Responder responder() {
    return Responder([weak = this->weak_from_this(), exchange = exchange_](std::optional<Answer> answer) {
      post_to(weak, [answer = std::move(answer), exchange](StreamConnection& self) mutable {
        if (self.exchange_ != exchange || self.answer_) return;
        self.answer_ = answer ? std::move(answer) : error_answer(self.options(), 500, "nobody answered the request");
        if (self.phase_ == Phase::handling) self.send();
      });
    });
  }

  void wait_for_answer() {
    phase_ = Phase::handling;
    if (answer_) send();
  }

  void refuse(int status, std::string reason) {
    if (!parser_->is_header_done()) keep_alive_ = false;
    answer_ = error_answer(options(), status, std::move(reason));
    send();
  }
  void refuse_size() { refuse(413, "the body is larger than " + std::to_string(route_->max_body) + " bytes"); }
  void refuse(const Router::Match& match) {
    if (match.status == 400) return refuse(400, "the path can't be decoded");
    if (match.status == 404) return refuse(404, "there is no such path");
    answer_ = error_answer(options(), 405, "the path takes " + match.allow);
    answer_->headers.emplace_back("Allow", match.allow);
    send();
  }

  void tell_refused() const {
    if (answer_->refused_because.empty() || !options().request_refused) return;
    RefusedRequest refused{.client = peer_, .status = answer_->status, .why = answer_->refused_because};
    if (parser_->is_header_done()) {
      const auto& head = parser_->get();
      const std::string_view target(head.target());
      refused.method = head.method_string();
      refused.path = target.substr(0, target.find('?'));
      if (!request_.remote.is_unspecified()) refused.client = request_.remote;
    }
    options().request_refused(refused);
  }

  void send() {
    phase_ = Phase::sending;
    tell_refused();
    sink_.reset();
    if (body_unread_ || context_->stopping || context_->brief) keep_alive_ = false;
    const auto range = parser_->is_header_done() && parser_->get().count(beast::http::field::if_range) == 0
                           ? std::string_view(parser_->get()[beast::http::field::range])
                           : std::string_view{};
    message_ = make_message(*answer_, options(), keep_alive_, range);
    serializer_.emplace(message_.message);
    if (head_only_) {
      set_deadline(options().idle_timeout);
      beast::http::async_write_header(stream_, *serializer_, then(&StreamConnection::answer_written));
    } else {
      write_piece();
    }
  }

  void write_piece() {
    if (answer_->source) {
      piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, message_.left)));
      const auto got = answer_->source->read(message_.offset, piece_);
      if (!got || (*got == 0 && message_.left > 0)) return close();  // the peer sees that it is cut short
      message_.offset += *got;
      message_.left -= *got;
      auto& body = message_.message.body();
      body.data = *got == 0 ? nullptr : piece_.data();
      body.size = *got;
      body.more = message_.left > 0;
    }
    set_deadline(options().idle_timeout);
    beast::http::async_write(stream_, *serializer_, then(&StreamConnection::answer_written));
  }

  void answer_written(error_code error, std::size_t) {
    if (error == beast::http::error::need_buffer) return write_piece();
    if (error) return close();
    serializer_.reset();
    piece_ = {};
    if (keep_alive_ && !context_->stopping) return await_request(options().idle_timeout);
    error_code ignored;
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (!body_unread_ || ignored) return close();
    // Closing with unread data would reset the connection, and the peer might never see the answer.
    phase_ = Phase::lingering;
    lingered_ = 0;
    set_deadline(lingering_time);
    piece_.resize(piece_bytes);
    linger();
  }

  void linger() {
    beast::get_lowest_layer(stream_).async_read_some(asio::buffer(piece_), then(&StreamConnection::lingered));
  }

  void lingered(error_code error, std::size_t bytes) {
    lingered_ += bytes;
    error || lingered_ > max_lingering_bytes ? close() : linger();
  }

  Stream stream_;
  std::shared_ptr<ConnectionContext> context_;
  const net::Address peer_;
  beast::flat_buffer buffer_;
  Phase phase_ = Phase::idle;
  bool keep_alive_ = false;
  std::uint64_t exchange_ = 0;  ///< which one: a late answer to an earlier one is told apart

  std::optional<beast::http::request_parser<beast::http::empty_body>> parser_;  ///< of the head
  IncomingRequest request_;
  const Route* route_ = nullptr;
  std::unique_ptr<BodySink> sink_;
  std::string piece_;  ///< of the body that is being read or written
  BodyReader body_;
  std::uint64_t body_bytes_ = 0;
  steady_clock::time_point body_deadline_, body_begun_, sinking_since_;
  steady_clock::duration sinking_{};
  bool body_unread_ = false;  ///< more of the request may be in the socket
  bool head_only_ = false;

  std::optional<Answer> answer_;
  AnswerMessage message_;
  std::optional<beast::http::response_serializer<beast::http::buffer_body>> serializer_;
  std::size_t lingered_ = 0;
};

}  // namespace

std::shared_ptr<Connection> make_plain_connection(tcp::socket socket, const net::Address& peer,
                                                  std::shared_ptr<ConnectionContext> context) {
  return std::make_shared<StreamConnection<beast::tcp_stream>>(beast::tcp_stream(std::move(socket)), peer,
                                                               std::move(context));
}

}  // namespace rw::http
