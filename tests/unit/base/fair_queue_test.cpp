#include "base/fair_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace rw {
namespace {

using testing::ElementsAre;

template <class T>
std::vector<T> all(FairQueue<T>& queue) {
  std::vector<T> taken;
  while (auto one = queue.take()) taken.push_back(std::move(*one));
  return taken;
}

TEST(FairQueue, OwnersTakeTurnsAndEachKeepsItsOrder) {
  FairQueue<int> queue;
  for (const int one : {11, 12, 13, 14}) queue.put("a", one);
  for (const int one : {21, 22}) queue.put("b", one);
  queue.put("c", 31);
  EXPECT_EQ(queue.size(), 7U);
  EXPECT_EQ(queue.size("a"), 4U);
  EXPECT_THAT(all(queue), ElementsAre(11, 21, 31, 12, 22, 13, 14));
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, WhoComesLateWaitsForOneOfEachOther) {
  FairQueue<int> queue;
  for (int one = 0; one < 1000; ++one) queue.put("a", one);
  EXPECT_EQ(queue.take(), 0);
  queue.put("b", 5000);
  EXPECT_EQ(queue.take(), 1);
  EXPECT_EQ(queue.take(), 5000);
}

TEST(FairQueue, WhoComesBackHasNoSecondTurnBeforeOthers) {
  FairQueue<int> queue;
  queue.put("a", 1);
  queue.put("b", 2);
  EXPECT_EQ(queue.take(), 1);
  queue.put("a", 3);
  EXPECT_EQ(queue.take(), 2);
  EXPECT_EQ(queue.take(), 3);
}

TEST(FairQueue, PassesOverWhatMayNotBeTakenNow) {
  FairQueue<int> queue;
  for (const int one : {1, 2, 3}) queue.put("a", one);
  queue.put("b", 4);
  const auto even = [](int one) { return one % 2 == 0; };
  EXPECT_EQ(queue.take(even), 2);
  EXPECT_EQ(queue.take(even), 4);
  EXPECT_EQ(queue.take(even), std::nullopt);
  EXPECT_THAT(all(queue), ElementsAre(1, 3));
}

TEST(FairQueue, LetsGoWhatNobodyWaitsFor) {
  FairQueue<std::shared_ptr<int>> queue;
  const auto kept = std::make_shared<int>(1);
  queue.put("a", std::make_shared<int>(0));
  queue.put("a", kept);
  queue.put("b", std::make_shared<int>(2));
  const auto gone = [](const std::shared_ptr<int>& one) { return *one != 1; };
  queue.remove("a", gone);
  queue.remove("b", gone);
  queue.remove("nobody", gone);
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(queue.size("b"), 0U);
  EXPECT_THAT(all(queue), ElementsAre(kept));
}

}  // namespace
}  // namespace rw
