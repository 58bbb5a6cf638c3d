#include "call/loop_check.h"

#include <gtest/gtest.h>

namespace rw::call {
namespace {

class LoopCheckTest : public testing::Test {
 protected:
  LoopCheckTest() {
    auto domain = std::make_shared<tenant::Domain>();
    domain->name = "demo.example";
    domain->aliases = {"192.0.2.1"};
    auto other = std::make_shared<tenant::Domain>();
    other->name = "other.example";
    directory.emplace(std::vector<std::shared_ptr<const tenant::Domain>>{domain, other});
  }
  static sip::Message invite(const std::string& target, const std::string& headers = {}) {
    auto message = sip::Message::parse("INVITE " + target + " SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n" +
                                       headers + "\r\n");
    return message.value();
  }
  int status(const std::string& target, const std::string& headers) const {
    return check.decide(*directory, invite(target, headers), source).status;
  }

  ReplyTokens tokens{"secret"};
  LoopCheck check{tokens};
  net::Address source = *net::Address::parse("192.0.2.9:5060");
  std::optional<tenant::Directory> directory;
};

TEST_F(LoopCheckTest, HopsAreCounted) {
  const auto hops = [](const std::string& value) {
    return LoopCheck::hops_left(invite("sip:1@a", "Max-Forwards: " + value + "\r\n"));
  };
  EXPECT_EQ(LoopCheck::hops_left(invite("sip:1@a")), 70);
  EXPECT_EQ(hops("0"), 0);
  EXPECT_EQ(hops("7"), 7);
  EXPECT_EQ(hops("255"), 70);
  EXPECT_EQ(hops("99999999999"), 70);
  EXPECT_EQ(hops("-1"), 70);
  EXPECT_EQ(hops("x"), 70);
  EXPECT_EQ(status("sip:1@demo.example", "Max-Forwards: 0\r\n"), 483);
  EXPECT_EQ(status("sip:1@demo.example", "Max-Forwards: 1\r\n"), 0);
}

TEST_F(LoopCheckTest, ACallThatComesBackGoesRound) {
  const auto first = check.marks(invite("sip:100@demo.example"), "demo.example", "100");
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(status("sip:100@demo.example", "Loop-Mark: " + first + "\r\n"), 482);
  EXPECT_EQ(status("sip:100@192.0.2.1", "Loop-Mark: " + first + "\r\n"), 482) << "by another name of the domain";
  EXPECT_EQ(LoopCheck(ReplyTokens("secret")).marks(invite("sip:100@demo.example"), "demo.example", "100"), first)
      << "another node";
}

TEST_F(LoopCheckTest, ASpiralDoesNot) {
  const auto first = check.marks(invite("sip:100@demo.example"), "demo.example", "100");
  EXPECT_EQ(status("sip:200@demo.example", "Loop-Mark: " + first + "\r\n"), 0);
  EXPECT_EQ(status("sip:100@other.example", "Loop-Mark: " + first + "\r\n"), 0);
  const auto second =
      check.marks(invite("sip:200@demo.example", "Loop-Mark: " + first + "\r\n"), "demo.example", "200");
  EXPECT_TRUE(second.starts_with(first + ", "));
  EXPECT_EQ(status("sip:100@demo.example", "Loop-Mark: " + second + "\r\n"), 482);
  EXPECT_EQ(status("sip:300@demo.example", "Loop-Mark: " + second + "\r\n"), 0);
}

TEST_F(LoopCheckTest, WhatIsNoMarkIsLeftOut) {
  const auto own = check.marks(invite("sip:100@demo.example"), "demo.example", "100");
  EXPECT_EQ(check.marks(invite("sip:100@demo.example", "Loop-Mark: x, " + own.substr(1) + ", \"a\"\r\nLoop-Mark: \r\n"),
                        "demo.example", "100"),
            own);
  std::string many = "Loop-Mark: 0123456789abcdef";
  for (int at = 0; at < 100; ++at) many += ",0123456789abcdef";
  many += "\r\n";
  EXPECT_LT(check.marks(invite("sip:100@demo.example", many), "demo.example", "100").size(), 1300U);
}

TEST_F(LoopCheckTest, AnotherSecretMakesOtherMarks) {
  EXPECT_NE(LoopCheck(ReplyTokens("other")).marks(invite("sip:100@demo.example"), "demo.example", "100"),
            check.marks(invite("sip:100@demo.example"), "demo.example", "100"));
}

}  // namespace
}  // namespace rw::call
