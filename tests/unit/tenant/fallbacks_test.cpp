#include "tenant/fallbacks.h"

#include <gtest/gtest.h>

#include "support/fallback_store.h"

namespace rw::tenant {
namespace {

using Outcome = Fallbacks::Outcome;

class FallbacksTest : public testing::Test {
 protected:
  static Fallback entry(std::string domain, std::string number, std::int64_t expires = 100) {
    Fallback made;
    made.domain = std::move(domain);
    made.number = std::move(number);
    made.expires = expires;
    made.command = "{}";
    return made;
  }
  std::unique_ptr<Fallbacks> make() { return std::make_unique<Fallbacks>(std::make_unique<fake::FallbackStore>(kept)); }
  std::shared_ptr<fake::Kept> kept = std::make_shared<fake::Kept>();
  std::unique_ptr<Fallbacks> fallbacks = make();
};

TEST_F(FallbacksTest, TheNumbersOwnEntryGoesBeforeTheOneForAll) {
  EXPECT_EQ(fallbacks->put(entry("a.test", ""), 0), Outcome::changed);
  EXPECT_EQ(fallbacks->put(entry("a.test", "100"), 0), Outcome::changed);
  EXPECT_EQ(fallbacks->find("A.test", "100", 0)->number, "100");
  EXPECT_EQ(fallbacks->find("a.test", "101", 0)->number, "");
  EXPECT_EQ(fallbacks->get("a.test", "101", 0), nullptr);
  EXPECT_EQ(fallbacks->find("b.test", "100", 0), nullptr);
  EXPECT_EQ(fallbacks->list("a.test", 0).size(), 2U);
  EXPECT_TRUE(fallbacks->list("b.test", 0).empty());
}

TEST_F(FallbacksTest, WhatHasExpiredIsNotUsedAndGoes) {
  ASSERT_TRUE(fallbacks->put(entry("a.test", "", 200), 0));
  ASSERT_TRUE(fallbacks->put(entry("a.test", "100", 100), 0));
  EXPECT_EQ(fallbacks->find("a.test", "100", 99)->number, "100");
  EXPECT_EQ(fallbacks->find("a.test", "100", 100)->number, "");
  EXPECT_EQ(fallbacks->find("a.test", "100", 200), nullptr);
  EXPECT_EQ(fallbacks->list("a.test", 100).size(), 1U);
  EXPECT_EQ(kept->entries.size(), 2U);
  ASSERT_TRUE(fallbacks->refresh(100));
  EXPECT_EQ(kept->entries.size(), 1U);
}

TEST_F(FallbacksTest, ReplacedAndRemoved) {
  ASSERT_TRUE(fallbacks->put(entry("a.test", "100", 100), 0));
  ASSERT_TRUE(fallbacks->put(entry("a.test", "100", 300), 0));
  EXPECT_EQ(fallbacks->get("a.test", "100", 0)->expires, 300);
  EXPECT_EQ(fallbacks->remove("A.TEST", "100", 0), Outcome::changed);
  EXPECT_EQ(fallbacks->remove("a.test", "100", 0), Outcome::nothing_there);
  EXPECT_TRUE(kept->entries.empty());
}

TEST_F(FallbacksTest, OtherNodesSeeIt) {
  const auto other = make();
  ASSERT_TRUE(fallbacks->put(entry("a.test", "100"), 0));
  EXPECT_EQ(other->find("a.test", "100", 0), nullptr);
  ASSERT_TRUE(other->refresh(0));
  EXPECT_NE(other->find("a.test", "100", 0), nullptr);
  ASSERT_TRUE(other->refresh(0));
  EXPECT_EQ(kept->loads, 1);  // nothing has changed
  ASSERT_TRUE(fallbacks->remove("a.test", "100", 0));
  ASSERT_TRUE(other->refresh(0));
  EXPECT_EQ(other->find("a.test", "100", 0), nullptr);
}

TEST_F(FallbacksTest, ADatabaseThatIsAwayChangesNothing) {
  ASSERT_TRUE(fallbacks->put(entry("a.test", "100"), 0));
  kept->away = true;
  EXPECT_FALSE(fallbacks->put(entry("a.test", "101"), 0));
  EXPECT_FALSE(fallbacks->remove("a.test", "100", 0));
  EXPECT_FALSE(fallbacks->refresh(0));
  EXPECT_NE(fallbacks->find("a.test", "100", 0), nullptr);
  EXPECT_EQ(fallbacks->find("a.test", "101", 0), nullptr);
}

TEST_F(FallbacksTest, ADomainHasSoManyAndNoMore) {
  for (std::size_t at = 0; at < most_fallbacks; ++at)
    ASSERT_EQ(fallbacks->put(entry("a.test", std::to_string(at)), 0), Outcome::changed);
  EXPECT_EQ(fallbacks->put(entry("a.test", "one more"), 0), Outcome::too_many);
  EXPECT_EQ(fallbacks->put(entry("a.test", "0"), 0), Outcome::changed);
  EXPECT_EQ(fallbacks->put(entry("b.test", "0"), 0), Outcome::changed);
}

}  // namespace
}  // namespace rw::tenant
