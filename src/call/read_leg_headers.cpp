#include "call/read_leg_headers.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <cctype>

#include "base/ascii.h"
#include "sip/uri.h"

namespace rw::call {
namespace {

constexpr std::size_t longest_value = 4096;
constexpr std::size_t longest_name = 128;
constexpr std::size_t most_header_values = 100;
constexpr std::size_t most_parameters = 32;

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 ||
                        std::string_view("-.!%*_+`'~").find(static_cast<char>(c)) != std::string_view::npos);
  });
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() > prefix.size() && begins_with_letters(text, prefix);
}

/// As the reference writes them: {"x-header1": …} becomes X-Header1.
std::string capitalised(std::string_view name) {
  std::string result(name);
  bool first = true;
  for (char& c : result) {
    if (first) c = to_upper(c);
    first = c == '-';
  }
  return result;
}

/// The error of `name` if `text` can't stand in a header.
bool check_text(JsonFields& fields, std::string_view name, std::string_view text) {
  const bool control = std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (control) fields.reject(name, "text without line breaks and other control characters");
  if (text.size() > longest_value) fields.reject(name, "at most 4096 bytes");
  return !control && text.size() <= longest_value;
}

/// Text, a number, or true and false.
std::optional<std::string> scalar(JsonFields& fields, std::string_view name, const boost::json::value& value) {
  if (const auto* flag = value.if_bool()) return *flag ? "true" : "false";
  if (value.is_object() || value.is_array() || value.is_null()) {
    fields.reject(name, "a string");
    return std::nullopt;
  }
  const boost::json::object one{{"value", value}};
  auto text = JsonFields(one).text("value");
  if (!check_text(fields, name, *text)) return std::nullopt;
  return text;
}

/// Names with text, in which none of `forbidden` stands; null counts as not there.
std::optional<Parameters> parameters(JsonFields& parent, std::string_view name, std::string_view forbidden) {
  const auto* object = parent.object(name);
  if (object == nullptr) return std::nullopt;
  JsonFields fields(*object, parent.path(name));
  Parameters all;
  for (const auto& member : *object) {
    if (member.value().is_null()) continue;
    if (!is_token(member.key())) parent.reject(name, "parameter names without spaces or special characters");
    if (parent.error()) break;  // the path of an error has no odd characters
    auto text = scalar(fields, member.key(), member.value()).value_or("");
    if (text.find_first_of(forbidden) != std::string::npos)
      fields.reject(member.key(), "text without spaces and" + std::string(forbidden));
    all.emplace_back(member.key(), std::move(text));
    if (all.size() > most_parameters) parent.reject(name, "at most 32 parameters");
  }
  if (fields.error()) parent.reject(*fields.error());
  return all;
}

std::vector<std::string> header_names(JsonFields& fields, std::string_view name) {
  std::vector<std::string> names;
  const auto* array = fields.array(name);
  if (array == nullptr) return names;
  if (array->size() > most_header_values) fields.reject(name, "at most 100 names");
  for (const auto& item : *array) {
    if (item.is_null()) continue;
    const auto* text = item.if_string();
    if (text == nullptr || !is_token(*text) || !(begins_with(*text, "X-") || begins_with(*text, "P-"))) {
      fields.reject(name, "names of headers that begin with X- or P-");
      break;
    }
    names.emplace_back(*text);
  }
  return names;
}

}  // namespace

std::optional<std::string> header_text(JsonFields& fields, std::string_view name) {
  auto text = fields.text(name);
  if (text && !check_text(fields, name, *text)) return std::nullopt;
  return text;
}

std::optional<std::string> identity_text(JsonFields& fields, std::string_view name) {
  auto text = header_text(fields, name);
  if (!text) return text;
  const bool whole = std::any_of(text->begin(), text->end(), [](char c) { return c == ':' || c == '@'; });
  const auto uri = begins_with(*text, "sip:") || begins_with(*text, "sips:") || begins_with(*text, "tel:")
                       ? sip::Uri::parse(*text)
                       : sip::Uri::parse("sip:" + *text);
  if (whole && (!uri || uri->user.empty())) fields.reject(name, "a user part or a SIP URI");
  return text;
}

HeaderChanges header_changes(JsonFields& parent, std::string_view name, std::string_view prefix) {
  HeaderChanges changes;
  const auto* object = parent.object(name);
  if (object == nullptr) return changes;
  JsonFields fields(*object, parent.path(name));
  std::size_t values = 0;
  for (const auto& member : *object) {
    if (!is_token(member.key()) || !begins_with(member.key(), prefix)) {
      parent.reject(name, "names of headers that begin with " + std::string(prefix));
      return changes;
    }
    HeaderChange change{capitalised(member.key()), {}};
    const auto* array = member.value().if_array();
    values += array == nullptr ? 1 : array->size() + 1;
    if (values > most_header_values) {
      parent.reject(name, "at most 100 values");
      return changes;
    }
    if (array != nullptr) {
      for (const auto& item : *array)
        if (!item.is_null()) change.values.push_back(scalar(fields, member.key(), item).value_or(""));
    } else if (!member.value().is_null()) {
      change.values.push_back(scalar(fields, member.key(), member.value()).value_or(""));
    }
    changes.push_back(std::move(change));
  }
  if (fields.error()) parent.reject(*fields.error());
  return changes;
}

void read_leg_headers(JsonFields& fields, LegHeaders& headers) {
  using Text = std::optional<std::string> LegHeaders::*;
  static constexpr std::array<std::pair<std::string_view, Text>, 5> identities{{
      {"sipFrom", &LegHeaders::sip_from},
      {"sipTo", &LegHeaders::sip_to},
      {"sipPAI", &LegHeaders::sip_pai},
      {"sipRPID", &LegHeaders::sip_rpid},
      {"sipDiversion", &LegHeaders::sip_diversion},
  }};
  const auto take = [](std::optional<std::string>& into, std::optional<std::string> text) {
    if (!text) return;
    into = std::move(text);
    if (into->empty()) into.reset();
  };
  for (const auto& [name, member] : identities) take(headers.*member, identity_text(fields, name));
  take(headers.display_name, header_text(fields, "displayName"));
  struct Group {
    std::string_view name;
    Parameters LegHeaders::*member;
    std::string_view forbidden;
  };
  static constexpr std::array<Group, 3> groups{{
      {"sipDiversionParameters", &LegHeaders::diversion_parameters, ""},
      {"contactParameters", &LegHeaders::contact_parameters, " <>;?@\""},
      {"contactUserParameters", &LegHeaders::contact_user_parameters, " <>;?@\""},
  }};
  for (const auto& [name, member, forbidden] : groups) {
    if (auto group = parameters(fields, name, forbidden)) headers.*member = std::move(*group);
  }
  headers.caller_privacy = fields.flag("callerPrivacy").value_or(headers.caller_privacy);
  if (fields.object("xHeaders") != nullptr) headers.x_headers = header_changes(fields, "xHeaders", "X-");
  if (fields.object("pHeaders") != nullptr) headers.p_headers = header_changes(fields, "pHeaders", "P-");
  if (fields.has("copyHeaders")) headers.copy_headers = header_names(fields, "copyHeaders");
}

}  // namespace rw::call
