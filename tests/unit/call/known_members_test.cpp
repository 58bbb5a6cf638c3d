#include "call/known_members.h"

#include <gtest/gtest.h>

#include "base/json_text.h"

namespace rw::call {
namespace {

std::vector<std::string> told(std::string_view name, std::string_view body) {
  std::vector<std::string> all;
  for (const auto& one : unknown_members(name, *read_json_object(body)))
    all.push_back(one.path + " " + one.kind + " " + one.nearest);
  return all;
}

using Told = std::vector<std::string>;

TEST(KnownMembers, WhatIsKnownIsNotTold) {
  EXPECT_EQ(told("newCall", R"({"action":"ivr","sessionReferenceId":{"any":1},"xHeaders":{"X-A":"b"}})"), Told());
  EXPECT_EQ(
      told("getIvrCommand", R"({"phrases":[{"awsTTSParameters":{"Text":"x"}}],"dtmf":{"encryption":{"type":"md5"}}})"),
      Told());
  EXPECT_EQ(told("placeremotecalljwt", R"({"destinationUri":"x","crypto":[{"id":1}]})"), Told());
}

TEST(KnownMembers, WhatIsMisspeltIsToldWithTheNearestName) {
  EXPECT_EQ(told("getIvrCommand", R"({"phrase":[1]})"), Told{"phrase phrase phrases"});
  EXPECT_EQ(told("getIvrCommand", R"({"dtmf":{"numDigits":1,"maxLength":2}})"),
            (Told{"dtmf.numDigits dtmf.numDigits maxDigits", "dtmf.maxLength dtmf.maxLength maxDigits"}));
  EXPECT_EQ(told("getIvrCommand", R"({"phrases":[{"text":"a"},{"Text":"b"}]})"),
            Told{"phrases[1].Text phrases.Text text"});
  EXPECT_EQ(told("callEvent", R"({"greeting":{"callee":{"phrases":[{"filename":"x"}]}}})"),
            Told{"greeting.callee.phrases[0].filename greeting.callee.phrases.filename fileName"});
  EXPECT_EQ(told("newCall", R"({"destAddr":[{"uri":"x"},{"url":"y"}]})"), Told{"destAddr[1].url destAddr.url uri"});
  EXPECT_EQ(told("ivrfallback", R"({"command":{"action":{"typ":"call"}}})"),
            Told{"command.action.typ command.action.typ type"});
}

TEST(KnownMembers, NothingThatSaysNothingIsTold) {
  EXPECT_EQ(told("newCall", R"({"x":null,"y":{}})"), Told());
}

TEST(KnownMembers, TheyAreBounded) {
  std::string body = "{\"" + std::string(5000, 'a') + "\":1";
  for (int i = 0; i < 1000; ++i) body += ",\"a" + std::to_string(i) + "\":1";
  const auto unknown = unknown_members("newCall", *read_json_object(body + "}"));
  EXPECT_EQ(unknown.size(), 20u);
  EXPECT_EQ(unknown.front().path.size(), 100u);
}

TEST(KnownMembers, AWarningSaysWhereAndWhat) {
  const auto warnings = warnings_of(unknown_members("newCall", {{"acton", "ivr"}}), "newCall");
  EXPECT_EQ(write_json(warnings), R"([{"member":"acton","nearest":"action","event":"newCall"}])");
}

}  // namespace
}  // namespace rw::call
