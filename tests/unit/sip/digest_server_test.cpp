#include "sip/digest_server.h"

#include <gtest/gtest.h>

namespace rw::sip {
namespace {

using Verdict = DigestServer::Verdict;
using std::chrono::seconds;

constexpr std::string_view realm = "customer.example.com";

class DigestServerTest : public testing::Test {
 protected:
  static Message invite(const std::string& uri = "sip:100@customer.example.com") {
    return *Message::parse(
        "INVITE " + uri +
        " SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
        "Call-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
  }
  /// As a phone answers a challenge.
  static DigestAnswer answer(std::string_view challenge, std::uint32_t count, std::string_view password = "secret") {
    const auto read = DigestChallenge::parse(challenge).value();
    DigestAnswer made;
    made.username = "carrier";
    made.realm = read.realm;
    made.nonce = read.nonce;
    made.uri = "sip:100@customer.example.com";
    made.algorithm = read.algorithm;
    made.qop_auth = true;
    made.nonce_count = count;
    made.cnonce = "c";
    made.response = made.expected_response(password, "INVITE");
    return made;
  }
  Verdict check(const DigestAnswer& credentials, const std::string& uri = "sip:100@customer.example.com") {
    auto request = invite(uri);
    request.add("Authorization", credentials.to_string());
    return server_.check(request, realm, "carrier", "secret", now_);
  }
  std::vector<std::string> challenges(bool stale = false) {
    return server_.challenges(std::string(realm), stale, now_);
  }

  TimePoint now_{std::chrono::hours(5)};
  DigestServer server_{3};
};

TEST_F(DigestServerTest, BothAlgorithmsAreOfferedTheStrongerFirst) {
  const auto offered = challenges();
  ASSERT_EQ(offered.size(), 2U);
  EXPECT_EQ(DigestChallenge::parse(offered[0])->algorithm, DigestAlgorithm::sha256);
  EXPECT_EQ(DigestChallenge::parse(offered[1])->algorithm, DigestAlgorithm::md5);
  for (const auto& one : offered) {
    EXPECT_TRUE(DigestChallenge::parse(one)->qop_auth);
    EXPECT_FALSE(DigestChallenge::parse(one)->stale);
  }
  EXPECT_TRUE(DigestChallenge::parse(challenges(true)[0])->stale);
}

TEST_F(DigestServerTest, OnlyWhatIsOfferedIsTaken) {
  DigestServer strict(3, {DigestAlgorithm::sha256});
  const auto offered = strict.challenges(std::string(realm), false, now_);
  ASSERT_EQ(offered.size(), 1U);
  auto made = answer(offered[0], 1);
  made.algorithm = DigestAlgorithm::md5;
  made.response = made.expected_response("secret", "INVITE");
  auto request = invite();
  request.add("Authorization", made.to_string());
  EXPECT_EQ(strict.check(request, realm, "carrier", "secret", now_), Verdict::wrong);
}

TEST_F(DigestServerTest, TheRightPasswordIsTaken) {
  EXPECT_EQ(check(answer(challenges()[0], 1)), Verdict::granted);
  EXPECT_EQ(check(answer(challenges()[1], 1)), Verdict::granted);
}

TEST_F(DigestServerTest, WhoProvesNothingIsAskedToAndWhoIsWrongIsNot) {
  EXPECT_EQ(server_.check(invite(), realm, "carrier", "secret", now_), Verdict::absent);
  EXPECT_EQ(check(answer(challenges()[0], 1, "guess")), Verdict::wrong);
  auto other = answer(challenges()[0], 1);
  other.username = "somebody";
  other.response = other.expected_response("secret", "INVITE");
  EXPECT_EQ(check(other), Verdict::wrong);
  other = answer(challenges()[0], 1);
  other.realm = "other.example.com";
  EXPECT_EQ(check(other), Verdict::absent);
}

TEST_F(DigestServerTest, CredentialsWithoutQopCouldBeReplayed) {
  auto plain = answer(challenges()[1], 1);
  plain.qop_auth = false;
  plain.response = plain.expected_response("secret", "INVITE");
  EXPECT_EQ(check(plain), Verdict::wrong);
}

TEST_F(DigestServerTest, CredentialsAreForOneRequest) {
  EXPECT_EQ(check(answer(challenges()[0], 1), "sip:900@customer.example.com"), Verdict::wrong);
  EXPECT_EQ(check(answer(challenges()[0], 1), "sip:100@customer.example.com;user=phone"), Verdict::granted);
}

TEST_F(DigestServerTest, ACountIsTakenOnce) {
  const auto challenge = challenges()[0];
  EXPECT_EQ(check(answer(challenge, 1)), Verdict::granted);
  EXPECT_EQ(check(answer(challenge, 1)), Verdict::stale);
  EXPECT_EQ(check(answer(challenge, 3)), Verdict::granted);
  EXPECT_EQ(check(answer(challenge, 2)), Verdict::stale);
  EXPECT_EQ(check(answer(challenge, 0)), Verdict::stale);
  EXPECT_EQ(check(answer(challenge, 4)), Verdict::granted);
}

TEST_F(DigestServerTest, ANonceGrowsOld) {
  const auto challenge = challenges()[0];
  now_ += seconds(300);
  EXPECT_EQ(check(answer(challenge, 1)), Verdict::granted);
  now_ += seconds(1);
  EXPECT_EQ(check(answer(challenge, 2)), Verdict::stale);
}

TEST_F(DigestServerTest, ANonceOfSomebodyElseIsStale) {
  DigestServer other;
  EXPECT_EQ(check(answer(other.challenges(std::string(realm), false, now_)[0], 1)), Verdict::stale);
  auto forged = answer(challenges()[0], 1);
  forged.nonce[0] = forged.nonce[0] == '0' ? '1' : '0';
  forged.response = forged.expected_response("secret", "INVITE");
  EXPECT_EQ(check(forged), Verdict::stale);
  forged.nonce = "short";
  forged.response = forged.expected_response("secret", "INVITE");
  EXPECT_EQ(check(forged), Verdict::stale);
}

TEST_F(DigestServerTest, ANonceOfAnotherRealmIsStale) {
  auto moved = answer(server_.challenges("other.example.com", false, now_)[0], 1);
  moved.realm = realm;
  moved.response = moved.expected_response("secret", "INVITE");
  EXPECT_EQ(check(moved), Verdict::stale);
}

TEST_F(DigestServerTest, WhatIsForgottenIsNotTakenAgain) {
  std::vector<std::string> all;
  for (int at = 0; at < 5; ++at) {
    all.push_back(challenges()[0]);
    EXPECT_EQ(check(answer(all.back(), 1)), Verdict::granted);
    now_ += seconds(1);
  }
  for (const auto& one : all) EXPECT_EQ(check(answer(one, 1)), Verdict::stale);  // three are known, two are forgotten
  EXPECT_EQ(check(answer(all[0], 2)), Verdict::stale);
  EXPECT_EQ(check(answer(all[4], 2)), Verdict::granted);
}

}  // namespace
}  // namespace rw::sip
