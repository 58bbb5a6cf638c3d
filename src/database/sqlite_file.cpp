#include "database/sqlite_file.h"

#include <sqlite3.h>

namespace rw::database {
namespace {

void check(sqlite3* database, int code, std::string_view what) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  throw SqliteProblem(sqlite3_extended_errcode(database),
                      "database: " + std::string(what) + ": " + sqlite3_errmsg(database));
}

}  // namespace

Statement::Statement(sqlite3* database, const char* sql) : database_(database) {
  check(database, sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr), sql);
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::bind(int at, std::string_view text) {
  check(database_, sqlite3_bind_text64(statement_, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
        "bind");
  return *this;
}

Statement& Statement::bind(int at, std::int64_t number) {
  check(database_, sqlite3_bind_int64(statement_, at, number), "bind");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  check(database_, code, "step");
  return code == SQLITE_ROW;
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr ? "" : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

int Statement::place(const std::string& name) const {
  return sqlite3_bind_parameter_index(statement_, name.c_str());
}

int Statement::columns() const {
  return sqlite3_column_count(statement_);
}

std::variant<std::monostate, std::int64_t, std::string> Statement::value(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_INTEGER:
      return number(column);
    default:
      return text(column);
  }
}

void SqliteFile::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Result<SqliteFile> SqliteFile::open(const std::string& file) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  SqliteFile database(raw);
  if (code != SQLITE_OK) return fail(file + ": " + (raw == nullptr ? "out of memory" : sqlite3_errmsg(raw)));
  sqlite3_busy_timeout(raw, 5000);
  try {
    database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  } catch (const std::runtime_error& error) {
    return fail(file + ": " + error.what());
  }
  return database;
}

void SqliteFile::run(const char* sql) {
  check(handle_.get(), sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr), sql);
}
int SqliteFile::changes() const {
  return sqlite3_changes(handle_.get());
}

}  // namespace rw::database
