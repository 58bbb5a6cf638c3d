#include "storage/file_cache.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/scratch_folder.h"

namespace rw::storage {
namespace {

class FileCacheTest : public testing::Test {
 protected:
  void open(std::uint64_t most_bytes, std::chrono::milliseconds grace = std::chrono::milliseconds(0)) {
    cache.reset();
    cache = *FileCache::open({folder.file("cache"), most_bytes, grace});
  }
  void add(const std::string& id, std::size_t size) {
    const auto temporary = cache->temporary();
    std::ofstream(temporary) << std::string(size, 'x');
    ASSERT_TRUE(cache->adopt(id, temporary, size));
  }
  testing_support::ScratchFolder folder;
  std::unique_ptr<FileCache> cache;
};

TEST_F(FileCacheTest, KeepsWhatFitsAndDropsWhatWasNotUsedForLongest) {
  open(100);
  add("a", 40);
  add("b", 40);
  EXPECT_TRUE(cache->find("a", 40));
  add("c", 40);
  EXPECT_TRUE(cache->find("a", 40));
  EXPECT_FALSE(cache->find("b", 40));
  EXPECT_TRUE(cache->find("c", 40));
  EXPECT_FALSE(std::filesystem::exists(folder.file("cache/b")));
  add("huge", 200);  // alone, and not for long
  EXPECT_FALSE(cache->find("huge", 200));
}

TEST_F(FileCacheTest, WhatWasJustUsedStays) {
  open(100, std::chrono::hours(1));
  add("a", 80);
  add("b", 80);
  EXPECT_TRUE(cache->find("a", 80));
  EXPECT_TRUE(cache->find("b", 80));
}

TEST_F(FileCacheTest, DoesNotTrustAFileOfAnotherSizeOrOneThatIsGone) {
  open(100);
  add("a", 40);
  EXPECT_FALSE(cache->find("a", 41));
  add("b", 40);
  std::filesystem::remove(folder.file("cache/b"));
  EXPECT_FALSE(cache->find("b", 40));
  add("b", 10);
  EXPECT_TRUE(cache->find("b", 10));
}

TEST_F(FileCacheTest, AReplacedFileCountsOnce) {
  open(100);
  for (int at = 0; at < 10; ++at) add("a", 60);
  add("b", 40);
  EXPECT_TRUE(cache->find("a", 60));
  EXPECT_TRUE(cache->find("b", 40));
}

TEST_F(FileCacheTest, RemembersWhatAnEarlierProcessKept) {
  open(100);
  add("a", 40);
  std::ofstream(cache->temporary()) << "half";
  open(100);
  EXPECT_TRUE(cache->find("a", 40));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.file("cache")), {}), 1);
  open(10);
  EXPECT_FALSE(cache->find("a", 40));
}

TEST_F(FileCacheTest, AnOpenFileOutlivesItsName) {
  open(100);
  add("a", 80);
  std::ifstream file(*cache->find("a", 80));
  add("b", 80);
  EXPECT_FALSE(std::filesystem::exists(folder.file("cache/a")));
  std::string content;
  file >> content;
  EXPECT_EQ(content.size(), 80U);
}

}  // namespace
}  // namespace rw::storage
