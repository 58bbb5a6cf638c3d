#include "sdp/host_name.h"

#include <gtest/gtest.h>

namespace rw::sdp {
namespace {

TEST(HostName, IsFoundInConnectionLinesOnly) {
  EXPECT_EQ(host_name("v=0\r\no=- 1 1 IN IP4 origin.example\r\nc=IN IP4 media.example\r\n"), "media.example");
  EXPECT_EQ(host_name("c=IN IP4 10.0.0.1\nm=audio 1 RTP/AVP 8\nc=IN IP6 six.example/127"), "six.example");
  EXPECT_FALSE(host_name("c=IN IP4 10.0.0.1\r\nc=IN IP6 ::1\r\nc=IN IP4 224.2.1.1/127\r\n"));
  EXPECT_FALSE(host_name("c=TN RFC2543 name\r\nc=IN IP4 \r\nc=IN IP4 a;b\r\nc=IN IP4"));
  EXPECT_FALSE(host_name("c=IN IP4 " + std::string(300, 'a')));
  EXPECT_FALSE(host_name(""));
}

TEST(HostName, IsReplacedWhereverItStands) {
  const std::string text =
      "v=0\r\nc=IN IP4 a.example\r\nm=audio 1 RTP/AVP 8\r\nc=IN IP4 b.example\r\na=x:a.example\r\nc=IN IP4 a.example/3";
  EXPECT_EQ(
      with_address(text, "a.example", "10.0.0.1"),
      "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 1 RTP/AVP 8\r\nc=IN IP4 b.example\r\na=x:a.example\r\nc=IN IP4 10.0.0.1/3");
  EXPECT_EQ(with_address("c=IN IP4 a.example\n", "a.example", "::1"), "c=IN IP6 ::1\n");
  EXPECT_EQ(with_address(text, "c.example", "10.0.0.1"), text);
}

}  // namespace
}  // namespace rw::sdp
