#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "audio/wav_file.h"
#include "storage/file_prompt_store.h"
#include "support/scratch_folder.h"

namespace rw::storage {
namespace {

std::string wav(std::size_t samples = 800) {
  return audio::wav_bytes({std::vector<std::int16_t>(samples, 100), 8000});
}

class PromptStoreTest : public testing::Test {
 protected:
  StoreResult<StoredPrompt> put(const std::string& name, const std::string& bytes,
                                const std::string& domain = "a.example") {
    auto upload = store->begin(domain, name);
    if (!upload) return tl::unexpected(upload.error());
    if (auto written = (*upload)->write(bytes); !written) return tl::unexpected(written.error());
    return (*upload)->commit();
  }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(folder.file("prompts"));
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  testing_support::ScratchFolder folder;
  std::unique_ptr<FilePromptStore> store = *FilePromptStore::open(folder.path());
};

TEST_F(PromptStoreTest, KeepsWhatWasUploaded) {
  const auto stored = put("hello.wav", wav());
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->content_type, "audio/wav");
  const auto found = store->find("a.example", "hello.wav");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, wav().size());
  EXPECT_EQ(std::filesystem::file_size(found->path), wav().size());
  EXPECT_EQ(store->find("a.example", "hello")->name, "hello.wav");
  EXPECT_FALSE(store->find("a.example", "hell"));
  EXPECT_FALSE(store->find("b.example", "hello.wav"));
}

TEST_F(PromptStoreTest, ReplacesAllAtOnce) {
  std::string changed;
  store->on_change([&](const std::string& domain) { changed += domain; });
  put("x.wav", wav());
  const auto before = store->find("a.example", "x.wav");
  put("x.wav", wav(1600));
  const auto after = store->find("a.example", "x.wav");
  EXPECT_NE(before->etag, after->etag);
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(changed, "a.examplea.example");
}

TEST_F(PromptStoreTest, RefusesWhatIsNotAudioAndLeavesNothing) {
  const auto refused = put("x.wav", "this is text");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, StoreError::Kind::not_audio);
  EXPECT_EQ(put("x.wav", wav(0)).error().kind, StoreError::Kind::not_audio);
  EXPECT_EQ(files(), 0U);
  {
    auto abandoned = store->begin("a.example", "y.wav");
    (void)(*abandoned)->write(wav());
  }
  EXPECT_EQ(files(), 0U);
  EXPECT_FALSE(store->find("a.example", "y.wav"));
}

TEST_F(PromptStoreTest, FindsWithoutTheExtension) {
  put("menu.v2.wav", wav());
  put("menu.wav", wav(900));
  EXPECT_EQ(store->find("a.example", "menu")->name, "menu.wav");
  EXPECT_EQ(store->find("a.example", "menu.v2")->name, "menu.v2.wav");
  put("menu", wav(1000));
  EXPECT_EQ(store->find("a.example", "menu")->name, "menu");  // an exact name comes first
  EXPECT_EQ(store->find("a.example", "men%").error().kind, StoreError::Kind::not_found);
  EXPECT_FALSE(store->find("a.example", ""));
}

TEST_F(PromptStoreTest, KeepsTheOldPromptWhenItsReplacementIsRefused) {
  put("x.wav", wav());
  EXPECT_FALSE(put("x.wav", "this is text"));
  const auto kept = store->find("a.example", "x.wav");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size, wav().size());
  EXPECT_TRUE(std::filesystem::exists(kept->path));
}

TEST_F(PromptStoreTest, RefusesTooMuch) {
  auto upload = store->begin("a.example", "x.wav");
  const std::string piece(1024 * 1024, 'x');
  StoreResult<void> written;
  for (int at = 0; at < 60 && written; ++at) written = (*upload)->write(piece);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, StoreError::Kind::too_large);
}

TEST_F(PromptStoreTest, ARecordingMayBeLargerAndAnythingElseIsOpaque) {
  const auto store_as = [&](UploadKind kind, const std::string& bytes, int times) {
    auto upload = store->begin("a.example", "x", kind);
    for (int at = 0; at < times; ++at) EXPECT_TRUE((*upload)->write(bytes));
    return (*upload)->commit();
  };
  const std::string piece(1024 * 1024, 'x');
  const auto opaque = store_as(UploadKind::opaque, piece, 51);
  ASSERT_TRUE(opaque) << opaque.error().message;
  EXPECT_EQ(opaque->content_type, "application/octet-stream");
  EXPECT_EQ(store->find("a.example", "x")->size, 51U * piece.size());
  EXPECT_EQ(store_as(UploadKind::recording, piece, 1).error().kind, StoreError::Kind::not_audio);
  const auto recording = store_as(UploadKind::recording, wav(), 1);
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->content_type, "audio/wav");
  EXPECT_TRUE(store_as(UploadKind::recording, wav(0), 1));  // of a call that ended at once
  EXPECT_TRUE(store_as(UploadKind::opaque, "", 1));
}

TEST_F(PromptStoreTest, MovesNothingWithoutCredentials) {
  put("x.wav", wav());
  const auto refused = store->move("a.example", "x.wav", {"eu-north-1", "bucket", "x.wav", ""});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, StoreError::Kind::not_configured);
  EXPECT_TRUE(store->find("a.example", "x.wav"));
  EXPECT_FALSE(store->remote());
  EXPECT_EQ(store->link("a.example", "x", std::chrono::seconds(1))->name, "x.wav");
  EXPECT_FALSE(store->link("a.example", "y", std::chrono::seconds(1)));
}

TEST_F(PromptStoreTest, ChecksNames) {
  const std::string nul(1, '\0');
  for (const std::string& bad : std::vector<std::string>{"", ".", "..", "a/b", "a\\b", "a\nb", "\x7f", "a" + nul + "b",
                                                         "\xc2\x85", "\xff", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80"}) {
    const auto refused = store->begin("a.example", bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().kind, StoreError::Kind::invalid_name);
  }
  EXPECT_TRUE(check_name(std::string(255, 'a')));
  EXPECT_FALSE(check_name(std::string(256, 'a')));
  std::string swedish;
  for (int at = 0; at < 255; ++at) swedish += "å";
  EXPECT_TRUE(check_name(swedish));  // characters, not bytes
  EXPECT_FALSE(check_name(swedish + "a"));
  EXPECT_TRUE(store->begin("a.example", "räksmörgås; DROP TABLE prompts.wav"));
}

TEST_F(PromptStoreTest, RemovesAndSaysWhatIsNotThere) {
  put("x.wav", wav());
  EXPECT_TRUE(store->remove("a.example", "x.wav"));
  EXPECT_EQ(store->remove("a.example", "x.wav").error().kind, StoreError::Kind::not_found);
  EXPECT_EQ(files(), 0U);
}

TEST_F(PromptStoreTest, ListsInPages) {
  const auto bytes = wav(160);
  for (int at = 0; at < 1001; ++at) ASSERT_TRUE(put(std::to_string(10000 + at), bytes));
  put("other", bytes, "b.example");
  const auto first = store->list("a.example", "");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->prompts.size(), 1000U);
  ASSERT_TRUE(first->next);
  const auto second = store->list("a.example", *first->next);
  ASSERT_EQ(second->prompts.size(), 1U);
  EXPECT_EQ(second->prompts[0].name, "11000");
  EXPECT_FALSE(second->next);
  EXPECT_FALSE(store->list("a.example", "!!"));
}

TEST_F(PromptStoreTest, TidiesUpAfterAnEarlierProcess) {
  put("x.wav", wav());
  std::ofstream(folder.file("prompts/half-done")) << "x";
  store.reset();
  store = *FilePromptStore::open(folder.path());
  EXPECT_EQ(files(), 1U);
  EXPECT_TRUE(store->find("a.example", "x.wav"));
}

}  // namespace
}  // namespace rw::storage
