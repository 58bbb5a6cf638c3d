#include "speech/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace rw::speech {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Every sentence for itself.
constexpr SentenceLimits unjoined{.least = 0};

std::string repeated(std::string_view part, std::size_t times) {
  std::string all;
  for (std::size_t at = 0; at < times; ++at) all += part;
  return all;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// The pieces, and that they are parts of the text in their order, with nothing but spaces between them.
std::vector<std::string_view> checked(std::string_view text, const SentenceLimits& limits = {}) {
  auto pieces = sentences_of(text, limits);
  std::size_t at = 0;
  for (const auto piece : pieces) {
    EXPECT_FALSE(piece.empty());
    const auto begin = static_cast<std::size_t>(piece.data() - text.data());
    EXPECT_LE(at, begin);
    EXPECT_LE(begin + piece.size(), text.size());
    EXPECT_EQ(text.substr(at, begin - at).find_first_not_of(" \t\r\n"), std::string_view::npos);
    at = begin + piece.size();
  }
  EXPECT_EQ(text.substr(at).find_first_not_of(" \t\r\n"), std::string_view::npos);
  return pieces;
}

void expect_bounded(std::string_view text) {
  for (const auto piece : checked(text)) EXPECT_LE(characters(piece), 300U) << piece;
}

TEST(Sentences, EndAtTheirMarks) {
  EXPECT_THAT(checked("It is late. Really! Why? Well… Yes.", unjoined),
              ElementsAre("It is late.", "Really!", "Why?", "Well…", "Yes."));
}

TEST(Sentences, KeepTheMarksThatCloseThem) {
  EXPECT_THAT(checked("He said \"Go!\" Then he left (at last). Good.", unjoined),
              ElementsAre("He said \"Go!\"", "Then he left (at last).", "Good."));
  EXPECT_THAT(checked("What?! No...  Oh.", unjoined), ElementsAre("What?!", "No...", "Oh."));
}

TEST(Sentences, EndAtABlankLineButNotAtEveryLine) {
  EXPECT_THAT(checked("One line\nand another\n\nThe next\r\n \r\nThe last", unjoined),
              ElementsAre("One line\nand another", "The next", "The last"));
}

TEST(Sentences, DoNotEndAtAbbreviations) {
  for (const auto* text :
       {"Ask Dr. Smith and Mrs. Jones.", "See e.g. Figure 3 or i.e. Table 4.", "Das ist z.B. Berlin.",
        "The U.S. Army is here.", "Call ext. Nine.", "MR. BROWN IS HERE.", "Vi ses kl. Tio."})
    EXPECT_THAT(checked(text, unjoined), ElementsAre(text));
}

TEST(Sentences, DoNotEndInNumbers) {
  for (const auto* text : {"It costs 3.50 or 1.234.567 kronor.", "Version 2.0.1 is out.", "Am 3. Oktober ist frei.",
                           "See www.example.com/a.html now."})
    EXPECT_THAT(checked(text, unjoined), ElementsAre(text));
}

TEST(Sentences, EndAfterALongNumber) {
  EXPECT_THAT(checked("It was in 1999. Then it ended.", unjoined), ElementsAre("It was in 1999.", "Then it ended."));
}

TEST(Sentences, DoNotEndAtInitials) {
  EXPECT_THAT(checked("J. R. R. Tolkien wrote it. Å. Berg read it.", unjoined),
              ElementsAre("J. R. R. Tolkien wrote it.", "Å. Berg read it."));
}

TEST(Sentences, DoNotEndBeforeASmallLetter) {
  EXPECT_THAT(checked("He shouted help! and ran. åter", unjoined), ElementsAre("He shouted help! and ran. åter"));
}

TEST(Sentences, OfChineseAndJapaneseNeedNoSpace) {
  EXPECT_THAT(checked("你好。今天天气很好！真的吗？是。", unjoined),
              ElementsAre("你好。", "今天天气很好！", "真的吗？", "是。"));
  EXPECT_THAT(checked("「はい。」と言った。", unjoined), ElementsAre("「はい。」", "と言った。"));
}

TEST(Sentences, AreJoinedIfTheyAreShort) {
  const std::string longer = "This sentence is long enough to stand alone.";
  EXPECT_THAT(checked("Hi. Yes. No."), ElementsAre("Hi. Yes. No."));
  EXPECT_THAT(checked("Hi. " + longer + " " + longer), ElementsAre("Hi. " + longer, longer));
  EXPECT_THAT(checked(longer + " Bye."), ElementsAre(longer + " Bye."));
}

TEST(Sentences, OfWhichTheFirstIsHeardSoon) {
  EXPECT_THAT(checked("Your call is number seven. Please hold the line, we are with you soon."),
              ElementsAre("Your call is number seven.", "Please hold the line, we are with you soon."));
}

TEST(Sentences, AreNotJoinedBeyondTheLongest) {
  const SentenceLimits limits{.least = 10, .most = 20};
  EXPECT_THAT(checked("Short. Seventeen letters.", limits), ElementsAre("Short.", "Seventeen letters."));
}

TEST(Sentences, ThatAreTooLongArePartedAtACommaOrElseASpace) {
  const SentenceLimits limits{.least = 5, .most = 20};
  EXPECT_THAT(checked("one two three, four five six seven", limits),
              ElementsAre("one two three,", "four five six seven"));
  EXPECT_THAT(checked("one two three four five six", limits), ElementsAre("one two three four", "five six"));
}

TEST(Sentences, AreBounded) {
  expect_bounded(repeated("wörd ", 1000));
  expect_bounded(repeated("some words, ", 200));
  expect_bounded(repeated("他们说今天天气很好", 100));
  expect_bounded(repeated("สวัสดีครับ", 100));
  expect_bounded("a" + std::string(1000, ' ') + "b");
}

TEST(Sentences, AreBoundedWhereALatinWordStandsInTextWithoutSpaces) {
  expect_bounded(repeated("天", 295) + "Ringwright" + repeated("天", 295));
  expect_bounded(repeated("天", 50) + repeated("a", 290) + repeated("天", 50));
}

TEST(Sentences, LeaveASingleLongWordWhole) {
  const auto word = repeated("å", 400);
  EXPECT_THAT(checked(word), ElementsAre(word));
  EXPECT_THAT(checked("a few words " + word + " and more"), ElementsAre("a few words", word, "and more"));
}

TEST(Sentences, OfNothingAreNone) {
  EXPECT_THAT(checked(""), IsEmpty());
  EXPECT_THAT(checked(" \t\r\n\n "), IsEmpty());
}

TEST(Sentences, OfBrokenUtf8LoseNothing) {
  EXPECT_THAT(checked("a\xff\xc3. B\xe2\x82"), SizeIs(1));
  EXPECT_THAT(checked("\xf0\x9f"), ElementsAre("\xf0\x9f"));
  checked(repeated("\xe5", 1000));
}

TEST(CleanText, TurnsControlsIntoSpacesButKeepsLines) {
  EXPECT_EQ(clean_text("a\x01\x1b[1m\tb\x7f\r\nc\xc2\x85 d"), "a  [1m b  \nc  d");
  EXPECT_EQ(clean_text(std::string_view("a\0b", 3)), "a b");
}

TEST(CleanText, TurnsInvalidUtf8IntoQuestionMarks) {
  EXPECT_EQ(clean_text("a\xff\x80z"), "a??z");
  EXPECT_EQ(clean_text("\xc3"), "?");
  EXPECT_EQ(clean_text("\xe2\x82"), "??");
  EXPECT_EQ(clean_text("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(clean_text("\xf4\x90\x80\x80"), "????") << "beyond Unicode";
}

TEST(CleanText, LeavesValidTextAlone) {
  for (const auto* text : {"", "Hej på dig!", "€ 你好 🙂", "\xef\xbf\xbd"}) EXPECT_EQ(clean_text(text), text);
}

TEST(Speakable, IsALetterOrADigitOfAnyScript) {
  for (const auto* text : {"a", "7", "... å", "你", "ก", "ж", "א", "क", "ア", "Ａ"})
    EXPECT_TRUE(is_speakable(text)) << text;
}

TEST(Speakable, AreNoMarksAndSpaces) {
  for (const auto* text :
       {"", " ", "...", "?!", "。", "—", "– • „“", "、", "，", "×", "→", "\xef\xbb\xbf", "«»", "\xff"})
    EXPECT_FALSE(is_speakable(text)) << text;
}

}  // namespace
}  // namespace rw::speech
