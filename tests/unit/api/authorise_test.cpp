#include "api/authorise.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>

#include "auth/signature_v4.h"
#include "unit/api/signer.h"

namespace rw::api {
namespace {

using test::hmac_token;
using test::Signer;

constexpr std::string_view hs256 = R"({"alg":"HS256","typ":"JWT"})";

class AuthoriseTest : public testing::Test {
 protected:
  static std::shared_ptr<tenant::Domain> domain(std::string name) {
    auto made = std::make_shared<tenant::Domain>();
    made->name = std::move(name);
    return made;
  }

  AuthoriseTest() {
    first_->jwt_public_keys = {rsa_.public_pem(), ec_.public_pem()};
    second_->jwt_secret = "a shared secret";
    open_->open = true;
  }

  /// 200, or the refusal's status.
  int status(std::string_view name, const std::string& token) {
    const std::string credentials = "Bearer " + token;
    return status_of(name, token.empty() ? std::nullopt : std::optional<std::string_view>(credentials));
  }
  int status_of(std::string_view name, std::optional<std::string_view> credentials) {
    if (!directory_) directory_ = std::make_shared<tenant::Directory>(domains_);
    const auto result = authoriser_.authorise(name, credentials, std::chrono::system_clock::from_time_t(1000));
    return result ? 200 : result.error().status;
  }

  const Signer rsa_ = Signer::rsa(), ec_ = Signer::p256();
  std::shared_ptr<tenant::Domain> first_ = domain("first.example.com"), second_ = domain("second.example.com"),
                                  open_ = domain("open.example.com");
  std::vector<std::shared_ptr<const tenant::Domain>> domains_{first_, second_, open_};
  std::shared_ptr<const tenant::Directory> directory_;
  Authoriser authoriser_{[this] { return directory_; }};
};

TEST_F(AuthoriseTest, AnOpenDomainTakesEverything) {
  EXPECT_EQ(status("open.example.com", ""), 200);
  EXPECT_EQ(status("open.example.com", "rubbish"), 200);
}

TEST_F(AuthoriseTest, TheCustomersKeysAreAccepted) {
  EXPECT_EQ(status("first.example.com", rsa_.token(R"({"exp":2000})")), 200);
  EXPECT_EQ(status("first.example.com", ec_.token(R"({"exp":2000})")), 200);
  EXPECT_EQ(status("FIRST.example.com", rsa_.token(R"({"exp":2000.5,"nbf":1000})")), 200);
  EXPECT_EQ(status("second.example.com", hmac_token(hs256, R"({"exp":2000})", "a shared secret")), 200);
}

TEST_F(AuthoriseTest, TheSchemeIsRead) {
  const auto token = rsa_.token(R"({"exp":2000})");
  EXPECT_EQ(status_of("first.example.com", "bearer  " + token), 200);
  EXPECT_EQ(status_of("first.example.com", "Basic " + token), 401);
  EXPECT_EQ(status_of("first.example.com", token), 401);
  EXPECT_EQ(status_of("first.example.com", "Bearer "), 401);
  EXPECT_EQ(status_of("first.example.com", ""), 401);
}

TEST_F(AuthoriseTest, TimeIsChecked) {
  for (const auto* claims : {R"({})", R"({"exp":1000})", R"({"exp":999})", R"({"exp":"soon"})", R"({"exp":null})",
                             R"({"exp":2000,"nbf":1061})", R"({"exp":-1})"})
    EXPECT_EQ(status("first.example.com", rsa_.token(claims)), 401) << claims;
}

TEST_F(AuthoriseTest, DomainAndAudienceMustMatch) {
  EXPECT_EQ(status("first.example.com", rsa_.token(R"({"exp":2000,"domain":"first.example.com"})")), 200);
  EXPECT_EQ(status("first.example.com", rsa_.token(R"({"exp":2000,"aud":"First.example.com"})")), 200);
  EXPECT_EQ(status("first.example.com", rsa_.token(R"({"exp":2000,"aud":["x","first.example.com"]})")), 200);
  for (const auto* claims :
       {R"({"exp":2000,"domain":"second.example.com"})", R"({"exp":2000,"aud":"x"})", R"({"exp":2000,"aud":[]})",
        R"({"exp":2000,"domain":7})", R"({"exp":2000,"domain":"first.example.com","aud":"x"})"})
    EXPECT_EQ(status("first.example.com", rsa_.token(claims)), 403) << claims;
}

TEST_F(AuthoriseTest, ATokenOfAnotherDomainIs403) {
  EXPECT_EQ(status("second.example.com", rsa_.token(R"({"exp":2000})")), 403);
  EXPECT_EQ(status("unknown.example.com", rsa_.token(R"({"exp":2000})")), 403);
}

TEST_F(AuthoriseTest, AForgedSignatureIs401) {
  auto token = rsa_.token(R"({"exp":2000})");
  token[token.size() - 20] = token[token.size() - 20] == 'A' ? 'B' : 'A';
  EXPECT_EQ(status("first.example.com", token), 401);
  EXPECT_EQ(status("first.example.com", Signer::rsa().token(R"({"exp":2000})")), 401);
  EXPECT_EQ(status("first.example.com", Signer::p256().token(R"({"exp":2000})")), 401);
  EXPECT_EQ(status("second.example.com", hmac_token(hs256, R"({"exp":2000})", "another secret")), 401);
}

TEST_F(AuthoriseTest, AlgorithmsAreNotConfused) {
  EXPECT_EQ(status("first.example.com", hmac_token(hs256, R"({"exp":2000})", rsa_.public_pem())), 401);
  EXPECT_EQ(status("first.example.com", hmac_token(hs256, R"({"exp":2000})", "")), 401);
  for (const auto* header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":""})", R"({})", R"({"alg":"HS512"})",
                             R"({"alg":"HS256","crit":["x"]})"}) {
    EXPECT_EQ(status("second.example.com", hmac_token(header, R"({"exp":2000})", "a shared secret")), 401) << header;
  }
  EXPECT_EQ(status("second.example.com", base64url(R"({"alg":"none"})") + "." + base64url(R"({"exp":2000})") + "."),
            401);
}

TEST_F(AuthoriseTest, GarbageIs401) {
  for (const auto& token : {std::string("a"), std::string("a.b.c"), std::string("..."), std::string("e30.e30.e30"),
                            std::string(9000, 'a'), base64url("[]") + "." + base64url("{}") + ".x"})
    EXPECT_EQ(status("first.example.com", token), 401);
}

TEST_F(AuthoriseTest, UnknownAndClosedDomainsLookTheSame) {
  EXPECT_EQ(status("first.example.com", ""), 401);
  EXPECT_EQ(status("unknown.example.com", ""), 401);
}

TEST_F(AuthoriseTest, WhereAllIsOpenAnUnknownDomainIs404) {
  domains_ = {open_};
  EXPECT_EQ(status("unknown.example.com", ""), 404);
}

TEST_F(AuthoriseTest, AChangedDirectoryIsNoticed) {
  const auto token = rsa_.token(R"({"exp":2000})");
  EXPECT_EQ(status("first.example.com", token), 200);
  auto changed = domain("first.example.com");
  changed->jwt_public_keys = {Signer::rsa().public_pem()};
  directory_ = std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{changed});
  EXPECT_EQ(status("first.example.com", token), 401);
}

TEST_F(AuthoriseTest, WhatChangesForOneDomainCostsNoOtherItsFetchedKeys) {
  boost::asio::io_context loop{1};
  std::atomic<int> fetches{0};
  const auto fetch = [&](const std::string&, const std::atomic<bool>&) -> Result<FetchedJwks> {
    ++fetches;
    std::vector<JwtKey> keys{*JwtKey::from_pem(rsa_.public_pem())};
    return FetchedJwks{std::move(keys), std::chrono::hours(1)};
  };
  const auto cache = std::make_shared<JwksCache>(loop, fetch, ops::Log(ops::Log::Format::text, ops::Level::error));
  Authoriser authoriser([this] { return directory_; }, cache);
  const auto fetching = domain("fetching.example.com");
  fetching->jwks_url = "https://customer.example.com/keys";
  domains_ = {fetching, second_};
  directory_ = std::make_shared<tenant::Directory>(domains_);
  const auto token = "Bearer " + rsa_.token(R"({"exp":2000})");
  const auto now = std::chrono::system_clock::from_time_t(1000);

  bool come = false;
  ASSERT_TRUE(authoriser.wait_for_keys("fetching.example.com", token, now, [&come] { come = true; }));
  const auto work = boost::asio::make_work_guard(loop);
  while (!come) loop.run_one();
  EXPECT_TRUE(authoriser.authorise("fetching.example.com", token, now));

  const auto changed = domain("second.example.com");
  changed->jwt_secret = "another secret";
  directory_ = std::make_shared<tenant::Directory>(
      std::vector<std::shared_ptr<const tenant::Domain>>{fetching, changed, domain("new.example.com")});
  EXPECT_FALSE(authoriser.wait_for_keys("fetching.example.com", token, now, [] {}));
  EXPECT_TRUE(authoriser.authorise("fetching.example.com", token, now));
  EXPECT_EQ(fetches, 1);
}

class SignedRequestTest : public testing::Test {
 protected:
  SignedRequestTest() {
    auto first = std::make_shared<tenant::Domain>();
    first->name = "first.example.com";
    first->access_keys = {{"AKID1", "secret one", "eu-north-1"}, {"SHARED", "of the first", "eu-north-1"}};
    auto second = std::make_shared<tenant::Domain>();
    second->name = "second.example.com";
    second->access_keys = {{"AKID2", "secret two", "eu-west-1"}, {"SHARED", "of the second", "eu-north-1"}};
    directory_ = std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{first, second});
  }

  /// 200, or the refusal's status and sentence.
  std::pair<int, std::string> ask(const std::string& domain, const std::string& id, const std::string& secret,
                                  const std::string& region = "eu-north-1") {
    http::IncomingRequest request;
    request.method = "POST";
    request.path = "/" + domain + "/hangupcall";
    request.body = "{}";
    request.headers = {{"Host", "api.example.com"}};
    if (!id.empty()) {
      const auth::SignedRequest to_sign{
          request.method, request.path, {}, request.headers, auth::payload_hash(request.body)};
      for (auto& header : auth::sign(to_sign, {id, secret, {}}, {region, "execute-api", 1000}))
        request.headers.push_back(std::move(header));
    }
    const auto result = authoriser_.authorise_signed(domain, request, std::chrono::system_clock::from_time_t(1000));
    return result ? std::pair(200, (*result)->name) : std::pair(result.error().status, result.error().reason);
  }

  std::shared_ptr<const tenant::Directory> directory_;
  Authoriser authoriser_{[this] { return directory_; }};
};

TEST_F(SignedRequestTest, AKeyOpensItsOwnDomain) {
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(ask("first.example.com", "AKID1", "secret one"), std::pair(200, std::string("first.example.com")));
    EXPECT_EQ(ask("second.example.com", "AKID2", "secret two", "eu-west-1").first, 200);
  }
  EXPECT_EQ(ask("first.example.com", "SHARED", "of the first").first, 200);
  EXPECT_EQ(ask("second.example.com", "SHARED", "of the second").first, 200);
}

TEST_F(SignedRequestTest, AKeyOfAnotherDomainIs403) {
  const auto refused = ask("first.example.com", "AKID2", "secret two", "eu-west-1");
  EXPECT_EQ(refused.first, 403);
  EXPECT_EQ(ask("unknown.example.com", "AKID2", "secret two", "eu-west-1"), refused);
  EXPECT_EQ(ask("second.example.com", "SHARED", "of the first").first, 403);
}

TEST_F(SignedRequestTest, WhatIsWrongLooksTheSameWhoeverItIsFor) {
  const auto refused = ask("first.example.com", "AKID1", "guess");
  EXPECT_EQ(refused.first, 401);
  EXPECT_EQ(ask("unknown.example.com", "AKID1", "guess"), refused);
  EXPECT_EQ(ask("first.example.com", "NOBODY", "guess"), refused);
  EXPECT_EQ(ask("unknown.example.com", "NOBODY", "guess"), refused);
  EXPECT_EQ(ask("first.example.com", "AKID1", "secret one", "eu-west-1"), refused);
  const auto nothing = ask("first.example.com", "", "");
  EXPECT_EQ(nothing.first, 401);
  EXPECT_EQ(ask("unknown.example.com", "", ""), nothing);
}

TEST_F(SignedRequestTest, AChangedDirectoryIsNoticed) {
  EXPECT_EQ(ask("first.example.com", "AKID1", "secret one").first, 200);
  auto changed = std::make_shared<tenant::Domain>();
  changed->name = "first.example.com";
  changed->access_keys = {{"AKID1", "another", "eu-north-1"}};
  directory_ = std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{changed});
  EXPECT_EQ(ask("first.example.com", "AKID1", "secret one").first, 401);
  EXPECT_EQ(ask("first.example.com", "AKID1", "another").first, 200);
}

}  // namespace
}  // namespace rw::api
