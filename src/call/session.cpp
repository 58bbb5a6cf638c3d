#include "call/session.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <iterator>
#include <utility>

#include "call/inbound_call.h"
#include "call/known_members.h"
#include "call/participant.h"

namespace rw::call {

Session::Session(Services& services, SessionHolder& holder, std::shared_ptr<const tenant::Mediaservice> service,
                 std::string trace_id, std::shared_ptr<const InboundCall> inbound)
    : services_(services),
      holder_(holder),
      application_{std::move(service), services.ids.uuid(),
                   trace_id.empty() ? services.ids.uuid() : std::move(trace_id), inbound ? inbound->call_id : ""},
      log_(services.log),
      inbound_(std::move(inbound)),
      begun_(services.now) {
  set_call_id(application_.call_id);
  limit_ = services_.timers.start(begun_ + services_.settings.max_session, [this] {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(services_.settings.max_session).count();
    alarm("sessionError", "maxDuration", {{"description", "the session reached its limit"}, {"seconds", seconds}});
    static constexpr std::string_view what = "Maximum duration reached";
    end_all(End{EndReason::max_duration, 0, std::string(what), {}}, {480, what});
  });
}

Session::~Session() = default;

void Session::set_reference(boost::json::value value) {
  if (reference_ && *reference_ == value) return;
  reference_ = std::move(value);
  note();
}

void Session::set_call_id(const std::string& call_id) {
  application_.call_id = call_id;
  log_ = services_.log.with(
      {{"traceId", application_.trace_id}, {"sessionId", application_.session_id}, {"callId", call_id}});
  note();
}

void Session::note() {
  services_.application.session_open(application_, begun_, completed_members());
}

Participant& Session::add(std::unique_ptr<Participant> participant) {
  participants_.push_back(std::move(participant));
  return *participants_.back();
}

Participant* Session::participant(std::string_view id) const {
  const auto found =
      std::find_if(participants_.begin(), participants_.end(), [id](const auto& one) { return one->id() == id; });
  return found == participants_.end() ? nullptr : found->get();
}

void Session::finish(Participant& participant, const End& end) {
  const auto found = std::find_if(participants_.begin(), participants_.end(),
                                  [&](const auto& one) { return one.get() == &participant; });
  if (found == participants_.end()) return;  // it has been finished: hang-ups cross
  gone_.push_back(std::move(*found));
  participants_.erase(found);
  holder_.to_be_swept(*this);
  const bool first = !ending_;
  if (first) ending_ = end.reason;
  participant.let_go(end);
  if (!first) return;
  const auto reason = *std::exchange(ending_, std::nullopt);
  if (participants_.empty()) complete(reason);
}

void Session::end_all(const End& end, Refusal refusal) {
  // Who calls goes before who is called, lest it call somebody else instead.
  while (!participants_.empty()) participants_.front()->hang_up(end, refusal);
}

void Session::discard() {
  holder_.to_be_swept(*this);
  for (const auto& one : participants_) one->let_go(End{});
  std::move(participants_.begin(), participants_.end(), std::back_inserter(gone_));
  participants_.clear();
  limit_.cancel();
  services_.application.session_discarded(application_);
  holder_.session_over(application_.session_id);
}

void Session::complete(EndReason reason) {
  limit_.cancel();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(services_.now - begun_).count();
  auto body = completed_members();
  body["sessionDuration"] = std::to_string(seconds);
  body["reason"] = to_string(reason);
  services_.application.notify(application_, "sessionCompleted", std::move(body));
  services_.metrics.call_ended(to_string(reason));
  log_.info("session completed", {{"reason", to_string(reason)}, {"seconds", std::to_string(seconds)}});
  holder_.session_over(application_.session_id);
}

void Session::check_members(std::string_view event, const boost::json::object& reply) {
  constexpr std::size_t most_kinds = 50;
  auto unknown = unknown_members(event, reply);
  std::erase_if(unknown, [&](const UnknownMember& one) {
    return warned_.size() == most_kinds || !warned_.insert(std::string(event) + " " + one.kind).second;
  });
  for (const auto& one : unknown) {
    log_.warning("unknown member ignored", {{"event", event}, ops::text("member", one.path), {"nearest", one.nearest}});
  }
  for (auto& warning : warnings_of(unknown, event)) warnings_.push_back(std::move(warning));
}

void Session::alarm(std::string_view type, std::string_view error, boost::json::object details,
                    boost::json::object members) {
  log_alarm(type, error, details);
  members["type"] = type;
  members["error"] = error;
  members["domain"] = domain();
  members["sessionId"] = id();
  members["errorDetails"] = std::move(details);
  if (!warnings_.empty()) members["warnings"] = std::exchange(warnings_, {});
  services_.application.alarm(application_, std::move(members));
}

/// The same, fit for the log: what is an address or a number as a whole has fields of its own.
void Session::log_alarm(std::string_view type, std::string_view error, boost::json::object details) const {
  std::array<std::string, 2> persons;
  for (std::size_t at = 0; at < persons.size(); ++at) {
    const auto name = std::array{"address", "user"}[at];
    if (const auto* value = details.if_contains(name); value != nullptr && value->is_string())
      persons[at] = value->get_string();
    details.erase(name);
  }
  // "Invalid sip address: …" ends with the address.
  if (!persons[0].empty() && error.ends_with(persons[0])) error.remove_suffix(persons[0].size());
  log_.warning("alarm", {{"type", type},
                         ops::text("error", error),
                         ops::text("details", boost::json::serialize(details)),
                         ops::personal("address", persons[0]),
                         ops::personal("user", persons[1])});
}

boost::json::object Session::completed_members() const {
  auto members = callback_members();
  members["domain"] = domain();
  members["ivrServer"] = services_.settings.node_address;
  return members;
}

boost::json::object Session::callback_members() const {
  boost::json::object members{{"sessionId", id()}, {"traceId", application_.trace_id}};
  if (reference_) members["sessionReferenceId"] = *reference_;
  return members;
}

}  // namespace rw::call
