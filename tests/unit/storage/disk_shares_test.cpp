#include "storage/disk_shares.h"

#include <gtest/gtest.h>

#include "support/scratch_folder.h"

namespace rw::storage {
namespace {

using Bound = DiskShares::Bound;

class DiskSharesTest : public testing::Test {
 protected:
  std::shared_ptr<DiskShares> make(std::uint64_t most, std::uint64_t reserve = 0) {
    return std::make_shared<DiskShares>(
        DiskShares::Options{.folder = folder_.path(),
                            .reserve = reserve,
                            .most = [most](const std::string&) { return most; },
                            .refused = [this](Bound bound) { refused_.push_back(bound); }});
  }
  testing_support::ScratchFolder folder_;
  std::vector<Bound> refused_;
};

TEST_F(DiskSharesTest, AFileTakesWholeBlocks) {
  EXPECT_EQ(DiskShares::on_disk(0), 4096U);
  EXPECT_EQ(DiskShares::on_disk(1), 4096U);
  EXPECT_EQ(DiskShares::on_disk(4096), 4096U);
  EXPECT_EQ(DiskShares::on_disk(4097), 8192U);
}

TEST_F(DiskSharesTest, ADomainGetsItsShareAndNoMore) {
  const auto shares = make(10000);
  EXPECT_TRUE(shares->take("a", 10000));
  const auto more = shares->take("a", 1);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind, StoreError::Kind::no_room);
  EXPECT_EQ(refused_, std::vector{Bound::share});
  EXPECT_TRUE(shares->take("b", 10000));
  shares->give_back("a", 1);
  EXPECT_TRUE(shares->take("a", 1));
  EXPECT_FALSE(shares->take("c", 10001));
  EXPECT_EQ(shares->used("c"), 0U);
}

TEST_F(DiskSharesTest, ADomainThatHasTooMuchAlreadyGetsNothing) {
  const auto shares = make(100);
  shares->add("a", 200);
  EXPECT_FALSE(shares->take("a", 1));
  shares->give_back("a", 200);
  EXPECT_TRUE(shares->take("a", 1));
}

TEST_F(DiskSharesTest, WithoutABoundOnlyTheReserveCounts) {
  const auto shares = make(0);
  EXPECT_TRUE(shares->take("a", 100000));
  const auto disk = shares->disk();
  EXPECT_FALSE(disk.full());
  EXPECT_FALSE(shares->take("a", disk.free * 2));
  EXPECT_EQ(refused_, std::vector{Bound::reserve});
}

TEST_F(DiskSharesTest, TheReserveIsAPartOfTheDiskAtMost) {
  const auto disk = make(0, ~0ULL)->disk();
  EXPECT_GT(disk.reserve, 0U);
  EXPECT_LT(disk.reserve, ~0ULL / 8);
}

TEST_F(DiskSharesTest, AFolderThatIsGoneHasNoRoom) {
  DiskShares shares({.folder = folder_.file("nothing"), .most = {}});
  EXPECT_TRUE(shares.disk().full());
  EXPECT_FALSE(shares.take("a", 1));
}

TEST_F(DiskSharesTest, WhatAFileHoldsIsGivenBackWithIt) {
  const auto shares = make(10000);
  {
    HeldSpace space(shares, "a");
    EXPECT_TRUE(space.grow_to(5000));
    EXPECT_TRUE(space.grow_to(100));
    EXPECT_EQ(shares->used("a"), 8192U);
    EXPECT_FALSE(space.grow_to(10000));
    EXPECT_EQ(shares->used("a"), 8192U);
    space.grow_anyway(10000);
    EXPECT_EQ(shares->used("a"), 12288U);
    HeldSpace other(std::move(space));
    space = HeldSpace(shares, "b");
    EXPECT_EQ(shares->used("a"), 12288U);
  }
  EXPECT_EQ(shares->used("a"), 0U);
  HeldSpace nobodys(shares, "");
  EXPECT_TRUE(nobodys.grow_to(100000));
  HeldSpace uncounted(nullptr, "a");
  EXPECT_TRUE(uncounted.grow_to(100000));
}

}  // namespace
}  // namespace rw::storage
