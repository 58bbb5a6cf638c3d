#include "sip/digest.h"

#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

// RFC 2617 3.5 and RFC 7616 3.9.1: the examples with their answers.
TEST(Digest, TheExamplesOfTheRfcs) {
  DigestAnswer answer;
  answer.username = "Mufasa";
  answer.realm = "testrealm@host.com";
  answer.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
  answer.uri = "/dir/index.html";
  answer.cnonce = "0a4f113b";
  answer.nonce_count = 1;
  answer.qop_auth = true;
  EXPECT_EQ(answer.expected_response("Circle Of Life", "GET"), "6629fae49393a05397450978507c4ef1");
  answer.realm = "http-auth@example.org";
  answer.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
  answer.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
  EXPECT_EQ(answer.expected_response("Circle of Life", "GET"), "8ca523f5e9506fed4657c9700eebdbec");
  answer.algorithm = DigestAlgorithm::sha256;
  EXPECT_EQ(answer.expected_response("Circle of Life", "GET"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST(Digest, ChallengesAreRead) {
  const auto challenge = DigestChallenge::parse(
      "digest Realm=\"a, b\" , nonce=\"n\\\"1\",qop=\"auth-int, auth\", algorithm=sha-256, stale=TRUE, opaque=\"o\"");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->realm, "a, b");
  EXPECT_EQ(challenge->nonce, "n\\\"1");
  EXPECT_EQ(challenge->algorithm, DigestAlgorithm::sha256);
  EXPECT_TRUE(challenge->qop_auth);
  EXPECT_TRUE(challenge->stale);
  const auto again = DigestChallenge::parse(challenge->to_string());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->to_string(), challenge->to_string());
}

TEST(Digest, WhatCanNotBeAnsweredIsAnError) {
  for (const auto* text :
       {"", "Digest", "Basic realm=\"a\"", "Digest realm=\"a\"", "Digest nonce=\"a\"", "Digest realm=\"a\", nonce=\"b",
        "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"", "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-512-256",
        "Digest realm=\"a\", nonce", "Digest realm=\"a\" nonce=\"b\"", "DigestX realm=\"a\", nonce=\"b\""}) {
    EXPECT_FALSE(DigestChallenge::parse(text)) << text;
  }
}

TEST(Digest, AnswersAreReadAsTheyAreWritten) {
  DigestAnswer answer;
  answer.username = "ann";
  answer.realm = "r";
  answer.nonce = "n";
  answer.uri = "sip:x@y";
  answer.cnonce = "c";
  answer.opaque = "o";
  answer.nonce_count = 0xab;
  answer.qop_auth = true;
  answer.response = answer.expected_response("secret", "INVITE");
  EXPECT_NE(answer.to_string().find("nc=000000ab"), std::string::npos);
  const auto read = DigestAnswer::parse(answer.to_string());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->response, read->expected_response("secret", "INVITE"));
  EXPECT_NE(read->response, read->expected_response("other", "INVITE"));
  EXPECT_NE(read->response, read->expected_response("secret", "BYE"));
  EXPECT_EQ(read->nonce_count, 0xabU);
  EXPECT_FALSE(DigestAnswer::parse("Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\""));
  EXPECT_FALSE(DigestAnswer::parse(
      "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", qop=auth, nc=1, cnonce=\"c\""));
}

/// RFC 3261 section 22, as the one who is asked.
class AuthorisationTest : public ClientTest {
 protected:
  AuthorisationTest() { wanted.credentials = {{"home", "ann", "secret"}, {"trunk", "us", "other"}}; }
  static std::string challenge(const std::string& realm, const std::string& nonce, const std::string& more = {}) {
    return "Digest realm=\"" + realm + "\", nonce=\"" + nonce + "\"" + more;
  }
  static bool is_right(const Message& request, std::string_view header, const std::string& password) {
    const auto* line = request.header(header);
    const auto answer = line == nullptr ? Result<DigestAnswer>(fail("none")) : DigestAnswer::parse(*line);
    return answer && answer->response == answer->expected_response(password, request.method()) &&
           answer->uri == request.request_uri();
  }
  static std::uint32_t nonce_count(const Message& request) {
    return DigestAnswer::parse(*request.header("Authorization"))->nonce_count;
  }
};

TEST_F(AuthorisationTest, A401IsAnsweredWithANewCseqAndBranch) {
  call();
  const auto before = first("INVITE");
  reply(401, "x1", "WWW-Authenticate: " + challenge("home", "n1", ", qop=\"auth\", opaque=\"zz\"") + "\r\n");
  const auto again = last("INVITE");
  EXPECT_TRUE(is_right(again, "Authorization", "secret"));
  EXPECT_NE(branch_of(before), branch_of(again));
  EXPECT_NE(*before.header("CSeq"), *again.header("CSeq"));
  EXPECT_EQ(*before.header("From"), *again.header("From"));
  EXPECT_EQ(*before.header("To"), *again.header("To"));
  EXPECT_NE(again.header("Authorization")->find("opaque=\"zz\""), std::string::npos);
  reply(200, "b1", {}, answer_sdp);
  EXPECT_EQ(*last("ACK").header("Authorization"), *again.header("Authorization"));  // 22.1
  agent->bye(find<Answered>()->leg, "", now);
  drain();
  EXPECT_TRUE(is_right(last("BYE"), "Authorization", "secret"));
  EXPECT_EQ(nonce_count(last("BYE")), 2U);
  receive(response_to(last("BYE"), 200));
}

TEST_F(AuthorisationTest, TheStrongerAlgorithmIsTakenAndWithoutQopTheOldFormIsUsed) {
  call();
  reply(407, "",
        "Proxy-Authenticate: " + challenge("home", "n1", ", algorithm=MD5") +
            "\r\nProxy-Authenticate: " + challenge("home", "n2", ", algorithm=SHA-256") +
            "\r\nProxy-Authenticate: " + challenge("home", "n3", ", algorithm=SHA-512-256") + "\r\n");
  const auto answer = DigestAnswer::parse(*last("INVITE").header("Proxy-Authorization"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->algorithm, DigestAlgorithm::sha256);
  EXPECT_EQ(answer->nonce, "n2");
  EXPECT_FALSE(answer->qop_auth);
  EXPECT_TRUE(is_right(last("INVITE"), "Proxy-Authorization", "secret"));
  reply(486);
}

TEST_F(AuthorisationTest, SeveralAskersAreAllAnswered) {
  call();
  reply(407, "", "Proxy-Authenticate: " + challenge("trunk", "n1") + "\r\n");
  reply(401, "", "WWW-Authenticate: " + challenge("home", "n2") + "\r\n");
  EXPECT_TRUE(is_right(last("INVITE"), "Proxy-Authorization", "other"));
  EXPECT_TRUE(is_right(last("INVITE"), "Authorization", "secret"));
  reply(486);
}

TEST_F(AuthorisationTest, AWrongPasswordIsNotTriedTwiceButAStaleNonceIs) {
  call();
  reply(401, "", "WWW-Authenticate: " + challenge("home", "n1") + "\r\n");
  reply(401, "", "WWW-Authenticate: " + challenge("home", "n2", ", stale=true") + "\r\n");
  EXPECT_EQ(count_sent("INVITE"), 3U);
  reply(401, "", "WWW-Authenticate: " + challenge("home", "n3", ", stale=true") + "\r\n");
  EXPECT_EQ(count_sent("INVITE"), 3U);
  EXPECT_EQ(find<Ended>()->status, 401);
  call();
  reply(401, "", "WWW-Authenticate: " + challenge("home", "n1") + "\r\n");
  reply(401, "", "WWW-Authenticate: " + challenge("home", "n2") + "\r\n");
  EXPECT_EQ(count_sent("INVITE"), 5U);
  EXPECT_EQ(count<Ended>(), 2U);
}

TEST_F(AuthorisationTest, AStrangersRealmGetsNothing) {
  call();
  reply(401, "", "WWW-Authenticate: " + challenge("evil", "n1") + "\r\n");
  EXPECT_EQ(count_sent("INVITE"), 1U);
  EXPECT_EQ(find<Ended>()->status, 401);
  wanted.credentials = {{"", "ann", "secret"}};  // to whoever asks
  call();
  reply(401, "", "WWW-Authenticate: " + challenge("any", "n1") + "\r\n");
  EXPECT_TRUE(is_right(last("INVITE"), "Authorization", "secret"));
  reply(486);
}

TEST_F(AuthorisationTest, AChallengedReinviteAndByeAreSentAgain) {
  const auto leg = establish();
  EXPECT_TRUE(agent->offer(leg, std::string(offer_sdp), now));
  drain();
  reply(407, "", "Proxy-Authenticate: " + challenge("trunk", "n1", ", qop=\"auth\"") + "\r\n");
  EXPECT_TRUE(is_right(last("INVITE"), "Proxy-Authorization", "other"));
  reply(200, "", {}, answer_sdp);
  EXPECT_EQ(find<OfferAnswered>()->status, 200);
  EXPECT_EQ(*last("ACK").header("Proxy-Authorization"), *last("INVITE").header("Proxy-Authorization"));
  agent->bye(leg, "", now);
  drain();
  receive(response_to(last("BYE"), 407, "", "Proxy-Authenticate: " + challenge("trunk", "n2") + "\r\n"));
  EXPECT_EQ(count_sent("BYE"), 2U);
  EXPECT_TRUE(is_right(last("BYE"), "Proxy-Authorization", "other"));
  receive(response_to(last("BYE"), 200));
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(AuthorisationTest, NoEventHasThePassword) {
  call();
  reply(401, "", "WWW-Authenticate: " + challenge("home", "n1") + "\r\n");
  for (const auto& message : sent) EXPECT_EQ(message.serialise().find("secret"), std::string::npos);
  reply(403);
}

}  // namespace
}  // namespace rw::sip
