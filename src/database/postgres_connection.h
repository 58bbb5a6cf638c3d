#pragma once

#include "base/time.h"
#include "database/connection.h"

struct pg_conn;
struct pg_result;

namespace rw::database {

/// A connection to PostgreSQL. When it breaks, or the server does not answer in time, it is given up, and the next call
/// outside a transaction makes a new one.
class PostgresConnection final : public Connection {
 public:
  static DatabaseResult<std::unique_ptr<Connection>> open(const std::string& url);
  DatabaseResult<Rows> execute(std::string_view sql, const std::vector<Value>& parameters = {}) override;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  struct Clear {
    void operator()(pg_result* result) const;
  };
  using ResultHandle = std::unique_ptr<pg_result, Clear>;

  explicit PostgresConnection(std::string url) : url_(std::move(url)) {}
  std::string_view begin() const override { return "BEGIN"; }
  DatabaseResult<void> ensure_connected();
  DatabaseResult<ResultHandle> await_result();
  /// Gives the connection up.
  DatabaseError away(std::string message);

  const std::string url_;
  std::unique_ptr<pg_conn, Finish> connection_;
  TimePoint next_try_{};  ///< a server that is away is not asked more often
};

}  // namespace rw::database
