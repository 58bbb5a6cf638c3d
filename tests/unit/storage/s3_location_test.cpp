#include "storage/s3_location.h"

#include <gtest/gtest.h>

#include "storage/s3_move.h"

namespace rw::storage {
namespace {

S3Location at(const std::string& url, const std::string& bucket, bool path_style) {
  return {*S3Endpoint::parse(url), "eu-north-1", bucket, path_style};
}

TEST(S3Location, PutsTheBucketIntoTheHostNameOrThePath) {
  EXPECT_EQ(at("https://s3.example", "b-1", false).url("a/b c.wav"), "https://b-1.s3.example/a/b%20c.wav");
  EXPECT_EQ(at("https://s3.example:9000/", "b-1", true).url("å+"), "https://s3.example:9000/b-1/%C3%A5%2B");
  EXPECT_EQ(at("https://s3.example", "b-1", false).url(""), "https://b-1.s3.example/");
  EXPECT_EQ(at("https://s3.example", "b-1", true).url(""), "https://s3.example/b-1");
  // Where no host name can be made of it.
  EXPECT_EQ(at("http://127.0.0.1:9000", "b-1", false).url("k"), "http://127.0.0.1:9000/b-1/k");
  EXPECT_EQ(at("http://[::1]:9000", "b-1", false).url("k"), "http://[::1]:9000/b-1/k");
  EXPECT_EQ(at("https://s3.example", "with.dots", false).url("k"), "https://s3.example/with.dots/k");
  EXPECT_EQ(at("http://s3.example", "with.dots", false).url("k"), "http://with.dots.s3.example/k");
}

TEST(S3Endpoint, LeavesOutThePortThatTheHostHeaderLeavesOut) {
  EXPECT_EQ(S3Endpoint::parse("https://S3.Example:443")->host, "s3.example");
  EXPECT_EQ(S3Endpoint::parse("http://s3.example:80")->host, "s3.example");
  EXPECT_EQ(S3Endpoint::parse("http://s3.example:443")->host, "s3.example:443");
}

TEST(S3Endpoint, RefusesAnythingElse) {
  for (const auto* url : {"", "s3.example", "ftp://s3.example", "http://", "https:///", "http://user@s3.example",
                          "http://a/b", "http://a?b", "http://a#b", "http://a:", "http://a:x", "http://a:123456",
                          "http://[::1", "http://[x]", "http://a b"})
    EXPECT_FALSE(S3Endpoint::parse(url)) << url;
}

TEST(S3Location, KnowsNamesThatCanBeUsed) {
  for (const auto* name : {"abc", "my-bucket.2", "Old_Style1"}) EXPECT_TRUE(is_bucket_name(name)) << name;
  for (const auto* name : {"", "ab", "a/b", "-ab", "ab-", "a..b", ".ab", "a b", "å-bucket", "a?b", "a:80"})
    EXPECT_FALSE(is_bucket_name(name)) << name;
  EXPECT_FALSE(is_bucket_name(std::string(64, 'a')));
  EXPECT_TRUE(is_region_name("eu-north-1"));
  for (const auto* name : {"", "EU", "eu north", "a/b", "a.b"}) EXPECT_FALSE(is_region_name(name)) << name;
}

TEST(S3Service, AmazonsHostNamesFollowTheRegion) {
  S3Service service;
  service.region = "eu-north-1";
  EXPECT_EQ(service.location("us-west-2", "bucket").host(), "bucket.s3.us-west-2.amazonaws.com");
  service.endpoint = *S3Endpoint::parse("https://s3.eu-north-1.amazonaws.com");
  EXPECT_EQ(service.location("us-west-2", "bucket").host(), "bucket.s3.us-west-2.amazonaws.com");
  service.endpoint = *S3Endpoint::parse("https://s3.eu-north-1.example");
  EXPECT_EQ(service.location("us-west-2", "bucket").host(), "bucket.s3.eu-north-1.example");
  EXPECT_EQ(service.location("us-west-2", "bucket").region, "us-west-2");
}

}  // namespace
}  // namespace rw::storage
