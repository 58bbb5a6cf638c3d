#include "auth/signed_message.h"

#include <gtest/gtest.h>

#include <functional>

namespace rw::auth {
namespace {

// Requests and signatures of AWS's Signature Version 4 test suite.
constexpr std::string_view suite_secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::int64_t august_30_2015 = 1440938160;

struct Vector {
  std::string name, method, path;
  std::vector<NameValue> query, headers;  ///< besides Host and X-Amz-Date
  std::string body, signed_headers, signature;
};

const std::vector<Vector>& suite() {
  static const std::string usual = "host;x-amz-date";
  static const std::vector<Vector> vectors{
      {"get-vanilla",
       "GET",
       "/",
       {},
       {},
       "",
       usual,
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-space",
       "GET",
       "/example space/",
       {},
       {},
       "",
       usual,
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-utf8", "GET", "/ሴ", {}, {}, "", usual, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-unreserved",
       "GET",
       "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       {},
       {},
       "",
       usual,
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/",
       {{"Param2", "value2"}, {"Param1", "value1"}},
       {},
       "",
       usual,
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-utf8-query",
       "GET",
       "/",
       {{"ሴ", "bar"}},
       {},
       "",
       usual,
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-header-value-trim",
       "GET",
       "/",
       {},
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "host;my-header1;my-header2;x-amz-date",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-vanilla",
       "POST",
       "/",
       {},
       {},
       "",
       usual,
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-header-key-sort",
       "POST",
       "/",
       {},
       {{"My-Header1", "value1"}},
       "",
       "host;my-header1;x-amz-date",
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {},
       {{"Content-Type", "application/x-www-form-urlencoded"}},
       "Param1=value1",
       "content-type;host;x-amz-date",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  return vectors;
}

class SignedMessageTest : public testing::Test {
 protected:
  static std::vector<NameValue> headers_of(const Vector& vector) {
    auto headers = vector.headers;
    headers.emplace_back("Host", "example.amazonaws.com");
    headers.emplace_back("X-Amz-Date", "20150830T123600Z");
    headers.emplace_back(
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
            vector.signed_headers + ", Signature=" + vector.signature);
    return headers;
  }
  static Result<SignedMessage> read(const Vector& vector, const std::vector<NameValue>& headers,
                                    std::int64_t now = august_30_2015, std::string_view service = "service") {
    return SignedMessage::read({vector.method, vector.path, vector.query, headers, vector.body}, service, now);
  }
  static bool holds(const Result<SignedMessage>& message, std::string_view secret = suite_secret) {
    return message && message->is_signed_with(signing_key(secret, message->scope()));
  }
  /// A request of ours with one more header, signed or not.
  static Result<SignedMessage> with(const NameValue& more, bool is_signed, std::string_view body = "") {
    SignedRequest request{"POST", "/", {}, {{"Host", "h"}}, payload_hash(body)};
    if (is_signed) request.headers.push_back(more);
    const auto added = sign(request, {"AKID", std::string(suite_secret), {}}, {"r", "execute-api", august_30_2015});
    if (!is_signed) request.headers.push_back(more);
    request.headers.insert(request.headers.end(), added.begin(), added.end());
    return SignedMessage::read({"POST", "/", {}, request.headers, body}, "execute-api", august_30_2015);
  }
};

TEST_F(SignedMessageTest, ThePublishedVectorsHold) {
  for (const auto& vector : suite()) {
    const auto headers = headers_of(vector);
    const auto message = read(vector, headers);
    ASSERT_TRUE(message) << vector.name << ": " << message.error().message;
    EXPECT_EQ(message->access_key_id(), "AKIDEXAMPLE");
    EXPECT_EQ(message->scope().region, "us-east-1");
    EXPECT_TRUE(holds(message)) << vector.name;
    EXPECT_FALSE(holds(message, "another secret")) << vector.name;
  }
}

TEST_F(SignedMessageTest, NothingOfTheRequestMayChange) {
  const auto& original = suite().back();
  for (const auto& change :
       std::vector<std::function<void(Vector&)>>{[](Vector& v) { v.method = "PUT"; }, [](Vector& v) { v.path = "/x"; },
                                                 [](Vector& v) { v.body = "Param1=value2"; },
                                                 [](Vector& v) {
                                                   v.query = {{"a", ""}};
                                                 },
                                                 [](Vector& v) { v.headers[0].second = "text/plain"; }}) {
    auto changed = original;
    change(changed);
    const auto headers = headers_of(changed);
    EXPECT_FALSE(holds(read(changed, headers)));
  }
}

TEST_F(SignedMessageTest, FiveMinutesOfClockDifference) {
  const auto& vector = suite().front();
  const auto headers = headers_of(vector);
  EXPECT_TRUE(holds(read(vector, headers, august_30_2015 + 300)));
  EXPECT_TRUE(holds(read(vector, headers, august_30_2015 - 300)));
  EXPECT_FALSE(read(vector, headers, august_30_2015 + 301));
  EXPECT_FALSE(read(vector, headers, august_30_2015 - 301));
}

TEST_F(SignedMessageTest, TheScopeHasToFit) {
  const auto& vector = suite().front();
  EXPECT_FALSE(read(vector, headers_of(vector), august_30_2015, "execute-api"));
  for (const auto* scope :
       {"AKID/20150829/us-east-1/service/aws4_request", "AKID/20150830/us-east-1/service/aws5_request",
        "AKID/20150830/us-east-1/service", "/20150830/us-east-1/service/aws4_request",
        "A/B/20150830/us-east-1/service/aws4_request", ""}) {
    auto headers = headers_of(vector);
    headers.back().second =
        "AWS4-HMAC-SHA256 Credential=" + std::string(scope) + ", SignedHeaders=host;x-amz-date, Signature=00";
    EXPECT_FALSE(read(vector, headers)) << scope;
  }
}

TEST_F(SignedMessageTest, WhatMattersHasToBeSigned) {
  for (const auto* name : {"Idempotency-Key", "x-amz-target", "X-AMZ-Date"}) {
    EXPECT_FALSE(with({name, "1"}, false)) << name;
  }
  EXPECT_TRUE(holds(with({"Idempotency-Key", "1"}, true)));
  EXPECT_TRUE(holds(with({"User-Agent", "1"}, false)));
  const auto& vector = suite().front();
  for (const auto* names : {"x-amz-date", "host", "x-amz-date;host", "host;host;x-amz-date", "Host;x-amz-date",
                            "host;x-amz-date;x-missing", ";"}) {
    auto headers = headers_of(vector);
    headers.back().second =
        "AWS4-HMAC-SHA256 Credential=A/20150830/r/service/aws4_request, SignedHeaders=" + std::string(names) +
        ", Signature=00";
    EXPECT_FALSE(read(vector, headers)) << names;
  }
}

TEST_F(SignedMessageTest, TheBodyIsWhatWasSigned) {
  EXPECT_TRUE(holds(with({"X-Amz-Content-Sha256", payload_hash("{}")}, true, "{}")));
  EXPECT_FALSE(with({"X-Amz-Content-Sha256", payload_hash("{ }")}, true, "{}"));
  EXPECT_FALSE(with({"X-Amz-Content-Sha256", std::string(unsigned_payload)}, true, "{}"));
  EXPECT_FALSE(with({"X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, true, "{}"));
}

TEST_F(SignedMessageTest, TemporaryCredentialsAreNotKnown) {
  EXPECT_FALSE(with({"X-Amz-Security-Token", "token"}, true));
}

TEST_F(SignedMessageTest, MalformedHeadersAreRefused) {
  const auto& vector = suite().front();
  const auto good = headers_of(vector).back().second;
  for (const auto& value :
       {std::string(), std::string("Bearer x"), std::string("AWS4-HMAC-SHA256"), std::string("AWS4-HMAC-SHA256 "),
        "AWS4-HMAC-SHA512" + good.substr(16), good + ", Signature=00", good + ",",
        good.substr(0, good.find(", Signature")), good + std::string(9000, ' '), good + ", X=1"}) {
    auto headers = headers_of(vector);
    headers.back().second = value;
    EXPECT_FALSE(holds(read(vector, headers))) << value.substr(0, 300);
  }
  auto twice = headers_of(vector);
  twice.push_back(twice.back());
  EXPECT_FALSE(read(vector, twice));
  auto without = headers_of(vector);
  without.pop_back();
  EXPECT_FALSE(read(vector, without));
}

TEST(AmzDate, IsReadAsItIsWritten) {
  EXPECT_EQ(read_amz_date("20150830T123600Z").value(), august_30_2015);
  EXPECT_EQ(read_amz_date("20160229T000000Z").value(), 1456704000);
  for (const auto* wrong : {"", "20150830T123600", "20150830 123600Z", "20150230T123600Z", "20151330T123600Z",
                            "20150830T243600Z", "2015083aT123600Z", "20150830T123600Z0"})
    EXPECT_FALSE(read_amz_date(wrong)) << wrong;
}

}  // namespace
}  // namespace rw::auth
