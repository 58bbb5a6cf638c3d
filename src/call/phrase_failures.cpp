#include "call/phrase_failures.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <utility>

#include "base/utf8.h"

namespace rw::call {
namespace {

constexpr std::size_t most_further = 5;
constexpr std::size_t longest_further = 300;

/// Formats of phrases, and of what else is played; whatever else somebody writes counts as one more.
constexpr std::array<std::string_view, 11> formats{
    "file", "tts", "awstts", "googletts", "url", "record", "tone", "digits", "silence", "echo", "backgroundPrompt"};

}  // namespace

std::string_view PhraseFailure::error() const {
  return cause == Cause::timed_out ? "phraseRemoteCacheTimeout" : "phraseError";
}

boost::json::object PhraseFailure::details(std::string_view field) const {
  boost::json::object details{{"format", format}, {"description", description}};
  if (!field.empty()) details["field"] = field;
  if (count > 1) {
    details["count"] = count;
    if (!further.empty()) details["further"] = boost::json::array(further.begin(), further.end());
  }
  return details;
}

void PhraseFailures::add(PhraseFailure::Cause cause, std::string_view format, std::string_view description) {
  const auto known = std::ranges::find(formats, format) == formats.end() ? std::string_view() : format;
  auto kind = std::ranges::find_if(
      kinds_, [&](const Kind& one) { return one.pending.cause == cause && one.known_format == known; });
  if (kind == kinds_.end()) {
    kinds_.push_back({std::string(known), {.cause = cause, .format = {}, .description = {}, .count = 0}});
    kind = std::prev(kinds_.end());
  }
  auto& pending = kind->pending;
  if (pending.count++ == 0) {
    pending.format = format;
    pending.description = description;
    return;
  }
  std::string other(utf8_prefix(description, longest_further));
  if (pending.further.size() < most_further && other != pending.description &&
      std::ranges::find(pending.further, other) == pending.further.end())
    pending.further.push_back(std::move(other));
}

void PhraseFailures::tell_new(const Tell& tell) {
  for (auto& kind : kinds_) {
    if (std::exchange(kind.told, true)) continue;
    tell(std::exchange(kind.pending, {.cause = kind.pending.cause, .format = {}, .description = {}, .count = 0}));
  }
}

void PhraseFailures::tell_rest(const Tell& tell) {
  for (const auto& kind : std::exchange(kinds_, {})) {
    if (kind.pending.count > 0) tell(kind.pending);
  }
}

}  // namespace rw::call
