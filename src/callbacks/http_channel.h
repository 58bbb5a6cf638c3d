#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "base/time.h"
#include "callbacks/channel.h"
#include "callbacks/outbox.h"
#include "callbacks/sender.h"

namespace rw::callbacks {

/// The channel over HTTP (section 3 of the behaviour). One per shard, on its thread.
class HttpChannel final : public Channel {
 public:
  HttpChannel(boost::asio::io_context& loop, Settings settings, ops::Metrics& metrics, const ops::Log& log);

  QuestionId ask(const Context& context, std::string event, boost::json::object body, ReplyHandler handler) override;
  void forget(QuestionId question) override;
  void notify(const Context& context, std::string event, boost::json::object body, std::function<void()> over) override;
  void alarm(const Context& context, boost::json::object body) override;

  /// Notifications that have not been delivered. From any thread.
  std::size_t pending() const { return outbox_.pending(); }
  std::size_t questions() const { return questions_.size(); }

 private:
  struct Question {
    explicit Question(boost::asio::io_context& loop) : timer(loop) {}
    Context context;
    std::string event;
    std::string body;
    ReplyHandler handler;
    TimePoint deadline;
    bool secondary = false;  ///< the secondary base URL is being tried
    int tries = 0;           ///< at this base URL
    http::Client::RequestId request = 0;
    boost::asio::steady_timer timer;
  };

  std::string url_of(const Question& question) const;
  void attempt(QuestionId id);
  void answered(QuestionId id, const Sender::Outcome& outcome);
  void try_again(QuestionId id, const Sender::Outcome& outcome);
  void finish(QuestionId id, tl::expected<Reply, Failure> reply);

  boost::asio::io_context& loop_;
  const Settings settings_;
  Sender sender_;
  MemoryOutbox outbox_;
  std::unordered_map<QuestionId, Question> questions_;
  QuestionId last_id_ = 0;
  IdSource ids_;
};

}  // namespace rw::callbacks
