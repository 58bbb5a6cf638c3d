#include "database/sqlite_connection.h"

#include <sqlite3.h>

namespace rw::database {
namespace {

using Kind = DatabaseError::Kind;

Kind kind_of(int code) {
  switch (code & 0xff) {  // the primary code
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Kind::away;
    case SQLITE_CONSTRAINT:
      return code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE ? Kind::conflict : Kind::refused;
    default:
      return Kind::refused;
  }
}

}  // namespace

DatabaseResult<std::unique_ptr<Connection>> SqliteConnection::open(const std::string& file) {
  auto opened = SqliteFile::open(file);
  if (!opened) return tl::unexpected(DatabaseError{Kind::refused, opened.error().message});
  return std::unique_ptr<Connection>(new SqliteConnection(std::move(*opened)));
}

DatabaseResult<Rows> SqliteConnection::execute(std::string_view sql, const std::vector<Value>& parameters) {
  try {
    auto statement = file_.prepare(std::string(sql).c_str());
    for (std::size_t at = 0; at < parameters.size(); ++at) {
      const int place = statement.place("$" + std::to_string(at + 1));
      if (place == 0) continue;  // not used in the text
      if (const auto* text = std::get_if<std::string>(&parameters[at])) statement.bind(place, *text);
      if (const auto* number = std::get_if<std::int64_t>(&parameters[at])) statement.bind(place, *number);
    }
    Rows rows;
    while (statement.step()) {
      std::vector<Value> values;
      values.reserve(static_cast<std::size_t>(statement.columns()));
      for (int column = 0; column < statement.columns(); ++column) values.push_back(statement.value(column));
      rows.emplace_back(std::move(values));
    }
    return rows;
  } catch (const SqliteProblem& problem) {
    return tl::unexpected(DatabaseError{kind_of(problem.code), problem.what()});
  }
}

}  // namespace rw::database
