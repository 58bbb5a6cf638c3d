#include "api/prompt_file_url.h"

#include <gtest/gtest.h>

#include "api/prompt_file_move.h"
#include "http/target.h"

namespace rw::api {
namespace {

constexpr std::int64_t now = 1'800'000'000;

class PromptUrlTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto target = http::parse_target(signer.sign("demo.example", "räk a.wav", now));
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/demo.example/promptfile/r%C3%A4k%20a.wav");
    ASSERT_EQ(target->query.size(), 2U);
    expires = target->query[0].second;
    signature = target->query[1].second;
  }
  bool allowed(const std::string& domain, const std::string& name, const std::string& until, const std::string& by,
               std::int64_t at = now) const {
    return !signer.check(domain, name, until, by, at);
  }
  const ReplyTokens tokens{"a secret"};
  const PromptUrlSigner signer{tokens};
  std::string expires, signature;
};

TEST_F(PromptUrlTest, IsValidForFifteenMinutes) {
  EXPECT_EQ(expires, std::to_string(now + 900));
  EXPECT_TRUE(allowed("demo.example", "räk a.wav", expires, signature));
  EXPECT_TRUE(allowed("demo.example", "räk a.wav", expires, signature, now + 899));
  EXPECT_EQ(signer.check("demo.example", "räk a.wav", expires, signature, now + 900), "expires: the URL has expired");
}

TEST_F(PromptUrlTest, StandsForNothingElse) {
  EXPECT_FALSE(allowed("other.example", "räk a.wav", expires, signature));
  EXPECT_FALSE(allowed("demo.example", "räk b.wav", expires, signature));
  EXPECT_FALSE(allowed("demo.example\nräk a.wav", "", expires, signature));
  for (const auto& until : {std::to_string(now + 901), " " + expires, expires + "0", std::string()})
    EXPECT_FALSE(allowed("demo.example", "räk a.wav", until, signature)) << until;
  for (const auto& by : {std::string(), signature + "A", signature.substr(1), std::string(signature.size(), 'A')})
    EXPECT_FALSE(allowed("demo.example", "räk a.wav", expires, by)) << by;
  const PromptUrlSigner other{ReplyTokens("another secret")};
  EXPECT_TRUE(other.check("demo.example", "räk a.wav", expires, signature, now));
}

TEST_F(PromptUrlTest, AReplyIdIsNoSignature) {
  EXPECT_NE(tokens.derive_key("a"), tokens.derive_key("b"));
  EXPECT_EQ(tokens.derive_key("a").size(), 43U);
  EXPECT_FALSE(tokens.verify("key for a." + tokens.derive_key("a")));
}

TEST(PromptMove, TakesWhatIsDocumented) {
  const boost::json::object body{
      {"type", "s3"}, {"bucketRegion", "eu-north-1"}, {"bucketName", "bucket"}, {"kmsKey", nullptr}, {"more", 1}};
  const auto to = read_move(body, "x.wav");
  ASSERT_TRUE(to) << to.error().message;
  EXPECT_EQ(to->region, "eu-north-1");
  EXPECT_EQ(to->bucket, "bucket");
  EXPECT_EQ(to->key, "x.wav");
  EXPECT_EQ(to->kms_key, "");
}

}  // namespace
}  // namespace rw::api
