#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rw::database {

/// What SQLite refused; `code` is its extended result code.
struct SqliteProblem : std::runtime_error {
  SqliteProblem(int code_, const std::string& message) : std::runtime_error(message), code(code_) {}
  int code;
};

/// One prepared statement. Values are bound from 1 on, columns are read from 0 on.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, std::int64_t number);
  /// True: there is a row to be read. An error is a SqliteProblem: the database is ours, and what it refuses is a
  /// bug or a broken disk.
  bool step();
  /// Makes it ready to be run again; the values stay bound.
  void reset();
  /// Where a named parameter is bound; 0 if the statement has none of that name.
  int place(const std::string& name) const;
  int columns() const;
  std::variant<std::monostate, std::int64_t, std::string> value(int column) const;
  std::string text(int column) const;
  std::int64_t number(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// A SQLite database in WAL mode; what was written is on the disk when the statement is done. Not thread-safe: its
/// owner locks.
class SqliteFile {
 public:
  static Result<SqliteFile> open(const std::string& file);
  /// Runs statements without parameters; throws SqliteProblem.
  void run(const char* sql);
  Statement prepare(const char* sql) { return Statement(handle_.get(), sql); }
  int changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit SqliteFile(sqlite3* database) : handle_(database) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace rw::database
