#include "database/connection.h"

#include <charconv>
#include <filesystem>

#include "database/postgres_connection.h"
#include "database/sqlite_connection.h"

namespace rw::database {

std::string Row::text(std::size_t column) const {
  const auto& value = values_.at(column);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? "" : std::to_string(*number);
}

std::int64_t Row::number(std::size_t column) const {
  const auto& value = values_.at(column);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  std::int64_t read = 0;
  if (const auto* text = std::get_if<std::string>(&value))
    std::from_chars(text->data(), text->data() + text->size(), read);
  return read;
}

DatabaseResult<void> Connection::transaction(const std::function<DatabaseResult<void>()>& job) {
  if (auto begun = execute(begin()); !begun) return tl::unexpected(std::move(begun.error()));
  in_transaction_ = true;
  auto done = job();
  auto ended = execute(done ? "COMMIT" : "ROLLBACK");
  in_transaction_ = false;
  if (!done) return done;
  if (ended) return {};
  execute("ROLLBACK");  // a COMMIT that was refused may leave it open
  return tl::unexpected(std::move(ended.error()));
}

DatabaseResult<std::unique_ptr<Connection>> connect(const std::string& url, const std::string& data_dir) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite))
    return SqliteConnection::open((std::filesystem::path(data_dir) / url.substr(sqlite.size())).string());
  return PostgresConnection::open(url);
}

}  // namespace rw::database
