#include "callbacks/open_session.h"

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <unordered_set>
#include <utility>

#include "base/json_text.h"

namespace rw::callbacks {
namespace {

constexpr const char* cut_reason = "error";

ledger::Notice completed_notice(const std::string& id, OpenSession session, std::int64_t last_alive,
                                const Settings& settings, IdSource& ids) {
  const auto seconds = std::max<std::int64_t>(0, last_alive - session.begun) / 1000;
  session.members["sessionDuration"] = std::to_string(seconds);
  session.members["reason"] = cut_reason;
  ledger::Notice notice;
  notice.lane = id;
  notice.domain = std::move(session.domain);
  notice.mediaservice = std::move(session.mediaservice);
  notice.base = std::move(session.base);
  notice.event = ledger::completed_event;
  notice.session_id = id;
  notice.trace_id = std::move(session.trace_id);
  notice.call_id = std::move(session.call_id);
  notice.body = complete(std::move(session.members), settings, ids);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  notice.put_at = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return notice;
}

}  // namespace

std::string write(const OpenSession& session) {
  return boost::json::serialize(boost::json::object{{"domain", session.domain},
                                                    {"mediaservice", session.mediaservice},
                                                    {"base", session.base},
                                                    {"traceId", session.trace_id},
                                                    {"callId", session.call_id},
                                                    {"begun", session.begun},
                                                    {"members", session.members}});
}

Result<OpenSession> read_open_session(const std::string& text) {
  const auto read = read_json_object(text);
  if (!read) return tl::unexpected(read.error());
  const auto& object = *read;
  OpenSession session;
  for (const auto& [name, member] : {std::pair("domain", &session.domain),
                                     {"mediaservice", &session.mediaservice},
                                     {"base", &session.base},
                                     {"traceId", &session.trace_id},
                                     {"callId", &session.call_id}}) {
    const auto* found = object.if_contains(name);
    if (found == nullptr || !found->is_string()) return fail(std::string(name) + ": missing");
    *member = std::string(found->get_string());
  }
  const auto* begun = object.if_contains("begun");
  const auto* members = object.if_contains("members");
  if (begun == nullptr || !begun->is_int64()) return fail("begun: missing");
  if (members == nullptr || !members->is_object()) return fail("members: missing");
  session.begun = begun->get_int64();
  session.members = members->get_object();
  return session;
}

void complete_cut_sessions(ledger::SessionFolder& folder, ledger::NoticeStore& store,
                           std::vector<ledger::Waiting>& waiting, const Settings& settings, ops::Metrics& metrics,
                           const ops::Log& log) {
  std::unordered_set<std::string> complete;
  for (const auto& one : waiting)
    if (one.event == ledger::completed_event) complete.insert(one.lane);
  IdSource ids;
  const auto refused = std::make_shared<std::atomic<std::size_t>>(0);
  for (const auto& [id, record] : folder.cut()) {
    if (complete.contains(id)) continue;
    auto session = read_open_session(record);
    if (!session) {
      log.error("the note of a session can't be read", {{"sessionId", id}, {"problem", session.error().message}});
      continue;
    }
    auto notice =
        std::make_shared<ledger::Notice>(completed_notice(id, std::move(*session), folder.last_alive(), settings, ids));
    log.warning("session cut off: the server was killed",
                {{"traceId", notice->trace_id}, {"sessionId", id}, {"callId", notice->call_id}});
    metrics.call_ended(cut_reason);
    const auto number = store.put(notice, [refused](std::int64_t, bool written) {
      if (!written) ++*refused;
    });
    if (number == 0) {
      metrics.callback_failed(notice->event, "outboxFull");
      log.error("notification dropped: too many wait", {{"sessionId", id}, {"event", notice->event}});
      continue;
    }
    waiting.push_back({number, id, notice->domain, notice->mediaservice, notice->event, notice->call_id});
  }
  store.flush();
  if (const auto count = refused->load(); count != 0)
    log.error(
        "the ends of sessions that were cut off can't be stored: they are lost if the server ends before they are told",
        {{"count", std::to_string(count)}});
  folder.clear();
}

}  // namespace rw::callbacks
