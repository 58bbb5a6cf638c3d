#include <array>
#include <utility>

#include "speech/speech_engine.h"

namespace rw::speech {

std::string text_of_ssml(std::string_view ssml) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> entities{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string text;
  while (!ssml.empty()) {
    if (ssml.front() == '<') {
      const auto end = ssml.find('>');
      const auto tag = ssml.substr(1, end == std::string_view::npos ? end : end - 1);
      ssml.remove_prefix(end == std::string_view::npos ? ssml.size() : end + 1);
      const bool pauses = tag.starts_with("break") || tag.starts_with("/p") || tag.starts_with("/s");
      text += pauses && !tag.starts_with("/sp") ? ". " : " ";
      continue;
    }
    bool decoded = false;
    for (const auto& [entity, character] : entities) {
      if (!ssml.starts_with(entity)) continue;
      text += character;
      ssml.remove_prefix(entity.size());
      decoded = true;
      break;
    }
    if (decoded) continue;
    text += ssml.front();
    ssml.remove_prefix(1);
  }
  return text;
}

}  // namespace rw::speech
