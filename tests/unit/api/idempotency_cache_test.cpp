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
  std::optional<http::Responder> admit(const std::string& key, TimePoint now, const std::string& owner = "a") {
    return cache_.admit(owner, key, 3, answers_.responder(), now);
  }

  int refused_ = 0;
  IdempotencyCache cache_{seconds(60), [this] { ++refused_; }};
  Answers answers_;
};

TEST_F(IdempotencyCacheTest, ARepeatedRequestGetsTheFirstAnswer) {
  const auto first = admit("k", now_);
  ASSERT_TRUE(first);
  (*first)(answer("one"));
  EXPECT_FALSE(admit("k", now_ + seconds(59)));
  EXPECT_EQ(answers_.given, (std::vector<std::string>{"one", "one"}));
}

TEST_F(IdempotencyCacheTest, ARequestThatComesMeanwhileWaits) {
  const auto first = admit("k", now_);
  EXPECT_FALSE(admit("k", now_));
  EXPECT_TRUE(answers_.given.empty());
  (*first)(answer("one"));
  EXPECT_EQ(answers_.given, (std::vector<std::string>{"one", "one"}));
}

TEST_F(IdempotencyCacheTest, AKeyIsForgottenAfterItsTime) {
  (*admit("k", now_))(answer("one"));
  EXPECT_TRUE(admit("k", now_ + seconds(60)));
}

TEST_F(IdempotencyCacheTest, OtherKeysAreOtherRequests) {
  EXPECT_TRUE(admit("a", now_));
  EXPECT_TRUE(admit("b", now_));
}

TEST_F(IdempotencyCacheTest, ADroppedRequestIsAnsweredForAll) {
  {
    const auto first = admit("k", now_);
    EXPECT_FALSE(admit("k", now_));
  }
  EXPECT_FALSE(admit("k", now_));
  ASSERT_EQ(answers_.given.size(), 3U);
  for (const auto& body : answers_.given) EXPECT_NE(body.find("internal"), std::string::npos);
}

TEST_F(IdempotencyCacheTest, AKeyThatIsPromisedDoesNotGiveWay) {
  const auto first = admit("0", now_);
  for (int key = 1; key < 3; ++key) (*admit(std::to_string(key), now_ + seconds(10)))(answer("x"));
  answers_.given.clear();
  EXPECT_FALSE(admit("3", now_ + seconds(20)));
  ASSERT_EQ(answers_.given.size(), 1U);
  EXPECT_NE(answers_.given[0].find("Idempotency-Key"), std::string::npos);
  EXPECT_EQ(refused_, 1);
  answers_.given.clear();
  EXPECT_FALSE(admit("0", now_ + seconds(20)));
  (*first)(answer("one"));
  EXPECT_EQ(answers_.given, (std::vector<std::string>{"one", "one"}));
  EXPECT_TRUE(admit("3", now_ + seconds(60)));
}

TEST_F(IdempotencyCacheTest, TheRefusalSaysWhenThereIsRoom) {
  for (int key = 0; key < 3; ++key) (*admit(std::to_string(key), now_))(answer("x"));
  std::string retry_after;
  const http::Responder respond([&](std::optional<http::Answer> given) {
    if (!given || given->status != 429) return;
    for (const auto& [name, value] : given->headers) {
      if (name == "Retry-After") retry_after = value;
    }
  });
  EXPECT_FALSE(cache_.admit("a", "3", 3, respond, now_ + std::chrono::milliseconds(20500)));
  EXPECT_EQ(retry_after, "40");
}

TEST_F(IdempotencyCacheTest, OwnersHaveKeysOfTheirOwn) {
  for (int key = 0; key < 3; ++key) (*admit(std::to_string(key), now_, "a"))(answer("of a"));
  answers_.given.clear();
  const auto of_b = admit("0", now_, "b");
  ASSERT_TRUE(of_b);
  (*of_b)(answer("of b"));
  EXPECT_FALSE(admit("0", now_, "b"));
  EXPECT_FALSE(admit("0", now_, "a"));
  EXPECT_EQ(answers_.given, (std::vector<std::string>{"of b", "of b", "of a"}));
}

TEST_F(IdempotencyCacheTest, AnswersAreBoundedInBytes) {
  (*admit("0", now_))(answer(std::string(IdempotencyCache::most_bytes, 'x')));
  EXPECT_FALSE(admit("1", now_));
  EXPECT_EQ(refused_, 1);
  EXPECT_TRUE(admit("0", now_, "b"));
  EXPECT_TRUE(admit("1", now_ + seconds(60)));
}

TEST_F(IdempotencyCacheTest, AnAnswerThatComesAfterItsKeyWasForgottenIsStillGiven) {
  const auto first = admit("0", now_);
  const auto again = admit("0", now_ + seconds(60));
  ASSERT_TRUE(again);
  (*first)(answer("one"));
  (*again)(answer("two"));
  EXPECT_EQ(answers_.given, (std::vector<std::string>{"one", "two"}));
}

}  // namespace
}  // namespace rw::api
