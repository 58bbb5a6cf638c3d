#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "speech/speech_engine.h"

namespace rw::speech {
namespace {

/// The name of the tag that `inside` stands for, with a '/' before it if it closes.
std::string_view tag_name(std::string_view inside) {
  return inside.substr(0, inside.find_first_of(" \t\r\n/", 1));
}

bool pauses(std::string_view tag) {
  static constexpr std::array<std::string_view, 3> all{"break", "/p", "/s"};
  return std::find(all.begin(), all.end(), tag) != all.end();
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// The character that "&<name>;" stands for; false if there is none.
bool append_entity(std::string& text, std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> named{
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [known, character] : named) {
    if (name != known) continue;
    text += character;
    return true;
  }
  if (!name.starts_with('#')) return false;
  const bool hex = name.starts_with("#x");
  name.remove_prefix(hex ? 2 : 1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (error != std::errc() || end != name.data() + name.size() || code < 0x20 || code > 0x10ffff || surrogate)
    return false;
  append_utf8(text, code);
  return true;
}

/// Takes the tag or comment that `ssml` begins with off it. What it sounds like.
std::string_view take_tag(std::string_view& ssml) {
  const bool comment = ssml.starts_with("<!--");
  const auto end = comment ? ssml.find("-->", 4) : ssml.find('>');
  const auto inside = ssml.substr(1, end == std::string_view::npos ? end : end - 1);
  ssml.remove_prefix(end == std::string_view::npos ? ssml.size() : end + (comment ? 3 : 1));
  return !comment && pauses(tag_name(inside)) ? ". " : " ";
}

}  // namespace

std::string text_of_ssml(std::string_view ssml) {
  constexpr std::size_t longest_entity = 10;
  std::string text;
  while (!ssml.empty()) {
    if (ssml.front() == '<') {
      text += take_tag(ssml);
      continue;
    }
    if (ssml.front() == '&') {
      const auto end = ssml.substr(0, longest_entity + 1).find(';');
      if (end != std::string_view::npos && append_entity(text, ssml.substr(1, end - 1))) {
        ssml.remove_prefix(end + 1);
        continue;
      }
    }
    text += ssml.front();
    ssml.remove_prefix(1);
  }
  return text;
}

}  // namespace rw::speech
