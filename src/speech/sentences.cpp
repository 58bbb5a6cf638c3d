#include "speech/sentences.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace rw::speech {
namespace {

constexpr char32_t broken = 0xfffd;

struct Character {
  char32_t code = 0;
  std::size_t at = 0;  ///< its first byte
  std::size_t bytes = 1;
};

/// The character that `text` (not empty) begins with; `broken` and one byte if that is no UTF-8.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 0, 1};
  const std::size_t bytes = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (bytes == 0 || lead >= 0xf5 || text.size() < bytes) return {broken, 0, 1};
  char32_t code = lead & (0x7fU >> bytes);
  for (std::size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return {broken, 0, 1};
    code = code << 6 | (byte(at) & 0x3fU);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {broken, 0, 1};
  return {code, 0, bytes};
}

std::vector<Character> characters_of(std::string_view text) {
  std::vector<Character> all;
  all.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto character = first_character(text.substr(at));
    character.at = at;
    at += character.bytes;
    all.push_back(character);
  }
  return all;
}

template <std::size_t N>
bool one_of(char32_t code, const std::array<char32_t, N>& all) {
  return std::ranges::find(all, code) != all.end();
}

bool is_space(char32_t code) {
  return code <= ' ' || code == 0x7f || code == 0xa0 || (code >= 0x2000 && code <= 0x200b) || code == 0x2028 ||
         code == 0x2029 || code == 0x202f || code == 0x3000;
}

/// Ends a sentence without a space after it.
bool ends_alone(char32_t code) {
  return one_of(code, std::array<char32_t, 5>{U'。', U'！', U'？', U'｡', U'।'});
}

/// Ends a sentence if a space follows.
bool ends_before_space(char32_t code) {
  return one_of(code, std::array<char32_t, 7>{U'.', U'!', U'?', U'…', U'‽', U'؟', U'۔'});
}

bool closes(char32_t code) {
  return one_of(code,
                std::array<char32_t, 12>{U'"', U'\'', U')', U']', U'}', U'»', U'”', U'’', U'」', U'』', U'）', U'›'});
}

bool is_digit(char32_t code) {
  return code >= '0' && code <= '9';
}

/// Small letters of the Latin, Greek and Cyrillic scripts, roughly: the second halves of their blocks, and every other
/// one where capitals and small letters alternate.
bool is_small_letter(char32_t code) {
  if (code >= 'a' && code <= 'z') return true;
  if (code >= 0xdf && code <= 0xff) return code != 0xf7;
  if (code >= 0x100 && code <= 0x137) return code % 2 == 1;
  if (code >= 0x3b1 && code <= 0x3ce) return true;
  return code >= 0x430 && code <= 0x45f;
}

bool is_comma(char32_t code) {
  return one_of(code, std::array<char32_t, 9>{U',', U';', U':', U'，', U'、', U'；', U'：', U'،', U'؛'});
}

/// Punctuation and symbols above ASCII, by their blocks; what is spoken of them (letterlike symbols, number forms)
/// stays out.
bool is_symbol(char32_t code) {
  return code == 0xd7 || code == 0xf7 || (code >= 0x2000 && code <= 0x206f) || (code >= 0x20a0 && code <= 0x20ff) ||
         (code >= 0x2190 && code <= 0x2bff) || (code >= 0x2e00 && code <= 0x2e7f) ||
         (code >= 0x3000 && code <= 0x3004) || (code >= 0x3008 && code <= 0x3020) || code == 0x3030 ||
         (code >= 0xfe00 && code <= 0xfe6f) || code == 0xfeff || (code >= 0xff00 && code <= 0xff0f) ||
         (code >= 0xff1a && code <= 0xff20) || (code >= 0xff3b && code <= 0xff40) ||
         (code >= 0xff5b && code <= 0xff65) || (code >= 0xffe0 && code <= 0xffff);
}

bool is_letter(char32_t code) {
  return (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') ||
         (code >= 0xc0 && !is_space(code) && !is_symbol(code) && !is_comma(code) && !ends_alone(code) &&
          !ends_before_space(code) && !closes(code));
}

/// Scripts without spaces between words: a piece may end after any character.
bool needs_no_spaces(char32_t code) {
  return (code >= 0x0e00 && code <= 0x0eff) || (code >= 0x1000 && code <= 0x109f) ||
         (code >= 0x1780 && code <= 0x17ff) || (code >= 0x2e80 && code <= 0xd7ff) ||
         (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff00 && code <= 0xffef) ||
         (code >= 0x20000 && code <= 0x3ffff);
}

/// Words that have a full stop after them in the middle of a sentence, in small letters and without that stop.
bool is_abbreviation(std::string_view word) {
  static constexpr std::array<std::string_view, 62> all{
      "mr",     "mrs",  "ms",   "dr",  "prof", "st",  "mt",  "jr",   "sr",   "rev", "hon", "gen", "col",
      "sgt",    "capt", "lt",   "gov", "sen",  "rep", "vs",  "etc",  "no",   "nr",  "nos", "vol", "fig",
      "approx", "dept", "est",  "ext", "inc",  "ltd", "co",  "corp", "ca",   "cf",  "bzw", "usw", "ggf",
      "evtl",   "inkl", "exkl", "tel", "str",  "hr",  "fr",  "abs",  "kap",  "mio", "mrd", "kl",  "ex",
      "dvs",    "osv",  "mfl",  "fl",  "bl",   "jfr", "sra", "srta", "avda", "mme"};
  return std::ranges::find(all, word) != all.end();
}

/// A stretch of characters: [begin, end).
struct Stretch {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

class Splitter {
 public:
  Splitter(std::string_view text, const SentenceLimits& limits)
      : text_(text), limits_(limits), characters_(characters_of(text)) {}

  std::vector<std::string_view> split() const {
    std::vector<std::string_view> pieces;
    for (const auto& joined : join(sentences())) {
      for (const auto& part : part_long(joined)) pieces.push_back(bytes(part));
    }
    return pieces;
  }

 private:
  char32_t code(std::size_t at) const { return characters_[at].code; }
  std::string_view bytes(const Stretch& stretch) const {
    const auto& last = characters_[stretch.end - 1];
    const auto first = characters_[stretch.begin].at;
    return text_.substr(first, last.at + last.bytes - first);
  }

  /// Adds the stretch without the spaces around it, if anything is left.
  void add(Stretch stretch, std::vector<Stretch>& to) const {
    while (stretch.size() > 0 && is_space(code(stretch.begin))) ++stretch.begin;
    while (stretch.size() > 0 && is_space(code(stretch.end - 1))) --stretch.end;
    if (stretch.size() > 0) to.push_back(stretch);
  }

  std::vector<Stretch> sentences() const {
    std::vector<Stretch> all;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < characters_.size();) {
      const auto end = end_at(at);
      if (end != 0) {
        add({begin, end}, all);
        begin = end;
      }
      at = std::max(end, at + 1);
    }
    add({begin, characters_.size()}, all);
    return all;
  }

  /// Where the sentence ends whose last mark is at `at`; 0 if there is none.
  std::size_t end_at(std::size_t at) const {
    if (is_blank_line(at)) return at + 1;
    const bool alone = ends_alone(code(at));
    if (!alone && !ends_before_space(code(at))) return 0;
    std::size_t end = at + 1;
    while (end < characters_.size() && (ends_alone(code(end)) || ends_before_space(code(end)) || closes(code(end))))
      ++end;
    if (alone) return end;
    std::size_t next = end;
    while (next < characters_.size() && is_space(code(next))) ++next;
    if (next == characters_.size()) return end;
    if (next == end || is_small_letter(code(next))) return 0;
    return end == at + 1 && code(at) == U'.' && stop_belongs_to_word(at) ? 0 : end;
  }

  bool is_blank_line(std::size_t at) const {
    if (code(at) != U'\n') return false;
    std::size_t next = at + 1;
    while (next < characters_.size() && code(next) != U'\n' && is_space(code(next))) ++next;
    return next < characters_.size() && code(next) == U'\n';
  }

  /// The full stop at `at` is that of an abbreviation, of an initial, or of an ordinal number.
  bool stop_belongs_to_word(std::size_t at) const {
    std::size_t begin = at;
    while (begin > 0 && (is_letter(code(begin - 1)) || is_digit(code(begin - 1)) || code(begin - 1) == U'.')) --begin;
    const Stretch word{begin, at};
    if (word.size() == 0) return false;
    const bool inner_stop = std::any_of(characters_.begin() + static_cast<std::ptrdiff_t>(begin),
                                        characters_.begin() + static_cast<std::ptrdiff_t>(at),
                                        [](const Character& one) { return one.code == U'.'; });
    const bool number = is_digit(code(begin)) && is_digit(code(at - 1));
    if (number) return !inner_stop && word.size() <= 2;
    // An initial; but a script without spaces has whole words of one letter.
    if (word.size() == 1) return !needs_no_spaces(code(begin));
    if (inner_stop) return true;
    std::string small(bytes(word));
    std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return is_abbreviation(small);
  }

  std::vector<Stretch> join(const std::vector<Stretch>& sentences) const {
    std::vector<Stretch> all;
    for (const auto& one : sentences) {
      const std::size_t least = all.size() == 1 ? std::min(limits_.least, limits_.first_least) : limits_.least;
      const bool small = !all.empty() &&
                         (all.back().size() < least || (one.end == sentences.back().end && one.size() < limits_.least));
      if (small && one.end - all.back().begin <= limits_.most) {
        all.back().end = one.end;
      } else {
        all.push_back(one);
      }
    }
    return all;
  }

  std::vector<Stretch> part_long(Stretch rest) const {
    std::vector<Stretch> parts;
    while (rest.size() > limits_.most) {
      const auto end = parting(rest);
      if (end >= rest.end) break;
      add({rest.begin, end}, parts);
      rest.begin = end;
    }
    add(rest, parts);
    return parts;
  }

  /// The best place to part a stretch that is too long.
  std::size_t parting(const Stretch& rest) const {
    const std::size_t limit = rest.begin + limits_.most;
    std::size_t after_space = 0;
    for (std::size_t at = limit; at > rest.begin + limits_.most / 3; --at) {
      const bool loose = needs_no_spaces(code(at - 1));
      const bool before_space = at < rest.end && is_space(code(at));
      if (is_comma(code(at - 1)) && (loose || before_space)) return at;
      if (after_space == 0 && before_space) after_space = at;
    }
    if (after_space != 0) return after_space;
    // Before the word that is too long, or after it.
    const auto between_words = [&](std::size_t at) {
      return is_space(code(at)) || needs_no_spaces(code(at - 1)) || needs_no_spaces(code(at));
    };
    std::size_t at = limit;
    while (at > rest.begin && !between_words(at)) --at;
    if (at > rest.begin) return at;
    at = limit;
    while (at < rest.end && !between_words(at)) ++at;
    return at;
  }

  std::string_view text_;
  SentenceLimits limits_;
  std::vector<Character> characters_;
};

}  // namespace

std::vector<std::string_view> sentences_of(std::string_view text, const SentenceLimits& limits) {
  return Splitter(text, limits).split();
}

std::string clean_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    const bool control = (character.code < ' ' && character.code != '\n') || character.code == 0x7f ||
                         (character.code >= 0x80 && character.code < 0xa0);
    if (control) {
      clean += ' ';
    } else if (character.code == broken && character.bytes == 1) {
      clean += '?';
    } else {
      clean += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return clean;
}

bool is_speakable(std::string_view text) {
  return std::ranges::any_of(characters_of(text), [](const Character& one) {
    return is_digit(one.code) || (is_letter(one.code) && one.code != broken);
  });
}

}  // namespace rw::speech
