#include "ledger/session_journal.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace rw::ledger {
namespace {

/// The file is written anew when it is this long, and mostly of sessions that have ended.
constexpr std::size_t least_rewrite = 1 << 20;

std::string open_line(const std::string& id, const std::string& record) {
  return "+" + id + " " + record + "\n";
}

/// Whether all of it was written.
bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<SessionJournal> SessionJournal::create(const std::string& path, const ops::Log& log,
                                              std::function<void()> failed) {
  media::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  const int problem = errno;
  const bool full = !file && (problem == ENOSPC || problem == EDQUOT);
  if (!file && !full) return fail(path + ": " + std::strerror(problem));
  SessionJournal journal(path, std::move(file), log, std::move(failed));
  if (full) journal.complain(problem);
  return journal;
}

void SessionJournal::complain(int problem) {
  broken_ = true;
  log_.error("a session can't be noted: if the server is killed now, its end is not told",
             {{"file", path_}, {"problem", std::strerror(problem)}});
  if (failed_) failed_();
}

void SessionJournal::open(const std::string& id, std::string record) {
  const auto line = open_line(id, record);
  const auto [found, fresh] = records_.try_emplace(id);
  if (!fresh) live_ -= open_line(id, found->second).size();
  found->second = std::move(record);
  live_ += line.size();
  append(line);
}

void SessionJournal::close(const std::string& id) {
  const auto found = records_.find(id);
  if (found == records_.end()) return;
  live_ -= open_line(id, found->second).size();
  records_.erase(found);
  append("-" + id + "\n");
}

void SessionJournal::append(std::string_view line) {
  if (broken_ || size_ + line.size() > least_rewrite + 4 * live_) {
    rewrite();  // with what the line says
    return;
  }
  if (!write_all(file_.get(), line)) {
    complain(errno);
    return;
  }
  size_ += line.size();
}

void SessionJournal::rewrite() {
  std::string content;
  content.reserve(live_);
  for (const auto& [id, record] : records_) content += open_line(id, record);
  const auto fresh = path_ + ".new";
  media::FileDescriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  broken_ = !file || !write_all(file.get(), content) || std::rename(fresh.c_str(), path_.c_str()) != 0;
  if (broken_) return;
  file_ = std::move(file);
  size_ = content.size();
}

}  // namespace rw::ledger
