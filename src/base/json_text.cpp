#include "base/json_text.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace rw {
namespace {

namespace json = boost::json;

constexpr std::size_t deepest = 32;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// A number that boost would write otherwise is kept as an object with this one name. Names of others that begin with
/// the same character get it once more, so that nobody's object is taken for a number.
constexpr char mark = '\0';
constexpr std::string_view number_name(&mark, 1);

std::optional<unsigned> hex_number(std::string_view digits) {
  unsigned number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (digits.size() != 4 || read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// The code unit of the escape \uXXXX that begins at `at`.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u") return std::nullopt;
  return hex_number(text.substr(at + 2, 4));
}

/// Puts the replacement character in the place of each half of a surrogate pair.
void replace_lone_surrogates(std::string& text) {
  constexpr std::string_view replacement = "fffd";
  for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const auto unit = escaped_unit(text, at);
    if (!unit) {
      at += 2;  // another escape, perhaps that of a backslash
      continue;
    }
    const bool leads = *unit >= 0xd800 && *unit < 0xdc00;
    const auto next = leads ? escaped_unit(text, at + 6) : std::nullopt;
    if (next && *next >= 0xdc00 && *next < 0xe000) {
      at += 12;
      continue;
    }
    if (*unit >= 0xd800 && *unit < 0xe000) std::ranges::copy(replacement, text.begin() + static_cast<long>(at) + 2);
    at += 6;
  }
}

/// Builds a value from what the parser finds.
class Handler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  /// `once`: no member may stand twice in an object.
  explicit Handler(std::string_view verbatim, bool once = false) : verbatim_(verbatim), once_(once) { stack_.reset(); }

  json::value release() { return stack_.release(); }

  std::string twice;  ///< the member that stands twice

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    ++depth_;
    if (once_) names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, json::error_code&) {
    stack_.push_object(count);
    --depth_;
    if (once_) names_.pop_back();
    return true;
  }
  bool on_array_begin(json::error_code&) {
    ++depth_;
    return true;
  }
  bool on_array_end(std::size_t count, json::error_code&) {
    stack_.push_array(count);
    --depth_;
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    key_.append(part.data(), part.size());
    if (once_ && !names_.back().insert(key_).second) {
      error = boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
      twice = key_;
      return false;
    }
    if (depth_ == 1) keeps_digits_ = !verbatim_.empty() && key_ == verbatim_;
    if (keeps_digits_ && key_.starts_with(mark)) key_.insert(0, 1, mark);
    stack_.push_key(key_);
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view part, json::error_code&) {
    if (!keep(part, std::to_string(number))) stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view part, json::error_code&) {
    if (!keep(part, std::to_string(number))) stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view part, json::error_code&) {
    if (!keep(part, {})) stack_.push_double(number);
    return true;
  }
  bool on_bool(bool flag, json::error_code&) {
    stack_.push_bool(flag);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  /// Pushes the number as its digits, if they have to be kept and are not those of `written`.
  bool keep(json::string_view part, std::string_view written) {
    number_.append(part.data(), part.size());
    const auto digits = std::exchange(number_, {});
    if (depth_ == 0 || !keeps_digits_ || digits == written) return false;
    stack_.push_key(json::string_view(number_name.data(), number_name.size()));
    stack_.push_string(digits);
    stack_.push_object(1);
    return true;
  }

  json::value_stack stack_;
  const std::string_view verbatim_;
  const bool once_;
  std::vector<std::unordered_set<std::string>> names_;  ///< of the objects that are open
  std::string key_, number_;
  std::size_t depth_ = 0;
  bool keeps_digits_ = false;
};

/// The digits of a number that was kept, or null.
const json::string* kept_number(const json::object& object) {
  if (object.size() != 1) return nullptr;
  const auto& only = *object.begin();
  return std::string_view(only.key()) == number_name ? only.value().if_string() : nullptr;
}

void write(std::string& text, const json::value& value) {
  if (const auto* array = value.if_array()) {
    text += '[';
    for (std::size_t at = 0; at < array->size(); ++at) {
      if (at > 0) text += ',';
      write(text, (*array)[at]);
    }
    text += ']';
  } else if (const auto* object = value.if_object()) {
    if (const auto* digits = kept_number(*object)) {
      text.append(digits->data(), digits->size());
      return;
    }
    text += '{';
    bool first = true;
    for (const auto& member : *object) {
      if (!std::exchange(first, false)) text += ',';
      auto name = member.key();
      if (name.starts_with(mark)) name.remove_prefix(1);
      text += json::serialize(name);
      text += ':';
      write(text, member.value());
    }
    text += '}';
  } else {
    text += json::serialize(value);
  }
}

}  // namespace

Result<json::value> read_json(std::string_view text, std::string_view verbatim) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::string repaired;
  if (!is_utf8(text)) {
    repaired = to_utf8(std::string(text));
    text = repaired;
  }
  if (text.find("\\u") != std::string_view::npos) {
    if (repaired.empty()) repaired = text;
    replace_lone_surrogates(repaired);
    text = repaired;
  }
  json::parse_options options;
  options.max_depth = deepest;
  json::basic_parser<Handler> parser(options, verbatim);
  json::error_code error;
  const auto used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) error = json::error::extra_data;
  if (error) return fail(error.message());
  return parser.handler().release();
}

Result<json::object> read_strict_json_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = deepest;
  json::basic_parser<Handler> parser(options, std::string_view(), true);
  json::error_code error;
  const auto used = parser.write_some(false, text.data(), text.size(), error);
  if (!parser.handler().twice.empty()) return fail("a member stands twice: " + parser.handler().twice);
  if (!error && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) error = json::error::extra_data;
  if (error) return fail(error.message());
  auto value = parser.handler().release();
  if (!value.is_object()) return fail("not a JSON object");
  return std::move(value.get_object());
}

Result<json::object> read_json_object(std::string_view text, std::string_view verbatim) {
  auto value = read_json(text, verbatim);
  if (!value) return tl::unexpected(value.error());
  if (!value->is_object()) return fail("not a JSON object");
  return std::move(value->get_object());
}

std::string write_json(const json::value& value) {
  std::string text;
  write(text, value);
  return text;
}

std::string write_json(json::object object, std::string_view verbatim) {
  const auto found = object.find(verbatim);
  if (found == object.end() || !found->value().is_structured()) return json::serialize(object);
  const auto member = json::serialize(json::string_view(verbatim)) + ":" + write_json(found->value());
  object.erase(found);
  auto text = json::serialize(object);
  return text.insert(1, member + (object.empty() ? "" : ","));
}

}  // namespace rw
