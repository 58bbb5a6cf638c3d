#include "speech/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rw::speech {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string_view> single(std::string_view text) {
  return sentences_of(text, {.least = 1, .most = 300});
}

TEST(Sentences, EndAtMarksThatASpaceFollows) {
  EXPECT_THAT(single("One. Two! Three?  Four… Five"), ElementsAre("One.", "Two!", "Three?", "Four…", "Five"));
  EXPECT_THAT(single("Really?! \"Yes.\" (No.) End"), ElementsAre("Really?!", "\"Yes.\"", "(No.)", "End"));
  EXPECT_THAT(single("Title\n\nText of it\nthat goes on."), ElementsAre("Title", "Text of it\nthat goes on."));
}

TEST(Sentences, AreNotPartedWithinWordsAndNumbers) {
  for (const auto* text :
       {"It costs 3.50 at example.com today", "Mr. Smith and Dr. Jones", "J. R. R. Tolkien", "See e.g. Berlin",
        "Am 3. Mai", "z.B. Hamburg", "Nr. 5 lebt", "wait... what", "Yahoo! is old"})
    EXPECT_THAT(single(text), ElementsAre(text));
  EXPECT_THAT(single("It was 1984. Nobody knew."), ElementsAre("It was 1984.", "Nobody knew."));
}

TEST(Sentences, OfScriptsWithoutSpaces) {
  EXPECT_THAT(single("你好。今天天气很好！再见"), ElementsAre("你好。", "今天天气很好！", "再见"));
  EXPECT_THAT(single("「はい。」次"), ElementsAre("「はい。」", "次"));
  EXPECT_THAT(single("नमस्ते। फिर"), ElementsAre("नमस्ते।", "फिर"));
}

TEST(Sentences, ThatAreShortAreJoined) {
  EXPECT_THAT(sentences_of("Hi. Welcome. This is a sentence that is long enough on its own, surely. Bye."),
              ElementsAre("Hi. Welcome. This is a sentence that is long enough on its own, surely. Bye."));
  const std::string text = std::string(50, 'a') + ". " + std::string(290, 'B') + ". C.";
  EXPECT_THAT(sentences_of(text), ElementsAre(text.substr(0, 51), text.substr(52)));
}

TEST(Sentences, ThatAreLongArePartedAtCommasOrSpaces) {
  std::string words;
  while (words.size() < 1000) words += words.size() % 100 < 5 ? "comma, " : "word ";
  std::string together;
  for (const auto piece : sentences_of(words)) {
    EXPECT_LE(piece.size(), 300U);
    EXPECT_GE(piece.size(), 40U);
    together += std::string(piece) + " ";
  }
  EXPECT_EQ(together, words);
  std::string chinese;
  for (int at = 0; at < 700; ++at) chinese += "字";
  EXPECT_THAT(sentences_of(chinese),
              ElementsAre(chinese.substr(0, 900), chinese.substr(900, 900), chinese.substr(1800)));
}

TEST(Sentences, AWordThatIsTooLongStaysWhole) {
  const std::string word(500, 'x');
  EXPECT_THAT(sentences_of(word), ElementsAre(word));
  EXPECT_THAT(sentences_of("short " + word + " after"), ElementsAre("short", word, "after"));
}

TEST(Sentences, OfNothing) {
  EXPECT_THAT(sentences_of(""), IsEmpty());
  EXPECT_THAT(sentences_of(" \n\t "), IsEmpty());
  EXPECT_THAT(single(". . ."), ElementsAre(".", ".", "."));
}

TEST(Sentences, AreCutAnywhereWithoutLosingOrBreakingBytes) {
  // All bytes there are, in a fixed disorder: nothing but spaces may get lost.
  std::string text;
  unsigned state = 7;
  for (int at = 0; at < 20'000; ++at) {
    state = state * 1664525 + 1013904223;
    text += static_cast<char>(state >> 24);
    if (state % 11 == 0) text += ". ";
  }
  const char* at = text.data();
  for (const auto piece : sentences_of(text, {.least = 3, .most = 20})) {
    EXPECT_GE(piece.data(), at);
    EXPECT_FALSE(piece.empty());
    at = piece.data() + piece.size();
  }
  EXPECT_LE(at, text.data() + text.size());
}

TEST(CleanText, HasNoControlsAndIsUtf8) {
  EXPECT_EQ(clean_text("a\x01 5I\tb\x7f\nc"), "a  5I b \nc");
  EXPECT_EQ(clean_text("\xc3\xa5\xff\xc3"), "\xc3\xa5??");
  EXPECT_EQ(clean_text("\xed\xa0\x80 \xc0\xaf"), "??? ??");
  EXPECT_FALSE(is_speakable("... — \"!\""));
  EXPECT_FALSE(is_speakable("\xff\xfe"));
  EXPECT_TRUE(is_speakable("- 5 -"));
  EXPECT_TRUE(is_speakable("字"));
}

}  // namespace
}  // namespace rw::speech
