#include "net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns_server.h"

namespace rw::net {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Transport = Resolver::Transport;
using Way = Resolver::Way;

const std::vector<Way> udp_and_tcp{{Transport::udp, false}, {Transport::tcp, false}};

std::string text(const Resolver::Hop& hop) {
  static constexpr std::array names{"udp:", "tcp:", "tls:"};
  return names[static_cast<std::size_t>(hop.transport)] + hop.address.to_string();
}

class ResolverTest : public testing::Test {
 protected:
  ~ResolverTest() override {
    resolver.reset();
    dns.stop();
    loop.poll();
  }

  void use(std::vector<Way> ways, milliseconds limit = milliseconds(20'000)) {
    resolver = std::make_unique<Resolver>(loop, Resolver::Options{{dns.address()}, std::move(ways), limit});
  }
  std::vector<std::string> hops(const std::string& host, std::uint16_t port = 0,
                                std::optional<Transport> transport = {}, bool secure = false) {
    return hops(Resolver::Target{host, port, transport, secure});
  }
  std::vector<std::string> hops(Resolver::Target target) {
    if (resolver == nullptr) use(udp_and_tcp);
    std::optional<std::vector<std::string>> result;
    resolver->resolve(std::move(target), [&](const std::vector<Resolver::Hop>& found) {
      result.emplace();
      for (const auto& hop : found) result->push_back(text(hop));
    });
    EXPECT_FALSE(result) << "called from inside";
    while (!result) loop.run_one();
    return *result;
  }

  boost::asio::io_context loop;
  DnsServer dns{loop};
  std::unique_ptr<Resolver> resolver;
};

TEST_F(ResolverTest, AnAddressNeedsNoQuestion) {
  EXPECT_THAT(hops("10.1.2.3"), ElementsAre("udp:10.1.2.3:5060"));
  EXPECT_THAT(hops("10.1.2.3", 5070, Transport::tcp), ElementsAre("tcp:10.1.2.3:5070"));
  EXPECT_THAT(hops("2001:db8::1"), IsEmpty()) << "there is no listener for IPv6";
  use({{Transport::udp, true}, {Transport::tls, false}});
  EXPECT_THAT(hops("2001:db8::1"), ElementsAre("udp:[2001:db8::1]:5060"));
  EXPECT_THAT(hops("10.1.2.3", 0, {}, true), ElementsAre("tls:10.1.2.3:5061"));
}

TEST_F(ResolverTest, LocalhostComesFromTheHostsFile) {
  dns.behave("localhost", DnsServer::a, DnsServer::Manner::silence);
  EXPECT_THAT(hops("localhost", 5070), ElementsAre("udp:127.0.0.1:5070"));
  EXPECT_EQ(dns.asked("localhost", DnsServer::a), 0);
}

TEST_F(ResolverTest, NaptrChoosesTransportsAndServices) {
  dns.add_naptr("carrier.example", 20, 10, "SIP+D2U", "u.carrier.example");
  dns.add_naptr("carrier.example", 10, 20, "SIP+D2T", "t.carrier.example");
  dns.add_naptr("carrier.example", 5, 10, "SIPS+D2T", "s.carrier.example");
  dns.add_naptr("carrier.example", 1, 10, "E2U+sip", "x.carrier.example");
  dns.add_srv("u.carrier.example", 1, 0, 5062, "a.carrier.example");
  dns.add_srv("t.carrier.example", 1, 0, 5063, "a.carrier.example");
  dns.add_a("a.carrier.example", {10, 0, 0, 1});
  EXPECT_THAT(hops("carrier.example"), ElementsAre("tcp:10.0.0.1:5063", "udp:10.0.0.1:5062"));
  EXPECT_EQ(dns.asked("s.carrier.example", DnsServer::srv), 0) << "we have no TLS";
  EXPECT_EQ(dns.asked("a.carrier.example", DnsServer::a), 1);
}

TEST_F(ResolverTest, SrvByPriorityWithoutNaptr) {
  dns.add_srv("_sip._udp.carrier.example", 20, 0, 5064, "b.carrier.example");
  dns.add_srv("_sip._udp.carrier.example", 10, 0, 5062, "a.carrier.example");
  dns.add_srv("_sip._tcp.carrier.example", 5, 0, 5065, "b.carrier.example");
  dns.add_a("a.carrier.example", {10, 0, 0, 1});
  dns.add_a("b.carrier.example", {10, 0, 0, 2});
  EXPECT_THAT(hops("Carrier.Example"), ElementsAre("udp:10.0.0.1:5062", "udp:10.0.0.2:5064", "tcp:10.0.0.2:5065"));
  EXPECT_THAT(hops("carrier.example", 0, Transport::tcp), ElementsAre("tcp:10.0.0.2:5065"));
  EXPECT_EQ(dns.asked("carrier.example", DnsServer::naptr), 1) << "a given transport needs no NAPTR";
}

TEST_F(ResolverTest, WeightsShareTheLoad) {
  dns.add_srv("_sip._udp.carrier.example", 1, 90, 5001, "a.carrier.example");
  dns.add_srv("_sip._udp.carrier.example", 1, 10, 5002, "a.carrier.example");
  dns.add_srv("_sip._udp.carrier.example", 2, 10, 5003, "a.carrier.example");
  dns.add_a("a.carrier.example", {10, 0, 0, 1});
  int heavy = 0;
  for (int time = 0; time < 500; ++time) {
    const auto found = hops("carrier.example", 0, Transport::udp);
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found.back(), "udp:10.0.0.1:5003");
    heavy += found.front() == "udp:10.0.0.1:5001" ? 1 : 0;
  }
  EXPECT_GT(heavy, 350);
  EXPECT_LT(heavy, 500);
  EXPECT_EQ(dns.asked("_sip._udp.carrier.example", DnsServer::srv), 1);
}

TEST_F(ResolverTest, AGivenPortMeansNoSrv) {
  dns.add_srv("_sip._udp.carrier.example", 10, 0, 5062, "a.carrier.example");
  dns.add_a("carrier.example", {10, 0, 0, 9});
  EXPECT_THAT(hops("carrier.example", 5099), ElementsAre("udp:10.0.0.9:5099"));
  EXPECT_EQ(dns.asked("_sip._udp.carrier.example", DnsServer::srv), 0);
  EXPECT_EQ(dns.asked("carrier.example", DnsServer::naptr), 0);
}

TEST_F(ResolverTest, WithoutSrvTheHostItselfIsTried) {
  dns.add_a("carrier.example", {10, 0, 0, 9});
  dns.add_a("carrier.example", {10, 0, 0, 8});
  EXPECT_THAT(hops("carrier.example"), UnorderedElementsAre("udp:10.0.0.9:5060", "udp:10.0.0.8:5060"));
}

TEST_F(ResolverTest, AServiceThatIsDeclaredAbsentIsNotLookedForElsewhere) {
  dns.add_srv("_sip._udp.carrier.example", 0, 0, 0, "");
  dns.add_a("carrier.example", {10, 0, 0, 9});
  EXPECT_THAT(hops("carrier.example", 0, Transport::udp), IsEmpty());
}

TEST_F(ResolverTest, BothFamiliesIfThereAreListenersForThem) {
  dns.add_a("carrier.example", {10, 0, 0, 9});
  dns.add_aaaa("carrier.example", 7);
  EXPECT_THAT(hops("carrier.example"), ElementsAre("udp:10.0.0.9:5060"));
  EXPECT_EQ(dns.asked("carrier.example", DnsServer::aaaa), 0);
  use({{Transport::udp, false}, {Transport::udp, true}});
  EXPECT_THAT(hops("carrier.example"), UnorderedElementsAre("udp:10.0.0.9:5060", "udp:[2001::7]:5060"));
}

TEST_F(ResolverTest, NothingIsKnownOfAnUnknownName) {
  EXPECT_THAT(hops("nobody.example"), IsEmpty());
  EXPECT_THAT(hops("nobody.example"), IsEmpty());
  EXPECT_EQ(dns.asked("nobody.example", DnsServer::a), 1) << "that there is nothing is remembered for a while";
  EXPECT_THAT(hops(""), IsEmpty());
  EXPECT_THAT(hops(std::string(300, 'a')), IsEmpty());
}

TEST_F(ResolverTest, AnAliasThatPointsToItselfEnds) {
  dns.add_cname("loop.example", "loop.example");
  EXPECT_THAT(hops("loop.example", 5060), IsEmpty());
}

TEST_F(ResolverTest, SilenceEndsWithTheTimeLimit) {
  dns.add_srv("_sip._udp.carrier.example", 10, 0, 5062, "a.carrier.example");
  dns.add_srv("_sip._udp.carrier.example", 20, 0, 5064, "b.carrier.example");
  dns.add_a("b.carrier.example", {10, 0, 0, 2});
  dns.behave("a.carrier.example", DnsServer::a, DnsServer::Manner::silence);
  use(udp_and_tcp, milliseconds(1000));
  EXPECT_THAT(hops("carrier.example", 0, Transport::udp), ElementsAre("udp:10.0.0.2:5064")) << "what is known by then";
}

TEST_F(ResolverTest, ASilentNaptrDoesNotHinderTheRest) {
  dns.behave("carrier.example", DnsServer::naptr, DnsServer::Manner::silence);
  dns.add_srv("_sip._udp.carrier.example", 10, 0, 5062, "a.carrier.example");
  dns.add_a("a.carrier.example", {10, 0, 0, 1});
  EXPECT_THAT(hops("carrier.example"), ElementsAre("udp:10.0.0.1:5062"));
}

TEST_F(ResolverTest, ATruncatedAnswerIsFetchedByTcp) {
  dns.behave("_sip._udp.carrier.example", DnsServer::srv, DnsServer::Manner::truncate);
  for (std::uint16_t number = 0; number < 40; ++number)
    dns.add_srv("_sip._udp.carrier.example", number, 0, static_cast<std::uint16_t>(5000 + number), "a.carrier.example");
  dns.add_a("a.carrier.example", {10, 0, 0, 1});
  const auto found = hops("carrier.example", 0, Transport::udp);
  EXPECT_EQ(found.size(), Resolver::most_hops);
  EXPECT_EQ(found.front(), "udp:10.0.0.1:5000");
  EXPECT_GE(dns.asked_by_tcp(), 1);
}

TEST_F(ResolverTest, GarbageAndFailuresAreNoAnswer) {
  for (const auto manner : {DnsServer::Manner::garbage, DnsServer::Manner::server_failure}) {
    const auto name = std::string(manner == DnsServer::Manner::garbage ? "garbage" : "failure") + ".example";
    dns.add_srv("_sip._udp." + name, 10, 0, 5062, "a.carrier.example");
    dns.behave("_sip._udp." + name, DnsServer::srv, manner);
    dns.add_a(name, {10, 0, 0, 3});
    EXPECT_THAT(hops(name, 0, Transport::udp), ElementsAre("udp:10.0.0.3:5060"));
    dns.add_a("www." + name, {10, 0, 0, 4});
    dns.behave("www." + name, DnsServer::a, manner);
    EXPECT_THAT(hops("www." + name, 5060), IsEmpty());
  }
}

TEST_F(ResolverTest, AnswersAreKeptForTheirTime) {
  dns.add_a("short.example", {10, 0, 0, 1}, 0);
  dns.add_a("long.example", {10, 0, 0, 2}, 86400);
  for (int time = 0; time < 3; ++time) {
    EXPECT_THAT(hops("short.example", 5060), ElementsAre("udp:10.0.0.1:5060"));
    EXPECT_THAT(hops("long.example", 5060), ElementsAre("udp:10.0.0.2:5060"));
  }
  EXPECT_EQ(dns.asked("short.example", DnsServer::a), 3);
  EXPECT_EQ(dns.asked("long.example", DnsServer::a), 1);
}

TEST_F(ResolverTest, OneQuestionForManyWhoWait) {
  use(udp_and_tcp);
  dns.add_a("carrier.example", {10, 0, 0, 1}, 0);
  std::size_t found = 0;
  for (int time = 0; time < 100; ++time)
    resolver->resolve({"carrier.example", 5060, {}, false}, [&](const auto& hops) { found += hops.size(); });
  while (found < 100) loop.run_one();
  EXPECT_EQ(dns.asked("carrier.example", DnsServer::a), 1);
}

TEST_F(ResolverTest, WhoIsGoneIsNotCalled) {
  use(udp_and_tcp);
  resolver->resolve({"carrier.example", 0, {}, false}, [](const auto&) { FAIL(); });
  resolver->resolve({"10.0.0.1", 0, {}, false}, [](const auto&) { FAIL(); });
  resolver.reset();
  loop.poll();
}

}  // namespace
}  // namespace rw::net
