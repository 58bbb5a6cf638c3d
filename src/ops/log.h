#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rw::ops {

enum class Level : std::uint8_t { debug, info, warning, error };

/// One member of a line. Most are {"name", value}, for values of our own making: states, counts, ids, addresses of the
/// network. What others have said goes through personal() or text(); secrets are not logged at all.
struct Field {
  enum class Kind : std::uint8_t { plain, personal, text, if_any };
  std::string_view name, value;
  Kind kind = Kind::plain;
};
/// A value that tells of a person: a number, a user part, a SIP address, a header's value. Left out if it is empty.
constexpr Field personal(std::string_view name, std::string_view value) {
  return {name, value, Field::Kind::personal};
}
/// A value of our own making that is left out if it is empty.
constexpr Field if_any(std::string_view name, std::string_view value) {
  return {name, value, Field::Kind::if_any};
}
/// A sentence, URL or JSON text that may quote what others have said.
constexpr Field text(std::string_view name, std::string_view value) {
  return {name, value, Field::Kind::text};
}

/// Structured log to standard error: one line per event, JSON or text. Thread-safe; a line is written whole.
/// Personal data is masked (ops/mask.h) unless the threshold is `debug`; secrets in texts are taken out at any level.
/// What belongs to a call carries traceId, sessionId and callId: put them into a scoped Log by with().
class Log {
 public:
  enum class Format : std::uint8_t { text, json };
  Log(Format format, Level threshold);
  ~Log();
  Log(const Log&);
  Log& operator=(const Log&);

  /// A log whose every line carries these fields as well. Cheap.
  Log with(std::initializer_list<Field> fields) const;

  bool enabled(Level level) const;
  /// From now on, for all copies. From any thread.
  void set_threshold(Level threshold) const;
  void write(Level level, std::string_view message, std::initializer_list<Field> fields = {}) const;
  void debug(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(Level::error, message, fields);
  }

 private:
  struct Sink;
  std::string shown(const Field& field) const;
  void append(std::string& line, const Field& field) const;
  std::shared_ptr<Sink> sink_;
  std::string context_;  ///< the fields of with(), already formatted
};

}  // namespace rw::ops
