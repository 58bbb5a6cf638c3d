#include "app/database_fallbacks.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>

#include "database/migrations.h"

namespace rw::app {
namespace {

using database::DatabaseResult;
using std::chrono::system_clock;

constexpr std::string_view kind = "ivrfallback";
constexpr std::chrono::seconds step{2};

std::int64_t unix_seconds(system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string stored(const tenant::Fallback& fallback) {
  return boost::json::serialize(boost::json::object{{"always", fallback.mode == tenant::Fallback::Mode::always},
                                                    {"expires", unix_seconds(fallback.expires)},
                                                    {"command", fallback.command}});
}

/// Null if it isn't what stored() made.
std::shared_ptr<const tenant::Fallback> read(const std::string& text) {
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* always = object == nullptr ? nullptr : object->if_contains("always");
  const auto* expires = object == nullptr ? nullptr : object->if_contains("expires");
  const auto* command = object == nullptr ? nullptr : object->if_contains("command");
  if (always == nullptr || !always->is_bool() || expires == nullptr || !expires->is_int64() || command == nullptr ||
      !command->is_object())
    return nullptr;
  tenant::Fallback fallback;
  if (always->get_bool()) fallback.mode = tenant::Fallback::Mode::always;
  fallback.expires = system_clock::time_point(std::chrono::seconds(expires->get_int64()));
  fallback.command = command->get_object();
  return std::make_shared<const tenant::Fallback>(std::move(fallback));
}

}  // namespace

Result<std::unique_ptr<DatabaseFallbacks>> DatabaseFallbacks::open(const std::string& url, const std::string& data_dir,
                                                                   ops::Log log) {
  auto connection = database::connect(url, data_dir);
  if (!connection) return fail("database: " + connection.error().message);
  if (const auto ready = database::migrate(**connection); !ready) return fail("database: " + ready.error().message);
  std::unique_ptr<DatabaseFallbacks> made(new DatabaseFallbacks(std::move(*connection), std::move(log)));
  if (const auto read = made->catch_up(); !read) return fail("database: " + read.error().message);
  made->thread_ = std::thread([store = made.get()] { store->keep_up(); });
  return made;
}

DatabaseFallbacks::DatabaseFallbacks(std::unique_ptr<database::Connection> connection, ops::Log log)
    : log_(std::move(log)), connection_(std::move(connection)) {}

DatabaseFallbacks::~DatabaseFallbacks() {
  {
    const std::lock_guard lock(stop_mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DatabaseFallbacks::keep_up() {
  bool away = false;
  std::unique_lock lock(stop_mutex_);
  while (!stop_.wait_for(lock, step, [this] { return stopping_; })) {
    lock.unlock();
    const auto done = catch_up();
    if (!done && !away) log_.warning("fallbacks are not up to date", {{"problem", done.error().message}});
    away = !done;
    lock.lock();
  }
}

DatabaseResult<void> DatabaseFallbacks::catch_up() {
  const std::lock_guard lock(database_mutex_);
  const auto change =
      connection_->execute("SELECT SUM(value) FROM counters WHERE name IN ('ivrfallback', 'directory')");
  if (!change) return tl::unexpected(change.error());
  const auto number = change->empty() ? 0 : change->front().number(0);
  if (number == known_change_) return {};
  const auto rows =
      connection_->execute("SELECT domain, name, body FROM documents WHERE kind = $1", {std::string(kind)});
  if (!rows) return tl::unexpected(rows.error());
  const auto now = system_clock::now();
  tenant::Fallbacks::Map all;
  for (const auto& row : *rows) {
    auto fallback = read(row.text(2));
    if (fallback && fallback->expires > now) {
      all.emplace(std::pair(row.text(0), row.text(1)), std::move(fallback));
    } else if (const auto removed = connection_->execute(
                   "DELETE FROM documents WHERE kind = $1 AND domain = $2 AND name = $3 AND body = $4",
                   {std::string(kind), row.text(0), row.text(1), row.text(2)});
               !removed) {
      return tl::unexpected(removed.error());
    }
  }
  fallbacks_.replace(std::move(all));
  known_change_ = number;
  return {};
}

DatabaseResult<void> DatabaseFallbacks::change(std::string_view sql, const std::vector<database::Value>& parameters) {
  return connection_->transaction([&]() -> DatabaseResult<void> {
    if (auto done = connection_->execute(sql, parameters); !done) return tl::unexpected(std::move(done.error()));
    auto counted = connection_->execute(
        "INSERT INTO counters (name, value) VALUES ('ivrfallback', 1) "
        "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1");
    if (!counted) return tl::unexpected(std::move(counted.error()));
    return {};
  });
}

std::shared_ptr<const tenant::Fallback> DatabaseFallbacks::find(const std::string& domain,
                                                                const std::string& number) const {
  return fallbacks_.find(domain, number, system_clock::now());
}

std::shared_ptr<const tenant::Fallback> DatabaseFallbacks::get(const std::string& domain, const std::string& number) {
  return fallbacks_.get(domain, number, system_clock::now());
}

Result<void> DatabaseFallbacks::put(const std::string& domain, const std::string& number, tenant::Fallback fallback) {
  const std::lock_guard lock(database_mutex_);
  const auto changed =
      std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
  const auto done = change(
      "INSERT INTO documents (kind, domain, name, body, position, changed) VALUES ($1, $2, $3, $4, 0, $5) "
      "ON CONFLICT (kind, domain, name) DO UPDATE SET body = excluded.body, changed = excluded.changed",
      {std::string(kind), lower(domain), number, stored(fallback), changed});
  if (!done) return fail(done.error().message);
  fallbacks_.put(domain, number, std::move(fallback));
  return {};
}

Result<void> DatabaseFallbacks::remove(const std::string& domain, const std::string& number) {
  const std::lock_guard lock(database_mutex_);
  const auto done = change("DELETE FROM documents WHERE kind = $1 AND domain = $2 AND name = $3",
                           {std::string(kind), lower(domain), number});
  if (!done) return fail(done.error().message);
  fallbacks_.remove(domain, number);
  return {};
}

}  // namespace rw::app
