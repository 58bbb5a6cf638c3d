#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

/// The server's database: SQLite in the data folder, or PostgreSQL. One interface for both; the SQL is what they share.
namespace rw::database {

/// Why a statement was not carried out.
struct DatabaseError {
  enum class Kind : std::uint8_t {
    away,      ///< the database can't be reached, or did not answer in time; nothing is known of a COMMIT under way
    conflict,  ///< a key that is there already
    refused    ///< anything else: a bug, or a disk that is full
  };
  Kind kind = Kind::refused;
  std::string message;
};
template <class T>
using DatabaseResult = tl::expected<T, DatabaseError>;

/// A parameter, or what a column holds.
using Value = std::variant<std::monostate, std::int64_t, std::string>;

class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  /// Empty if the column holds NULL. A number becomes its digits.
  std::string text(std::size_t column) const;
  /// 0 if the column holds NULL or no number.
  std::int64_t number(std::size_t column) const;
  bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(values_.at(column)); }

 private:
  std::vector<Value> values_;
};
using Rows = std::vector<Row>;

/// One connection. It blocks: for background threads only. Not thread-safe: its owner sees to that. One that has broken
/// is made anew by the next call; each call ends within connect_timeout and statement_timeout.
class Connection {
 public:
  static constexpr std::chrono::seconds connect_timeout{3};
  static constexpr std::chrono::seconds statement_timeout{5};

  virtual ~Connection() = default;
  /// Carries out one statement. Parameters stand in it as $1, $2, …; values never are part of the text.
  virtual DatabaseResult<Rows> execute(std::string_view sql, const std::vector<Value>& parameters = {}) = 0;
  /// What `job` does happens as a whole, or (when it returns an error) not at all. Not nested.
  DatabaseResult<void> transaction(const std::function<DatabaseResult<void>()>& job);

 protected:
  /// Whether a transaction is open: a connection that breaks then is not made anew before it has ended.
  bool in_transaction() const { return in_transaction_; }

 private:
  virtual std::string_view begin() const = 0;
  bool in_transaction_ = false;
};

/// Opens what `url` names: "sqlite:FILE" (in `data_dir`, unless the path is absolute) or "postgresql://…".
DatabaseResult<std::unique_ptr<Connection>> connect(const std::string& url, const std::string& data_dir);

}  // namespace rw::database
