#include "base/utf8.h"

#include <gtest/gtest.h>

namespace rw {
namespace {

TEST(Utf8, TellsWhatIsNone) {
  for (const auto* text :
       {"", "abc", "Jos\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "\xed\x9f\xbf"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const auto* text : {"Jos\xe9", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
                           "\xff", "\xf0\x9f\x98", "\xc3(", "\xf8\x88\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(Utf8, ReadsWhatIsNoneAsLatin1) {
  EXPECT_EQ(to_utf8("Jos\xe9"), "Jos\xc3\xa9");
  EXPECT_EQ(to_utf8("\xff\x80"), "\xc3\xbf\xc2\x80");
  EXPECT_EQ(to_utf8("Jos\xc3\xa9"), "Jos\xc3\xa9");
  EXPECT_EQ(to_utf8(std::string("a\0\xe9", 3)), std::string("a\0\xc3\xa9", 4));
}

TEST(Utf8, EveryOctetBecomesACharacter) {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  EXPECT_TRUE(is_utf8(to_utf8(all)));
  EXPECT_EQ(to_utf8(all).size(), 128u + 2 * 128u);
}

TEST(Utf8, CutsNoCharacter) {
  EXPECT_EQ(utf8_prefix("Jos\xc3\xa9", 4), "Jos");
  EXPECT_EQ(utf8_prefix("Jos\xc3\xa9", 5), "Jos\xc3\xa9");
  EXPECT_EQ(utf8_prefix("\xf0\x9f\x98\x80", 3), "");
  EXPECT_EQ(utf8_prefix("abc", 2), "ab");
  EXPECT_EQ(utf8_prefix("abc", 9), "abc");
}

}  // namespace
}  // namespace rw
