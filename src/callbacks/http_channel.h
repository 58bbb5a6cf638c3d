#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "base/time.h"
#include "callbacks/channel.h"
#include "callbacks/gate.h"
#include "callbacks/outbox.h"
#include "callbacks/sender.h"
#include "ledger/session_journal.h"

namespace rw::callbacks {

/// The channel over HTTP (section 3 of the behaviour). One per shard, on its thread.
class HttpChannel final : public Channel {
 public:
  /// What outlives the process, and who is told then.
  struct Keeping {
    ledger::NoticeStore& notices;
    ledger::SessionJournal sessions;
    FindService find_service;
  };
  HttpChannel(boost::asio::io_context& loop, Settings settings, Keeping keeping, ops::Metrics& metrics,
              const ops::Log& log);

  QuestionId ask(const Context& context, std::string event, boost::json::object body, ReplyHandler handler) override;
  void forget(QuestionId question) override;
  void notify(const Context& context, std::string event, boost::json::object body,
              std::function<void()> stored) override;
  void alarm(const Context& context, boost::json::object body) override;
  void session_open(const Context& context, TimePoint begun, boost::json::object members) override;
  void session_discarded(const Context& context) override;
  /// Takes up notifications that an earlier process has left.
  void restore(const std::vector<ledger::Waiting>& waiting) { outbox_.restore(waiting); }

  /// Notifications that have not been delivered. From any thread.
  std::size_t pending() const { return outbox_.pending(); }
  /// Sessions or so whose notifications are on their way, not just waiting for a repetition. From any thread.
  std::size_t delivering() const { return outbox_.busy(); }
  std::size_t questions() const { return questions_.size(); }

 private:
  static constexpr std::size_t most_in_flight = 128;  ///< questions to one mediaservice's base URL
  struct Question {
    explicit Question(boost::asio::io_context& loop) : timer(loop) {}
    Context context;
    std::string event;
    std::string body;
    ReplyHandler handler;
    TimePoint deadline;      ///< of the question
    TimePoint try_deadline;  ///< of this try
    bool secondary = false;  ///< the secondary base URL is being tried
    int tries = 0;           ///< at this base URL
    boost::asio::steady_timer timer;
  };

  std::string url_of(const Question& question) const;
  void attempt(QuestionId id);
  void send(QuestionId id, const std::string& gate_key);
  void answered(QuestionId id, const Sender::Outcome& outcome);
  void try_again(QuestionId id, const Sender::Outcome& outcome);
  void finish(QuestionId id, tl::expected<Reply, Failure> reply);
  ledger::Notice notice(const Context& context, std::string event, boost::json::object body);

  boost::asio::io_context& loop_;
  const Settings settings_;
  Sender sender_;
  Keeping keeping_;
  Outbox outbox_;
  Gate gate_;
  std::unordered_map<QuestionId, Question> questions_;
  QuestionId last_id_ = 0;
  IdSource ids_;
};

}  // namespace rw::callbacks
