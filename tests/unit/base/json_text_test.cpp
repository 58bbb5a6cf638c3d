#include "base/json_text.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/json_fields.h"

namespace rw {
namespace {

std::string again(std::string_view text, std::string_view verbatim = {}) {
  const auto value = read_json(text, verbatim);
  return value ? write_json(*value) : "error: " + value.error().message;
}

TEST(JsonText, IsReadAsUsual) {
  for (const auto* text : {R"({"a":1,"b":[true,false,null,"x"],"c":{}})", "[]", "17", R"("\u0000")", R"({"a":"\"\\"})"})
    EXPECT_EQ(again(text), text);
  EXPECT_EQ(again(R"({"a":1,"a":2})"), R"({"a":2})");
  EXPECT_EQ(again("  {} \r\n"), "{}");
  EXPECT_EQ(again(R"("\u00e9 \ud83d\ude00")"), "\"\xc3\xa9 \xf0\x9f\x98\x80\"");
}

TEST(JsonText, WhatIsNoneIsRefused) {
  for (const auto* text :
       {"", " ", "{", "{} {}", "{}x", "{'a':1}", "[1,]", "NaN", R"("\ud8zz")", R"("\u12")", "\"\n\"", "01"})
    EXPECT_FALSE(read_json(text)) << text;
  EXPECT_TRUE(read_json(std::string(32, '[') + std::string(32, ']')));
  EXPECT_FALSE(read_json(std::string(33, '[') + std::string(33, ']')));
  EXPECT_FALSE(read_json_object("[]"));
}

TEST(JsonText, AByteOrderMarkIsSkipped) {
  EXPECT_EQ(again("\xef\xbb\xbf{}"), "{}");
  EXPECT_FALSE(read_json("\xef\xbb\xbf"));
  EXPECT_FALSE(read_json("\xef\xbb\xbf\xef\xbb\xbf{}"));
}

TEST(JsonText, Latin1IsRead) {
  EXPECT_EQ(again("\"Jos\xe9\""), "\"Jos\xc3\xa9\"");
}

TEST(JsonText, HalfASurrogatePairIsReplaced) {
  const std::string replacement = "\xef\xbf\xbd";
  EXPECT_EQ(again(R"("\ud83d")"), '"' + replacement + '"');
  EXPECT_EQ(again(R"("\ud83dx\ude00")"), '"' + replacement + "x" + replacement + '"');
  EXPECT_EQ(again(R"("\ud83d\ud83d\ude00")"), '"' + replacement + "\xf0\x9f\x98\x80\"");
  EXPECT_EQ(again(R"("\\ud83d")"), R"("\\ud83d")");
  EXPECT_EQ(again(R"("\\\ud83d")"), R"("\\)" + replacement + '"');
  EXPECT_EQ(again(R"({"\uDC00":1})"), "{\"" + replacement + "\":1}");
  EXPECT_EQ(again(R"("\ud83d\n")"), '"' + replacement + R"(\n")");
}

TEST(JsonText, NumbersOfAVerbatimMemberKeepTheirDigits) {
  for (const auto* text :
       {R"({"r":123456789012345678901234567890})", R"({"r":[1.0,1e2,-0,0.10,1E-7,{"b":1.50}],"x":1})", R"({"r":1e400})",
        R"({"r":18446744073709551615})", R"({"r":-9223372036854775808})", R"({"r":"x"})", R"({"r":{"\u0000":"17"}})",
        R"({"r":{"\u0000a":1.0}})"})
    EXPECT_EQ(again(text, "r"), text);
  EXPECT_EQ(again(R"({"x":1.0,"r":1.0})", "r"), R"({"x":1E0,"r":1.0})");
  EXPECT_EQ(again(R"({"x":{"r":1.0}})", "r"), R"({"x":{"r":1E0}})");
}

TEST(JsonText, WhatIsKeptSurvivesAnotherWriter) {
  const auto value = read_json(R"({"r":[1.0,{"a":123456789012345678901234567890}]})", "r");
  const auto stored = boost::json::serialize(*value);
  EXPECT_EQ(write_json(*read_json(stored)), R"({"r":[1.0,{"a":123456789012345678901234567890}]})");
}

TEST(JsonText, AnObjectIsWrittenWithItsVerbatimMember) {
  const auto written = [](std::string_view text) { return write_json(*read_json_object(text, "r"), "r"); };
  EXPECT_EQ(written(R"({"r":1.0})"), R"({"r":1.0})");
  EXPECT_EQ(written(R"({"a":1,"r":1.0})"), R"({"r":1.0,"a":1})");
  EXPECT_EQ(written(R"({"a":1,"r":"x"})"), R"({"a":1,"r":"x"})");
  EXPECT_EQ(written(R"({"a":1})"), R"({"a":1})");
}

TEST(JsonFields, NullAndEmptyObjectsSayNothing) {
  const auto object = *read_json_object(R"({"a":null,"b":{},"c":{"x":null}})");
  JsonFields fields(object);
  EXPECT_FALSE(fields.has("a"));
  EXPECT_TRUE(fields.has("b"));
  EXPECT_TRUE(fields.has("c"));
  EXPECT_EQ(fields.object("a"), nullptr);
  EXPECT_EQ(fields.object("b"), nullptr);
  EXPECT_NE(fields.object("c"), nullptr);
  EXPECT_EQ(fields.array("a"), nullptr);
  EXPECT_FALSE(fields.error());
  EXPECT_FALSE(fields.text("b"));
  EXPECT_EQ(fields.error()->message, "b: expected a string");
}

TEST(JsonFields, TheFirstErrorSaysWhetherItIsForbidden) {
  const boost::json::object object;
  JsonFields fields(object);
  fields.forbid("a", "an address that is allowed");
  fields.reject("b", "a number");
  EXPECT_TRUE(fields.forbidden());
  JsonFields other(object);
  other.reject("b", "a number");
  other.forbid("a", "an address that is allowed");
  EXPECT_FALSE(other.forbidden());
}

TEST(JsonText, OfAMemberThatStandsTwiceTheLastOneCounts) {
  EXPECT_EQ(read_json_object(R"({"a":1,"a":2})")->at("a"), 2);
}

TEST(JsonText, WhereRightsAreGivenAMemberStandsOnce) {
  EXPECT_TRUE(read_strict_json_object(R"({"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]})"));
  for (const auto* twice : {R"({"a":1,"a":1})", R"({"b":{"a":1,"a":2}})", R"({"b":[[{"a":1,"c":{},"a":2}]]})",
                            R"({"a":{"a":1},"a":2})", R"({"\u0061":1,"a":2})", R"({"":1,"":2})"}) {
    EXPECT_FALSE(read_strict_json_object(twice)) << twice;
  }
  EXPECT_FALSE(read_strict_json_object("{} {}"));
  EXPECT_FALSE(read_strict_json_object("[]"));
  EXPECT_FALSE(read_strict_json_object("{\"a\":\"\xe9\"}"));
  EXPECT_FALSE(read_strict_json_object("\xef\xbb\xbf{}"));
  EXPECT_FALSE(read_strict_json_object(R"({"a":)"));
}

}  // namespace
}  // namespace rw
