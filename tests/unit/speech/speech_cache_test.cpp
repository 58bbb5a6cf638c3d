#include "speech/speech_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <map>

#include "support/scratch_folder.h"

namespace rw::speech {
namespace {

constexpr std::int64_t start = 1'700'000'000;
constexpr std::chrono::seconds ttl{3600};

audio::Samples piece(std::int16_t sample) {
  return {std::vector<std::int16_t>(1000, sample), 8000};
}

/// The first samples of pieces of 1000.
std::vector<std::int16_t> summary(const std::vector<std::int16_t>& samples) {
  EXPECT_EQ(samples.size() % 1000, 0U);
  std::vector<std::int16_t> firsts;
  for (std::size_t at = 0; at < samples.size(); at += 1000) firsts.push_back(samples[at]);
  return firsts;
}

class FakeStore final : public SharedSpeechStore {
 public:
  Result<std::optional<std::string>> get(const std::string& key) override {
    if (broken) return fail("out of order");
    const auto found = entries.find(key);
    return found == entries.end() ? std::nullopt : std::optional(found->second);
  }
  Result<void> put(const std::string& key, std::string_view bytes, std::int64_t expires) override {
    if (broken) return fail("out of order");
    entries[key] = bytes;
    last_expires = expires;
    return {};
  }
  std::map<std::string, std::string> entries;
  std::int64_t last_expires = 0;
  bool broken = false;
};

class SpeechCacheTest : public testing::Test {
 protected:
  SpeechCacheTest() { make(true, nullptr); }

  void make(bool with_folder, std::shared_ptr<SharedSpeechStore> shared) {
    cache_.reset();
    const ops::Log log(ops::Log::Format::text, ops::Level::error);
    std::unique_ptr<SpeechFolder> folder;
    if (with_folder)
      folder = std::move(*SpeechFolder::open({.path = path_, .now = [this] { return now_.load(); }, .log = log}));
    cache_.emplace(SpeechCache::Options{
        .folder = std::move(folder), .shared = std::move(shared), .now = [this] { return now_.load(); }, .log = log});
  }
  /// Synthesises these pieces.
  SpeechCache::Synthesise saying(std::vector<std::int16_t> pieces, Result<void> end = {}) {
    return [this, pieces = std::move(pieces), end = std::move(end)](const SpeechCache::Take& take) -> Result<void> {
      ++synthesised_;
      for (const auto sample : pieces) {
        if (!take(piece(sample))) return {};
      }
      return end;
    };
  }
  struct Heard {
    Result<void> result;
    std::vector<std::int16_t> pieces;
  };
  Heard speak(const SpeechCache::Synthesise& synthesise, bool refresh = false, std::chrono::seconds live = ttl) {
    std::vector<std::int16_t> samples;
    auto result = cache_->speak("key", {live, refresh}, synthesise, [&](const audio::Samples& taken) {
      EXPECT_EQ(taken.rate, 8000U);
      samples.insert(samples.end(), taken.samples.begin(), taken.samples.end());
      return true;
    });
    return {std::move(result), summary(samples)};
  }
  /// `first` is heard by one caller, who asks for it, and then by a second one, before the rest comes or it ends.
  std::pair<Heard, Heard> speak_twice(std::vector<std::int16_t> first, std::vector<std::int16_t> rest,
                                      const Result<void>& end, bool leader_leaves = false) {
    std::promise<void> begun, joined;
    auto go_on = joined.get_future();
    const auto synthesise = [&](const SpeechCache::Take& take) -> Result<void> {
      if (++synthesised_ > 1) return fail("synthesised a second time");
      for (const auto sample : first) {
        if (!take(piece(sample))) return {};
      }
      begun.set_value();
      go_on.wait();
      for (const auto sample : rest) {
        if (!take(piece(sample))) return {};
      }
      return end;
    };
    auto leader = std::async(std::launch::async, [&] {
      std::vector<std::int16_t> samples;
      auto result = cache_->speak("key", {ttl, false}, synthesise, [&](const audio::Samples& taken) {
        samples.insert(samples.end(), taken.samples.begin(), taken.samples.end());
        return !leader_leaves || samples.size() <= first.size() * 1000;
      });
      return Heard{std::move(result), summary(samples)};
    });
    begun.get_future().wait();
    std::vector<std::int16_t> samples;
    bool told = false;
    auto result = cache_->speak("key", {ttl, false}, synthesise, [&](const audio::Samples& taken) {
      samples.insert(samples.end(), taken.samples.begin(), taken.samples.end());
      if (!std::exchange(told, true)) joined.set_value();
      return true;
    });
    if (!told) joined.set_value();
    return {leader.get(), Heard{std::move(result), summary(samples)}};
  }

  testing_support::ScratchFolder scratch_;
  std::string path_ = scratch_.file("speech");
  std::atomic<std::int64_t> now_{start};
  std::atomic<int> synthesised_{0};
  std::optional<SpeechCache> cache_;
};

using Pieces = std::vector<std::int16_t>;

TEST_F(SpeechCacheTest, SynthesisesTheFirstTimeOnly) {
  EXPECT_EQ(speak(saying({1, 2})).pieces, (Pieces{1, 2}));
  const auto again = speak(saying({3}));
  EXPECT_TRUE(again.result);
  EXPECT_EQ(again.pieces, (Pieces{1, 2}));
  EXPECT_EQ(synthesised_, 1);
}

TEST_F(SpeechCacheTest, KeepsBeyondARestart) {
  speak(saying({1}));
  make(true, nullptr);
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{1});
}

TEST_F(SpeechCacheTest, SynthesisesAnewWhenItHasExpired) {
  speak(saying({1}));
  now_ += ttl.count();
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{2});
}

TEST_F(SpeechCacheTest, KeepsNothingWithoutATimeToLive) {
  speak(saying({1}), false, std::chrono::seconds(0));
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{2});
}

TEST_F(SpeechCacheTest, KeepsNothingWithoutAFolder) {
  make(false, nullptr);
  EXPECT_EQ(speak(saying({1})).pieces, Pieces{1});
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{2});
}

TEST_F(SpeechCacheTest, RefreshesWhatIsThere) {
  speak(saying({1}));
  EXPECT_EQ(speak(saying({2}), true).pieces, Pieces{2});
  EXPECT_EQ(speak(saying({3})).pieces, Pieces{2});
  EXPECT_EQ(synthesised_, 2);
}

TEST_F(SpeechCacheTest, KeepsWhatIsThereWhenRefreshingFails) {
  speak(saying({1}));
  EXPECT_FALSE(speak(saying({2}, fail("broken")), true).result);
  EXPECT_EQ(speak(saying({3})).pieces, Pieces{1});
}

TEST_F(SpeechCacheTest, KeepsNoSpeechThatFailedAfterSomePieces) {
  const auto failed = speak(saying({1, 2}, fail("it broke off")));
  ASSERT_FALSE(failed.result);
  EXPECT_EQ(failed.result.error().message, "it broke off");
  EXPECT_EQ(speak(saying({3})).pieces, Pieces{3});
}

TEST_F(SpeechCacheTest, SurvivesAnEngineThatThrows) {
  const auto failed = speak([](const SpeechCache::Take&) -> Result<void> { throw std::runtime_error("thrown"); });
  ASSERT_FALSE(failed.result);
  EXPECT_EQ(failed.result.error().message, "thrown");
  EXPECT_EQ(speak(saying({3})).pieces, Pieces{3});
}

TEST_F(SpeechCacheTest, KeepsNothingThatIsEmpty) {
  speak(saying({}));
  EXPECT_EQ(speak(saying({1})).pieces, Pieces{1});
  EXPECT_EQ(synthesised_, 2);
}

TEST_F(SpeechCacheTest, KeepsNothingThatWasGivenUp) {
  EXPECT_TRUE(cache_->speak("key", {ttl, false}, saying({1, 2, 3}), [](const audio::Samples&) { return false; }));
  EXPECT_EQ(speak(saying({4})).pieces, Pieces{4});
}

TEST_F(SpeechCacheTest, SynthesisesOnceForTwoAtATime) {
  const auto [first, second] = speak_twice({1, 2}, {3}, {});
  EXPECT_TRUE(first.result);
  EXPECT_TRUE(second.result);
  EXPECT_EQ(first.pieces, (Pieces{1, 2, 3}));
  EXPECT_EQ(second.pieces, (Pieces{1, 2, 3}));
  EXPECT_EQ(synthesised_, 1);
  EXPECT_EQ(speak(saying({4})).pieces, (Pieces{1, 2, 3}));
}

TEST_F(SpeechCacheTest, TellsAllOfAFailure) {
  const auto [first, second] = speak_twice({1}, {2}, fail("it broke off"));
  EXPECT_EQ(first.result.error().message, "it broke off");
  EXPECT_EQ(second.result.error().message, "it broke off");
  EXPECT_EQ(second.pieces, (Pieces{1, 2}));
  EXPECT_EQ(synthesised_, 1);
}

TEST_F(SpeechCacheTest, GoesOnForTheSecondWhenTheFirstHasLeft) {
  const auto [first, second] = speak_twice({1}, {2, 3, 4}, {}, true);
  EXPECT_EQ(first.pieces, (Pieces{1, 2}));
  EXPECT_EQ(second.pieces, (Pieces{1, 2, 3, 4}));
  EXPECT_EQ(speak(saying({5})).pieces, (Pieces{1, 2, 3, 4}));
}

TEST_F(SpeechCacheTest, SpeaksThoughTheFolderCanNotBeWritten) {
  std::filesystem::remove_all(path_);
  std::ofstream(path_) << "a file";
  EXPECT_EQ(speak(saying({1})).pieces, Pieces{1});
  const auto again = speak(saying({2}));
  EXPECT_TRUE(again.result);
  EXPECT_EQ(again.pieces, Pieces{2});
}

class SharedSpeechTest : public SpeechCacheTest {
 protected:
  SharedSpeechTest() { make(true, store_); }
  void share(std::int16_t sample, std::int64_t expires = start + 100) const {
    store_->entries["key"] = pack({piece(sample), expires}, "key");
  }
  std::shared_ptr<FakeStore> store_ = std::make_shared<FakeStore>();
};

TEST_F(SharedSpeechTest, GetsWhatWasSynthesised) {
  speak(saying({1}));
  const auto shared = unpack(store_->entries["key"], "key");
  ASSERT_TRUE(shared) << shared.error().message;
  EXPECT_EQ(summary(shared->audio.samples), Pieces{1});
  EXPECT_EQ(store_->last_expires, start + ttl.count());
}

TEST_F(SharedSpeechTest, IsUsedAndPutIntoTheFolder) {
  share(1);
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{1});
  store_->entries.clear();
  EXPECT_EQ(speak(saying({3})).pieces, Pieces{1});
  EXPECT_EQ(synthesised_, 0);
}

TEST_F(SharedSpeechTest, NeedsNoFolder) {
  make(false, store_);
  share(1);
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{1});
}

TEST_F(SharedSpeechTest, MayBeOutOfOrder) {
  store_->broken = true;
  const auto heard = speak(saying({1}));
  EXPECT_TRUE(heard.result);
  EXPECT_EQ(heard.pieces, Pieces{1});
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{1}) << "the folder has it";
}

TEST_F(SharedSpeechTest, IsNotUsedIfItIsBroken) {
  share(1);
  store_->entries["key"].back() ^= 1;
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{2});
  EXPECT_TRUE(unpack(store_->entries["key"], "key")) << "replaced by a whole one";
}

TEST_F(SharedSpeechTest, IsNotUsedIfItIsOfAnotherKey) {
  store_->entries["key"] = pack({piece(1), start + 100}, "other");
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{2});
}

TEST_F(SharedSpeechTest, IsNotUsedIfItHasExpired) {
  share(1, start);
  EXPECT_EQ(speak(saying({2})).pieces, Pieces{2});
}

TEST_F(SharedSpeechTest, IsNotAskedForARefresh) {
  share(1);
  EXPECT_EQ(speak(saying({2}), true).pieces, Pieces{2});
  EXPECT_EQ(summary(unpack(store_->entries["key"], "key")->audio.samples), Pieces{2});
}

TEST(SpeechCacheKey, DependsOnEveryPartAndWhereItEnds) {
  const auto key = SpeechCache::key_of({"ab", "c"});
  EXPECT_EQ(key, SpeechCache::key_of({"ab", "c"}));
  EXPECT_EQ(key.find_first_not_of("0123456789abcdef"), std::string::npos);
  for (const auto& other : {SpeechCache::key_of({"a", "bc"}), SpeechCache::key_of({"ab", "c", ""}),
                            SpeechCache::key_of({"ab", "d"}), SpeechCache::key_of({"abc"})})
    EXPECT_NE(key, other);
}

}  // namespace
}  // namespace rw::speech
