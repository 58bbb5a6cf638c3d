#include "base/reply_token.h"

#include <gtest/gtest.h>

#include "base/base64url.h"

namespace rw {
namespace {

ReplySubject subject() {
  return {"demo.localhost", "node \"1\"", "session", "participant", "", "command"};
}

TEST(ReplyTokens, WhatWasIssuedIsRead) {
  const ReplyTokens tokens("secret");
  const auto read = tokens.verify(tokens.issue(subject()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->domain, "demo.localhost");
  EXPECT_EQ(read->node, "node \"1\"");
  EXPECT_EQ(read->session, "session");
  EXPECT_EQ(read->participant, "participant");
  EXPECT_EQ(read->connection, "");
  EXPECT_EQ(read->command, "command");
}

TEST(ReplyTokens, AreJsonWebTokens) {
  const auto token = ReplyTokens("secret").issue(subject());
  EXPECT_EQ(from_base64url(token.substr(0, token.find('.'))), R"({"alg":"HS256","typ":"JWT"})");
}

TEST(ReplyTokens, AnotherSecretDoesNotReadThem) {
  EXPECT_FALSE(ReplyTokens("other").verify(ReplyTokens("secret").issue(subject())));
}

TEST(ReplyTokens, AChangedCharacterIsNoticed) {
  const ReplyTokens tokens("secret");
  const auto token = tokens.issue(subject());
  for (std::size_t at = 0; at + 1 < token.size(); ++at) {
    auto changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.verify(changed)) << at;
  }
}

TEST(ReplyTokens, GarbageIsRefused) {
  const ReplyTokens tokens("secret");
  for (const auto& text : {std::string(), std::string("."), std::string(".."), std::string("a.b"), std::string("a.b.c"),
                           std::string("eyJhbGciOiJub25lIn0.e30."), std::string(100'000, 'x')})
    EXPECT_FALSE(tokens.verify(text));
}

TEST(Base64Url, RoundTrip) {
  const std::string bytes("\x00\xff\xfe foo bar?~", 13);
  for (std::size_t length = 0; length <= bytes.size(); ++length)
    EXPECT_EQ(from_base64url(base64url(bytes.substr(0, length))), bytes.substr(0, length));
  EXPECT_EQ(base64url("\xfb\xff"), "-_8");
  EXPECT_FALSE(from_base64url("ab+/"));
  EXPECT_FALSE(from_base64url("YQ=="));
}

}  // namespace
}  // namespace rw
