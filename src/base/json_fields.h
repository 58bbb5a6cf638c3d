#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw {

/// `null` or `{}`: an object, or an item of an array of objects, that says nothing.
bool is_nothing(const boost::json::value& value);

/// Reads the members of a JSON object that somebody else wrote: leniently (a number where text is documented and the
/// reverse; `null`, and `{}` where an object is expected, as absent; unknown members ignored), but never silently. The
/// first member of a wrong type or value is remembered with its path; read what is wanted, then ask for error().
class JsonFields {
 public:
  /// `path` stands before the names in errors, e.g. "dtmf" gives "dtmf.maxDigits".
  explicit JsonFields(const boost::json::object& object, std::string path = {});

  bool has(std::string_view name) const;
  std::optional<std::string> text(std::string_view name);
  /// A finite number within [least, most].
  std::optional<double> number(std::string_view name, double least, double most);
  std::optional<bool> flag(std::string_view name);
  /// Text that is one of `values`.
  std::optional<std::string> choice(std::string_view name, std::initializer_list<std::string_view> values);
  const boost::json::object* object(std::string_view name);
  const boost::json::array* array(std::string_view name);

  /// "dtmf.maxDigits"
  std::string path(std::string_view name) const;
  /// Records that `name` is wrong: "<path>: expected <expected>".
  void reject(std::string_view name, std::string_view expected);
  /// Takes over an error found further down.
  void reject(const Error& error);
  /// The same for a value that is well-formed, but not allowed.
  void forbid(std::string_view name, std::string_view expected);
  const std::optional<Error>& error() const { return error_; }
  /// The error is one of forbid().
  bool forbidden() const { return forbidden_; }

 private:
  const boost::json::value* find(std::string_view name) const;

  const boost::json::object& object_;
  std::string path_;
  std::optional<Error> error_;
  bool forbidden_ = false;
};

}  // namespace rw
