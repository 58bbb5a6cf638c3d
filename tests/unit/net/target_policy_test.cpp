#include "net/target_policy.h"

#include <gtest/gtest.h>

namespace rw::net {
namespace {

constexpr auto special = {"127.0.0.1",
                          "127.9.9.9",
                          "0.0.0.0",
                          "0.1.2.3",
                          "169.254.169.254",
                          "224.0.0.1",
                          "255.255.255.255",
                          "::1",
                          "::",
                          "fe80::1",
                          "ff02::1",
                          "::127.0.0.1",
                          "::ffff:127.0.0.1",
                          "64:ff9b::7f00:1",
                          "64:ff9b::a9fe:a9fe",
                          "2002:a9fe:a9fe::1"};
constexpr auto ordinary = {"8.8.8.8",     "10.0.0.1", "192.168.1.20",   "100.64.0.1",
                           "2001:db8::1", "fd00::1",  "::ffff:10.0.0.1"};

bool allows(const TargetPolicy& policy, const char* host, std::uint16_t port = 5060) {
  return policy.allows(*Address::from(host, port));
}

std::vector<Network> networks(const std::vector<const char*>& texts) {
  std::vector<Network> all;
  all.reserve(texts.size());
  for (const auto* text : texts) all.push_back(*Network::parse(text));
  return all;
}

TEST(TargetPolicy, PhonesAreReached) {
  const TargetPolicy policy;
  for (const auto* host : ordinary) EXPECT_TRUE(allows(policy, host)) << host;
  for (const auto* host : special) EXPECT_FALSE(allows(policy, host)) << host;
}

TEST(TargetPolicy, LoopbackIsReachedWhereItIsServed) {
  const TargetPolicy policy(true);
  for (const auto* host : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.0.0.1"})
    EXPECT_TRUE(allows(policy, host)) << host;
  for (const auto* host : {"0.0.0.0", "169.254.169.254", "224.0.0.1", "fe80::1"})
    EXPECT_FALSE(allows(policy, host)) << host;
}

TEST(TargetPolicy, PortsOfSystemsAreNotReached) {
  const TargetPolicy policy(true);
  for (const std::uint16_t port : {0, 25, 80, 443, 1023}) {
    EXPECT_FALSE(allows(policy, "8.8.8.8", port)) << port;
    EXPECT_FALSE(allows(policy, "::ffff:8.8.8.8", port)) << port;
  }
  for (const std::uint16_t port : {1024, 5060, 65535}) EXPECT_TRUE(allows(policy, "8.8.8.8", port)) << port;
}

TEST(TargetPolicy, OnlyWhatIsListedIsReached) {
  const TargetPolicy policy(true, networks({"192.0.2.0/24", "127.0.0.2"}));
  EXPECT_TRUE(allows(policy, "192.0.2.7"));
  EXPECT_TRUE(allows(policy, "192.0.2.7", 443)) << "it is named";
  EXPECT_TRUE(allows(policy, "127.0.0.2"));
  EXPECT_FALSE(allows(policy, "127.0.0.1"));
  EXPECT_FALSE(allows(policy, "8.8.8.8"));
}

TEST(TargetPolicy, AWideNetworkNamesNothingSpecial) {
  const TargetPolicy policy(false, networks({"0.0.0.0/0", "::/0", "127.0.0.0/8"}));
  EXPECT_TRUE(allows(policy, "8.8.8.8"));
  EXPECT_FALSE(allows(policy, "8.8.8.8", 25));
  EXPECT_TRUE(allows(policy, "127.0.0.1", 25)) << "by its own entry";
  EXPECT_TRUE(allows(policy, "2001:db8::1"));
  EXPECT_FALSE(allows(policy, "169.254.169.254"));
  EXPECT_FALSE(allows(policy, "fe80::1"));
  EXPECT_FALSE(TargetPolicy(false, std::vector<Network>()).allows(*Address::from("8.8.8.8", 5060))) << "none at all";
}

}  // namespace
}  // namespace rw::net
