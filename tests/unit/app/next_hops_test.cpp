#include "app/next_hops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rw::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class NextHopsTest : public testing::Test {
 protected:
  std::vector<std::string> find(const std::string& uri) {
    NextHops next_hops(loop, {*net::Address::parse("127.0.0.1:9")},
                       {{sip::Transport::udp, *net::Address::parse("127.0.0.1:5060"), {}, 0},
                        {sip::Transport::tcp, *net::Address::parse("127.0.0.1:5062"), {}, 0},
                        {sip::Transport::udp, *net::Address::parse("[::1]:5064"), {}, 0}});
    std::optional<std::vector<std::string>> result;
    next_hops.find(uri, [&](const std::vector<sip::Flow>& flows) {
      result.emplace();
      for (const auto& flow : flows) {
        EXPECT_EQ(flow.connection, 0U);
        result->push_back((sip::is_stream(flow.transport) ? "tcp " : "udp ") + flow.local.to_string() + " " +
                          flow.remote.to_string());
      }
    });
    for (loop.restart(); !result; loop.run_one()) continue;
    return *result;
  }
  boost::asio::io_context loop;
};

TEST_F(NextHopsTest, EachHopIsReachedFromAListener) {
  EXPECT_THAT(find("sip:bob@10.0.0.1"), ElementsAre("udp 127.0.0.1:5060 10.0.0.1:5060"));
  EXPECT_THAT(find("sip:10.0.0.1:5070;transport=TCP;lr"), ElementsAre("tcp 127.0.0.1:5062 10.0.0.1:5070"));
  EXPECT_THAT(find("sip:[2001:db8::1]"), ElementsAre("udp [::1]:5064 [2001:db8::1]:5060"));
  EXPECT_THAT(find("sip:localhost:5070"), ElementsAre("udp 127.0.0.1:5060 127.0.0.1:5070"));
}

TEST_F(NextHopsTest, WhatWeCannotSpeakLeadsNowhere) {
  EXPECT_THAT(find("sips:10.0.0.1"), IsEmpty()) << "there is no listener for TLS";
  EXPECT_THAT(find("sip:10.0.0.1;transport=sctp"), IsEmpty());
  EXPECT_THAT(find("sip:[2001:db8::1];transport=tcp"), IsEmpty());
  EXPECT_THAT(find("tel:+4670"), IsEmpty());
  EXPECT_THAT(find("nonsense"), IsEmpty());
}

}  // namespace
}  // namespace rw::app
