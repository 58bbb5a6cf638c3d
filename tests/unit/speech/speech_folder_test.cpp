#include "speech/speech_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "support/scratch_folder.h"

namespace rw::speech {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t start = 1'700'000'000, hour = 3600;

class SpeechFolderTest : public testing::Test {
 protected:
  SpeechFolderTest() { open(); }

  void open(std::uint64_t most_bytes = 1024 * 1024) {
    folder_.reset();
    auto opened = SpeechFolder::open({.path = path_,
                                      .most_bytes = most_bytes,
                                      .now = [this] { return now_; },
                                      .log = ops::Log(ops::Log::Format::text, ops::Level::error)});
    ASSERT_TRUE(opened) << opened.error().message;
    folder_ = std::move(*opened);
  }
  std::string packed(const std::string& key, std::int16_t sample = 1, std::size_t count = 100) const {
    return pack({{std::vector<std::int16_t>(count, sample), 8000}, now_ + hour}, key);
  }
  void put(const std::string& key, std::int16_t sample = 1) {
    const auto done = folder_->put(key, packed(key, sample));
    ASSERT_TRUE(done) << done.error().message;
  }
  std::string file(const std::string& key) const { return path_ + "/" + key; }
  std::string content(const std::string& key) const {
    std::ifstream in(file(key), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& key, const std::string& bytes) const {
    std::ofstream(file(key), std::ios::binary) << bytes;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }
  void expect_empty() const {
    EXPECT_EQ(files(), 0U);
    EXPECT_EQ(folder_->entries(), 0U);
    EXPECT_EQ(folder_->bytes(), 0U);
  }

  testing_support::ScratchFolder scratch_;
  std::string path_ = scratch_.file("a/speech");
  std::int64_t now_ = start;
  std::unique_ptr<SpeechFolder> folder_;
};

TEST_F(SpeechFolderTest, FindsWhatWasPut) {
  put("key", -2);
  const auto found = folder_->find("key");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->audio.samples, std::vector<std::int16_t>(100, -2));
  EXPECT_EQ(found->audio.rate, 8000U);
  EXPECT_EQ(found->expires, start + hour);
  EXPECT_EQ(folder_->bytes(), SpeechEntry::header_size + 200);
}

TEST_F(SpeechFolderTest, HasNothingElse) {
  put("key");
  EXPECT_FALSE(folder_->find("other"));
}

TEST_F(SpeechFolderTest, ReplacesAnEntry) {
  put("key", 1);
  put("key", 2);
  EXPECT_EQ(folder_->find("key")->audio.samples.front(), 2);
  EXPECT_EQ(folder_->entries(), 1U);
  EXPECT_EQ(folder_->bytes(), SpeechEntry::header_size + 200);
  EXPECT_EQ(files(), 1U);
}

TEST_F(SpeechFolderTest, SurvivesReopening) {
  put("a", 1);
  put("b", 2);
  open();
  EXPECT_EQ(folder_->entries(), 2U);
  EXPECT_EQ(folder_->bytes(), 2 * (SpeechEntry::header_size + 200));
  EXPECT_EQ(folder_->find("a")->audio.samples.front(), 1);
  EXPECT_EQ(folder_->find("b")->audio.samples.front(), 2);
}

TEST_F(SpeechFolderTest, RemovesAnEntryWithAFlippedBitWhereverItIs) {
  const auto whole = packed("key");
  for (const std::size_t at : {0U, 8U, 12U, 16U, 24U, 32U, 63U, 64U, 263U}) {
    put("key");
    auto bytes = content("key");
    ASSERT_EQ(bytes, whole);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write("key", bytes);
    EXPECT_FALSE(folder_->find("key")) << at;
    expect_empty();
  }
}

TEST_F(SpeechFolderTest, RemovesATruncatedEntry) {
  const auto whole = packed("key");
  for (const std::size_t size : {0U, 10U, 64U, 65U, 262U, 263U}) {
    put("key");
    fs::resize_file(file("key"), size);
    EXPECT_FALSE(folder_->find("key")) << size;
    expect_empty();
  }
}

TEST_F(SpeechFolderTest, RemovesAnEntryThatHasMoreThanItShould) {
  put("key");
  write("key", packed("key") + "xx");
  EXPECT_FALSE(folder_->find("key"));
  expect_empty();
}

TEST_F(SpeechFolderTest, SurvivesThatAFileIsGone) {
  put("key");
  fs::remove(file("key"));
  EXPECT_FALSE(folder_->find("key"));
  expect_empty();
  put("key");
  EXPECT_TRUE(folder_->find("key"));
}

TEST_F(SpeechFolderTest, TakesNoEntryForAnother) {
  put("a");
  write("b", content("a"));
  open();
  EXPECT_FALSE(folder_->find("b"));
  EXPECT_FALSE(fs::exists(file("b")));
  EXPECT_TRUE(folder_->find("a"));
}

TEST_F(SpeechFolderTest, RefusesBytesOfAnotherKeyAndKeepsWhatItHas) {
  put("a", 1);
  EXPECT_FALSE(folder_->put("a", packed("b", 2)));
  EXPECT_EQ(folder_->find("a")->audio.samples.front(), 1);
  EXPECT_EQ(files(), 1U);
}

TEST_F(SpeechFolderTest, RefusesWhatIsNoEntry) {
  EXPECT_FALSE(folder_->put("a", ""));
  EXPECT_FALSE(folder_->put("a", std::string(1000, 'x')));
  EXPECT_FALSE(folder_->put("a", packed("a", 1, 0))) << "no samples";
  expect_empty();
}

TEST_F(SpeechFolderTest, RefusesWhatWouldDriveTooMuchOut) {
  open(1000);
  EXPECT_TRUE(folder_->put("a", packed("a", 1, 90)));
  EXPECT_FALSE(folder_->put("b", packed("b", 1, 100)));
  EXPECT_TRUE(folder_->find("a"));
  EXPECT_EQ(files(), 1U);
}

TEST_F(SpeechFolderTest, RemovesWhatHasExpired) {
  put("key");
  now_ = start + hour - 1;
  EXPECT_TRUE(folder_->find("key"));
  now_ = start + hour;
  EXPECT_FALSE(folder_->find("key"));
  expect_empty();
}

TEST_F(SpeechFolderTest, RemovesWhatHasExpiredWhenItIsOpened) {
  put("a");
  now_ += hour / 2;
  put("b");
  now_ += hour / 2;
  open();
  EXPECT_EQ(files(), 1U);
  EXPECT_TRUE(folder_->find("b"));
}

TEST_F(SpeechFolderTest, RemovesWhatHasExpiredThoughNobodyAsksForIt) {
  put("a");
  now_ += 2 * hour;
  put("b");
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(folder_->entries(), 1U);
}

TEST_F(SpeechFolderTest, LetsTheLeastRecentlyUsedGoFirst) {
  open(4 * packed("a").size());
  for (const auto* key : {"a", "b", "c", "d"}) put(key);
  EXPECT_TRUE(folder_->find("a"));
  put("e");
  EXPECT_FALSE(folder_->find("b"));
  for (const auto* key : {"a", "c", "d", "e"}) EXPECT_TRUE(folder_->find(key)) << key;
  EXPECT_EQ(files(), 4U);
  EXPECT_EQ(folder_->bytes(), 4 * packed("a").size());
}

TEST_F(SpeechFolderTest, RemembersTheOrderWhenItIsOpenedAgain) {
  for (const auto* key : {"c", "b", "a", "d"}) {
    put(key);
    now_ += 60;
  }
  EXPECT_TRUE(folder_->find("c"));
  open(3 * packed("a").size());
  EXPECT_FALSE(folder_->find("b"));
  for (const auto* key : {"a", "c", "d"}) EXPECT_TRUE(folder_->find(key)) << key;
}

TEST_F(SpeechFolderTest, RemovesTheLeftoversOfWritersThatWereKilled) {
  put("a");
  write(".new-1", packed("b"));
  write(".new-2", packed("b").substr(0, 100));
  write(".new-3", "");
  open();
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(folder_->entries(), 1U);
  put("b");
  EXPECT_TRUE(folder_->find("b"));
}

TEST_F(SpeechFolderTest, LeavesFoldersInItAlone) {
  fs::create_directory(file("inner"));
  open();
  EXPECT_TRUE(fs::exists(file("inner")));
  EXPECT_EQ(folder_->entries(), 0U);
}

TEST_F(SpeechFolderTest, CanNotBeBelowAFile) {
  put("a");
  const auto opened = SpeechFolder::open({.path = file("a") + "/speech",
                                          .now = [] { return start; },
                                          .log = ops::Log(ops::Log::Format::text, ops::Level::error)});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find(file("a")), std::string::npos) << opened.error().message;
}

TEST_F(SpeechFolderTest, SaysThatItCanNotBeWrittenAndHasNothingThen) {
  fs::remove_all(path_);
  std::ofstream(path_) << "a file";
  EXPECT_FALSE(folder_->put("a", packed("a")));
  EXPECT_FALSE(folder_->find("a"));
  EXPECT_EQ(folder_->entries(), 0U);
}

TEST(SpeechEntry, ComesBackAsItWas) {
  const SpeechEntry entry{{{-32768, -1, 0, 1, 32767}, 96000}, 1'900'000'000'000};
  const auto again = unpack(pack(entry, "key"), "key");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->audio.samples, entry.audio.samples);
  EXPECT_EQ(again->audio.rate, entry.audio.rate);
  EXPECT_EQ(again->expires, entry.expires);
}

TEST(SpeechEntry, SaysWhatIsBroken) {
  const auto bytes = pack({{{1, 2}, 8000}, start}, "key");
  auto other_version = bytes;
  other_version[8] = 2;
  EXPECT_EQ(unpack("x", "key").error().message, "it is no speech entry");
  EXPECT_EQ(unpack(other_version, "key").error().message, "it is of another version");
  EXPECT_EQ(unpack(bytes.substr(0, bytes.size() - 1), "key").error().message, "its length is wrong");
  EXPECT_EQ(unpack(bytes, "other").error().message, "its checksum is wrong");
  EXPECT_EQ(unpack(pack({{{1}, 1000}, start}, "key"), "key").error().message, "it has no audio");
}

}  // namespace
}  // namespace rw::speech
