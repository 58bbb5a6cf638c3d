#include "sdp/succession.h"

#include <gtest/gtest.h>

namespace rw::sdp {
namespace {

std::string description(std::string_view origin, std::string_view host, int port) {
  return "v=0\r\no=- " + std::string(origin) + "\r\ns=-\r\nc=IN IP4 " + std::string(host) + "\r\nt=0 0\r\nm=audio " +
         std::to_string(port) + " RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
}

TEST(Succession, KeepsTheOriginAndCountsChanges) {
  const auto first = description("7 1 IN IP4 192.0.2.1", "192.0.2.1", 4000);
  EXPECT_EQ(succeeding("", first), first);
  EXPECT_EQ(succeeding(first, first), first);
  const auto second = succeeding(first, description("99 1 IN IP4 192.0.2.7", "192.0.2.7", 6000));
  EXPECT_EQ(second, description("7 2 IN IP4 192.0.2.1", "192.0.2.7", 6000));
  EXPECT_EQ(succeeding(second, description("99 1 IN IP4 192.0.2.7", "192.0.2.7", 6000)), second);
  EXPECT_EQ(succeeding(second, first), description("7 3 IN IP4 192.0.2.1", "192.0.2.1", 4000));
}

}  // namespace
}  // namespace rw::sdp
