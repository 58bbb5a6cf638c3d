#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rw::speech {

/// Bounds of a piece of text, in characters.
struct SentenceLimits {
  std::size_t least = 40;        ///< shorter sentences are joined with their neighbours, where that stays within `most`
  std::size_t first_least = 20;  ///< the same for the first piece, for which somebody waits
  std::size_t most = 300;        ///< longer ones are parted at a comma or a space; a single longer word stays whole
};

/// The text in pieces that can be spoken one after the other: sentences. Abbreviations, numbers and initials do not end
/// one; where it is not sure, the text stays together. UTF-8; Chinese, Japanese and Thai need no spaces. The pieces are
/// parts of the text in their order, without the spaces around them, and none is empty.
std::vector<std::string_view> sentences_of(std::string_view text, const SentenceLimits& limits = {});

/// The text as engines get it: control characters, which some take for commands, become spaces, and invalid UTF-8
/// becomes '?'.
std::string clean_text(std::string_view text);

/// There is a letter or a digit in it, of any script.
bool is_speakable(std::string_view text);

}  // namespace rw::speech
