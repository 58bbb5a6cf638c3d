#include "database/postgres_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <charconv>
#include <optional>

#include "base/utf8.h"

namespace rw::database {
namespace {

using Kind = DatabaseError::Kind;
using std::chrono::milliseconds;

constexpr auto between_tries = milliseconds(500);

/// libpq's messages, without the line break at the end.
std::string message_of(const char* text) {
  std::string message = text == nullptr ? "" : text;
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return to_utf8(std::move(message));  // in the encoding of the server's own messages, before a session has begun
}

/// Waits until the socket can be read or (if wanted) written. False: the time is over.
bool wait_for(PGconn* connection, bool write, TimePoint deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
  if (left.count() <= 0) return false;
  pollfd socket{PQsocket(connection), static_cast<short>(POLLIN | (write ? POLLOUT : 0)), 0};
  return ::poll(&socket, 1, static_cast<int>(left.count())) != 0;
}

/// Reads what has come since the last statement: notices, why the connection ends, its end.
bool is_alive(PGconn* connection) {
  pollfd socket{PQsocket(connection), POLLIN, 0};
  while (::poll(&socket, 1, 0) > 0) {
    if (PQconsumeInput(connection) == 0 || PQstatus(connection) != CONNECTION_OK) return false;
  }
  return PQstatus(connection) == CONNECTION_OK;
}

Kind kind_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view code = state == nullptr ? "" : state;
  if (code == "23505") return Kind::conflict;  // unique_violation
  // Connections, resources, an operator's intervention (shutdown, time-out of a statement), serialisation.
  for (const auto* away : {"08", "53", "57", "40"}) {
    if (code.starts_with(away)) return Kind::away;
  }
  return Kind::refused;
}

Value value_of(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) == 1) return std::monostate{};
  const std::string_view text(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
  constexpr std::array<Oid, 3> whole_numbers{20, 21, 23};  // int8, int2, int4 (pg_type.dat)
  for (const auto type : whole_numbers) {
    if (PQftype(result, column) != type) continue;
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }
  return std::string(text);
}

Rows rows_of(const PGresult* result) {
  Rows rows;
  for (int row = 0; row < PQntuples(result); ++row) {
    std::vector<Value> values;
    values.reserve(static_cast<std::size_t>(PQnfields(result)));
    for (int column = 0; column < PQnfields(result); ++column) values.push_back(value_of(result, row, column));
    rows.emplace_back(std::move(values));
  }
  return rows;
}

}  // namespace

void PostgresConnection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

void PostgresConnection::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

DatabaseResult<std::unique_ptr<Connection>> PostgresConnection::open(const std::string& url) {
  std::unique_ptr<PostgresConnection> made(new PostgresConnection(url));
  if (auto connected = made->ensure_connected(); !connected) return tl::unexpected(std::move(connected.error()));
  return made;
}

DatabaseError PostgresConnection::away(std::string message) {
  connection_.reset();
  next_try_ = Clock::now() + between_tries;
  return {Kind::away, "database: " + std::move(message)};
}

DatabaseResult<void> PostgresConnection::ensure_connected() {
  if (connection_) {
    // A server that went away in the meantime has closed the connection: that can be seen before anything is sent.
    if (is_alive(connection_.get())) return {};
    connection_.reset();
  }
  if (in_transaction()) return tl::unexpected(DatabaseError{Kind::away, "database: the connection was lost"});
  if (Clock::now() < next_try_) return tl::unexpected(DatabaseError{Kind::away, "database: can't be reached"});
  const auto wait = std::to_string(connect_timeout.count());
  const auto unanswered = std::to_string(milliseconds(statement_timeout).count());
  const auto options = "-c statement_timeout=" + unanswered;
  const std::array<const char*, 8> names{"dbname",  "connect_timeout",  "application_name", "fallback_application_name",
                                         "options", "tcp_user_timeout", "client_encoding",  nullptr};
  const std::array<const char*, 8> values{url_.c_str(),    wait.c_str(),       "ringwright", "ringwright",
                                          options.c_str(), unanswered.c_str(), "UTF8",       nullptr};
  connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
  if (!connection_) return tl::unexpected(away("out of memory"));
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    return tl::unexpected(away(message_of(PQerrorMessage(connection_.get()))));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(connection_.get(), 1) != 0)
    return tl::unexpected(away(message_of(PQerrorMessage(connection_.get()))));
  return {};
}

DatabaseResult<PostgresConnection::ResultHandle> PostgresConnection::await_result() {
  auto* connection = connection_.get();
  const auto deadline = Clock::now() + statement_timeout + std::chrono::seconds(1);  // the server's own comes first
  const auto broken = [&] { return tl::unexpected(away(message_of(PQerrorMessage(connection)))); };
  ResultHandle last;
  for (;;) {
    const int unsent = PQflush(connection);
    if (unsent < 0) return broken();
    if (unsent == 0 && PQisBusy(connection) == 0) {
      ResultHandle next(PQgetResult(connection));
      if (!next) break;
      last = std::move(next);
      continue;
    }
    if (!wait_for(connection, unsent == 1, deadline)) return tl::unexpected(away("no answer in time"));
    if (PQconsumeInput(connection) == 0) return broken();
  }
  if (!last || PQstatus(connection) != CONNECTION_OK) return broken();
  return last;
}

DatabaseResult<Rows> PostgresConnection::execute(std::string_view sql, const std::vector<Value>& parameters) {
  if (auto connected = ensure_connected(); !connected) return tl::unexpected(std::move(connected.error()));
  std::vector<std::string> texts(parameters.size());
  std::vector<const char*> values(parameters.size(), nullptr);
  for (std::size_t at = 0; at < parameters.size(); ++at) {
    if (std::holds_alternative<std::monostate>(parameters[at])) continue;
    const auto* number = std::get_if<std::int64_t>(&parameters[at]);
    texts[at] = number != nullptr ? std::to_string(*number) : std::get<std::string>(parameters[at]);
    if (texts[at].find('\0') != std::string::npos)
      return tl::unexpected(DatabaseError{Kind::refused, "database: a text with a zero byte"});
    values[at] = texts[at].c_str();
  }
  if (PQsendQueryParams(connection_.get(), std::string(sql).c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) != 1)
    return tl::unexpected(away(message_of(PQerrorMessage(connection_.get()))));
  const auto result = await_result();
  if (!result) return tl::unexpected(result.error());
  const auto status = PQresultStatus(result->get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return rows_of(result->get());
  return tl::unexpected(
      DatabaseError{kind_of(result->get()), "database: " + message_of(PQresultErrorMessage(result->get()))});
}

}  // namespace rw::database
