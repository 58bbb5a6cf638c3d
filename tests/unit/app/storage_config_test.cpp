#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config.h"

namespace rw::app {
namespace {

using testing::HasSubstr;

Result<Config> read(const std::string& table) {
  return Config::parse("[storage]\n" + table, "test.toml");
}
std::string problem(const std::string& table) {
  const auto config = read(table);
  return config ? "" : config.error().message;
}

constexpr const char* s3 = R"(kind = "s3"
region = "eu-north-1"
bucket = "prompts"
access_key_id = "id"
secret_access_key = "secret"
)";

TEST(StorageConfig, IsFilesByDefault) {
  const auto config = read("");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->storage.s3);
  EXPECT_EQ(config->storage.cache_mb, 1024U);
  EXPECT_TRUE(config->storage.credentials.access_key_id.empty());
}

TEST(StorageConfig, ReadsABucket) {
  const auto config = read(std::string(s3) + R"(endpoint = "http://127.0.0.1:9000"
prefix = "ringwright/"
session_token = "env:PATH"
path_style = true
cache_mb = 10
)");
  ASSERT_TRUE(config) << config.error().message;
  const auto& storage = config->storage;
  EXPECT_TRUE(storage.s3);
  EXPECT_EQ(storage.endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(storage.bucket, "prompts");
  EXPECT_EQ(storage.prefix, "ringwright/");
  EXPECT_EQ(storage.credentials.secret_access_key, "secret");
  EXPECT_FALSE(storage.credentials.session_token.empty());
  EXPECT_TRUE(storage.path_style);
  EXPECT_EQ(storage.cache_mb, 10U);
}

TEST(StorageConfig, CredentialsAloneAreForMoves) {
  EXPECT_EQ(problem("access_key_id = \"id\"\nsecret_access_key = \"s\"\n"), "");
}

TEST(StorageConfig, SaysWhatIsMissing) {
  const auto all = problem("kind = \"s3\"\n");
  for (const auto* key : {"storage.region", "storage.bucket", "storage.access_key_id"})
    EXPECT_THAT(all, HasSubstr(std::string(key) + ": missing: kind is \"s3\""));
  EXPECT_THAT(problem("access_key_id = \"id\"\n"), HasSubstr("storage.secret_access_key: missing"));
  EXPECT_THAT(problem("secret_access_key = \"s\"\n"), HasSubstr("storage.access_key_id: missing"));
}

TEST(StorageConfig, SaysWhatIsWrong) {
  const auto wrong = [](const std::string& line) { return problem(s3 + line + "\n"); };
  EXPECT_THAT(wrong("endpoint = \"s3.example\""),
              HasSubstr("test.toml:7: storage.endpoint: found \"s3.example\", expected http://"));
  EXPECT_THAT(wrong("endpoint = \"http://user:pw@host\""), HasSubstr("storage.endpoint"));
  EXPECT_THAT(wrong("prefix = \"/x\""), HasSubstr("storage.prefix"));
  EXPECT_THAT(wrong("prefix = \"a b\""), HasSubstr("storage.prefix"));
  EXPECT_THAT(wrong("cache_mb = 0"), HasSubstr("storage.cache_mb"));
  EXPECT_THAT(wrong("session_token = \"a\\r\\nb\""), HasSubstr("storage.session_token"));
  EXPECT_THAT(wrong("unknown = 1"), HasSubstr("storage.unknown"));
  EXPECT_THAT(problem("kind = \"disk\"\n"), HasSubstr("storage.kind"));
  EXPECT_THAT(problem("bucket = \"a/b\"\n"), HasSubstr("storage.bucket"));
  EXPECT_THAT(problem("region = \"EU\"\n"), HasSubstr("storage.region"));
}

TEST(HttpConfig, ThePublicUrlIsOne) {
  EXPECT_THAT(Config::parse("[http]\npublic_url = \"voice.example\"\n", "t").error().message,
              HasSubstr("http.public_url: found \"voice.example\", expected an http:// or https:// URL"));
  EXPECT_EQ(Config::parse("[http]\npublic_url = \"https://voice.example/\"\n", "t")->http.public_url,
            "https://voice.example");
}

}  // namespace
}  // namespace rw::app
