#pragma once

#include "database/connection.h"
#include "database/sqlite_file.h"

namespace rw::database {

/// A SQLite file. Others may have it open too: a statement waits for them up to its time.
class SqliteConnection final : public Connection {
 public:
  static DatabaseResult<std::unique_ptr<Connection>> open(const std::string& file);
  DatabaseResult<Rows> execute(std::string_view sql, const std::vector<Value>& parameters = {}) override;

 private:
  explicit SqliteConnection(SqliteFile file) : file_(std::move(file)) {}
  std::string_view begin() const override { return "BEGIN IMMEDIATE"; }

  SqliteFile file_;
};

}  // namespace rw::database
