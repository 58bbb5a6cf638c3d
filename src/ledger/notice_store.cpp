#include "ledger/notice_store.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/thread_name.h"

namespace rw::ledger {
namespace {

using std::chrono::milliseconds;

/// What comes within this time after a transaction goes into the next one together.
constexpr auto gather = milliseconds(5);
/// A removal waits for company: if it is lost, a notice is repeated, and the receiver knows it by its id.
constexpr auto removal_patience = milliseconds(20);
constexpr auto complaint_pause = std::chrono::seconds(60);

constexpr const char* layout = R"(
  CREATE TABLE IF NOT EXISTS notices (
    number INTEGER PRIMARY KEY, lane TEXT NOT NULL, domain TEXT NOT NULL, mediaservice TEXT NOT NULL,
    event TEXT NOT NULL, call_id TEXT NOT NULL, size INTEGER NOT NULL, put_at INTEGER NOT NULL, base TEXT NOT NULL,
    session_id TEXT NOT NULL, trace_id TEXT NOT NULL, body TEXT NOT NULL);
)";

}  // namespace

struct NoticeStore::Statements {
  explicit Statements(database::SqliteFile& database)
      : insert(database.prepare("INSERT INTO notices (number, lane, domain, mediaservice, event, call_id, size, put_at,"
                                " base, session_id, trace_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
        remove(database.prepare("DELETE FROM notices WHERE number = ?")),
        load(database.prepare("SELECT lane, domain, mediaservice, event, call_id, put_at, base, session_id, trace_id,"
                              " body FROM notices WHERE number = ?")) {}
  database::Statement insert, remove, load;
};

Result<std::unique_ptr<NoticeStore>> NoticeStore::open(const std::string& file, Limits limits, const ops::Log& log,
                                                       std::function<void()> failed) {
  auto database = database::SqliteFile::open(file);
  if (!database) return tl::unexpected(database.error());
  try {
    database->run(layout);
    std::unique_ptr<NoticeStore> store(new NoticeStore(std::move(*database), limits, log, std::move(failed)));
    store->read_waiting();
    store->thread_ = std::thread([raw = store.get()] {
      name_this_thread("outbox");
      raw->work();
    });
    return store;
  } catch (const std::runtime_error& error) {
    return fail(file + ": " + error.what());
  }
}

NoticeStore::NoticeStore(database::SqliteFile database, Limits limits, const ops::Log& log,
                         std::function<void()> failed)
    : limits_(limits),
      log_(log),
      database_(std::move(database)),
      statements_(std::make_unique<Statements>(database_)),
      failed_(std::move(failed)) {}

NoticeStore::~NoticeStore() {
  stop();
}

void NoticeStore::read_waiting() {
  auto rows =
      database_.prepare("SELECT number, lane, domain, mediaservice, event, call_id, size FROM notices ORDER BY number");
  while (rows.step()) {
    waiting_.push_back({rows.number(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5)});
    account(rows.text(2), static_cast<std::uint64_t>(rows.number(6)));
    last_number_ = rows.number(0);
  }
}

void NoticeStore::account(const std::string& domain, std::uint64_t bytes) {
  for (auto* usage : {&usage_, &domains_[domain]}) {
    ++usage->notices;
    usage->bytes += bytes;
  }
  pending_.fetch_add(1, std::memory_order_relaxed);
}

std::int64_t NoticeStore::put(std::shared_ptr<const Notice> notice, Stored stored) {
  const std::unique_lock lock(mutex_);
  const auto bytes = notice->size();
  const auto found = domains_.find(notice->domain);
  const Usage domain = found == domains_.end() ? Usage{} : found->second;
  if (usage_.notices >= limits_.notices || usage_.bytes + bytes > limits_.bytes ||
      domain.notices >= limits_.notices_of_domain || domain.bytes + bytes > limits_.bytes_of_domain) {
    return 0;
  }
  const auto number = ++last_number_;
  account(notice->domain, bytes);
  post(Put{number, std::move(notice), std::move(stored)}, Duration::zero());
  return number;
}

void NoticeStore::remove(std::int64_t number, const Notice& notice) {
  const std::unique_lock lock(mutex_);
  post(Remove{number, notice.domain, notice.size()}, removal_patience);
}

void NoticeStore::removed(const std::vector<Job>& jobs) {
  const std::lock_guard lock(mutex_);
  for (const auto& job : jobs) {
    const auto* remove = std::get_if<Remove>(&job);
    if (remove == nullptr) continue;
    pending_.fetch_sub(1, std::memory_order_relaxed);
    const auto domain = domains_.find(remove->domain);
    if (domain == domains_.end()) continue;  // it could not be read
    for (auto* usage : {&usage_, &domain->second}) {
      --usage->notices;
      usage->bytes -= remove->bytes;
    }
    if (domain->second.notices == 0) domains_.erase(domain);
  }
}

void NoticeStore::load(std::int64_t number, Loaded loaded) {
  const std::unique_lock lock(mutex_);
  post(Load{number, std::move(loaded)}, Duration::zero());
}

/// With the lock held.
bool NoticeStore::post(Job job, Duration wait) {
  if (stopping_) return false;
  jobs_.push_back(std::move(job));
  const auto due = Clock::now() + wait;
  if (due >= due_) return true;
  due_ = due;
  changed_.notify_all();
  return true;
}

void NoticeStore::flush() {
  std::unique_lock lock(mutex_);
  due_ = TimePoint::min();
  changed_.notify_all();
  changed_.wait(lock, [this] { return (jobs_.empty() && !working_) || stopping_; });
}

void NoticeStore::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void NoticeStore::work() {
  std::vector<Job> jobs;
  std::unique_lock lock(mutex_);
  for (;;) {
    while (!stopping_ && due_ != TimePoint::min()) {
      if (due_ == TimePoint::max()) {
        changed_.wait(lock);
        continue;
      }
      const auto due = std::max(due_, last_commit_ + gather);
      if (Clock::now() >= due) break;
      changed_.wait_until(lock, due);
    }
    const bool last = stopping_;
    jobs.swap(jobs_);
    due_ = TimePoint::max();
    working_ = true;
    lock.unlock();
    write(jobs);
    jobs.clear();
    lock.lock();
    working_ = false;
    changed_.notify_all();
    if (last) return;
  }
}

void NoticeStore::write(std::vector<Job>& jobs) {
  jobs.insert(jobs.begin(), std::make_move_iterator(again_.begin()), std::make_move_iterator(again_.end()));
  again_.clear();
  for (const auto& job : jobs) {
    if (const auto* remove = std::get_if<Remove>(&job)) unwritten_.erase(remove->number);
  }
  const bool written = commit(jobs);
  last_commit_ = Clock::now();
  if (written) removed(jobs);
  if (!written && failed_) failed_();
  for (auto& job : jobs) {
    if (auto* put = std::get_if<Put>(&job)) {
      if (!written) unwritten_.emplace(put->number, put->notice);
      if (put->stored) put->stored(put->number, written);
    } else if (auto* load = std::get_if<Load>(&job)) {
      load_now(*load);
    } else if (!written) {
      again_.push_back(std::move(job));
    }
  }
}

bool NoticeStore::commit(const std::vector<Job>& jobs) {
  if (std::ranges::all_of(jobs, [](const Job& job) { return std::holds_alternative<Load>(job); })) return true;
  try {
    database_.run("BEGIN IMMEDIATE");
    for (const auto& [number, notice] : unwritten_) insert(number, *notice);
    for (const auto& job : jobs) {
      if (const auto* put = std::get_if<Put>(&job)) {
        insert(put->number, *put->notice);
      } else if (const auto* remove = std::get_if<Remove>(&job)) {
        statements_->remove.bind(1, remove->number).step();
        statements_->remove.reset();
      }
    }
    database_.run("COMMIT");
    unwritten_.clear();
    return true;
  } catch (const std::runtime_error& error) {
    complain(error.what());
  }
  statements_->insert.reset();
  statements_->remove.reset();
  try {
    database_.run("ROLLBACK");
  } catch (const std::runtime_error&) {
    // There was no transaction, or SQLite has rolled it back itself.
  }
  return false;
}

void NoticeStore::insert(std::int64_t number, const Notice& notice) {
  auto& insert = statements_->insert;
  insert.bind(1, number).bind(2, notice.lane).bind(3, notice.domain).bind(4, notice.mediaservice);
  insert.bind(5, notice.event).bind(6, notice.call_id).bind(7, static_cast<std::int64_t>(notice.size()));
  insert.bind(8, notice.put_at).bind(9, notice.base).bind(10, notice.session_id).bind(11, notice.trace_id);
  insert.bind(12, notice.body).step();
  insert.reset();
}

void NoticeStore::load_now(Load& job) {
  if (const auto found = unwritten_.find(job.number); found != unwritten_.end()) return job.loaded(found->second);
  auto notice = std::make_shared<Notice>();
  auto& row = statements_->load;
  bool found = false;
  try {
    found = row.bind(1, job.number).step();
    if (found) {
      notice->lane = row.text(0);
      notice->domain = row.text(1);
      notice->mediaservice = row.text(2);
      notice->event = row.text(3);
      notice->call_id = row.text(4);
      notice->put_at = row.number(5);
      notice->base = row.text(6);
      notice->session_id = row.text(7);
      notice->trace_id = row.text(8);
      notice->body = row.text(9);
    }
  } catch (const std::runtime_error& error) {
    found = false;
    complain(error.what());
  }
  row.reset();
  job.loaded(found ? std::move(notice) : nullptr);
}

void NoticeStore::complain(std::string_view problem) {
  const auto now = Clock::now();
  if (last_complaint_ != TimePoint{} && now - last_complaint_ < complaint_pause) return;
  last_complaint_ = now;
  log_.error("notifications can't be stored: they are lost if the server ends now", {{"problem", problem}});
}

}  // namespace rw::ledger
