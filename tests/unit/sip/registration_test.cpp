#include "sip/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace rw::sip {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::StartsWith;
using State = Registration::State;

const Headers challenge{
    {"WWW-Authenticate", R"(Digest realm="carrier.example", nonce="n1", algorithm=MD5, qop="auth")"}};
const Headers stale{
    {"WWW-Authenticate", R"(Digest realm="carrier.example", nonce="n2", algorithm=MD5, qop="auth", stale=true)"}};

/// A registration with a clock that moves from timer to timer, and a registrar that says what the test wants.
class RegistrationTest : public testing::Test {
 protected:
  RegistrationTest() { use({}); }

  void use(Credentials credentials, const std::string& registrar = "sip:proxy.carrier.example;lr") {
    RegistrationOptions options;
    options.registrar = registrar;
    options.address_of_record = "sip:4670@carrier.example";
    options.credentials = std::move(credentials);
    options.shard_tag = "s0.";
    registration = std::make_unique<Registration>(std::move(options));
  }

  static Flow hop(const std::string& host, Transport transport = Transport::udp) {
    return {transport, *net::Address::parse("192.0.2.1:5060"), *net::Address::from(host, 5060), 0};
  }

  void drain() {
    std::vector<Transmit> transmits;
    registration->take_transmits(transmits);
    std::move(transmits.begin(), transmits.end(), std::back_inserter(sent));
    registration->take_lookups(lookups);
  }
  /// Moves the clock until `condition`, at most through 300 timers.
  void pass_until(const std::function<bool()>& condition) {
    drain();
    for (int timer = 0; timer < 300 && !condition() && registration->next_timer(); ++timer) {
      now = *registration->next_timer();
      registration->advance(now);
      drain();
    }
    ASSERT_TRUE(condition());
  }
  Message request() {
    pass_until([this] { return !sent.empty(); });
    if (sent.empty()) return Message::request("NONE", "sip:none");
    flow = sent.front().flow;
    auto message = *Message::parse(sent.front().bytes);
    sent.pop_front();
    return message;
  }
  void answer_lookup(std::vector<Flow> hops) {
    pass_until([this] { return !lookups.empty(); });
    const auto id = lookups.front().id;
    lookups.clear();
    registration->resolved(id, std::move(hops), now);
    drain();
  }
  void respond(const Message& to, int status, const Headers& headers = {}) {
    auto response = Message::response(status);
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) response.add(name, *to.header(name));
    for (const auto& [name, value] : headers) response.add(name, value);
    EXPECT_TRUE(registration->receive(response, now));
    drain();
  }
  void register_at(const std::string& host, const std::string& expires = "100") {
    registration->start(now);
    answer_lookup({hop(host)});
    respond(request(), 200, {{"Expires", expires}});
    ASSERT_EQ(registration->state(), State::registered);
  }
  /// How long it takes until it looks for the registrar anew.
  Duration pause() {
    const auto begin = now;
    pass_until([this] { return !lookups.empty(); });
    return now - begin;
  }
  static unsigned long cseq(const Message& message) { return std::stoul(*message.header("CSeq")); }

  TimePoint now{seconds(1000)};
  std::unique_ptr<Registration> registration;
  std::deque<Transmit> sent;
  std::vector<Lookup> lookups;
  Flow flow;
};

TEST_F(RegistrationTest, RegistersTheAddressOfRecord) {
  EXPECT_EQ(registration->state(), State::unregistered);
  registration->start(now);
  drain();
  ASSERT_EQ(lookups.size(), 1U);
  EXPECT_EQ(lookups.front().uri, "sip:proxy.carrier.example;lr");
  answer_lookup({hop("10.0.0.1")});
  EXPECT_EQ(registration->state(), State::registering);
  const auto first = request();
  EXPECT_EQ(flow.remote.to_string(), "10.0.0.1:5060");
  EXPECT_EQ(first.method(), "REGISTER");
  EXPECT_EQ(first.request_uri(), "sip:carrier.example");
  EXPECT_EQ(*first.header("To"), "<sip:4670@carrier.example>");
  EXPECT_THAT(*first.header("From"), StartsWith("<sip:4670@carrier.example>;tag=s0."));
  EXPECT_EQ(*first.header("Contact"), "<sip:4670@192.0.2.1:5060>");
  EXPECT_EQ(*first.header("Expires"), "3600");
  EXPECT_EQ(*first.header("Route"), "<sip:proxy.carrier.example;lr>");
  EXPECT_THAT(*first.header("Via"), StartsWith("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKs0."));
  EXPECT_THAT(*first.header("Call-ID"), StartsWith("s0."));
  respond(first, 100);
  respond(first, 200, {{"Contact", "<sip:other@10.9.9.9>;expires=7, <sip:4670@192.0.2.1:5060>;expires=600"}});
  EXPECT_EQ(registration->state(), State::registered);
  EXPECT_EQ(registration->granted(), seconds(600)) << "of our contact, not of another one";
}

TEST_F(RegistrationTest, ItsLineTellsItFromOthersOfOurs) {
  RegistrationOptions options;
  options.registrar = "sip:carrier.example";
  options.address_of_record = "sip:4670@carrier.example";
  options.line = "abc";
  registration = std::make_unique<Registration>(std::move(options));
  registration->start(now);
  answer_lookup({hop("10.0.0.1", Transport::tcp)});
  const auto first = request();
  EXPECT_EQ(*first.header("Contact"), "<sip:4670@192.0.2.1:5060;line=abc;transport=tcp>");
  EXPECT_EQ(first.header("Via")->find("rport"), std::string::npos) << "of UDP only (RFC 3581)";
  respond(
      first, 200,
      {{"Contact", "<sip:4670@192.0.2.1:5060;line=xyz>;expires=7, <sip:4670@192.0.2.1:5060;line=abc>;expires=600"}});
  EXPECT_EQ(registration->granted(), seconds(600));
}

TEST_F(RegistrationTest, WithoutLrTheRegistrarIsNoRoute) {
  use({}, "sip:carrier.example;transport=tcp");
  registration->start(now);
  answer_lookup({hop("10.0.0.1", Transport::tcp)});
  const auto first = request();
  EXPECT_EQ(first.header("Route"), nullptr);
  EXPECT_EQ(*first.header("Contact"), "<sip:4670@192.0.2.1:5060;transport=tcp>");
  EXPECT_THAT(*first.header("Via"), StartsWith("SIP/2.0/TCP "));
}

TEST_F(RegistrationTest, RefreshesAtFourFifthsInTheSameSeries) {
  registration->start(now);
  answer_lookup({hop("10.0.0.1")});
  const auto first = request();
  respond(first, 200, {{"Expires", "100"}});
  const auto registered_at = now;
  const auto refresh = request();
  EXPECT_EQ(now - registered_at, seconds(80));
  EXPECT_EQ(registration->state(), State::registered);
  EXPECT_EQ(*refresh.header("Call-ID"), *first.header("Call-ID"));
  EXPECT_EQ(*refresh.header("From"), *first.header("From"));
  EXPECT_EQ(cseq(refresh), cseq(first) + 1);
  EXPECT_TRUE(lookups.empty()) << "what worked is used again";
}

TEST_F(RegistrationTest, AnswersAChallengeOnce) {
  use({"carrier.example", "4670", "secret"});
  registration->start(now);
  answer_lookup({hop("10.0.0.1")});
  const auto first = request();
  EXPECT_EQ(first.header("Authorization"), nullptr);
  respond(first, 401, challenge);
  const auto second = request();
  ASSERT_NE(second.header("Authorization"), nullptr);
  EXPECT_THAT(*second.header("Authorization"), AllOf(HasSubstr("username=\"4670\""), HasSubstr("nonce=\"n1\""),
                                                     HasSubstr("uri=\"sip:carrier.example\"")));
  EXPECT_EQ(cseq(second), cseq(first) + 1);
  respond(second, 401, stale);
  const auto third = request();
  EXPECT_THAT(*third.header("Authorization"), HasSubstr("nonce=\"n2\"")) << "only the nonce was too old";
  respond(third, 401, challenge);
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(registration->state(), State::failed);
  EXPECT_EQ(registration->problem(), "401 Unauthorized");
}

TEST_F(RegistrationTest, ThePasswordIsForItsRealmOnly) {
  use({"another.example", "4670", "secret"});
  registration->start(now);
  answer_lookup({hop("10.0.0.1")});
  respond(request(), 401, challenge);
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(registration->state(), State::failed);
}

TEST_F(RegistrationTest, AsksForAsMuchAsTheRegistrarWants) {
  registration->start(now);
  answer_lookup({hop("10.0.0.1")});
  respond(request(), 423, {{"Min-Expires", "7200"}});
  const auto second = request();
  EXPECT_EQ(*second.header("Expires"), "7200");
  respond(second, 423, {{"Min-Expires", "7200"}});
  EXPECT_EQ(registration->state(), State::failed) << "it does not want what it asked for";
}

TEST_F(RegistrationTest, TriesTheNextHop) {
  registration->start(now);
  answer_lookup({hop("10.0.0.1"), hop("10.0.0.2", Transport::tcp), hop("10.0.0.3"), hop("10.0.0.4")});
  request();  // which nobody answers
  pass_until([this] { return !sent.empty() && sent.back().flow.remote.host() == "10.0.0.2"; });
  sent.clear();
  registration->connection_closed(flow = hop("10.0.0.2", Transport::tcp), now);
  const auto third = request();
  EXPECT_EQ(flow.remote.host(), "10.0.0.3");
  respond(third, 503);
  const auto fourth = request();
  EXPECT_EQ(flow.remote.host(), "10.0.0.4");
  respond(fourth, 200);
  EXPECT_EQ(registration->state(), State::registered);
  EXPECT_EQ(registration->granted(), seconds(3600));
  request();
  EXPECT_EQ(flow.remote.host(), "10.0.0.4");
}

TEST_F(RegistrationTest, ARefreshThatFailsAsksDnsAgain) {
  register_at("10.0.0.1");
  respond(request(), 503);
  EXPECT_EQ(registration->state(), State::registered);
  answer_lookup({hop("10.0.0.9")});
  const auto again = request();
  EXPECT_EQ(flow.remote.host(), "10.0.0.9");
  respond(again, 200);
  EXPECT_EQ(registration->state(), State::registered);
}

TEST_F(RegistrationTest, FailuresAreTriedAgainAtEverLongerIntervals) {
  registration->start(now);
  auto longest = seconds(30);
  for (int time = 0; time < 8; ++time) {
    answer_lookup({});
    EXPECT_EQ(registration->state(), State::failed);
    EXPECT_EQ(registration->problem(), "no way to sip:proxy.carrier.example;lr");
    EXPECT_THAT(pause(), AllOf(Ge(Duration(longest) / 2), Le(Duration(longest))));
    EXPECT_EQ(registration->state(), State::registering);
    longest = std::min(2 * longest, seconds(600));
  }
  answer_lookup({hop("10.0.0.1")});
  respond(request(), 200, {{"Expires", "100"}});
  EXPECT_EQ(registration->problem(), "");
  respond(request(), 403);
  EXPECT_EQ(registration->problem(), "403 Forbidden");
  EXPECT_THAT(pause(), Le(seconds(30))) << "a success begins anew";
}

TEST_F(RegistrationTest, WaitsAsLongAsTheRegistrarSays) {
  registration->start(now);
  answer_lookup({hop("10.0.0.1")});
  respond(request(), 503, {{"Retry-After", "120 (maintenance)"}});
  EXPECT_EQ(pause(), seconds(120));
}

TEST_F(RegistrationTest, ABindingThatIsNotKeptIsAFailure) {
  registration->start(now);
  answer_lookup({hop("10.0.0.1")});
  respond(request(), 200, {{"Expires", "0"}});
  EXPECT_EQ(registration->state(), State::failed);
}

TEST_F(RegistrationTest, RemovesTheBindingAtTheEnd) {
  use({"", "4670", "secret"});
  register_at("10.0.0.1");
  registration->stop(now);
  EXPECT_FALSE(registration->over());
  auto removal = request();
  EXPECT_EQ(*removal.header("Expires"), "0");
  EXPECT_EQ(*removal.header("Contact"), "<sip:4670@192.0.2.1:5060>");
  respond(removal, 401, challenge);
  removal = request();
  EXPECT_EQ(*removal.header("Expires"), "0");
  respond(removal, 200);
  EXPECT_TRUE(registration->over());
  EXPECT_EQ(registration->state(), State::unregistered);
  pass_until([this] { return !registration->next_timer(); });
  EXPECT_TRUE(sent.empty());
}

TEST_F(RegistrationTest, ARemovalThatNobodyAnswersEnds) {
  register_at("10.0.0.1");
  registration->stop(now);
  pass_until([this] { return registration->over(); });
  EXPECT_EQ(registration->state(), State::unregistered);
  EXPECT_EQ(registration->problem(), "408 Request Timeout");
  EXPECT_TRUE(lookups.empty());
}

TEST_F(RegistrationTest, StoppedWhileRegisteringItRemovesWhatItGot) {
  registration->start(now);
  answer_lookup({hop("10.0.0.1")});
  const auto first = request();
  registration->stop(now);
  EXPECT_FALSE(registration->over());
  respond(first, 200);
  const auto removal = request();
  EXPECT_EQ(*removal.header("Expires"), "0");
  respond(removal, 200);
  EXPECT_TRUE(registration->over());
}

TEST_F(RegistrationTest, StoppedWithoutABindingItIsOverAtOnce) {
  registration->start(now);
  drain();
  registration->stop(now);
  EXPECT_TRUE(registration->over());
  answer_lookup({hop("10.0.0.1")});
  EXPECT_TRUE(sent.empty()) << "an answer that comes too late";
}

TEST_F(RegistrationTest, OtherPeoplesResponsesAreNotTaken) {
  register_at("10.0.0.1");
  auto response = Message::response(200);
  response.add("Call-ID", "another");
  EXPECT_FALSE(registration->receive(response, now));
  EXPECT_FALSE(registration->receive(Message::request("REGISTER", "sip:x"), now));
}

}  // namespace
}  // namespace rw::sip
