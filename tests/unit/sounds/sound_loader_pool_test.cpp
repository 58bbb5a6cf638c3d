#include "sounds/sound_loader_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <stdexcept>
#include <thread>

#include "audio/wav_file.h"
#include "media/sound_cursor.h"
#include "speech/flite_engine.h"
#include "support/scratch_folder.h"

namespace rw::sounds {
namespace {

using speech::SpeechEngine;

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() {
    std::ofstream(folder.file("a.wav"), std::ios::binary)
        << audio::wav_bytes({std::vector<std::int16_t>(8000, 100), 16000});
  }
  SoundLoaderPool::Options options() {
    SoundLoaderPool::Options options;
    options.threads = 2;
    options.makers.find = [this](const audio::FilePrompt& file) -> Result<PromptFile> {
      ++looked_up;
      if (file.name != "a.wav") return fail("no such file: " + file.name);
      return PromptFile{folder.file("a.wav"), etag};
    };
    options.makers.make_engine = [] { return speech::make_flite_engine(); };
    return options;
  }
  static Result<media::SoundPtr> load(SoundLoaderPool& pool, const audio::SoundRequest& request,
                                      rtp::Codec codec = rtp::Codec::pcma) {
    std::promise<Result<media::SoundPtr>> promise;
    pool.load(request, codec, somebody(), [&](Result<media::SoundPtr> sound) { promise.set_value(std::move(sound)); });
    return promise.get_future().get();
  }
  /// One who never stops waiting.
  static std::weak_ptr<const void> somebody() {
    static const auto one = std::make_shared<int>(0);
    return one;
  }
  /// A sound may be had before all of it is there.
  static void await_end(const media::SoundPtr& sound) {
    while (!sound->complete()) std::this_thread::yield();
  }
  /// Looks nothing up until gate_ is opened.
  SoundLoaderPool::Options halting_find() {
    auto held = options();
    held.makers.find = [this, find = held.makers.find](const audio::FilePrompt& file) {
      opened_.wait();
      return find(file);
    };
    return held;
  }
  std::promise<void> gate_;
  std::shared_future<void> opened_{gate_.get_future()};
  testing_support::ScratchFolder folder;
  std::atomic<int> looked_up{0};
  std::string etag = "1";
};

TEST_F(LoaderTest, MakesFilesSpeechAndTonesReadyToPlay) {
  SoundLoaderPool pool(options());
  const auto file = load(pool, audio::FilePrompt{"d", "a.wav"});
  ASSERT_TRUE(file) << file.error().message;
  await_end(*file);
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
  slow.makers.find = [&, find = slow.makers.find](const audio::FilePrompt& file) {
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
  pool.load(prompt, rtp::Codec::pcma, somebody(),
            [&](Result<media::SoundPtr> sound) { before.set_value(sound.value()); });
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
  racing.makers.find = [this](const audio::FilePrompt&) -> Result<PromptFile> {
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
  counted.makers.make_engine = [&] { return std::make_unique<CountingEngine>(spoken); };
  SoundLoaderPool pool(std::move(counted));
  const audio::SpokenText text{"hello", false, {}, {}};
  std::vector<std::promise<media::SoundPtr>> all(50);
  for (auto& one : all) {
    pool.load(text, rtp::Codec::pcmu, somebody(), [&](Result<media::SoundPtr> sound) { one.set_value(sound.value()); });
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
  counted.makers.make_engine = [&] { return std::make_unique<CountingEngine>(spoken); };
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
  counted.makers.make_engine = [&] { return std::make_unique<CountingEngine>(spoken); };
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
      pool.load(audio::SpokenText{"number " + std::to_string(at % 50), false, {}, {}}, rtp::Codec::pcmu, somebody(),
                [&](const Result<media::SoundPtr>&) { ++answers; });
    }
  }
  EXPECT_EQ(answers, 200);
}

/// Says half a second at once, and the rest when it is let.
class HaltingEngine final : public SpeechEngine {
 public:
  struct Gate {
    std::promise<void> promise;
    std::shared_future<void> opened{promise.get_future()};
    std::atomic<int> spoken{0};
    std::string problem;
  };
  explicit HaltingEngine(Gate& gate) : gate_(gate) {}
  Result<void> speak(const audio::SpeechRequest& request, const Take& take) override {
    ++gate_.spoken;
    if (std::holds_alternative<audio::SpokenText>(request)) {
      take(audio::Samples{std::vector<std::int16_t>(1600, 1), 8000});
      return {};
    }
    take(audio::Samples{std::vector<std::int16_t>(4000, 1), 8000});
    gate_.opened.wait();
    take(audio::Samples{std::vector<std::int16_t>(4000, 2), 8000});
    if (!gate_.problem.empty()) return fail(gate_.problem);
    return {};
  }

 private:
  Gate& gate_;
};

class GrowingTest : public LoaderTest {
 protected:
  SoundLoaderPool::Options halting() {
    auto chosen = options();
    chosen.makers.make_engine = [this] { return std::make_unique<HaltingEngine>(engine_); };
    return chosen;
  }
  HaltingEngine::Gate engine_;
  const audio::PollySpeech speech_{.parameters = "{}"};
};

TEST_F(GrowingTest, ASoundIsHandedOverBeforeItsEnd) {
  SoundLoaderPool pool(halting());
  const auto sound = load(pool, speech_).value();
  EXPECT_EQ(sound->duration(), std::chrono::milliseconds(500));
  EXPECT_FALSE(sound->complete());
  EXPECT_EQ(load(pool, speech_).value(), sound);  // who comes later joins in
  engine_.promise.set_value();
  await_end(sound);
  EXPECT_EQ(sound->duration(), std::chrono::seconds(1));
  EXPECT_EQ(sound->payload(rtp::Codec::pcma)->frames(), 50U);
  EXPECT_EQ(load(pool, speech_, rtp::Codec::opus).value(), sound);
  EXPECT_EQ(engine_.spoken, 1);
}

TEST_F(GrowingTest, WhatBreaksOffIsNotKept) {
  engine_.problem = "the engine has gone";
  SoundLoaderPool pool(halting());
  const auto sound = load(pool, speech_).value();
  engine_.promise.set_value();
  await_end(sound);
  EXPECT_EQ(sound->problem(), "the engine has gone");
  auto again = load(pool, speech_).value();
  while (again == sound) again = load(pool, speech_).value();  // the job is over soon
  EXPECT_EQ(engine_.spoken, 2);
}

TEST_F(GrowingTest, ThoseWhoWaitForOneDoNotHoldUpOthers) {
  auto narrow = halting();
  narrow.threads_per_lane = 1;
  narrow.waiting_threads = 2;
  SoundLoaderPool pool(std::move(narrow));
  const auto first = load(pool, speech_).value();
  std::promise<media::SoundPtr> second;
  pool.load(audio::PollySpeech{.parameters = "{\"other\":1}"}, rtp::Codec::pcma, somebody(),
            [&](Result<media::SoundPtr> sound) { second.set_value(sound.value()); });
  EXPECT_TRUE(load(pool, audio::SpokenText{.text = "another engine"}));
  EXPECT_TRUE(load(pool, audio::FilePrompt{"d", "a.wav"}));
  EXPECT_EQ(engine_.spoken, 2);
  engine_.promise.set_value();
  EXPECT_TRUE(second.get_future().get());
}

TEST_F(GrowingTest, RefreshMakesItAnew) {
  engine_.promise.set_value();
  SoundLoaderPool pool(halting());
  const auto first = load(pool, audio::SpokenText{.text = "a"}).value();
  await_end(first);
  audio::SpokenText fresh{.text = "a"};
  fresh.caching.refresh = true;
  auto second = load(pool, fresh).value();
  while (second == first) second = load(pool, fresh).value();
  await_end(second);
  while (load(pool, audio::SpokenText{.text = "a"}).value() != second) std::this_thread::yield();
}

TEST_F(LoaderTest, LooksAgainWhenAPromptIsNotFreshAnyMore) {
  auto shared = options();
  shared.makers.find = [find = shared.makers.find](const audio::FilePrompt& file) {
    auto found = find(file);
    if (found) found->fresh_for = std::chrono::milliseconds(0);
    return found;
  };
  shared.threads = 1;
  SoundLoaderPool pool(std::move(shared));
  const audio::FilePrompt prompt{"d", "a.wav"};
  const auto first = load(pool, prompt).value();
  // Callers are served before a job is over; the one thread makes the next sound after that.
  const auto settle = [&](double hertz) {
    return load(pool, audio::Tone{.frequencies = {hertz}, .length = std::chrono::milliseconds(100)}).has_value();
  };
  ASSERT_TRUE(settle(440));
  EXPECT_EQ(load(pool, prompt).value(), first);
  EXPECT_EQ(looked_up, 2);
  ASSERT_TRUE(settle(450));
  etag = "2";  // another node replaced it
  EXPECT_NE(load(pool, prompt).value(), first);
}

TEST_F(LoaderTest, IsBounded) {
  auto bounded = options();
  bounded.most_waiting_of_a_domain = 0;
  SoundLoaderPool pool(std::move(bounded));
  EXPECT_FALSE(load(pool, audio::SpokenText{"hello", false, {}, {}}));
}

audio::Tone hour_of(double hertz, std::string domain) {
  return {.frequencies = {hertz}, .length = std::chrono::hours(1), .domain = std::move(domain)};
}

TEST_F(LoaderTest, ALongToneIsMadeAsItIsHeardAndGoesWithItsListener) {
  SoundLoaderPool pool(options());
  auto sound = load(pool, hour_of(425, "d")).value();
  while (sound->duration() < std::chrono::seconds(3)) std::this_thread::yield();
  EXPECT_LT(sound->duration(), std::chrono::seconds(20));
  EXPECT_FALSE(sound->complete());
  EXPECT_EQ(pool.under_way(), 1U);
  sound.reset();
  while (pool.under_way() > 0) std::this_thread::yield();
}

TEST_F(LoaderTest, WhatHasBeenHeardOfALongToneGoes) {
  SoundLoaderPool pool(options());
  const auto sound = load(pool, hour_of(425, "d")).value();
  media::SoundCursor cursor(sound, std::chrono::milliseconds(0), false, std::chrono::milliseconds(0));
  for (int heard = 0; heard < 750;) {  // 15 s
    if (cursor.next(rtp::Codec::pcma).empty()) {
      std::this_thread::yield();
      continue;
    }
    ++heard;
    ASSERT_LT(sound->memory(), 256U * 1024);
  }
  EXPECT_FALSE(sound->whole());
}

TEST_F(LoaderTest, WhatNobodyWaitsForIsNotMade) {
  auto held = halting_find();
  held.threads = 1;
  std::atomic<int> answers{0};
  SoundLoaderPool pool(std::move(held));
  pool.load(audio::FilePrompt{"d", "a.wav"}, rtp::Codec::pcma, somebody(), [&](const auto&) { ++answers; });
  auto caller = std::make_shared<int>(0);
  for (int at = 0; at < 100; ++at) {
    pool.load(hour_of(400 + at, "d"), rtp::Codec::pcma, caller, [&](const auto&) { answers += 100; });
  }
  EXPECT_EQ(pool.under_way(), 101U);
  caller.reset();
  gate_.set_value();
  while (pool.under_way() > 0) std::this_thread::yield();
  EXPECT_EQ(answers, 1);
}

TEST_F(LoaderTest, ADomainWithALotToMakeDoesNotHoldUpAnother) {
  auto held = halting_find();
  held.threads = 1;
  std::atomic<int> of_a{0};
  std::promise<int> before;
  SoundLoaderPool pool(std::move(held));
  pool.load(audio::FilePrompt{"a", "a.wav"}, rtp::Codec::pcma, somebody(), [](const auto&) {});
  for (int at = 0; at < 100; ++at) {
    pool.load(hour_of(400 + at, "a"), rtp::Codec::pcma, somebody(), [&](const auto&) { ++of_a; });
  }
  pool.load(hour_of(425, "b"), rtp::Codec::pcma, somebody(), [&](const auto&) { before.set_value(of_a); });
  gate_.set_value();
  EXPECT_LE(before.get_future().get(), 2);
}

TEST_F(LoaderTest, ADomainCantFillTheQueueOfAnother) {
  auto held = halting_find();
  held.threads = 1;
  held.most_waiting = 10;
  held.most_waiting_of_a_domain = 20;
  std::atomic<int> refused{0};
  std::promise<bool> heard;
  SoundLoaderPool pool(std::move(held));
  pool.load(audio::FilePrompt{"a", "a.wav"}, rtp::Codec::pcma, somebody(), [](const auto&) {});
  for (int at = 0; at < 30; ++at) {
    pool.load(hour_of(400 + at, "a"), rtp::Codec::pcma, somebody(),
              [&](const auto& sound) { refused += sound ? 0 : 1; });
  }
  EXPECT_GE(refused, 19);
  pool.load(hour_of(425, "b"), rtp::Codec::pcma, somebody(),
            [&](const auto& sound) { heard.set_value(sound.has_value()); });
  gate_.set_value();
  EXPECT_TRUE(heard.get_future().get());
}

TEST_F(LoaderTest, ALongTextIsSpokenAsItIsHeard) {
  std::atomic<int> spoken{0};
  auto counted = options();
  counted.makers.make_engine = [&] { return std::make_unique<CountingEngine>(spoken); };
  SoundLoaderPool pool(std::move(counted));
  std::string text;
  for (int at = 0; at < 200; ++at) text += "This is the sentence with the number " + std::to_string(at) + " of many. ";
  const auto sound = load(pool, audio::SpokenText{.text = text, .domain = "d"}).value();
  while (sound->duration() < std::chrono::seconds(3)) std::this_thread::yield();
  EXPECT_LT(spoken, 100);  // each is a tenth of a second
  EXPECT_FALSE(sound->complete());
}

TEST_F(LoaderTest, AFormIsAddedToASoundThatIsHeard) {
  SoundLoaderPool pool(options());
  const auto sound = load(pool, hour_of(425, "d")).value();
  pool.add_form(sound, rtp::Codec::gsm, "d");
  while (sound->payload(rtp::Codec::gsm) == nullptr) std::this_thread::yield();
  while (pool.under_way() > 1) std::this_thread::yield();
}

}  // namespace
}  // namespace rw::sounds
