#include "base/json_fields.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>

namespace rw {

bool is_nothing(const boost::json::value& value) {
  const auto* object = value.if_object();
  return value.is_null() || (object != nullptr && object->empty());
}

JsonFields::JsonFields(const boost::json::object& object, std::string path) : object_(object), path_(std::move(path)) {}

const boost::json::value* JsonFields::find(std::string_view name) const {
  const auto* value = object_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool JsonFields::has(std::string_view name) const {
  return find(name) != nullptr;
}

std::string JsonFields::path(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void JsonFields::reject(std::string_view name, std::string_view expected) {
  if (!error_) error_ = Error{path(name) + ": expected " + std::string(expected)};
}

void JsonFields::forbid(std::string_view name, std::string_view expected) {
  forbidden_ = forbidden_ || !error_;
  reject(name, expected);
}

void JsonFields::reject(const Error& error) {
  if (!error_) error_ = error;
}

std::optional<std::string> JsonFields::text(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* string = value->if_string()) return std::string(*string);
  if (const auto* whole = value->if_int64()) return std::to_string(*whole);
  if (const auto* large = value->if_uint64()) return std::to_string(*large);
  if (const auto* real = value->if_double()) {
    char digits[32];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, *real).ptr);
  }
  reject(name, "a string");
  return std::nullopt;
}

std::optional<double> JsonFields::number(std::string_view name, double least, double most) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  double number = NAN;
  if (const auto* string = value->if_string()) {
    const char* end = string->data() + string->size();
    if (const auto read = std::from_chars(string->data(), end, number); read.ec != std::errc{} || read.ptr != end)
      number = NAN;
  } else if (value->is_number()) {
    number = value->to_number<double>();
  }
  if (!std::isfinite(number) || number < least || number > most) {
    const auto limit = [](double x) { return std::to_string(static_cast<long long>(x)); };
    reject(name, "a number from " + limit(least) + " to " + limit(most));
    return std::nullopt;
  }
  return number;
}

std::optional<bool> JsonFields::flag(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* flag = value->if_bool()) return *flag;
  if (const auto* string = value->if_string()) {
    if (*string == "true") return true;
    if (*string == "false") return false;
  }
  reject(name, "true or false");
  return std::nullopt;
}

std::optional<std::string> JsonFields::choice(std::string_view name, std::initializer_list<std::string_view> values) {
  auto chosen = text(name);
  if (!chosen || std::find(values.begin(), values.end(), *chosen) != values.end()) return chosen;
  std::string expected;
  for (const auto value : values) expected += (expected.empty() ? "\"" : ", \"") + std::string(value) + "\"";
  reject(name, expected);
  return std::nullopt;
}

const boost::json::object* JsonFields::object(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr || is_nothing(*value)) return nullptr;
  if (!value->is_object()) reject(name, "an object");
  return value->if_object();
}

const boost::json::array* JsonFields::array(std::string_view name) {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) reject(name, "an array");
  return value->if_array();
}

}  // namespace rw
