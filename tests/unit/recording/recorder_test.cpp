#include "recording/recorder.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "recorder_fixture.h"
#include "recording/decrypt.h"
#include "support/rsa_keys.h"

namespace rw::recording {
namespace {

using recording_test::read_sound;
using recording_test::rms;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_F(RecorderTest, RecordsBothSidesAndStoresTheFile) {
  const auto finished = record("talk.wav");
  EXPECT_TRUE(finished.success) << finished.reason;
  EXPECT_EQ(finished.kind, Kind::connection);
  EXPECT_EQ(finished.domain, "a.example");
  EXPECT_EQ(finished.file_name, "talk.wav");
  EXPECT_EQ(finished.duration, std::chrono::seconds(1));
  EXPECT_EQ(finished.size, 44U + 8000 * 4);
  EXPECT_EQ(finished.context.at("sessionId").as_string(), "s-1");
  EXPECT_EQ(store.files.at(0).kind, storage::UploadKind::recording);

  const auto sound = read_sound(stored_file());
  ASSERT_EQ(sound.channels.size(), 2U);
  EXPECT_EQ(sound.rate, 8000U);
  ASSERT_EQ(sound.channels[0].size(), 8000U);
  EXPECT_NEAR(rms(sound.channels[0]), 8000 / std::sqrt(2), 150);
  EXPECT_NEAR(rms(sound.channels[1]), 8000 / std::sqrt(2), 150);
  EXPECT_NE(sound.channels[0], sound.channels[1]);
}

TEST_F(RecorderTest, RecordsInEveryFormat) {
  for (const std::string name : {"a", "b.mp3", "c.ogg", "d.wav"}) {
    const auto finished = record(name);
    EXPECT_TRUE(finished.success) << finished.reason;
    EXPECT_EQ(finished.file_name, name == "a" ? "a.mp3" : name);
  }
  for (std::size_t index = 0; index < 4; ++index) {
    const auto sound = read_sound(stored_file(index));
    ASSERT_EQ(sound.channels.size(), 2U) << index;
    EXPECT_GT(rms(sound.channels[1]), 3000) << index;
  }
}

TEST_F(RecorderTest, LeavesNothingOnceAcknowledged) {
  const auto finished = record("talk.wav");
  EXPECT_THAT(left(), UnorderedElementsAre(finished.id + ".json"));
  recorder->acknowledge(finished.id);
  recorder.reset();
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(RecorderTest, TellsAgainAfterARestartUntilAcknowledged) {
  const auto first = record("talk.wav");
  reopen();
  const auto second = reports(2).back();
  EXPECT_EQ(second.id, first.id);
  EXPECT_TRUE(second.success);
  EXPECT_EQ(second.size, first.size);
  EXPECT_EQ(second.duration, first.duration);
  EXPECT_EQ(second.context, first.context);
  EXPECT_EQ(store.files.size(), 1U) << "stored twice";
  recorder->acknowledge(first.id);
  reopen();
  recorder.reset();
  EXPECT_EQ(reported(), 2U);
}

TEST_F(RecorderTest, EndsWhereTheShareOfTheDomainDoes) {
  shares = std::make_shared<storage::DiskShares>(storage::DiskShares::Options{
      .folder = folder.path(), .reserve = 0, .most = [](const std::string&) { return 40'000; }});
  reopen();
  auto recording = *recorder->start(order("long.wav"));
  EXPECT_GT(shares->used("a.example"), 0U);
  for (int second = 0; second < 3; ++second) talk(*recording);
  const auto finished = reports(1).front();
  EXPECT_TRUE(finished.success) << finished.reason;
  EXPECT_THAT(finished.cut_short, HasSubstr("max_storage"));
  EXPECT_EQ(store.files.at(0).bytes.size(), finished.size);
  EXPECT_EQ(shares->used("a.example"), 0U) << "it is the store's now";
  shares->add("a.example", 40'000);
  const auto another = recorder->start(order("another.wav"));
  ASSERT_FALSE(another);
  EXPECT_THAT(another.error().message, HasSubstr("max_storage"));
}

TEST_F(RecorderTest, OneSideIsEnough) {
  auto recording = *recorder->start(order("talk.wav"));
  recording_test::Phone phone(1, rtp::Codec::pcma, now);
  for (int packet = 0; packet < 50; ++packet) recording->put(phone.next());
  pass(std::chrono::seconds(2));
  recording->finish();
  EXPECT_TRUE(reports(1).back().success);
  const auto sound = read_sound(stored_file());
  ASSERT_EQ(sound.channels.at(0).size(), 16'000U);  // both as long as the recording
  EXPECT_EQ(rms(sound.channels[0]), 0);
  EXPECT_GT(rms(sound.channels[1], 0, 8000), 5000);
  EXPECT_EQ(rms(sound.channels[1], 8000, 8000), 0);
}

TEST_F(RecorderTest, FailsIfNothingWasHeard) {
  quiet = ops::Level::error;
  auto recording = *recorder->start(order("talk.wav"));
  pass(std::chrono::seconds(1));
  recording->finish();
  auto phrase = order("say.wav");
  phrase.kind = Kind::phrase;
  phrase.channels = 1;
  reports(1);
  (*recorder->start(phrase))->finish();
  const auto all = reports(2);
  EXPECT_FALSE(all[0].success);
  EXPECT_EQ(all[0].reason, "No caller or callee media received");
  EXPECT_EQ(all[0].kept, "");
  EXPECT_EQ(all[1].reason, "No media received");
  EXPECT_EQ(all[1].kind, Kind::phrase);
  EXPECT_EQ(store.attempts, 0);
  for (const auto& each : all) recorder->acknowledge(each.id);
  recorder.reset();
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(RecorderTest, EndsOnceHoweverOftenItIsTold) {
  auto recording = *recorder->start(order("talk.wav"));
  talk(*recording);
  recording->finish();
  pass(std::chrono::seconds(5));
  recording->fail("too late");
  recording->finish();
  const auto finished = reports(1).back();
  EXPECT_EQ(finished.duration, std::chrono::seconds(1));
  recording.reset();
  recorder.reset();
  EXPECT_EQ(reported(), 1U);
}

TEST_F(RecorderTest, EndsWhenNobodyHoldsIt) {
  auto recording = *recorder->start(order("talk.wav"));
  talk(*recording);
  recording.reset();
  EXPECT_TRUE(reports(1).back().success);
}

TEST_F(RecorderTest, FailsWithTheReasonThatItWasGiven) {
  auto recording = *recorder->start(order("talk.wav"));
  talk(*recording);
  recording->fail("the call was moved");
  const auto finished = reports(1).back();
  EXPECT_FALSE(finished.success);
  EXPECT_EQ(finished.reason, "the call was moved");
}

TEST_F(RecorderTest, EndsByItselfWhenItIsTooLong) {
  std::promise<Ending> ended;
  auto limited = order("talk.wav");
  limited.longest = std::chrono::milliseconds(500);
  limited.ended = [&](Ending ending) { ended.set_value(ending); };
  auto recording = *recorder->start(limited);
  talk(*recording);
  EXPECT_EQ(ended.get_future().get(), Ending::longest);
  EXPECT_EQ(reports(1).back().duration, std::chrono::milliseconds(500));
}

TEST_F(RecorderTest, RefusesWhatCannotBeRecorded) {
  EXPECT_FALSE(recorder->start(order("a.txt")));
  EXPECT_FALSE(recorder->start(order(std::string(254, 'a'))));
  auto wrong = order("a.wav");
  wrong.rate = 44'100;
  EXPECT_FALSE(recorder->start(wrong));
  wrong = order("a.wav");
  wrong.public_key = "no key";
  EXPECT_THAT(recorder->start(wrong).error().message, HasSubstr("public key"));
  EXPECT_EQ(recorder->pending(), 0U);
}

TEST_F(RecorderTest, TriesAgainUntilTheStoreTakesIt) {
  quiet = ops::Level::error;
  store.failures = 5;
  store.throws = true;
  EXPECT_TRUE(record("talk.wav").success);
  EXPECT_EQ(store.attempts, 6);
  EXPECT_EQ(back_offs, (std::vector<unsigned>{1, 2, 3, 4, 5}));
}

TEST_F(RecorderTest, GivesUpAfterADayAndKeepsTheFile) {
  store.failures = 1'000'000;
  wall_per_retry = std::chrono::hours(1);
  const auto finished = record("talk.wav");
  EXPECT_FALSE(finished.success);
  EXPECT_EQ(store.attempts, 25);
  EXPECT_EQ(finished.reason, "could not be stored within 24 hours: the store is away");
  EXPECT_EQ(read_sound(finished.kept).channels.at(0).size(), 8000U);
  recorder->acknowledge(finished.id);
  recorder.reset();
  EXPECT_THAT(left(), IsEmpty());
  EXPECT_THAT(left("/failed"), UnorderedElementsAre(finished.id + ".wav"));
}

TEST_F(RecorderTest, GivesUpAtOnceIfItCannotGetBetter) {
  store.failures = 1'000'000;
  store.failure = storage::StoreError::Kind::too_large;
  const auto finished = record("talk.wav");
  EXPECT_FALSE(finished.success);
  EXPECT_EQ(store.attempts, 1);
  EXPECT_NE(finished.kept, "");
}

TEST_F(RecorderTest, TheDayGoesOnAcrossRestarts) {
  store.failures = 1'000'000;
  std::unique_lock lock(store.mutex);
  auto recording = *recorder->start(order("talk.wav"));
  talk(*recording);
  recording->finish();
  lock.unlock();
  recorder.reset();  // in the middle of it
  EXPECT_EQ(reported(), 0U);
  wall += std::chrono::hours(25);
  open();
  EXPECT_THAT(reports(1).back().reason, HasSubstr("24 hours"));
}

TEST_F(RecorderTest, WhatIsUnderWayIsStoredAfterAnOrderlyRestart) {
  auto recording = *recorder->start(order("talk.ogg"));
  talk(*recording);
  recorder.reset();
  recording->finish();  // nobody is there any more
  recording.reset();
  open();
  EXPECT_TRUE(reports(1).back().success);
  EXPECT_EQ(read_sound(stored_file()).channels.size(), 2U);
}

/// A limit on the size of files, in place of a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(RecorderTest, AWriteErrorFailsThatRecordingAloneAndAtOnce) {
  std::promise<Ending> ended;
  auto large = order("large.wav");
  large.ended = [&](Ending ending) { ended.set_value(ending); };
  const FileSizeLimit limit(20'000);
  auto failing = *recorder->start(large);
  auto other = *recorder->start(order("small.ogg"));
  recording_test::Phone phone(0, rtp::Codec::pcma, now);
  for (int packet = 0; packet < 50; ++packet) other->put(phone.next());
  talk(*failing);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(ended.get_future().get(), Ending::failed);
  const auto finished = reports(1).back();
  EXPECT_FALSE(finished.success);
  EXPECT_EQ(finished.reason, "File too large");
  EXPECT_EQ(std::filesystem::file_size(finished.kept), 20'000U);
  other->finish();
  EXPECT_TRUE(reports(2).back().success);
}

TEST_F(RecorderTest, AnErrorAtTheStartIsToldToo) {
  std::promise<Ending> ended;
  auto doomed = order("a.wav");
  doomed.ended = [&](Ending ending) { ended.set_value(ending); };
  const FileSizeLimit limit(10);
  auto recording = *recorder->start(doomed);
  EXPECT_EQ(ended.get_future().get(), Ending::failed);
  EXPECT_EQ(reports(1).back().reason, "File too large");
  talk(*recording);
  recording->finish();
  recorder.reset();
  EXPECT_EQ(reported(), 1U);
}

TEST_F(RecorderTest, EncryptsForTheDomain) {
  const testing_support::RsaKeys keys;
  auto secret = order("talk.ogg");
  secret.public_key = keys.public_key;
  auto recording = *recorder->start(secret);
  talk(*recording);
  recording->finish();
  const auto finished = reports(1).back();
  EXPECT_TRUE(finished.success) << finished.reason;
  EXPECT_EQ(finished.file_name, "talk.ogg.enc");
  EXPECT_EQ(store.files.at(0).kind, storage::UploadKind::opaque);
  const auto decrypted = decrypt(recording_test::read_file(stored_file()), keys.private_key);
  ASSERT_TRUE(decrypted) << decrypted.error().message;
  EXPECT_EQ(decrypted->problem, "");
  recording_test::write_file(folder.file("plain"), decrypted->bytes);
  EXPECT_EQ(read_sound(folder.file("plain")).channels.size(), 2U);
}

TEST_F(RecorderTest, RecordsManyAtOnce) {
  std::vector<std::shared_ptr<Recording>> recordings;
  for (int count = 0; count < 200; ++count)
    recordings.push_back(*recorder->start(order(std::to_string(count) + ".wav")));
  recording_test::Phone phone(0, rtp::Codec::pcma, now);
  for (int packet = 0; packet < 50; ++packet) {
    const auto sent = phone.next();
    for (const auto& recording : recordings) recording->put(sent);
  }
  pass(std::chrono::seconds(1));
  recordings.clear();
  for (const auto& finished : reports(200)) {
    EXPECT_TRUE(finished.success);
    EXPECT_EQ(finished.size, 44U + 8000 * 4);
    recorder->acknowledge(finished.id);
  }
  EXPECT_EQ(recorder->pending(), 0U);
  recorder.reset();
  EXPECT_THAT(left(), IsEmpty());
}

}  // namespace
}  // namespace rw::recording
