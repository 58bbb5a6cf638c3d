#include "app/database_fallback_store.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <optional>

#include "database/migrations.h"

namespace rw::app {
namespace {

std::string body_of(const tenant::Fallback& entry) {
  boost::json::object body{{"mode", to_string(entry.mode)}, {"expires", entry.expires}, {"command", entry.command}};
  return boost::json::serialize(body);
}

/// Nothing for what this version did not write.
std::optional<tenant::Fallback> read_entry(const database::Row& row) {
  boost::system::error_code error;
  const auto value = boost::json::parse(row.text(2), error);
  const auto* body = error ? nullptr : value.if_object();
  if (body == nullptr) return std::nullopt;
  const auto* mode = body->if_contains("mode");
  const auto* expires = body->if_contains("expires");
  const auto* command = body->if_contains("command");
  if (mode == nullptr || expires == nullptr || command == nullptr) return std::nullopt;
  if (!mode->is_string() || !expires->is_int64() || !command->is_string()) return std::nullopt;
  tenant::Fallback entry;
  entry.domain = row.text(0);
  entry.number = row.text(1);
  entry.mode = mode->get_string() == "always" ? tenant::Fallback::Mode::always : tenant::Fallback::Mode::on_error;
  entry.expires = expires->get_int64();
  entry.command = std::string(command->get_string());
  return entry;
}

std::int64_t milliseconds_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<void> DatabaseFallbackStore::connect() {
  if (connection_) return {};
  auto opened = database::connect(url_, data_dir_);
  if (!opened) return fail(opened.error().message);
  if (auto ready = database::migrate(**opened); !ready) return fail(ready.error().message);
  connection_ = std::move(*opened);
  return {};
}

Result<std::int64_t> DatabaseFallbackStore::revision() {
  if (auto there = connect(); !there) return tl::unexpected(there.error());
  const auto rows = connection_->execute("SELECT value FROM counters WHERE name = 'fallbacks'");
  if (!rows) return fail(rows.error().message);
  return rows->empty() ? 0 : rows->front().number(0);
}

Result<std::vector<tenant::Fallback>> DatabaseFallbackStore::load() {
  if (auto there = connect(); !there) return tl::unexpected(there.error());
  const auto rows = connection_->execute("SELECT domain, name, body FROM documents WHERE kind = 'fallback'");
  if (!rows) return fail(rows.error().message);
  std::vector<tenant::Fallback> entries;
  for (const auto& row : *rows) {
    if (auto entry = read_entry(row)) entries.push_back(std::move(*entry));
  }
  return entries;
}

Result<void> DatabaseFallbackStore::change(const std::string& sql, const std::vector<database::Value>& parameters) {
  if (auto there = connect(); !there) return there;
  const auto done = connection_->transaction([&]() -> database::DatabaseResult<void> {
    if (auto changed = connection_->execute(sql, parameters); !changed) return tl::unexpected(changed.error());
    const auto counted = connection_->execute(count_change);
    if (!counted) return tl::unexpected(counted.error());
    return {};
  });
  return done ? Result<void>{} : fail(done.error().message);
}

Result<void> DatabaseFallbackStore::put(const tenant::Fallback& entry) {
  return change(
      "INSERT INTO documents (kind, domain, name, body, position, changed) VALUES ('fallback', $1, $2, $3, 0, $4)"
      " ON CONFLICT (kind, domain, name) DO UPDATE SET body = excluded.body, changed = excluded.changed",
      {entry.domain, entry.number, body_of(entry), milliseconds_now()});
}

Result<void> DatabaseFallbackStore::remove(const std::string& domain, const std::string& number) {
  return change("DELETE FROM documents WHERE kind = 'fallback' AND domain = $1 AND name = $2", {domain, number});
}

Result<void> DatabaseFallbackStore::remove(const tenant::Fallback& entry) {
  return change("DELETE FROM documents WHERE kind = 'fallback' AND domain = $1 AND name = $2 AND body = $3",
                {entry.domain, entry.number, body_of(entry)});
}

}  // namespace rw::app
