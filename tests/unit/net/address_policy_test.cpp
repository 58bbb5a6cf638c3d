#include "net/address_policy.h"

#include <gtest/gtest.h>

namespace rw::net {
namespace {

TEST(AddressPolicy, AllowsWhatIsPublicAndWhatIsListed) {
  const AddressPolicy policy({*Network::parse("10.1.0.0/16")});
  for (const auto* text : {"8.8.8.8", "1.1.1.1", "2606:4700::1111", "10.1.2.3", "::ffff:8.8.8.8", "::ffff:10.1.2.3"})
    EXPECT_TRUE(policy.allows(*Address::from(text, 80))) << text;
  for (const auto* text : {"127.0.0.1",
                           "0.0.0.0",
                           "10.2.0.1",
                           "172.16.0.1",
                           "192.168.1.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::1",
                           "::",
                           "fe80::1",
                           "fd00::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::127.0.0.1",
                           "64:ff9b::7f00:1",
                           "2002:7f00:1::",
                           "2001:db8::1",
                           "fec0::1",
                           "::ffff:0:127.0.0.1",
                           "3fff::1",
                           "5f00::1",
                           "64:ff9b:1::1"})
    EXPECT_FALSE(policy.allows(*Address::from(text, 80))) << text;
}

}  // namespace
}  // namespace rw::net
