#include <gmock/gmock.h>

#include <random>

#include "recorder_fixture.h"
#include "recording/decrypt.h"
#include "recording/journal.h"
#include "recording/seal.h"
#include "recording/sound_encoder.h"
#include "support/rsa_keys.h"

/// What the next start makes of the files of a process that was killed.
namespace rw::recording {
namespace {

using recording_test::read_sound;
using testing::HasSubstr;
using testing::IsEmpty;

class CrashTest : public RecorderTest {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder.file("recordings")); }

  JournalEntry entry(Format format, char id = 'a') {
    JournalEntry entry;
    entry.id = std::string(36, id);
    entry.format = format;
    entry.heard = true;
    entry.domain = "a.example";
    entry.file_name = "x." + std::string(extension(format));
    entry.started = wall;
    entry.context = {{"callbackUrl", "http://a.example/"}};
    return entry;
  }
  /// Three seconds on two sides, not finished.
  static Bytes sound(Format format, std::uint32_t rate) {
    auto encoder = *make_sound_encoder(format, rate, 2);
    Bytes bytes;
    encoder->begin(bytes);
    const auto samples = recording_test::tone(440, rate, 6);
    const std::size_t piece = rate / 5 * 2;  // 200 ms, as while it is recorded
    for (std::size_t at = 0; at < samples.size(); at += piece)
      encoder->add(std::span(samples).subspan(at, piece), bytes);
    return bytes;
  }
  void leave(const JournalEntry& entry, std::span<const std::uint8_t> data) {
    ASSERT_TRUE(Journal(folder.file("recordings")).save(entry));
    recording_test::write_file(folder.file("recordings/" + entry.data_file()), data);
  }
};

TEST_F(CrashTest, RepairsStoresAndTells) {
  std::mt19937 random(1);
  std::size_t count = 0;
  for (const auto format : {Format::wav, Format::mp3, Format::ogg}) {
    for (int cut = 0; cut < 5; ++cut, ++count) {
      auto bytes = sound(format, 16'000);
      const auto all = bytes.size();
      bytes.resize(all / 2 + random() % (all / 2));
      leave(entry(format, static_cast<char>('a' + count % 6)), bytes);
      open();
      const auto finished = reports(count + 1).back();
      EXPECT_TRUE(finished.success) << finished.reason;
      EXPECT_EQ(finished.context.at("callbackUrl").as_string(), "http://a.example/");
      const auto read = read_sound(stored_file(count));
      ASSERT_EQ(read.channels.size(), 2U);
      const double seconds = static_cast<double>(read.channels[0].size()) / read.rate;
      EXPECT_NEAR(seconds, 3.0 * static_cast<double>(bytes.size()) / static_cast<double>(all), 0.5);
      EXPECT_NEAR(static_cast<double>(finished.duration.count()), seconds * 1000, 60);
      recorder->acknowledge(finished.id);
      recorder.reset();
      EXPECT_THAT(left(), IsEmpty());
    }
  }
}

TEST_F(CrashTest, CutsAnEncryptedFileToItsLastWholeChunk) {
  const testing_support::RsaKeys keys;
  auto seal = *Seal::make(*read_public_key(keys.public_key), Format::ogg);
  Bytes bytes = seal->header();
  ASSERT_TRUE(seal->add(sound(Format::ogg, 8000), false, bytes));
  const auto whole = bytes.size();
  bytes.resize(whole + 100);
  auto sealed = entry(Format::ogg);
  sealed.encrypted = true;
  leave(sealed, bytes);
  open();
  const auto finished = reports(1).back();
  EXPECT_TRUE(finished.success) << finished.reason;
  EXPECT_EQ(finished.size, whole);
  const auto decrypted = decrypt(recording_test::read_file(stored_file()), keys.private_key);
  ASSERT_TRUE(decrypted);
  EXPECT_EQ(decrypted->problem, "the recording ends early");
  recording_test::write_file(folder.file("plain"), decrypted->bytes);
  EXPECT_EQ(read_sound(folder.file("plain")).channels.size(), 2U);
}

TEST_F(CrashTest, TellsThatNothingWasHeard) {
  auto unheard = entry(Format::wav);
  unheard.heard = false;
  leave(unheard, sound(Format::wav, 8000));
  open();
  EXPECT_EQ(reports(1).back().reason, "No caller or callee media received");
}

TEST_F(CrashTest, TellsThatTheFileIsGoneOrUnreadable) {
  ASSERT_TRUE(Journal(folder.file("recordings")).save(entry(Format::wav, 'a')));
  leave(entry(Format::ogg, 'b'), Bytes(100, 7));
  open();
  for (const auto& finished : reports(2)) {
    EXPECT_FALSE(finished.success);
    EXPECT_THAT(finished.reason, finished.id[0] == 'a' ? HasSubstr("gone") : HasSubstr("could not be repaired"));
  }
}

TEST_F(CrashTest, AWholeFileThatWasNotStoredIsStored) {
  auto whole = entry(Format::mp3);
  whole.state = JournalEntry::State::uploading;
  whole.ended = wall;
  whole.duration = std::chrono::milliseconds(1234);
  leave(whole, sound(Format::mp3, 8000));
  open();
  const auto finished = reports(1).back();
  EXPECT_TRUE(finished.success);
  EXPECT_EQ(finished.duration, std::chrono::milliseconds(1234));
}

TEST_F(CrashTest, AFileThatWasStoredIsNotStoredAgain) {
  auto stored = entry(Format::mp3);
  stored.state = JournalEntry::State::stored;
  leave(stored, sound(Format::mp3, 8000));
  open();
  EXPECT_TRUE(reports(1).back().success);
  EXPECT_EQ(store.attempts, 0);
  recorder->acknowledge(stored.id);
  recorder.reset();
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(CrashTest, AnUnreadableJournalIsPutAside) {
  recording_test::write_file(folder.file("recordings/x.json"), Bytes{'{'});
  recording_test::write_file(folder.file("recordings/y.tmp"), Bytes{'{'});
  open();
  recorder.reset();
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_THAT(left("/failed"), testing::ElementsAre("x.json"));
}

TEST_F(CrashTest, TheJournalComesBackAsItWasWritten) {
  auto written = entry(Format::ogg);
  written.state = JournalEntry::State::failed;
  written.kind = Kind::phrase;
  written.encrypted = true;
  written.reason = "No space left on device";
  written.size = 5'000'000'000;
  written.ended = wall + std::chrono::seconds(3);
  const auto read = Journal::parse(Journal::text(written));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(Journal::text(*read), Journal::text(written));
  for (const std::string wrong : {"", "[]", "{}", R"({"id":"../../etc/passwd","state":"failed"})"})
    EXPECT_FALSE(Journal::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace rw::recording
