#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <stdexcept>

#include "audio/wav_file.h"
#include "speech/flite_engine.h"
#include "speech/sound_loader_pool.h"
#include "support/scratch_folder.h"

namespace rw::speech {
namespace {

TEST(Flite, SpeaksAndRefusesWhatCanNotBeSpoken) {
  const auto engine = make_flite_engine();
  const auto spoken = speak_whole(*engine, audio::SpokenText{.text = "Hello, this is a test."});
  ASSERT_TRUE(spoken);
  EXPECT_GT(spoken->samples.size(), spoken->rate / 2);
  EXPECT_FALSE(speak_whole(*engine, audio::SpokenText{.text = "..."}));
  EXPECT_FALSE(speak_whole(*engine, audio::SpokenText{.text = std::string(10'001, 'a')}));
}

TEST(Ssml, IsReducedToItsText) {
  EXPECT_EQ(text_of_ssml("<speak>A &amp; B<break time=\"1s\"/>C</speak>"), " A & B. C ");
  EXPECT_EQ(text_of_ssml("unclosed <tag"), "unclosed  ");
  EXPECT_EQ(text_of_ssml("<p>one</p><s>two</s>"), " one.  two. ");
  EXPECT_EQ(text_of_ssml("the <say-as interpret-as='digits'>12</say-as>th"), "the  12 th");
  EXPECT_EQ(text_of_ssml("a<!-- 1 > 0 -->b<!-- never closed"), "a b ");
  EXPECT_EQ(text_of_ssml("&#65;&#xe5;&#x20ac;&#x1F600;"), "A\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of_ssml("AT&T; &#0; &#xd800; &#99999999; &"), "AT&T; &#0; &#xd800; &#99999999; &");
}

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() {
    std::ofstream(folder.file("a.wav"), std::ios::binary)
        << audio::wav_bytes({std::vector<std::int16_t>(8000, 100), 16000});
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
  auto chosen = options();
  chosen.threads = 1;
  SoundLoaderPool pool(std::move(chosen));
  const audio::FilePrompt prompt{"d", "a.wav"};
  const auto first = load(pool, prompt).value();
  EXPECT_EQ(load(pool, prompt).value(), first);
  EXPECT_EQ(looked_up, 1);
  const auto gsm = load(pool, prompt, rtp::Codec::gsm).value();
  EXPECT_EQ(gsm, first);  // the same sound, with one form more
  EXPECT_NE(gsm->payload(rtp::Codec::gsm), nullptr);
  // Callers are served before the sound is remembered; the one thread makes the next sound after that.
  audio::Tone tone;
  tone.frequencies = {440};
  tone.length = std::chrono::milliseconds(100);
  ASSERT_TRUE(load(pool, tone));
  pool.forget("d");
  EXPECT_EQ(load(pool, prompt).value(), first);  // another prompt of the domain was replaced
  etag = "2";
  pool.forget("d");
  EXPECT_NE(load(pool, prompt).value(), first);
}

TEST_F(LoaderTest, NeverRemembersWhatWasReplacedWhileItWasRead) {
  std::promise<void> reached, opened;
  auto slow = options();
  slow.find = [&, find = slow.find](const audio::FilePrompt& file) {
    auto found = find(file);
    if (looked_up == 1) {
      reached.set_value();
      opened.get_future().wait();
    }
    return found;
  };
  SoundLoaderPool pool(std::move(slow));
  const audio::FilePrompt prompt{"d", "a.wav"};
  std::promise<media::SoundPtr> before;
  pool.load(prompt, rtp::Codec::pcma, [&](Result<media::SoundPtr> sound) { before.set_value(sound.value()); });
  reached.get_future().wait();
  etag = "2";
  pool.forget("d");
  const auto after = load(pool, prompt).value();  // neither kept waiting by the one before nor answered by it
  opened.set_value();
  EXPECT_NE(before.get_future().get(), after);
  EXPECT_EQ(load(pool, prompt).value(), after);
}

TEST_F(LoaderTest, LooksAgainWhenAFileIsGoneThatWasJustFound) {
  auto racing = options();
  racing.find = [this](const audio::FilePrompt&) -> Result<PromptFile> {
    return PromptFile{folder.file(++looked_up == 1 ? "gone" : "a.wav"), "1"};
  };
  SoundLoaderPool pool(std::move(racing));
  EXPECT_TRUE(load(pool, audio::FilePrompt{"d", "a.wav"}));
  EXPECT_EQ(looked_up, 2);
}

/// Counts what it is asked to say.
class CountingEngine final : public SpeechEngine {
 public:
  explicit CountingEngine(std::atomic<int>& spoken) : spoken_(spoken) {}
  Result<void> speak(const audio::SpeechRequest& request, const Take& take) override {
    ++spoken_;
    if (std::get<audio::SpokenText>(request).text == "broken") throw std::runtime_error("the engine is broken");
    take(audio::Samples{std::vector<std::int16_t>(1600, 5), 16000});
    return {};
  }

 private:
  std::atomic<int>& spoken_;
};

TEST_F(LoaderTest, WorksOncePerSound) {
  std::atomic<int> spoken{0};
  auto counted = options();
  counted.make_engine = [&] { return std::make_unique<CountingEngine>(spoken); };
  SoundLoaderPool pool(std::move(counted));
  const audio::SpokenText text{"hello", false, {}, {}};
  std::vector<std::promise<media::SoundPtr>> all(50);
  for (auto& one : all) {
    pool.load(text, rtp::Codec::pcmu, [&](Result<media::SoundPtr> sound) { one.set_value(sound.value()); });
  }
  const auto first = all.front().get_future().get();
  for (std::size_t at = 1; at < all.size(); ++at) EXPECT_EQ(all[at].get_future().get(), first);
  EXPECT_EQ(load(pool, text, rtp::Codec::gsm).value(), first);
  EXPECT_EQ(spoken, 1);
  EXPECT_NE(load(pool, audio::SpokenText{"hello", true, {}, {}}).value(), first);
}

TEST_F(LoaderTest, ForgetsTheLeastRecentlyUsed) {
  std::atomic<int> spoken{0};
  auto counted = options();
  counted.threads = 1;
  counted.cache_bytes = 8192;  // for three of these sounds
  counted.make_engine = [&] { return std::make_unique<CountingEngine>(spoken); };
  SoundLoaderPool pool(std::move(counted));
  const auto say = [&](const char* text) { EXPECT_TRUE(load(pool, audio::SpokenText{text, false, {}, {}})); };
  for (const auto* text : {"a", "b", "c", "d", "e"}) say(text);
  EXPECT_EQ(spoken, 5);
  say("e");
  EXPECT_EQ(spoken, 5);
  say("a");
  EXPECT_EQ(spoken, 6);
}

TEST_F(LoaderTest, GoesOnAfterAFailure) {
  std::atomic<int> spoken{0};
  auto counted = options();
  counted.threads = 1;
  counted.make_engine = [&] { return std::make_unique<CountingEngine>(spoken); };
  SoundLoaderPool pool(std::move(counted));
  EXPECT_EQ(load(pool, audio::SpokenText{"broken", false, {}, {}}).error().message, "the engine is broken");
  EXPECT_TRUE(load(pool, audio::SpokenText{"whole", false, {}, {}}));
  EXPECT_TRUE(load(pool, audio::SpokenText{"whole", false, {}, {}}, rtp::Codec::opus));
  audio::Tone tone;
  tone.plan = "se";
  tone.name = "no such tone";
  tone.length = std::chrono::seconds(1);
  EXPECT_FALSE(load(pool, tone));
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
