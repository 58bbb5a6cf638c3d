#include "recording/decrypt.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "recording/seal.h"
#include "support/recording_test.h"
#include "support/rsa_keys.h"
#include "support/scratch_folder.h"

namespace rw::recording {
namespace {

const testing_support::RsaKeys& keys() {
  static const testing_support::RsaKeys made;
  return made;
}

class DecryptTest : public testing::Test {
 protected:
  /// A WAV file of one second in five chunks, and the end of each in the encrypted file.
  void SetUp() override {
    auto seal = *Seal::make(*read_public_key(keys().public_key), Format::wav);
    auto encoder = *make_sound_encoder(Format::wav, 8000, 1);
    file = seal->header();
    ends.push_back(file.size());
    const auto sound = recording_test::tone(440, 8000, 1);
    Bytes piece;
    encoder->begin(piece);
    for (std::size_t at = 0; at < sound.size(); at += 1600) {
      encoder->add(std::span(sound).subspan(at, 1600), piece);
      plain.insert(plain.end(), piece.begin(), piece.end());
      ASSERT_TRUE(seal->add(piece, at + 1600 == sound.size(), file));
      ends.push_back(file.size());
      piece.clear();
    }
    const auto header = encoder->final_header();
    std::copy(header.begin(), header.end(), plain.begin());
  }
  Bytes file, plain;
  std::vector<std::size_t> ends;
};

TEST_F(DecryptTest, GivesBackWhatWasRecorded) {
  const auto decrypted = decrypt(file, keys().private_key);
  ASSERT_TRUE(decrypted) << decrypted.error().message;
  EXPECT_EQ(decrypted->problem, "");
  EXPECT_EQ(decrypted->format, Format::wav);
  EXPECT_EQ(decrypted->bytes, plain);
  EXPECT_EQ(whole_chunks(file), file.size());
}

TEST_F(DecryptTest, GivesWhatIsLeftOfATruncatedFile) {
  for (std::size_t cut = ends[1]; cut < file.size(); cut += 97) {
    const auto part = std::span(file).first(cut);
    const auto decrypted = decrypt(part, keys().private_key);
    ASSERT_TRUE(decrypted) << cut << decrypted.error().message;
    EXPECT_EQ(decrypted->problem, "the recording ends early");
    const auto chunks = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin() - 1);
    EXPECT_EQ(decrypted->bytes.size(), 44 + chunks * 3200);
    EXPECT_TRUE(std::equal(decrypted->bytes.begin() + 44, decrypted->bytes.end(), plain.begin() + 44));
    EXPECT_EQ(whole_chunks(part), ends[chunks]);
  }
}

TEST_F(DecryptTest, NoticesEveryChange) {
  for (std::size_t at = 0; at < file.size(); at += at < ends[0] + 64 ? 1 : 501) {
    auto changed = file;
    changed[at] ^= 0x10;
    const auto decrypted = decrypt(changed, keys().private_key);
    EXPECT_TRUE(!decrypted || !decrypted->problem.empty()) << at;
  }
}

TEST_F(DecryptTest, NoticesChunksInAnotherOrderOrMissing) {
  const auto chunk = [&](std::size_t index) {
    return std::span(file).subspan(ends[index], ends[index + 1] - ends[index]);
  };
  Bytes mixed(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(ends[0]));
  for (const std::size_t index : {0, 2, 1, 3, 4}) mixed.insert(mixed.end(), chunk(index).begin(), chunk(index).end());
  auto decrypted = decrypt(mixed, keys().private_key);
  ASSERT_TRUE(decrypted);
  EXPECT_THAT(decrypted->problem, testing::HasSubstr("not what was recorded"));
  EXPECT_EQ(decrypted->bytes.size(), 44U + 3200);

  auto longer = file;
  longer.push_back(0);
  EXPECT_EQ(decrypt(longer, keys().private_key)->problem, "something else follows the recording");
}

TEST_F(DecryptTest, NeedsTheRightKey) {
  EXPECT_FALSE(decrypt(file, testing_support::RsaKeys().private_key));
  EXPECT_FALSE(decrypt(file, keys().public_key));
  EXPECT_FALSE(decrypt(file, ""));
  EXPECT_FALSE(decrypt(plain, keys().private_key));
  EXPECT_FALSE(decrypt({}, keys().private_key));
}

TEST_F(DecryptTest, TwoFilesHaveNothingInCommon) {
  const auto before = file;
  file.clear();
  plain.clear();
  ends.clear();
  SetUp();
  ASSERT_EQ(file.size(), before.size());
  std::size_t same = 0;
  for (std::size_t at = ends[0]; at < file.size(); ++at) same += file[at] == before[at] ? 1U : 0U;
  EXPECT_LT(same, file.size() / 50);
}

TEST_F(DecryptTest, WorksFromFileToFile) {
  const testing_support::ScratchFolder folder;
  const auto bytes = [](const std::string& text) {
    return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  recording_test::write_file(folder.file("key.pem"), bytes(keys().private_key));
  recording_test::write_file(folder.file("in"), file);
  const auto done = decrypt_file(folder.file("key.pem"), folder.file("in"), folder.file("out.wav"));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(*done, "");
  EXPECT_EQ(recording_test::read_file(folder.file("out.wav")), plain);
  EXPECT_FALSE(decrypt_file(folder.file("key.pem"), folder.file("in"), folder.file("out.wav"))) << "overwritten";
  EXPECT_FALSE(decrypt_file(folder.file("none"), folder.file("in"), folder.file("other.wav")));
}

TEST(PublicKeyTest, HasToBeOfRsaAndLongEnough) {
  EXPECT_TRUE(read_public_key(keys().public_key));
  EXPECT_FALSE(read_public_key(testing_support::RsaKeys(1024).public_key));
  EXPECT_FALSE(read_public_key(keys().private_key));
  EXPECT_FALSE(read_public_key("no key"));
}

}  // namespace
}  // namespace rw::recording
