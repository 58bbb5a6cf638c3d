#include "auth/signature_v4.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rw::auth {
namespace {

// Credentials, time and expected values of the examples in "Authenticating Requests (AWS Signature Version 4)" of the
// Amazon S3 API Reference and of AWS's Signature Version 4 test suite.
const AwsCredentials s3_credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", {}};
const AwsCredentials suite_credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {}};
constexpr std::int64_t may_24_2013 = 1369353600;
constexpr std::int64_t august_30_2015 = 1440938160;
const SignatureScope s3_scope{"us-east-1", "s3", may_24_2013};
const SignatureScope suite_scope{"us-east-1", "service", august_30_2015};

TEST(SignatureV4, DateIsInTheBasicFormOfIso8601) {
  EXPECT_EQ(amz_date(may_24_2013), "20130524T000000Z");
  EXPECT_EQ(amz_date(august_30_2015), "20150830T123600Z");
}

TEST(SignatureV4, S3GetWithRange) {
  const SignedRequest request{"GET",
                              "/test.txt",
                              {},
                              {{"Host", "examplebucket.s3.amazonaws.com"},
                               {"Range", "bytes=0-9"},
                               {"x-amz-content-sha256", payload_hash("")},
                               {"x-amz-date", "20130524T000000Z"}},
                              payload_hash("")};
  EXPECT_EQ(signature(request, s3_credentials, s3_scope),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SignatureV4, S3PutWithACharacterThatIsEncodedInThePath) {
  const SignedRequest request{"PUT",
                              "/test%24file.text",
                              {},
                              {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                               {"Host", "examplebucket.s3.amazonaws.com"},
                               {"x-amz-content-sha256", payload_hash("Welcome to Amazon S3.")},
                               {"x-amz-date", "20130524T000000Z"},
                               {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                              payload_hash("Welcome to Amazon S3.")};
  EXPECT_EQ(signature(request, s3_credentials, s3_scope),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SignatureV4, S3ListSortsTheQuery) {
  const SignedRequest request{"GET",
                              "/",
                              {{"prefix", "J"}, {"max-keys", "2"}},
                              {{"Host", "examplebucket.s3.amazonaws.com"},
                               {"x-amz-content-sha256", payload_hash("")},
                               {"x-amz-date", "20130524T000000Z"}},
                              payload_hash("")};
  EXPECT_EQ(signature(request, s3_credentials, s3_scope),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SignatureV4, S3UrlThatIsSignedForADay) {
  const SignedRequest request{"GET", "/test.txt", {}, {{"Host", "examplebucket.s3.amazonaws.com"}}, {}};
  EXPECT_EQ(presigned_query(request, s3_credentials, s3_scope, 86400),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SignatureV4, HeadersToBeSentForAPlainGet) {
  const auto added =
      sign({"GET", "/", {}, {{"Host", "example.amazonaws.com"}}, payload_hash("")}, suite_credentials, suite_scope);
  ASSERT_EQ(added.size(), 2U);
  EXPECT_EQ(added[0], NameValue("x-amz-date", "20150830T123600Z"));
  EXPECT_EQ(added[1].first, "Authorization");
  EXPECT_EQ(added[1].second,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SignatureV4, HeaderValuesAreTrimmedAndThoseOfOneNameJoined) {
  const SignedRequest request{
      "GET", "/", {}, {{"X-B", "  a   b  "}, {"x-a", "2"}, {"X-A", "1"}, {"Host", "h"}}, payload_hash("")};
  EXPECT_EQ(canonical_request(request, "service"),
            "GET\n/\n\nhost:h\nx-a:2,1\nx-b:a b\n\nhost;x-a;x-b\n" + payload_hash(""));
}

TEST(SignatureV4, OnlyS3TakesThePathAsItIs) {
  const SignedRequest request{"GET", "/a%20b", {}, {{"Host", "h"}}, "x"};
  EXPECT_NE(canonical_request(request, "service").find("\n/a%2520b\n"), std::string::npos);
  EXPECT_NE(canonical_request(request, "s3").find("\n/a%20b\n"), std::string::npos);
}

TEST(SignatureV4, TemporaryCredentialsBringTheirToken) {
  auto credentials = suite_credentials;
  credentials.session_token = "token";
  const auto added = sign({"GET", "/", {}, {{"Host", "h"}}, payload_hash("")}, credentials, suite_scope);
  EXPECT_NE(std::ranges::find(added, NameValue("x-amz-security-token", "token")), added.end());
  EXPECT_NE(added.back().second.find("host;x-amz-date;x-amz-security-token"), std::string::npos);
}

}  // namespace
}  // namespace rw::auth
