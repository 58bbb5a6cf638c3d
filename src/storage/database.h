#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rw::storage {

/// One prepared statement. Values are bound from 1 on, columns are read from 0 on.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int at, std::string_view text);
  Statement& bind(int at, std::int64_t number);
  /// True: there is a row to be read. An error is a std::runtime_error: the database is ours, and what it refuses is a
  /// bug or a broken disk.
  bool step();
  /// Makes it ready to be run again; the values stay bound.
  void reset();
  std::string text(int column) const;
  std::int64_t number(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// A SQLite database in WAL mode; what was written is on the disk when the statement is done. Not thread-safe: its
/// owner locks.
class Database {
 public:
  static Result<Database> open(const std::string& file);
  /// Runs statements without parameters; throws std::runtime_error.
  void run(const char* sql);
  Statement prepare(const char* sql) { return Statement(handle_.get(), sql); }
  int changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* database) : handle_(database) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace rw::storage
