#include "recording/recorder.h"

#include "recorder_fixture.h"

namespace rw::recording {
namespace {

using recording_test::read_sound;
using recording_test::rms;

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

TEST_F(RecorderTest, LeavesNothingOnceAcknowledged) {
  const auto finished = record("talk.wav");
  EXPECT_EQ(left(), std::vector<std::string>{finished.id + ".json"});
  recorder->acknowledge(finished.id);
  recorder.reset();
  EXPECT_TRUE(left().empty());
}

}  // namespace
}  // namespace rw::recording
