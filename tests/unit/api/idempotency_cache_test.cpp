#include "api/idempotency_cache.h"

#include <gtest/gtest.h>

namespace rw::api {
namespace {

using std::chrono::seconds;

/// Collects the bodies of the answers that were given.
class Answers {
 public:
  http::Responder responder() {
    return http::Responder(
        [this](std::optional<http::Answer> answer) { given.push_back(answer ? answer->body : "-"); });
  }
  std::vector<std::string> given;
};

http::Answer answer(std::string body) {
  return {.status = 200, .headers = {}, .body = std::move(body), .source = {}};
}

class IdempotencyCacheTest : public testing::Test {
 protected:
  TimePoint now_{};
  IdempotencyCache cache_{3, seconds(60)};
  Answers answers_;
};

TEST_F(IdempotencyCacheTest, ARepeatedRequestGetsTheFirstAnswer) {
  const auto first = cache_.admit("k", answers_.responder(), now_);
  ASSERT_TRUE(first);
  (*first)(answer("one"));
  EXPECT_FALSE(cache_.admit("k", answers_.responder(), now_ + seconds(59)));
  EXPECT_EQ(answers_.given, (std::vector<std::string>{"one", "one"}));
}

TEST_F(IdempotencyCacheTest, ARequestThatComesMeanwhileWaits) {
  const auto first = cache_.admit("k", answers_.responder(), now_);
  EXPECT_FALSE(cache_.admit("k", answers_.responder(), now_));
  EXPECT_TRUE(answers_.given.empty());
  (*first)(answer("one"));
  EXPECT_EQ(answers_.given, (std::vector<std::string>{"one", "one"}));
}

TEST_F(IdempotencyCacheTest, AKeyIsForgottenAfterItsTime) {
  (*cache_.admit("k", answers_.responder(), now_))(answer("one"));
  EXPECT_TRUE(cache_.admit("k", answers_.responder(), now_ + seconds(60)));
}

TEST_F(IdempotencyCacheTest, OtherKeysAreOtherRequests) {
  EXPECT_TRUE(cache_.admit("a", answers_.responder(), now_));
  EXPECT_TRUE(cache_.admit("b", answers_.responder(), now_));
}

TEST_F(IdempotencyCacheTest, ADroppedRequestIsAnsweredForAll) {
  {
    const auto first = cache_.admit("k", answers_.responder(), now_);
    EXPECT_FALSE(cache_.admit("k", answers_.responder(), now_));
  }
  EXPECT_FALSE(cache_.admit("k", answers_.responder(), now_));
  ASSERT_EQ(answers_.given.size(), 3U);
  for (const auto& body : answers_.given) EXPECT_NE(body.find("internal"), std::string::npos);
}

TEST_F(IdempotencyCacheTest, TheOldestGiveWayAndAreStillAnswered) {
  const auto first = cache_.admit("0", answers_.responder(), now_);
  for (int key = 1; key <= 3; ++key) (*cache_.admit(std::to_string(key), answers_.responder(), now_))(answer("x"));
  EXPECT_TRUE(cache_.admit("0", answers_.responder(), now_));
  answers_.given.clear();
  (*first)(answer("one"));
  EXPECT_EQ(answers_.given, std::vector<std::string>{"one"});
}

}  // namespace
}  // namespace rw::api
