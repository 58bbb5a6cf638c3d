#include "audio/stream_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "audio/wav_file.h"
#include "signals.h"
#include "support/scratch_folder.h"

namespace rw::audio {
namespace {

using namespace test;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Streamed {
  Result<void> result;
  Samples samples;
  std::size_t after_half = 0;  ///< samples that were there when half of the bytes had come
};

Streamed stream(const std::string& bytes, std::size_t piece = 997) {
  StreamDecoder decoder;
  Streamed streamed;
  std::vector<float> heard;
  for (std::size_t at = 0; at < bytes.size() && streamed.result; at += piece) {
    streamed.result = decoder.feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), heard);
    if (at <= bytes.size() / 2) streamed.after_half = heard.size();
  }
  if (streamed.result) streamed.result = decoder.finish(heard);
  streamed.samples.rate = decoder.rate();
  for (const float value : heard)
    streamed.samples.samples.push_back(static_cast<std::int16_t>(std::lround(value * 32767)));
  return streamed;
}

struct Kind {
  const char* name;
  int format;
  std::uint32_t rate;
  int channels;
  bool at_once;  ///< heard before the end
};

class StreamDecoderTest : public testing::TestWithParam<Kind> {
 protected:
  std::string file() {
    const auto path = folder_.file("a");
    write_file(path, sine(440, GetParam().rate, 2), GetParam().format, GetParam().channels);
    return bytes_of(path);
  }
  testing_support::ScratchFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, StreamDecoderTest,
                         testing::Values(Kind{"pcm8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8000, 1, true},
                                         Kind{"pcm16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2, true},
                                         Kind{"pcm24", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100, 2, true},
                                         Kind{"pcm32", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 48000, 1, true},
                                         Kind{"extensible", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 22050, 2, true},
                                         Kind{"floats", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 32000, 1, true},
                                         Kind{"alaw", SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, 1, true},
                                         Kind{"ulaw", SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 2, true},
                                         Kind{"gsm", SF_FORMAT_WAV | SF_FORMAT_GSM610, 8000, 1, false},
                                         Kind{"mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, true},
                                         Kind{"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1, false},
                                         Kind{"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(StreamDecoderTest, HearsTheWholeFileInAnyPieces) {
  const auto bytes = file();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{997}, bytes.size()}) {
    const auto streamed = stream(bytes, piece);
    ASSERT_TRUE(streamed.result) << streamed.result.error().message;
    EXPECT_EQ(streamed.samples.rate, GetParam().rate);
    EXPECT_NEAR(static_cast<double>(streamed.samples.samples.size()), 2.0 * GetParam().rate, 3000);
    EXPECT_GT(share(streamed.samples, 440), 0.95);
  }
}

TEST_P(StreamDecoderTest, HearsTheBeginningBeforeTheEnd) {
  const auto streamed = stream(file());
  if (GetParam().at_once) {
    EXPECT_NEAR(static_cast<double>(streamed.after_half), GetParam().rate, 0.15 * GetParam().rate);
  } else {
    EXPECT_EQ(streamed.after_half, 0U);
  }
}

TEST_P(StreamDecoderTest, TakesAnyPrefixWithoutHarm) {
  const auto bytes = file();
  for (std::size_t length = 0; length < std::min<std::size_t>(bytes.size(), 2000); length += 7)
    stream(bytes.substr(0, length));
}

TEST(StreamDecoder, SaysThatAFileBreaksOff) {
  const auto bytes = wav_bytes(sine(440, 8000));
  const auto streamed = stream(bytes.substr(0, bytes.size() / 2));
  ASSERT_FALSE(streamed.result);
  EXPECT_NE(streamed.result.error().message.find("breaks off"), std::string::npos);
  EXPECT_GT(streamed.samples.samples.size(), 1500U);
}

TEST(StreamDecoder, RefusesWhatIsNoAudio) {
  for (const auto* text :
       {"", "short", "<html>this is a page that says that nothing was found</html>", "ID3 but no more"})
    EXPECT_FALSE(stream(text).result) << text;
  auto bytes = wav_bytes(sine(440, 8000));
  bytes[24] = 1;
  bytes[27] = 1;  // 16 MHz
  EXPECT_FALSE(stream(bytes).result);
}

TEST(StreamDecoder, RefusesSamplesWithoutBits) {
  auto bytes = wav_bytes(sine(440, 8000));
  bytes[34] = 0;
  EXPECT_FALSE(stream(bytes).result);
}

TEST(StreamDecoder, TakesHeadersOfThoseWhoDoNotKnowTheLength) {
  auto bytes = wav_bytes(sine(440, 8000));
  for (const std::size_t at : {4U, 40U}) bytes.replace(at, 4, "\xff\xff\xff\xff");
  const auto streamed = stream(bytes);
  ASSERT_TRUE(streamed.result) << streamed.result.error().message;
  EXPECT_EQ(streamed.samples.samples.size(), 4000U);
}

}  // namespace
}  // namespace rw::audio
