#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <fstream>
#include <future>

#include "audio/decode.h"
#include "audio/resample.h"
#include "audio/wav_file.h"
#include "speech/flite_engine.h"
#include "speech/sound_loader_pool.h"
#include "support/scratch_folder.h"

namespace rw::speech {
namespace {

constexpr double pi = 3.14159265358979;

audio::Samples sine(double hertz, std::uint32_t rate, double seconds = 0.5) {
  audio::Samples result;
  result.rate = rate;
  for (double at = 0; at < seconds * rate; ++at) {
    result.samples.push_back(static_cast<std::int16_t>(std::lround(8000 * std::sin(2 * pi * hertz * at / rate))));
  }
  return result;
}

/// How much of the signal is at `hertz`: 1 for a pure sine.
double share(const audio::Samples& signal, double hertz) {
  double re = 0, im = 0, power = 0;
  for (std::size_t at = 0; at < signal.samples.size(); ++at) {
    const double value = signal.samples[at];
    const double angle = 2 * pi * hertz * static_cast<double>(at) / signal.rate;
    re += value * std::cos(angle);
    im += value * std::sin(angle);
    power += value * value;
  }
  return power == 0 ? 0 : 2 * (re * re + im * im) / (power * static_cast<double>(signal.samples.size()));
}

void write_file(const std::string& path, const audio::Samples& signal, int format, int channels) {
  SF_INFO info{};
  info.samplerate = static_cast<int>(signal.rate);
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << sf_strerror(nullptr);
  std::vector<std::int16_t> frames;
  for (const auto sample : signal.samples) frames.insert(frames.end(), static_cast<std::size_t>(channels), sample);
  sf_writef_short(file, frames.data(), static_cast<sf_count_t>(signal.samples.size()));
  sf_close(file);
}

struct Encoding {
  int format;
  std::uint32_t rate;
  int channels;
  const char* content_type;
};

class DecodeTest : public testing::TestWithParam<Encoding> {};

TEST_P(DecodeTest, BringsTheToneBack) {
  const testing_support::ScratchFolder folder;
  const auto& [format, rate, channels, content_type] = GetParam();
  write_file(folder.file("tone"), sine(700, rate), format, channels);
  const auto facts = audio::probe(folder.file("tone"));
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->content_type, content_type);
  EXPECT_NEAR(static_cast<double>(facts->duration.count()), 500, 60);
  auto decoded = audio::decode_file(folder.file("tone"));
  ASSERT_TRUE(decoded);
  const auto telephone = audio::resample(std::move(*decoded), 8000);
  ASSERT_TRUE(telephone);
  EXPECT_GT(share(*telephone, 700), 0.9);
}

INSTANTIATE_TEST_SUITE_P(Formats, DecodeTest,
                         testing::Values(Encoding{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 11025, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100, 2, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, 2, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 2, "audio/wav"},
                                         Encoding{SF_FORMAT_WAV | SF_FORMAT_GSM610, 8000, 1, "audio/wav"},
                                         Encoding{SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, "audio/flac"},
                                         Encoding{SF_FORMAT_OGG | SF_FORMAT_VORBIS, 16000, 1, "audio/ogg"},
                                         Encoding{SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, "audio/mpeg"}));

TEST(Decode, SaysWhyNot) {
  const testing_support::ScratchFolder folder;
  std::ofstream(folder.file("text")) << "not audio";
  EXPECT_NE(audio::decode_file(folder.file("text")).error().message.find("not audio"), std::string::npos);
  EXPECT_FALSE(audio::decode_file(folder.file("missing")));
  const auto bytes = audio::wav_bytes({{}, 8000});
  const std::span raw(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  EXPECT_FALSE(audio::decode_memory(raw));
  const auto longer = audio::wav_bytes(sine(440, 8000, 3));
  const std::span long_raw(reinterpret_cast<const std::uint8_t*>(longer.data()), longer.size());
  EXPECT_TRUE(audio::decode_memory(long_raw));
  EXPECT_FALSE(audio::decode_memory(long_raw, std::chrono::seconds(1)));
}

TEST(Flite, SpeaksAndRefusesWhatCanNotBeSpoken) {
  const auto engine = make_flite_engine();
  const auto spoken = engine->synthesise({"Hello, this is a test.", false, {}, {}});
  ASSERT_TRUE(spoken);
  EXPECT_GT(spoken->samples.size(), spoken->rate / 2);
  EXPECT_FALSE(engine->synthesise({"...", false, {}, {}}));
  EXPECT_FALSE(engine->synthesise({std::string(10'001, 'a'), false, {}, {}}));
}

TEST(Ssml, IsReducedToItsText) {
  EXPECT_EQ(text_of_ssml("<speak>A &amp; B<break time=\"1s\"/>C</speak>"), " A & B. C ");
  EXPECT_EQ(text_of_ssml("unclosed <tag"), "unclosed  ");
}

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() {
    const auto bytes = audio::wav_bytes(sine(500, 16000));
    std::ofstream(folder.file("a.wav"), std::ios::binary) << bytes;
  }
  SoundLoaderPool::Options options() {
    SoundLoaderPool::Options options;
    options.threads = 2;
    options.find = [this](const audio::FilePrompt& file) -> Result<PromptFile> {
      ++looked_up;
      if (file.name != "a.wav") return fail("no such file: " + file.name);
      return PromptFile{folder.file("a.wav"), etag};
    };
    options.make_engine = [] { return make_flite_engine(); };
    return options;
  }
  static Result<media::SoundPtr> load(SoundLoaderPool& pool, const audio::SoundRequest& request,
                                      rtp::Codec codec = rtp::Codec::pcma) {
    std::promise<Result<media::SoundPtr>> promise;
    pool.load(request, codec, [&](Result<media::SoundPtr> sound) { promise.set_value(std::move(sound)); });
    return promise.get_future().get();
  }
  testing_support::ScratchFolder folder;
  std::atomic<int> looked_up{0};
  std::string etag = "1";
};

TEST_F(LoaderTest, MakesFilesSpeechAndTonesReadyToPlay) {
  SoundLoaderPool pool(options());
  const auto file = load(pool, audio::FilePrompt{"d", "a.wav"});
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_NE((*file)->payload(rtp::Codec::pcma), nullptr);
  EXPECT_NEAR(static_cast<double>((*file)->duration().count()), 500, 25);
  EXPECT_TRUE(load(pool, audio::SpokenText{"hello", false, {}, {}}));
  audio::Tone tone;
  tone.frequencies = {425};
  tone.length = std::chrono::milliseconds(200);
  EXPECT_EQ((*load(pool, tone))->duration(), std::chrono::milliseconds(200));
  EXPECT_FALSE(load(pool, audio::FilePrompt{"d", "b.wav"}));
}

TEST_F(LoaderTest, RemembersUntilToldToForget) {
  SoundLoaderPool pool(options());
  const auto first = load(pool, audio::FilePrompt{"d", "a.wav"});
  EXPECT_EQ(load(pool, audio::FilePrompt{"d", "a.wav"}).value(), first.value());
  EXPECT_EQ(looked_up, 1);
  const auto gsm = load(pool, audio::FilePrompt{"d", "a.wav"}, rtp::Codec::gsm);
  EXPECT_EQ(gsm.value(), first.value());  // the same sound, with one form more
  EXPECT_NE((*gsm)->payload(rtp::Codec::gsm), nullptr);
  etag = "2";
  pool.forget("d");
  EXPECT_NE(load(pool, audio::FilePrompt{"d", "a.wav"}).value(), first.value());
}

TEST_F(LoaderTest, AnswersEveryoneOnceEvenWhenItStops) {
  std::atomic<int> answers{0};
  {
    SoundLoaderPool pool(options());
    for (int at = 0; at < 200; ++at) {
      pool.load(audio::SpokenText{"number " + std::to_string(at % 50), false, {}, {}}, rtp::Codec::pcmu,
                [&](const Result<media::SoundPtr>&) { ++answers; });
    }
  }
  EXPECT_EQ(answers, 200);
}

TEST_F(LoaderTest, IsBounded) {
  auto bounded = options();
  bounded.most_waiting = 0;
  SoundLoaderPool pool(std::move(bounded));
  EXPECT_FALSE(load(pool, audio::SpokenText{"hello", false, {}, {}}));
}

}  // namespace
}  // namespace rw::speech
