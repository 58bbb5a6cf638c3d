#include "ops/mask.h"

#include <algorithm>

#include "base/public_url.h"

namespace rw::ops {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::size_t short_value = 6;  ///< below that, nothing is shown
constexpr std::size_t shown = 2;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// What may stand in the user part of an address (RFC 3261 section 25.1), its password included.
bool is_user_character(char c) {
  return is_alphanumeric(c) || std::string_view("-_.!~*'()%&=+$,;?/:#").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool ends_a_word(char c) {
  return static_cast<unsigned char>(c) <= ' ' || std::string_view("\"'<>\\,;)").find(c) != std::string_view::npos;
}

void append_masked(std::string& into, std::string_view value) {
  into += hidden;
  if (value.size() >= short_value && std::ranges::all_of(value.substr(value.size() - shown), is_alphanumeric))
    into += value.substr(value.size() - shown);
}

std::size_t word_end(std::string_view text, std::size_t from) {
  while (from < text.size() && !ends_a_word(text[from])) ++from;
  return from;
}

/// Length of "sip:", "sips:" or "tel:" at `at`, or 0.
std::size_t number_scheme(std::string_view text, std::size_t at) {
  for (const std::string_view scheme : {"sip:", "sips:", "tel:"}) {
    const auto found = text.substr(at, scheme.size());
    const bool same =
        std::ranges::equal(found, scheme, [](char a, char b) { return (a | 0x20) == (b | 0x20) || a == b; });
    if (same && (at == 0 || !is_alphanumeric(text[at - 1]))) return scheme.size();
  }
  return 0;
}

/// The digits from `at` on, a plus sign before them included; empty if they are no number.
std::string_view number_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at >= short_value ? text.substr(at, end - at) : std::string_view{};
}

/// The end of the user part if what begins at `at` is USER@…, else `at`.
std::size_t user_end(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_user_character(text[end])) ++end;
  return end > at && end < text.size() && text[end] == '@' ? end : at;
}

/// Masks what stands at `at`; returns how much of the text that was, or 0 if there is nothing to hide.
std::size_t mask_at(std::string& into, std::string_view text, std::size_t at) {
  if (const auto scheme = number_scheme(text, at); scheme != 0) {
    const auto user = user_end(text, at + scheme);
    const bool is_tel = (text[at] | 0x20) == 't';
    if (user == at + scheme && !is_tel) return 0;  // a host alone
    const auto end = user != at + scheme ? user : word_end(text, user);
    if (end == at + scheme) return 0;  // the scheme alone, as in a sentence about it
    into += text.substr(at, scheme);
    append_masked(into, text.substr(at + scheme, end - at - scheme));
    return end - at;
  }
  const bool begins_word = at == 0 || !is_user_character(text[at - 1]);
  if (const auto user = begins_word ? user_end(text, at) : at; user != at) {
    append_masked(into, text.substr(at, user - at));
    return user - at;
  }
  if (at > 0 && is_digit(text[at - 1])) return 0;
  const auto number = number_at(text, at);
  if (!number.empty()) append_masked(into, number);
  return number.size();
}

/// The end of a JSON Web Token at `at` ("eyJ" is the beginning of `{"` in base64url), or `at`.
std::size_t token_end(std::string_view text, std::size_t at) {
  if (!text.substr(at).starts_with("eyJ") || (at > 0 && is_alphanumeric(text[at - 1]))) return at;
  auto end = at;
  while (end < text.size() && (is_alphanumeric(text[end]) || text[end] == '-' || text[end] == '_' || text[end] == '.'))
    ++end;
  return end;
}

}  // namespace

std::string mask_personal(std::string_view value) {
  std::string masked;
  const auto at = value.rfind('@');
  auto user = value.substr(0, at);
  if (const auto colon = user.rfind(':'); at != std::string_view::npos && colon != std::string_view::npos)
    user.remove_prefix(colon + 1);  // the scheme, and whatever name stands before it
  if (!user.empty()) append_masked(masked, user);
  if (at == std::string_view::npos) return masked;
  const auto host = value.substr(at);
  return masked + std::string(host.substr(0, host.find_first_of(";?> ")));
}

std::string mask_text(std::string_view text) {
  std::string masked;
  masked.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto taken = mask_at(masked, text, at);
    if (taken == 0) masked += text[at];
    at += std::max<std::size_t>(taken, 1);
  }
  return masked;
}

std::string without_secrets(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("http://") || text.substr(at).starts_with("https://")) {
      auto end = at;
      while (end < text.size() && static_cast<unsigned char>(text[end]) > ' ' &&
             std::string_view("\"'<>\\").find(text[end]) == std::string_view::npos)
        ++end;
      const auto url = text.substr(at, end - at);
      clean += public_url(url);
      // What a sentence goes on with after the URL is no part of the query.
      if (url.find_first_of("?#") != std::string_view::npos && std::string_view(":,;.").find(url.back()) < 4)
        clean += url.back();
      at = end;
    } else if (const auto end = token_end(text, at); end != at) {
      clean += hidden;
      at = end;
    } else {
      clean += text[at++];
    }
  }
  return clean;
}

}  // namespace rw::ops
