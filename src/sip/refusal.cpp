#include "sip/refusal.h"

#include <array>
#include <utility>

#include "sip/status.h"

namespace rw::sip {
namespace {

/// What a status means when this user agent sends it.
std::string_view meaning_of(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 12> table{{
      {400, "a header that it needs is missing, stands there more than once, or can't be read"},
      {403, "there is no call that it could be about"},
      {416, "the Request-URI has a scheme that is not served"},
      {481, "there is no such call or transaction, or it has ended"},
      {482, "the same request has come by another way"},
      {486, "the call that Replaces names has been answered"},
      {488, "the session description can't be served"},
      {491, "another change of the call is under way"},
      {500, "it is older than what came before, or an earlier one has not been answered"},
      {501, "the method is not known"},
      {503, "the server takes no new calls"},
      {603, "the call that it is about is ending, or does not allow it"},
  }};
  for (const auto& [number, meaning] : table) {
    if (number == status) return meaning;
  }
  return {};
}

}  // namespace

std::string why_refused(const Message& response) {
  static constexpr std::array<std::pair<const char*, std::string_view>, 4> telling{{
      {"Warning", ""},
      {"Unsupported", "Require names what is not supported: "},
      {"Min-SE", "Session-Expires is below the least interval, in seconds: "},
      {"Accept", "the body is not of a type that is accepted: "},
  }};
  for (const auto& [name, sentence] : telling) {
    if (const auto* value = response.header(name)) return std::string(sentence) + *value;
  }
  if (response.status() == 405) return "the method is not allowed";
  const auto meaning = meaning_of(response.status());
  return std::string(meaning.empty() ? reason_phrase(response.status()) : meaning);
}

}  // namespace rw::sip
