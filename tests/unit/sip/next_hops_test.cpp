#include "sip/next_hops.h"

#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

class NextHopsTest : public ClientTest {};

// RFC 3263 4.1 and 4.2
TEST_F(NextHopsTest, AnAddressNeedsNoLookUp) {
  const auto hop_of = [](std::string_view uri) { return literal_hops(*Uri::parse(uri))->at(0); };
  EXPECT_EQ(hop_of("sip:a@192.0.2.1").remote.to_string(), "192.0.2.1:5060");
  EXPECT_EQ(hop_of("sip:a@192.0.2.1").transport, Transport::udp);
  EXPECT_EQ(hop_of("sip:a@[2001:db8::1]:5070;transport=TCP").remote.to_string(), "[2001:db8::1]:5070");
  EXPECT_EQ(hop_of("sip:a@[2001:db8::1]:5070;transport=TCP").transport, Transport::tcp);
  EXPECT_EQ(hop_of("sip:a@192.0.2.1;transport=tls").remote.port(), 5061);
  EXPECT_EQ(hop_of("sips:a@192.0.2.1;transport=tcp").transport, Transport::tls);
  EXPECT_EQ(hop_of("sip:a@192.0.2.1;maddr=192.0.2.77").remote.to_string(), "192.0.2.1:5060");
  EXPECT_FALSE(literal_hops(*Uri::parse("sip:a@192.0.2.1;transport=sctp")));
  EXPECT_FALSE(literal_hops(*Uri::parse("sips:a@192.0.2.1;transport=udp")));
  EXPECT_TRUE(literal_hops(*Uri::parse("sip:a@example.com"))->empty());
  EXPECT_EQ(lookup_uri(*Uri::parse("sips:a@Example.com:99;user=phone;transport=tcp?x=y")),
            "sips:example.com:99;transport=tcp");
}

TEST_F(NextHopsTest, ANameIsLookedUpAndTheHopsAreTriedInOrder) {
  wanted.target = "sip:bob@example.com";
  call();
  EXPECT_TRUE(sent.empty());
  ASSERT_EQ(lookups.size(), 1U);
  EXPECT_EQ(lookups[0].uri, "sip:example.com");
  agent->resolved(lookups[0].id,
                  {hop(Transport::udp, "192.0.2.21:5060"), hop(Transport::tls, "192.0.2.22:5061"),
                   hop(Transport::tcp, "192.0.2.23:5062"), hop(Transport::udp, "192.0.2.24:5060")},
                  now);
  drain();
  ASSERT_EQ(count_sent("INVITE"), 1U);
  EXPECT_EQ(flow_of("INVITE").remote.to_string(), "192.0.2.21:5060");
  const auto branch = branch_of(last("INVITE"));
  reply(503);  // RFC 3263 4.3; there is no TLS listener
  ASSERT_EQ(count_sent("INVITE"), 2U);
  EXPECT_EQ(flow_of("INVITE").remote.to_string(), "192.0.2.23:5062");
  EXPECT_EQ(flow_of("INVITE").transport, Transport::tcp);
  EXPECT_NE(branch_of(last("INVITE")), branch);
  EXPECT_TRUE(last("INVITE").header("Via")->starts_with("SIP/2.0/TCP "));
  EXPECT_EQ(*last("INVITE").header("Contact"), "<sip:ann@192.0.2.1:5060;transport=tcp>");
  agent->connection_closed(flow_of("INVITE"), now);
  drain();
  EXPECT_EQ(flow_of("INVITE").remote.to_string(), "192.0.2.24:5060");
  pass(seconds(33));
  ASSERT_EQ(count<Ended>(), 1U);
  EXPECT_EQ(find<Ended>()->status, 408);
}

TEST_F(NextHopsTest, NoSuchHostNoListenerNoConnectionAre503) {
  wanted.target = "sip:bob@nowhere.example";
  call();
  agent->resolved(lookups[0].id, {}, now);
  agent->resolved(lookups[0].id, {hop(Transport::udp, "192.0.2.21:5060")}, now);  // too late
  wanted.target = "sip:bob@192.0.2.9;transport=tls";
  call();
  wanted.target = "sip:bob@192.0.2.9;transport=tcp";
  call();
  agent->connection_closed(flow_of("INVITE"), now);
  drain();
  EXPECT_EQ(count<Ended>(), 3U);
  for (const auto& event : events) {
    EXPECT_EQ(std::get<Ended>(event).status, 503);
    EXPECT_EQ(std::get<Ended>(event).cause, EndCause::failed);
    EXPECT_FALSE(std::get<Ended>(event).phrase.empty());
  }
}

TEST_F(NextHopsTest, ALookUpThatIsNeverAnsweredEnds) {
  wanted.target = "sip:bob@example.com";
  call();
  pass(seconds(33));
  EXPECT_EQ(count<Ended>(), 1U);
}

TEST_F(NextHopsTest, CancelDuringTheLookUpEndsAtOnce) {
  wanted.target = "sip:bob@example.com";
  const auto leg = call();
  EXPECT_TRUE(agent->cancel(leg, "", now));
  drain();
  EXPECT_EQ(find<Ended>()->cause, EndCause::cancelled);
  agent->resolved(lookups[0].id, {hop(Transport::udp, "192.0.2.21:5060")}, now);
  drain();
  EXPECT_TRUE(sent.empty());
}

TEST_F(NextHopsTest, ThePresetRouteIsTheNextHop) {
  wanted.target = "tel:+4912345";
  wanted.routes = {"<sip:192.0.2.50:5090;lr>", "<sip:proxy.example;lr>"};
  call();
  EXPECT_EQ(last("INVITE").request_uri(), "tel:+4912345");
  EXPECT_EQ(last("INVITE").headers("Route").size(), 2U);
  EXPECT_EQ(flow_of("INVITE").remote.to_string(), "192.0.2.50:5090");
  reply(200, "b1", "Record-Route: <sip:192.0.2.51;lr>, <sip:192.0.2.52;lr>\r\n", answer_sdp);
  const auto routes = last("ACK").headers("Route");  // RFC 3261 12.1.2: reversed, in place of the preset ones
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0], "<sip:192.0.2.52;lr>");
  EXPECT_EQ(flow_of("ACK").remote.to_string(), "192.0.2.52:5060");
  hang_up();
}

// RFC 3261 18.1.1
TEST_F(NextHopsTest, ALongRequestGoesOverTcpAndFallsBackToUdp) {
  wanted.headers.emplace_back("X-Long", std::string(1300, 'x'));
  call();
  EXPECT_EQ(flow_of("INVITE").transport, Transport::tcp);
  agent->connection_closed(flow_of("INVITE"), now);
  drain();
  EXPECT_EQ(flow_of("INVITE").transport, Transport::udp);
  EXPECT_TRUE(last("INVITE").header("Via")->starts_with("SIP/2.0/UDP "));
  reply(486);
  EXPECT_EQ(find<Ended>()->status, 486);
}

TEST_F(NextHopsTest, A503OverTcpIsNotTriedAgainOverUdp) {
  wanted.headers.emplace_back("X-Long", std::string(1300, 'x'));
  call();
  reply(503);
  EXPECT_EQ(count_sent("INVITE"), 1U);
  EXPECT_EQ(find<Ended>()->status, 503);
}

TEST_F(NextHopsTest, ALongRequestGoesOverUdpWhereThereIsNoTcp) {
  options.listeners.pop_back();
  restart();
  wanted.headers.emplace_back("X-Long", std::string(1300, 'x'));
  call();
  EXPECT_EQ(flow_of("INVITE").transport, Transport::udp);
  reply(486);
}

TEST_F(NextHopsTest, AdvertiseStandsInViaAndContact) {
  options.advertise = "sip.example.net";
  restart();
  wanted.contact_user = "ann;tag%20x=1";
  wanted.contact_parameters = {{"line", "7"}};
  call();
  EXPECT_TRUE(last("INVITE").header("Via")->starts_with("SIP/2.0/UDP sip.example.net:5060;"));
  EXPECT_EQ(*last("INVITE").header("Contact"), "<sip:ann;tag%20x=1@sip.example.net:5060;line=7>");
  reply(486);
}

TEST_F(NextHopsTest, AListenerOfTheSameFamilyIsTaken) {
  wanted.target = "sip:bob@[2001:db8::9]";
  call();
  EXPECT_EQ(find<Ended>()->status, 503);
  add_listener(Transport::udp, "[2001:db8::1]:5060");
  restart();
  call();
  EXPECT_TRUE(last("INVITE").header("Via")->starts_with("SIP/2.0/UDP [2001:db8::1]:5060;"));
  reply(486);
}

// RFC 3261 8.1.3.4
class RedirectTest : public ClientTest {
 protected:
  RedirectTest() { wanted.follow_redirects = true; }
};

TEST_F(RedirectTest, ContactsAreTriedByPreferenceAndTheLastFailureTells) {
  call();
  reply(302, "b1", "Contact: <sip:c@192.0.2.31>;q=0.2, <sip:d@192.0.2.32>;q=0.9, <mailto:x@y>\r\n");
  EXPECT_EQ(last("INVITE").request_uri(), "sip:d@192.0.2.32");
  EXPECT_EQ(*last("INVITE").header("Call-ID"), *first("INVITE").header("Call-ID"));
  EXPECT_NE(*last("INVITE").header("CSeq"), *first("INVITE").header("CSeq"));
  reply(480);
  EXPECT_EQ(last("INVITE").request_uri(), "sip:c@192.0.2.31");
  reply(404);
  EXPECT_EQ(find<Ended>()->status, 404);
}

TEST_F(RedirectTest, ALoopEnds) {
  call();
  reply(302, "b1", "Contact: <sip:bob@192.0.2.9>\r\n");
  EXPECT_EQ(count_sent("INVITE"), 1U);
  EXPECT_EQ(find<Ended>()->status, 302);
}

TEST_F(RedirectTest, FiveAreEnough) {
  call();
  for (int at = 0; at < 8 && count<Ended>() == 0; ++at)
    reply(301, "b1", "Contact: <sip:n" + std::to_string(at) + "@192.0.2.9>\r\n");
  EXPECT_EQ(count_sent("INVITE"), 6U);
  EXPECT_EQ(find<Ended>()->status, 301);
}

TEST_F(RedirectTest, A6xxEndsTheSearch) {
  call();
  reply(300, "b1", "Contact: <sip:c@192.0.2.31>, <sip:d@192.0.2.32>\r\n");
  reply(603);
  EXPECT_EQ(count_sent("INVITE"), 2U);
  EXPECT_EQ(find<Ended>()->status, 603);
}

TEST_F(RedirectTest, NotFollowedUnlessWanted) {
  wanted.follow_redirects = false;
  call();
  reply(302, "b1", "Contact: <sip:c@192.0.2.31>\r\n");
  EXPECT_EQ(count_sent("INVITE"), 1U);
  EXPECT_EQ(find<Ended>()->status, 302);
}

}  // namespace
}  // namespace rw::sip
