#include "api/jwks.h"

#include <gtest/gtest.h>

#include "api/fetch_jwks.h"
#include "unit/api/signer.h"

namespace rw::api {
namespace {

using test::Signer;

Jwt parsed(const std::string& token) {
  return Jwt::parse(token).value();
}

bool accepts(const std::string& keys, const Jwt& token) {
  auto read = read_jwks(R"({"keys":[)" + keys + "]}");
  int tries = 100;
  return read && JwtKeys(std::move(*read)).has_signed(token, tries);
}

TEST(Jwks, BothKindsOfKeysAreRead) {
  const auto rsa = Signer::rsa(), ec = Signer::p256();
  EXPECT_TRUE(accepts(rsa.jwk(), parsed(rsa.token("{}"))));
  EXPECT_TRUE(accepts(ec.jwk(), parsed(ec.token("{}"))));
  EXPECT_TRUE(accepts(ec.jwk() + "," + rsa.jwk(), parsed(rsa.token("{}"))));
  EXPECT_FALSE(accepts(ec.jwk(), parsed(rsa.token("{}"))));
}

TEST(Jwks, AKeyIsChosenByItsName) {
  const auto first = Signer::rsa(), second = Signer::rsa();
  const auto keys = first.jwk(R"("kid":"1",)") + "," + second.jwk(R"("kid":"2",)");
  EXPECT_TRUE(accepts(keys, parsed(first.token("{}", R"("kid":"1",)"))));
  EXPECT_FALSE(accepts(keys, parsed(first.token("{}", R"("kid":"2",)"))));
  EXPECT_FALSE(accepts(keys, parsed(first.token("{}", R"("kid":"3",)"))));
  EXPECT_TRUE(accepts(keys, parsed(second.token("{}"))));
  EXPECT_TRUE(accepts(first.jwk(), parsed(first.token("{}", R"("kid":"3",)"))));
  EXPECT_FALSE(Jwt::parse(first.token("{}", R"("kid":7,)")));
}

TEST(Jwks, KeysForOtherPurposesAreLeftOut) {
  const auto rsa = Signer::rsa();
  const auto token = parsed(rsa.token("{}"));
  for (const auto* member : {R"("use":"sig",)", R"("alg":"RS256",)", R"("key_ops":["verify"],)"})
    EXPECT_TRUE(accepts(rsa.jwk(member), token)) << member;
  for (const auto* member : {R"("use":"enc",)", R"("use":1,)", R"("alg":"RS512",)", R"("alg":"ES256",)",
                             R"("alg":"HS256",)", R"("key_ops":["encrypt"],)", R"("key_ops":"verify",)"})
    EXPECT_FALSE(accepts(rsa.jwk(member), token)) << member;
}

TEST(Jwks, WeakAndBrokenKeysAreLeftOut) {
  const auto weak = Signer::rsa(1024);
  EXPECT_FALSE(accepts(weak.jwk(), parsed(weak.token("{}"))));
  const auto good = Signer::p256();
  const auto off_the_curve = R"({"kty":"EC","crv":"P-256","x":")" + base64url(std::string(32, 'x')) + R"(","y":")" +
                             base64url(std::string(32, 'y')) + "\"}";
  for (const std::string& broken :
       {off_the_curve, std::string("{}"), std::string("7"), std::string(R"({"kty":"oct","k":"AAAA"})"),
        std::string(R"({"kty":"RSA","n":"AAAA","e":"AQAB"})"), std::string(R"({"kty":"RSA","n":"!","e":"AQAB"})"),
        std::string(R"({"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA"})"), std::string(R"({"kty":"RSA"})")}) {
    EXPECT_EQ(read_jwks(R"({"keys":[)" + broken + "]}")->size(), 0U) << broken;
    EXPECT_TRUE(accepts(broken + "," + good.jwk(), parsed(good.token("{}")))) << broken;
  }
}

TEST(Jwks, TheirNumberIsBounded) {
  const auto one = Signer::p256().jwk();
  std::string many = one;
  for (int at = 0; at < 100; ++at) many += "," + one;
  EXPECT_EQ(read_jwks(R"({"keys":[)" + many + "]}")->size(), most_jwks_keys);
}

TEST(Jwks, OtherTextsAreErrors) {
  for (const auto* text : {"", "[]", "{}", R"({"keys":{}})", "<html>", R"({"keys":[)"})
    EXPECT_FALSE(read_jwks(text)) << text;
}

TEST(JwksLifetime, IsWhatTheServerSaysWithinBounds) {
  EXPECT_EQ(jwks_lifetime("").count(), 3600);
  EXPECT_EQ(jwks_lifetime("public, max-age=600").count(), 600);
  EXPECT_EQ(jwks_lifetime("Max-Age=1").count(), 300);
  EXPECT_EQ(jwks_lifetime("max-age=99999999").count(), 86400);
  EXPECT_EQ(jwks_lifetime("max-age=99999999999999999999").count(), 86400);
  EXPECT_EQ(jwks_lifetime("max-age=-5").count(), 300);
  EXPECT_EQ(jwks_lifetime("max-age=600, no-store").count(), 300);
  EXPECT_EQ(jwks_lifetime("max-age=soon, s-maxage=7").count(), 3600);
}

}  // namespace
}  // namespace rw::api
