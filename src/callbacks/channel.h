#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "tenant/directory.h"

/// How the call layer talks to the applications: questions whose answers decide what happens next, and notifications.
namespace rw::callbacks {

/// Why a question got no usable answer.
struct Failure {
  enum class Kind : std::uint8_t {
    unreachable,  ///< no connection, time-out, or the last try was answered 429 or 5xx
    refused,      ///< another status that is not 2xx
    empty,        ///< 2xx with an empty body
    malformed     ///< not a JSON object, or larger than 1 MB
  };
  Kind kind = Kind::unreachable;
  std::string url;     ///< without what may be secret in it
  int status = 0;      ///< the last HTTP status, or 0
  std::string detail;  ///< a sentence for the operator
};

struct Reply {
  boost::json::object body;
  int status = 0;
};

using ReplyHandler = std::function<void(tl::expected<Reply, Failure>)>;
using QuestionId = std::uint64_t;

/// Whose application is asked, and what log lines about it carry.
struct Context {
  std::shared_ptr<const tenant::Mediaservice> service;
  std::string session_id;
  std::string trace_id;
  std::string call_id;
};

/// One per shard; lives on the shard's thread and calls back there.
class Channel {
 public:
  virtual ~Channel() = default;
  /// Asks `event` (e.g. "newCall"): POST <base>/<event>, with retries, the secondary URL and the total budget (section
  /// 3). `body` gets a new `httpTransactionId`, kept over the retries. The handler is called exactly once, never from
  /// inside ask(), unless forget() comes first.
  virtual QuestionId ask(const Context& context, std::string event, boost::json::object body, ReplyHandler handler) = 0;
  /// The answer no longer matters (the participant has gone): the handler will not be called; a late answer is logged.
  virtual void forget(QuestionId question) = 0;
  /// Puts a notification into the outbox: delivered at least once, in order within its session, retried for up to 24 h,
  /// by the next process if need be. An httpTransactionId in `body` is kept. `stored` is called when it is on the disk,
  /// or can't get there.
  virtual void notify(const Context& context, std::string event, boost::json::object body,
                      std::function<void()> stored = {}) = 0;
  /// An alarm: as notify(), to the mediaservice's alarm URL.
  virtual void alarm(const Context& context, boost::json::object body) = 0;

  /// Notes that the session is open: if the process is killed, the next one sends its sessionCompleted, with `members`.
  /// That note is there before the application hears of the session. Again: other members. Ends with the notification
  /// of sessionCompleted.
  virtual void session_open(const Context& context, TimePoint begun, boost::json::object members) = 0;
  /// The session has ended without sessionCompleted: nobody knew of it.
  virtual void session_discarded(const Context& context) = 0;
};

}  // namespace rw::callbacks
