#include "http/forwarded.h"

#include <gtest/gtest.h>

namespace rw::http {
namespace {

std::string client_of(std::vector<std::string> forwarded, const std::string& peer = "10.0.0.1") {
  IncomingRequest request;
  for (auto& one : forwarded) request.headers.emplace_back("x-forwarded-for", std::move(one));
  const std::vector<net::Network> trusted{*net::Network::parse("10.0.0.0/8"), *net::Network::parse("::1")};
  return client_of(request, *net::Address::from(peer, 4711), trusted).host();
}

TEST(Forwarded, IsBelievedOfATrustedProxyOnly) {
  EXPECT_EQ(client_of({"192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(client_of({"192.0.2.7"}, "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_of({}), "10.0.0.1");
}

TEST(Forwarded, WhatAClientInventsIsLeftOut) {
  EXPECT_EQ(client_of({"203.0.113.1, 192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(client_of({"203.0.113.1", "192.0.2.7"}), "192.0.2.7");
  EXPECT_EQ(client_of({"192.0.2.7", "10.0.0.2"}), "192.0.2.7") << "two proxies one after the other";
  EXPECT_EQ(client_of({"192.0.2.7, 10.0.0.3 ,10.0.0.2"}), "192.0.2.7");
}

TEST(Forwarded, TakesAllFormsOfAddresses) {
  EXPECT_EQ(client_of({"2001:db8::7"}), "2001:db8::7");
  EXPECT_EQ(client_of({"[2001:db8::7]"}), "2001:db8::7");
  EXPECT_EQ(client_of({"[2001:db8::7]:4711"}), "2001:db8::7");
  EXPECT_EQ(client_of({" 192.0.2.7:80 "}, "::1"), "192.0.2.7");
}

TEST(Forwarded, WhatIsNoAddressEndsTheSearch) {
  for (const auto* text : {"", ",", "unknown", "192.0.2.7, x", "192.0.2.7,", "300.1.1.1"})
    EXPECT_EQ(client_of({text}), "10.0.0.1") << text;
}

}  // namespace
}  // namespace rw::http
