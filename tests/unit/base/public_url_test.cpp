#include "base/public_url.h"

#include <gtest/gtest.h>

namespace rw {
namespace {

TEST(PublicUrl, HasNothingThatMayBeSecret) {
  EXPECT_EQ(public_url("http://user:pass@a/b?code=K#x"), "http://a/b");
  EXPECT_EQ(public_url("http://us@er:pass@a"), "http://a");
  EXPECT_EQ(public_url("http://a/b@c"), "http://a/b@c");
  EXPECT_EQ(public_url("http://a?user@b"), "http://a");
  EXPECT_EQ(public_url("a?b"), "a");
}

TEST(PublicUrl, AMaskStandsForUserAndPassword) {
  EXPECT_EQ(with_hidden_user("http://user:pass@a/b?code=K", "***"), "http://***@a/b?code=K");
  EXPECT_EQ(with_hidden_user("http://***@a/b", "***"), "http://***@a/b");
  EXPECT_EQ(with_hidden_user("http://a/b?c@d", "***"), "http://a/b?c@d");
  EXPECT_EQ(with_hidden_user("no url", "***"), "no url");
}

}  // namespace
}  // namespace rw
