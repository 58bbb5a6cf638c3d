#include "tenant/directory.h"

#include <gtest/gtest.h>

namespace rw::tenant {
namespace {

Domain domain(std::vector<std::vector<std::string>> numbers) {
  Domain domain;
  for (auto& one : numbers) {
    auto service = std::make_shared<Mediaservice>();
    service->id = std::to_string(domain.mediaservices.size());
    service->numbers = std::move(one);
    domain.mediaservices.push_back(std::move(service));
  }
  return domain;
}

std::string found(const Domain& domain, std::string_view user) {
  const auto service = domain.service_for(user);
  return service == nullptr ? "none" : service->id;
}

TEST(Domain, PrefersTheExactThenTheLongestPrefixThenTheOrder) {
  const auto one = domain({{"*"}, {"46*"}, {"468*"}, {"46890200"}, {"468*"}});
  EXPECT_EQ(found(one, "46890200"), "3");
  EXPECT_EQ(found(one, "46890201"), "2");
  EXPECT_EQ(found(one, "461"), "1");
  EXPECT_EQ(found(one, "alice"), "0");
  EXPECT_EQ(found(domain({{"46*"}}), "47"), "none");
}

TEST(Domain, StarsStandForAnyRun) {
  const auto one = domain({{"4*0*9"}});
  EXPECT_EQ(found(one, "409"), "0");
  EXPECT_EQ(found(one, "4120059"), "0");
  EXPECT_EQ(found(one, "4120058"), "none");
}

TEST(Domain, OnlyTrunksWithNetworksRestrictWhoMayCall) {
  auto one = domain({{"*"}});
  EXPECT_FALSE(one.restricts_callers());
  one.trunks.resize(2);
  one.trunks[0].proxy = "sip:carrier.example";
  EXPECT_FALSE(one.restricts_callers());
  one.trunks[1].allow = {*net::Network::parse("10.0.0.0/8")};
  EXPECT_TRUE(one.restricts_callers());
}

TEST(Domain, TheTrunkThatNamesTheHostComesBeforeOneForAny) {
  auto one = domain({{"*"}});
  one.trunks.resize(3);
  one.trunks[0].hosts = {"carrier.example"};  // inbound only: it has no proxy
  one.trunks[1].hosts = {"*"};
  one.trunks[1].proxy = "sip:any.example";
  one.trunks[2].hosts = {"pstn.example", "carrier.example"};
  one.trunks[2].proxy = "sip:carrier.example";
  EXPECT_EQ(one.trunk_for("sip", "Carrier.Example"), &one.trunks[2]);
  EXPECT_EQ(one.trunk_for("sip", "other.example"), &one.trunks[1]);
  one.trunks.erase(one.trunks.begin() + 1);
  EXPECT_EQ(one.trunk_for("sip", "other.example"), nullptr);
}

TEST(Domain, AnAddressThatIsNotPublicGoesOnlyOverATrunkThatNamesIt) {
  auto one = domain({{"*"}});
  one.trunks.resize(2);
  one.trunks[0].hosts = {"*"};
  one.trunks[0].proxy = "sip:carrier.example";
  for (const auto* inside : {"10.1.2.3", "172.16.0.1", "192.168.1.20", "127.0.0.1", "169.254.1.1", "100.64.0.1",
                             "fd00::1", "fe80::1", "::1", "::ffff:10.0.0.1"})
    EXPECT_EQ(one.trunk_for("sip", inside), nullptr) << inside;
  for (const auto* outside : {"8.8.8.8", "2a00:1450::1", "phone.internal", "10.example"})
    EXPECT_EQ(one.trunk_for("sips", outside), &one.trunks[0]) << outside;
  one.trunks[1].hosts = {"10.0.0.0/8", "192.168.1.20"};
  one.trunks[1].host_networks = {*net::Network::parse("10.0.0.0/8"), *net::Network::parse("192.168.1.20")};
  EXPECT_EQ(one.trunk_for("sip", "10.1.2.3"), nullptr) << "no calls go out over it";
  one.trunks[1].proxy = "sip:inside.example";
  EXPECT_EQ(one.trunk_for("sip", "10.1.2.3"), &one.trunks[1]);
  EXPECT_EQ(one.trunk_for("sip", "192.168.1.20"), &one.trunks[1]);
  EXPECT_EQ(one.trunk_for("sip", "192.168.1.21"), nullptr);
}

TEST(Domain, TelephoneNumbersGoOverTheTrunkThatTakesThemOrTheOnlyOne) {
  auto one = domain({{"*"}});
  one.trunks.resize(2);
  one.trunks[0].allow = {*net::Network::parse("10.0.0.0/8")};  // inbound only
  EXPECT_EQ(one.trunk_for("tel", ""), nullptr);
  one.trunks[1].hosts = {"carrier.example"};
  one.trunks[1].proxy = "sip:carrier.example";
  EXPECT_EQ(one.trunk_for("tel", ""), &one.trunks[1]) << "the only one";
  one.trunks.push_back(one.trunks[1]);
  EXPECT_EQ(one.trunk_for("TEL", ""), nullptr) << "nobody says which";
  one.trunks[2].hosts = {"*"};
  EXPECT_EQ(one.trunk_for("tel", ""), &one.trunks[2]);
  one.trunks[1].tel = true;
  EXPECT_EQ(one.trunk_for("tel", ""), &one.trunks[1]);
  one.trunks[1].tel = false;
  EXPECT_EQ(one.trunk_for("tel", ""), &one.trunks[2]) << "the only one that is left";
  one.trunks[2].tel = false;
  EXPECT_EQ(one.trunk_for("tel", ""), nullptr);
}

TEST(Directory, KnowsNamesAndAliasesInAnyCase) {
  auto first = std::make_shared<Domain>();
  first->name = "Demo.example";
  first->aliases = {"127.0.0.1"};
  first->open = true;
  const Directory directory({first});
  EXPECT_EQ(directory.domain("demo.EXAMPLE"), first);
  EXPECT_EQ(directory.domain("127.0.0.1"), nullptr);
  EXPECT_EQ(directory.domain_for_host("127.0.0.1"), first);
  EXPECT_EQ(directory.domain_for_host("other"), nullptr);
  EXPECT_TRUE(directory.all_open());
}

TEST(Directory, ACallToARegistrationIsItsTrunks) {
  auto first = std::make_shared<Domain>(), second = std::make_shared<Domain>();
  first->name = "first.example";
  first->aliases = {"192.0.2.1"};
  second->name = "Second.example";
  for (const auto& domain : {first, second}) {
    Trunk trunk;
    trunk.name = "carrier";
    trunk.registration = "sip:100@carrier.example";
    domain->trunks.push_back(trunk);
  }
  const Directory directory({first, second});
  const auto line = registration_line("second.EXAMPLE", second->trunks.front());
  EXPECT_NE(line, registration_line("first.example", first->trunks.front()));
  const auto called = directory.called("192.0.2.1", line);
  EXPECT_EQ(called.domain, second);
  EXPECT_EQ(called.trunk, &second->trunks.front());
  EXPECT_EQ(directory.called("192.0.2.1", "").domain, first);
  EXPECT_EQ(directory.called("192.0.2.1", "unknown").domain, first);
  EXPECT_EQ(directory.called("192.0.2.1", "unknown").trunk, nullptr);
}

TEST(Directory, TellsWhoseNameIsWantedTwice) {
  auto first = std::make_shared<Domain>();
  first->name = "demo.example";
  first->aliases = {"alias.example"};
  const Directory directory({first});
  EXPECT_FALSE(directory.clash(*first)) << "in its own place";
  Domain other;
  other.name = "Alias.example";
  EXPECT_TRUE(directory.clash(other));
  other.name = "other.example";
  EXPECT_FALSE(directory.clash(other));
  other.aliases = {"fine.example", "DEMO.example"};
  EXPECT_EQ(directory.clash(other), "aliases: DEMO.example belongs to demo.example");
}

}  // namespace
}  // namespace rw::tenant
