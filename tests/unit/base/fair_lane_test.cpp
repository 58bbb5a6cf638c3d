#include "base/fair_lane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace rw {
namespace {

TEST(FairLane, AShortPieceOfWorkDoesNotWaitForALongOne) {
  std::promise<void> begun, done;
  std::atomic<bool> enough{false};
  std::atomic<int> steps{0};
  FairLane lane("test");
  lane.put("a", [&] {
    if (++steps == 1) begun.set_value();
    return !enough;
  });
  begun.get_future().wait();
  lane.put("b", [&] {
    done.set_value();
    return false;
  });
  done.get_future().wait();
  enough = true;
}

TEST(FairLane, WhatIsNotDoneIsDropped) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> dropped = held;
  {
    FairLane lane("test");
    lane.put("a", [held] { return true; });
    lane.put("a", [held] { return true; });
    held.reset();
  }
  EXPECT_TRUE(dropped.expired());
}

}  // namespace
}  // namespace rw
