#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "callbacks/sender.h"
#include "ledger/notice_store.h"
#include "ledger/session_journal.h"

namespace rw::callbacks {

/// What has to be known of an open session to tell its end when the process that had it was killed.
struct OpenSession {
  std::string domain, mediaservice;
  std::string base;  ///< callback base URL in place of the mediaservice's, or empty
  std::string trace_id, call_id;
  std::int64_t begun = 0;       ///< ms since 1970
  boost::json::object members;  ///< of sessionCompleted, but sessionDuration and reason
};

/// As text without line feeds, and back.
std::string write(const OpenSession& session);
Result<OpenSession> read_open_session(const std::string& text);

/// Puts a sessionCompleted with reason `error` into the store for each session that an earlier process was cut off
/// from, and adds it to `waiting`; not for those whose sessionCompleted waits already. Clears the folder. What the
/// disk refuses is told to the log: it is delivered all the same, but lost if the process ends before. Duration ◆:
/// until the earlier process was alive last.
void complete_cut_sessions(ledger::SessionFolder& folder, ledger::NoticeStore& store,
                           std::vector<ledger::Waiting>& waiting, const Settings& settings, ops::Metrics& metrics,
                           const ops::Log& log);

}  // namespace rw::callbacks
