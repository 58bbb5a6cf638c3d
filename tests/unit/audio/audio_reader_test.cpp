#include "audio/audio_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

#include "audio/decode.h"
#include "audio/wav_file.h"
#include "decode_in_pieces.h"
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
  std::string content_type;
};

Streamed stream(const std::string& bytes, std::size_t piece = 997, std::chrono::milliseconds most = max_duration) {
  AudioReader reader(most);
  Streamed streamed;
  const auto read = [&] {
    std::array<float, 500> room;
    for (;;) {
      const auto got = reader.read(room);
      if (!got) streamed.result = tl::unexpected(got.error());
      if (!got || *got == 0) return got.has_value();
      for (const float value : std::span(room).first(*got)) streamed.samples.samples.push_back(to_sample(value));
    }
  };
  bool well = true;
  for (std::size_t at = 0; at < bytes.size() && well; at += piece) {
    reader.feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)));
    well = read();
    if (at <= bytes.size() / 2) streamed.after_half = streamed.samples.samples.size();
  }
  reader.end();
  if (well) read();
  streamed.samples.rate = reader.rate();
  streamed.content_type = reader.content_type();
  return streamed;
}

struct Kind {
  const char* name;
  int format;
  std::uint32_t rate;
  int channels;
};

class AudioReaderTest : public testing::TestWithParam<Kind> {
 protected:
  std::string file(double seconds = 2) {
    const auto path = folder_.file("a");
    write_file(path, sine(440, GetParam().rate, seconds), GetParam().format, GetParam().channels);
    return bytes_of(path);
  }
  testing_support::ScratchFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, AudioReaderTest,
                         testing::Values(Kind{"pcm8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8000, 1},
                                         Kind{"pcm16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2},
                                         Kind{"pcm24", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100, 2},
                                         Kind{"pcm32", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 48000, 1},
                                         Kind{"extensible", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, 22050, 2},
                                         Kind{"floats", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 32000, 1},
                                         Kind{"alaw", SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, 1},
                                         Kind{"ulaw", SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 2},
                                         Kind{"gsm", SF_FORMAT_WAV | SF_FORMAT_GSM610, 8000, 1},
                                         Kind{"doubles", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 16000, 2},
                                         Kind{"ima", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 16000, 2},
                                         Kind{"microsoft", SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, 16000, 2},
                                         Kind{"rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 16000, 1},
                                         Kind{"mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2},
                                         Kind{"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1},
                                         Kind{"opus_stereo", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 2},
                                         Kind{"vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 22050, 2},
                                         Kind{"flac_stereo", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 44100, 2},
                                         Kind{"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(AudioReaderTest, HearsTheWholeFileInAnyPieces) {
  const auto bytes = file();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{997}, bytes.size()}) {
    const auto streamed = stream(bytes, piece);
    ASSERT_TRUE(streamed.result) << streamed.result.error().message;
    EXPECT_EQ(streamed.samples.rate, GetParam().rate);
    EXPECT_NEAR(static_cast<double>(streamed.samples.samples.size()), 2.0 * GetParam().rate, 3000);
    EXPECT_GT(share(streamed.samples, 440), 0.95);
  }
}

TEST_P(AudioReaderTest, HearsTheBeginningBeforeTheEnd) {
  // An Ogg page is as long as its writer likes: seconds.
  const bool pages = (GetParam().format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG;
  const double half = pages ? 10 : 1;
  const auto heard = static_cast<double>(stream(file(2 * half)).after_half) / GetParam().rate;
  EXPECT_GT(heard, (pages ? 0.5 : 0.65) * half);
  EXPECT_LT(heard, 1.35 * half);
}

/// Whatever stands in front of it: a tag, another tag, white space.
TEST_P(AudioReaderTest, HearsWhatStandsBehindSomethingElse) {
  const auto bytes = file();
  const auto plain = stream(bytes);
  const auto tag = std::string("ID3\3\0\0\0\0\x04\0", 10) + std::string(512, '\xff');
  for (const auto& before : {std::string(1, '\0'), std::string("\xef\xbb\xbf\r\n"), tag, tag + tag,
                             std::string(70'000, ' '), tag + std::string(3000, '\0')}) {
    const auto streamed = stream(before + bytes);
    ASSERT_TRUE(streamed.result) << streamed.result.error().message;
    EXPECT_EQ(streamed.samples.samples.size(), plain.samples.samples.size());
    EXPECT_EQ(streamed.content_type, plain.content_type);
  }
}

TEST_P(AudioReaderTest, HearsWhatStandsInFrontOfSomethingElse) {
  const auto bytes = file();
  const auto plain = stream(bytes);
  for (const auto& behind :
       {std::string(4000, '\0'), "TAG" + std::string(125, ' '), "APETAGEX" + std::string(300, '\1')}) {
    const auto streamed = stream(bytes + behind);
    ASSERT_TRUE(streamed.result) << streamed.result.error().message;
    EXPECT_EQ(streamed.samples.samples.size(), plain.samples.samples.size());
  }
}

TEST_P(AudioReaderTest, IsRefusedWhereItIsTooLong) {
  EXPECT_FALSE(stream(file(), 997, std::chrono::milliseconds(1500)).result);
}

TEST_P(AudioReaderTest, TakesAnyPrefixWithoutHarm) {
  const auto bytes = file();
  for (std::size_t length = 0; length < std::min<std::size_t>(bytes.size(), 2000); length += 7)
    stream(bytes.substr(0, length));
}

TEST(AudioReader, SaysThatAFileBreaksOff) {
  const auto bytes = wav_bytes(sine(440, 8000));
  const auto streamed = stream(bytes.substr(0, bytes.size() / 2));
  ASSERT_FALSE(streamed.result);
  EXPECT_TRUE(streamed.result.error().message.starts_with("cut off: ")) << streamed.result.error().message;
  EXPECT_GT(streamed.samples.samples.size(), 1500U);
}

TEST(AudioReader, RefusesWhatIsNoAudio) {
  for (const auto* text :
       {"", "short", "<html>this is a page that says that nothing was found</html>", "ID3 but no more"})
    EXPECT_FALSE(stream(text).result) << text;
  auto bytes = wav_bytes(sine(440, 8000));
  bytes[24] = 1;
  bytes[27] = 1;  // 16 MHz
  EXPECT_FALSE(stream(bytes).result);
}

TEST(AudioReader, RefusesSamplesWithoutBits) {
  auto bytes = wav_bytes(sine(440, 8000));
  bytes[34] = 0;
  EXPECT_FALSE(stream(bytes).result);
}

TEST(AudioReader, TakesHeadersOfThoseWhoDoNotKnowTheLength) {
  for (const std::uint32_t size : {0U, 60'000'000U, 0x7f00'0000U, 0x7fff'f000U, 0x8000'0000U, 0xffff'ffffU}) {
    auto bytes = wav_bytes(sine(440, 8000));
    for (const std::size_t at : {4U, 40U}) std::memcpy(&bytes[at], &size, 4);
    const auto streamed = stream(bytes);
    ASSERT_TRUE(streamed.result) << streamed.result.error().message;
    EXPECT_EQ(streamed.samples.samples.size(), 4000U);
  }
}

TEST(AudioReader, TellsAnEmptyWavFromOneWhoseLengthWasNotKnown) {
  const auto empty = wav_bytes({{}, 8000});
  EXPECT_EQ(stream(empty).result.error().message, "contains no audio");
  EXPECT_EQ(stream(empty + std::string("LIST\4\0\0\0INFO", 12)).result.error().message, "contains no audio");
}

TEST(AudioReader, PassesOverWhatStandsBeforeTheSamples) {
  auto bytes = wav_bytes(sine(440, 8000));
  const std::uint32_t size = 300'001;
  std::string chunk = "junk" + std::string(4, '\0') + std::string(size + 1, 'd');
  std::memcpy(&chunk[4], &size, 4);
  bytes.insert(12, chunk);
  const auto streamed = stream(bytes);
  ASSERT_TRUE(streamed.result) << streamed.result.error().message;
  EXPECT_EQ(streamed.samples.samples.size(), 4000U);
}

/// Of whatever it is: a file behind a file is heard, whatever its sample rate.
TEST(AudioReader, HearsFilesBehindFiles) {
  const testing_support::ScratchFolder folder;
  for (const int format : {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_FORMAT_OGG | SF_FORMAT_OPUS,
                           SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_FLAC | SF_FORMAT_PCM_16}) {
    std::string joined;
    double seconds = 0;
    for (const std::uint32_t rate : {48000U, 48000U, 24000U}) {
      write_file(folder.file("a"), sine(440, rate, 1), format, 1);
      joined += bytes_of(folder.file("a"));
      write_file(folder.file("joined"), sine(440, rate, 1), format, 1);
    }
    std::ofstream(folder.file("joined"), std::ios::binary) << joined;
    const auto read = decode_in_pieces(folder.file("joined"), [&](std::span<const float> piece, std::uint32_t rate) {
      seconds += static_cast<double>(piece.size()) / rate;
    });
    ASSERT_TRUE(read) << format << " " << read.error().message;
    EXPECT_NEAR(seconds, 3, 0.12) << std::hex << format;
  }
}

/// What is decoded is bounded by what is asked for, and by channels and rates as well as by seconds.
TEST(AudioReader, DoesNoMoreThanIsAskedFor) {
  const testing_support::ScratchFolder folder;
  SF_INFO info{};
  info.samplerate = 96000;
  info.channels = 8;
  info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
  SNDFILE* file = sf_open(folder.file("silence").c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr);
  const std::vector<std::int16_t> second(8 * 96000);
  for (int at = 0; at < 600; ++at) sf_writef_short(file, second.data(), 96000);
  sf_close(file);
  const auto bytes = bytes_of(folder.file("silence"));
  EXPECT_LT(bytes.size(), 1'000'000U);
  AudioReader reader;
  reader.feed(bytes);
  std::array<float, 960> room;
  ASSERT_EQ(reader.read(room).value_or(0), room.size());
  EXPECT_LT(reader.duration(), std::chrono::seconds(1));
  const auto whole = probe(folder.file("silence"));
  ASSERT_FALSE(whole);
  EXPECT_NE(whole.error().message.find("so many channels"), std::string::npos) << whole.error().message;
}

}  // namespace
}  // namespace rw::audio
