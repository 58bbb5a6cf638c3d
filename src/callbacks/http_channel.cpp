#include "callbacks/http_channel.h"

#include <algorithm>

#include "base/public_url.h"
#include "callbacks/open_session.h"
#include "callbacks/reply.h"
#include "http/url_pattern.h"

namespace rw::callbacks {
namespace {

using std::chrono::milliseconds;

std::string_view name_of(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::unreachable:
      return "unreachable";
    case Failure::Kind::refused:
      return "refused";
    case Failure::Kind::empty:
      return "empty";
    case Failure::Kind::malformed:
      return "malformed";
  }
  return "malformed";
}

}  // namespace

HttpChannel::HttpChannel(boost::asio::io_context& loop, Settings settings, Keeping keeping, ops::Metrics& metrics,
                         const ops::Log& log)
    : loop_(loop),
      settings_(std::move(settings)),
      sender_(loop, settings_, metrics, log),
      keeping_(std::move(keeping)),
      outbox_(loop, settings_, sender_, keeping_.notices, keeping_.find_service),
      gate_(loop, most_in_flight) {}

QuestionId HttpChannel::ask(const Context& context, std::string event, boost::json::object body, ReplyHandler handler) {
  const auto id = ++last_id_;
  auto& question = questions_.try_emplace(id, loop_).first->second;
  question.context = context;
  question.event = std::move(event);
  question.body = sender_.complete(std::move(body));
  question.handler = std::move(handler);
  question.deadline = Clock::now() + settings_.total_timeout;
  attempt(id);
  return id;
}

void HttpChannel::forget(QuestionId id) {
  const auto found = questions_.find(id);
  if (found == questions_.end()) return;
  // The request itself goes on: cutting the connection would cost the next question a new one.
  questions_.erase(found);
}

std::string HttpChannel::url_of(const Question& question) const {
  const auto& service = *question.context.service;
  return http::with_path(question.secondary ? service.secondary_callback_url : service.callback_url,
                         "/" + question.event);
}

void HttpChannel::attempt(QuestionId id) {
  auto& question = questions_.at(id);
  ++question.tries;
  const auto now = Clock::now();
  const auto time = std::clamp<Duration>(question.deadline - now, milliseconds(1),
                                         settings_.connect_timeout + settings_.answer_timeout);
  question.try_deadline = now + time;
  const auto& service = *question.context.service;
  const auto key = service.domain + "/" + service.id + " " +
                   (question.secondary ? service.secondary_callback_url : service.callback_url);
  gate_.enter(key, time, [this, id, key](bool entered) {
    const bool wanted = questions_.contains(id);
    if (entered && wanted) {
      send(id, key);
    } else if (entered) {
      gate_.leave(key);
    } else if (wanted) {
      Sender::Outcome outcome;
      outcome.problem = "too many questions wait for this application's answers";
      answered(id, outcome);
    }
  });
}

void HttpChannel::send(QuestionId id, const std::string& gate_key) {
  const auto& question = questions_.at(id);
  const auto left = std::chrono::duration_cast<milliseconds>(question.try_deadline - Clock::now());
  sender_.send(
      question.context, question.event, {url_of(question), question.context.service->trusts_callback_url()},
      question.body, std::max(left, milliseconds(1)),
      [this, id, gate_key, context = question.context, event = question.event](const Sender::Outcome& outcome) {
        gate_.leave(gate_key);
        if (questions_.contains(id)) {
          answered(id, outcome);
        } else {
          sender_.log(ops::Level::info, context, "late answer ignored: the call has gone on", event, "",
                      outcome.problem);
        }
      });
}

void HttpChannel::answered(QuestionId id, const Sender::Outcome& outcome) {
  const auto& question = questions_.at(id);
  const auto url = public_url(url_of(question));
  if (outcome.success()) {
    finish(id, read_reply(outcome.status, outcome.body, url));
  } else if (outcome.passing()) {
    try_again(id, outcome);
  } else if (outcome.too_large) {
    finish(id, tl::unexpected(Failure{Failure::Kind::malformed, url, 0, "the answer is larger than 1 MB"}));
  } else {
    finish(id, tl::unexpected(Failure{Failure::Kind::refused, url, outcome.status, outcome.problem}));
  }
}

void HttpChannel::try_again(QuestionId id, const Sender::Outcome& outcome) {
  auto& question = questions_.at(id);
  const auto now = Clock::now();
  const bool has_secondary = !question.context.service->secondary_callback_url.empty() && !question.secondary;
  // Jitter, so that the calls of one bad moment do not come back in one moment.
  const auto step = settings_.back_off * (1 << std::min(question.tries - 1, 10));
  const auto pause = step / 2 + step * static_cast<long>(ids_.number() % 1000) / 1000;
  // The secondary gets its time even if the primary hangs for as long as it may.
  const auto last_start = question.deadline - (has_secondary ? Duration(settings_.answer_timeout) : Duration::zero());
  sender_.log(ops::Level::warning, question.context, "question failed", question.event, url_of(question),
              outcome.problem);
  if (question.tries <= settings_.retries && now + pause < last_start) {
    question.timer.expires_after(pause);
    question.timer.async_wait([this, id](const boost::system::error_code& error) {
      if (!error && questions_.contains(id)) attempt(id);
    });
  } else if (has_secondary) {
    question.secondary = true;
    question.tries = 0;
    attempt(id);
  } else {
    finish(id, tl::unexpected(
                   Failure{Failure::Kind::unreachable, public_url(url_of(question)), outcome.status, outcome.problem}));
  }
}

void HttpChannel::finish(QuestionId id, tl::expected<Reply, Failure> reply) {
  auto node = questions_.extract(id);
  const auto& question = node.mapped();
  if (!reply) {
    sender_.metrics().callback_failed(question.event, name_of(reply.error().kind));
    sender_.log(ops::Level::error, question.context, "no usable answer", question.event, reply.error().url,
                reply.error().detail);
  }
  question.handler(std::move(reply));
}

ledger::Notice HttpChannel::notice(const Context& context, std::string event, boost::json::object body) {
  const auto& service = *context.service;
  ledger::Notice notice;
  notice.lane = context.session_id;
  notice.domain = service.domain;
  notice.mediaservice = service.id;
  notice.base = service.own_base ? service.callback_url : "";
  notice.event = std::move(event);
  notice.session_id = context.session_id;
  notice.trace_id = context.trace_id;
  notice.call_id = context.call_id;
  notice.body = sender_.complete(std::move(body));
  return notice;
}

void HttpChannel::notify(const Context& context, std::string event, boost::json::object body,
                         std::function<void()> stored) {
  if (event == ledger::completed_event) {
    stored = [this, id = context.session_id, stored = std::move(stored)] {
      keeping_.sessions.close(id);
      if (stored) stored();
    };
  }
  outbox_.put(notice(context, std::move(event), std::move(body)), context.service, std::move(stored));
}

void HttpChannel::alarm(const Context& context, boost::json::object body) {
  if (const auto* type = body.if_contains("type"); type != nullptr && type->is_string()) {
    sender_.metrics().alarm(std::string_view(type->get_string()));
  }
  if (!context.trace_id.empty()) body["traceId"] = context.trace_id;
  auto alarm = notice(context, std::string(ledger::alarm_event), std::move(body));
  // A lane of their own: an alarm server that is away must not hold up the application's notifications.
  alarm.lane = (context.session_id.empty() ? alarm.domain + "/" + alarm.mediaservice : context.session_id) + "/alarms";
  outbox_.put(std::move(alarm), context.service, {});
}

void HttpChannel::session_open(const Context& context, TimePoint begun, boost::json::object members) {
  const auto& service = *context.service;
  const auto wall = std::chrono::system_clock::now().time_since_epoch() - (Clock::now() - begun);
  keeping_.sessions.open(context.session_id,
                         write(OpenSession{.domain = service.domain,
                                           .mediaservice = service.id,
                                           .base = service.own_base ? service.callback_url : "",
                                           .trace_id = context.trace_id,
                                           .call_id = context.call_id,
                                           .begun = std::chrono::duration_cast<milliseconds>(wall).count(),
                                           .members = std::move(members)}));
}

void HttpChannel::session_discarded(const Context& context) {
  keeping_.sessions.close(context.session_id);
}

}  // namespace rw::callbacks
