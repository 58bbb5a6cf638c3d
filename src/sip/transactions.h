#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "base/timers.h"
#include "sip/flow.h"
#include "sip/message.h"
#include "sip/via.h"

namespace rw::sip {

/// Timer values of RFC 3261 17.1.1.1 and table 4.
struct TransactionTimes {
  Duration t1 = std::chrono::milliseconds(500);
  Duration t2 = std::chrono::seconds(4);
  Duration t4 = std::chrono::seconds(5);
  Duration timeout() const { return 64 * t1; }
};

/// The transaction layer of one user agent (RFC 3261 section 17, RFC 6026): absorbs and answers retransmissions, sends
/// its own over UDP, and gives up in the end. Of a transaction that is over only its last response is kept until it
/// can't be asked for again.
class Transactions {
 public:
  using Sender = std::function<void(const Flow&, std::string)>;
  using Failure = std::function<void()>;
  /// A response, provisional or final; a time-out comes as 408, a failed transport as 503 (`made_here`).
  using ResponseHandler = std::function<void(const Message&)>;

  /// Of final responses other than to an accepted INVITE so many bytes are kept; beyond, the oldest are forgotten, and
  /// their requests, if they come again, count as new.
  static constexpr std::size_t most_lingering_bytes = 16 * 1024 * 1024;

  /// `forgotten`: told of each response that was forgotten before its time; may be empty.
  Transactions(Timers& timers, TransactionTimes times, Sender send, std::function<void()> forgotten = {});

  // ---- server side
  /// What a request belongs to: branch, sent-by and method (RFC 3261 17.2.3). An ACK or CANCEL has its INVITE's key if
  /// asked for it.
  static std::string server_key(const Message& request, const Via& via, std::string_view method);
  /// True if there is such a transaction: a retransmission then has been answered, an ACK taken.
  bool absorb(const std::string& key, bool is_ack, TimePoint now);
  bool has_server(const std::string& key) const { return servers_.contains(key); }
  std::vector<std::string> server_keys() const;
  /// `repeats`: a final response that refuses an INVITE is sent again until it is acknowledged; else only when the
  /// INVITE comes again.
  void begin_server(const std::string& key, const Flow& reply_to, bool is_invite, bool repeats = true);
  /// As if there had been none.
  void forget_server(const std::string& key) { servers_.erase(key); }
  /// Sends a response of a transaction that has begun; a final one ends it but for what lingers.
  void respond(const std::string& key, int status, std::string bytes, TimePoint now);

  // ---- client side
  /// Sends a request whose top Via has `branch`. `on_response` is called for each response, the last time for a final
  /// one; but a 2xx to an INVITE may be followed by more of them, repeated or of other branches of a fork (RFC 6026
  /// 7.2).
  void send_request(const Flow& flow, const Message& request, const std::string& branch, ResponseHandler on_response,
                    TimePoint now);
  /// An INVITE that has no final response when this time is over fails with 408, even if it is being worked on.
  void give_up_after(const std::string& branch, Duration time, TimePoint now);
  /// Whether a response was not received, but stands for a time-out or a failed transport.
  static bool made_here(const Message& response) { return response.header("Via") == nullptr; }
  /// Brings a response to its transaction; false if there is none.
  bool response(const Message& response, const std::string& branch, TimePoint now);
  /// A stream connection has gone, or could not be opened: requests that nobody has answered have failed with it. What
  /// is being worked on has not: the answer comes over another connection, to our Via (RFC 3261 18.2.2).
  void connection_closed(const Flow& flow);

  std::size_t size() const { return servers_.size() + clients_.size(); }

 private:
  enum class ServerState : std::uint8_t { proceeding, completed, confirmed, accepted };
  struct Server {
    Flow flow;
    bool is_invite = false;
    bool repeats = true;
    ServerState state = ServerState::proceeding;
    std::string last_response;
    Duration interval{};
    Timer retransmit;
    Timer end;
  };
  struct Client {
    Flow flow;
    bool is_invite = false;
    bool proceeding = false;  ///< a provisional response has come
    bool completed = false;
    bool accepted = false;  ///< an INVITE that a 2xx has come to
    bool limited = false;   ///< an INVITE whose end no provisional response puts off
    std::string request;
    std::string ack;  ///< of an INVITE: for a final response that is not 2xx, made when it comes
    std::shared_ptr<const Message> message;
    ResponseHandler on_response;
    Duration interval{};
    Timer retransmit;
    Timer end;
  };

  void end_server_after(const std::string& key, Server& server, Duration time, TimePoint now);
  void linger(const std::string& key, const Server& server);
  void retransmit_response(const std::string& key, TimePoint now);
  void retransmit_request(const std::string& key, TimePoint now);
  void fail_client(const std::string& key, int status);
  static std::string client_key(const std::string& branch, const std::string& method) { return branch + '\n' + method; }

  Timers& timers_;
  const TransactionTimes times_;
  Sender send_;
  std::function<void()> forgotten_;
  std::deque<std::pair<std::string, std::size_t>> lingering_;  ///< keys of those that may be forgotten, oldest first
  std::size_t lingering_bytes_ = 0;
  std::unordered_map<std::string, Server> servers_;
  std::unordered_map<std::string, Client> clients_;
};

}  // namespace rw::sip
