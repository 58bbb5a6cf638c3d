#include "sip/header_values.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/trim.h"
#include "base/utf8.h"
#include "sip/body.h"
#include "sip/uri.h"

namespace rw::sip {

std::string value_of(const Message& message, std::string_view name) {
  const auto* value = message.header(name);
  return value == nullptr ? "" : *value;
}

std::string text_of(const Message& message, std::string_view name) {
  return to_utf8(value_of(message, name));
}

std::uint32_t number_of(const Message& message, std::string_view name) {
  std::uint32_t number = 0;
  if (const auto* value = message.header(name)) std::from_chars(value->data(), value->data() + value->size(), number);
  return number;
}

std::uint32_t cseq_of(const Message& message) {
  return number_of(message, "CSeq");
}

std::string_view parameter_of(std::string_view value, std::string_view name) {
  for (auto end = value.find(';'); end != std::string_view::npos; end = value.find(';')) {
    value.remove_prefix(end + 1);
    const auto item = value.substr(0, value.find(';'));
    const auto equals = item.find('=');
    if (equals != std::string_view::npos && same_letters(trimmed(item.substr(0, equals)), name))
      return trimmed(item.substr(equals + 1));
  }
  return {};
}

std::string to_tag(const Message& message) {
  const auto* line = message.header("To");
  const auto to = line == nullptr ? Result<NameAddress>(fail("no To")) : NameAddress::parse_any(*line);
  const auto* tag = to ? to->parameter("tag") : nullptr;
  return tag == nullptr ? "" : *tag;
}

std::string sdp_of(const Message& message) {
  return SessionBody::read(message).sdp;
}

bool lists(const Message& message, std::string_view name, std::string_view token) {
  for (const auto line : message.headers(name)) {
    for (const auto item : split_list(line)) {
      if (same_letters(item, token)) return true;
    }
  }
  return false;
}

}  // namespace rw::sip
