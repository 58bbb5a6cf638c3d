#include "speech/speech_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <thread>

#include "support/scratch_folder.h"
#include "unit/speech/collected.h"
#include "unit/speech/sample_audio.h"

namespace rw::speech {
namespace {

namespace fs = std::filesystem;

/// Keeps what it is given, or fails.
class MemoryStore final : public SharedSpeechStore {
 public:
  Result<std::optional<std::string>> get(const std::string& key) override {
    const std::lock_guard lock(mutex);
    if (broken) return fail("no connection");
    const auto found = held.find(key);
    return found == held.end() ? std::nullopt : std::optional(found->second);
  }
  Result<void> put(const std::string& key, std::string_view bytes, std::int64_t) override {
    const std::lock_guard lock(mutex);
    if (broken) return fail("no connection");
    held[key] = std::string(bytes);
    return {};
  }
  std::mutex mutex;
  bool broken = false;
  std::map<std::string, std::string> held;
};

class SpeechCacheTest : public testing::Test {
 protected:
  SpeechCacheTest() { reopen(); }

  std::unique_ptr<SpeechFolder> open_folder() {
    auto opened = SpeechFolder::open({path(), most_bytes, [this] { return now.load(); }, log});
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  void reopen(std::shared_ptr<SharedSpeechStore> shared = nullptr) {
    cache.reset();
    auto folder = open_folder();
    held = folder.get();
    cache = std::make_unique<SpeechCache>(
        SpeechCache::Options{std::move(folder), std::move(shared), [this] { return now.load(); }, log});
  }
  /// Speaks; counts how often it was synthesised.
  Result<void> speak(const std::string& key, audio::SpeechCaching caching = {}, std::size_t samples = 16'000) {
    return cache->speak(
        key, caching,
        [&](const SpeechCache::Take& take) -> Result<void> {
          ++synthesised;
          if (!problem.empty()) return fail(problem);
          take({a_tone(samples / 2), 8000});
          take({a_tone(samples - samples / 2), 8000});
          return {};
        },
        heard.take());
  }
  std::string path() const { return scratch.file("speech"); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path()), fs::directory_iterator()));
  }

  testing_support::ScratchFolder scratch;
  ops::Log log{ops::Log::Format::text, ops::Level::error};
  std::atomic<std::int64_t> now{1'000'000};
  std::uint64_t most_bytes = 10'000'000;
  SpeechFolder* held = nullptr;
  std::unique_ptr<SpeechCache> cache;
  Collected heard;
  int synthesised = 0;
  std::string problem;
};

TEST_F(SpeechCacheTest, SynthesisesOnceAndSurvivesARestart) {
  ASSERT_TRUE(speak("a"));
  ASSERT_TRUE(speak("a"));
  EXPECT_EQ(synthesised, 1);
  reopen();
  heard = {};
  ASSERT_TRUE(speak("a"));
  EXPECT_EQ(synthesised, 1);
  EXPECT_EQ(heard.samples(), 16'000U);
  EXPECT_GT(heard.pieces.size(), 1U);
  EXPECT_EQ(heard.pieces.front().samples.at(5), a_tone(6).at(5));
  EXPECT_EQ(heard.pieces.front().rate, 8000U);
}

TEST_F(SpeechCacheTest, EveryEntryHasItsOwnTime) {
  ASSERT_TRUE(speak("short", {std::chrono::seconds(10)}));
  ASSERT_TRUE(speak("long", {std::chrono::seconds(1000)}));
  ASSERT_TRUE(speak("never", {std::chrono::seconds(0)}));
  EXPECT_EQ(files(), 2U);
  now += 9;
  ASSERT_TRUE(speak("short"));
  EXPECT_EQ(synthesised, 3);
  now += 1;
  ASSERT_TRUE(speak("short", {std::chrono::seconds(10)}));
  ASSERT_TRUE(speak("long"));
  EXPECT_EQ(synthesised, 4);
  now += 500;
  reopen();
  EXPECT_EQ(files(), 1U);
  now += 100'000;
  ASSERT_TRUE(speak("other"));  // the sweep
  EXPECT_EQ(files(), 1U);
}

TEST_F(SpeechCacheTest, RefreshSynthesisesAnewAndReplaces) {
  ASSERT_TRUE(speak("a"));
  ASSERT_TRUE(speak("a", {std::chrono::hours(1), true}, 8000));
  EXPECT_EQ(synthesised, 2);
  heard = {};
  ASSERT_TRUE(speak("a"));
  EXPECT_EQ(synthesised, 2);
  EXPECT_EQ(heard.samples(), 8000U);
  EXPECT_EQ(held->entries(), 1U);
  problem = "the engine is away";
  EXPECT_FALSE(speak("a", {std::chrono::hours(1), true}));
  EXPECT_TRUE(speak("a"));  // what was there before
}

TEST_F(SpeechCacheTest, FailedOrEmptySpeechIsNotKept) {
  problem = "401";
  EXPECT_EQ(speak("a").error().message, "401");
  problem.clear();
  (void)speak("a", {}, 0);
  const auto breaks_off = cache->speak(
      "a", {},
      [](const SpeechCache::Take& take) -> Result<void> {
        take({a_tone(800), 8000});
        return fail("breaks off");
      },
      heard.take());
  EXPECT_EQ(breaks_off.error().message, "breaks off");
  const auto throws = cache->speak(
      "a", {}, [](const SpeechCache::Take&) -> Result<void> { throw std::runtime_error("thrown"); }, heard.take());
  EXPECT_EQ(throws.error().message, "thrown");
  EXPECT_EQ(files(), 0U);
}

TEST_F(SpeechCacheTest, WhatNobodyWantsToTheEndIsNotKept) {
  int pieces = 0;
  const auto spoken = cache->speak(
      "a", {},
      [&](const SpeechCache::Take& take) -> Result<void> {
        while (take({a_tone(800), 8000})) ++pieces;
        return {};
      },
      [](const audio::Samples&) { return false; });
  EXPECT_TRUE(spoken);
  EXPECT_EQ(pieces, 0);
  EXPECT_EQ(files(), 0U);
}

TEST_F(SpeechCacheTest, BrokenEntriesAreRemovedAndMadeAnew) {
  ASSERT_TRUE(speak("a"));
  const auto file = path() + "/a";
  const auto size = fs::file_size(file);
  const std::vector<std::function<void()>> damages{
      [&] { fs::resize_file(file, size - 10); },
      [&] { fs::resize_file(file, 0); },
      [&] { fs::resize_file(file, size + 2); },
      [&] { fs::remove(file); },
      [&] {
        std::fstream change(file, std::ios::in | std::ios::out | std::ios::binary);
        change.seekp(1000);
        change.put('\x7f');
      },
      [&] {  // the entry of another key
        ASSERT_TRUE(speak("b"));
        fs::copy_file(path() + "/b", file, fs::copy_options::overwrite_existing);
      }};
  for (const auto& damage : damages) {
    damage();
    const int before = synthesised;
    heard = {};
    const auto spoken = speak("a");
    ASSERT_TRUE(spoken);
    EXPECT_GE(synthesised, before);
    EXPECT_EQ(heard.samples(), 16'000U);
    EXPECT_EQ(fs::file_size(file), size);
  }
  EXPECT_EQ(synthesised, 8);  // a, b, and a for each damage
}

TEST_F(SpeechCacheTest, TheLeastRecentlyUsedGoFirst) {
  const std::uint64_t one = SpeechEntry::header_size + 32'000;
  most_bytes = one * 4;
  reopen();
  for (const auto* key : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(speak(key));
    now += 100;
  }
  ASSERT_TRUE(speak("a"));
  now += 100;
  ASSERT_TRUE(speak("e"));
  EXPECT_EQ(held->bytes(), most_bytes);
  EXPECT_FALSE(fs::exists(path() + "/b"));
  EXPECT_TRUE(fs::exists(path() + "/a"));
  // The order is remembered, and a smaller limit holds at once.
  most_bytes = one * 2;
  reopen();
  EXPECT_EQ(held->entries(), 2U);
  EXPECT_TRUE(fs::exists(path() + "/a"));
  EXPECT_TRUE(fs::exists(path() + "/e"));
  // An entry may not take more than a quarter.
  ASSERT_TRUE(speak("large", {}, 40'000));
  EXPECT_EQ(held->entries(), 2U);
}

TEST_F(SpeechCacheTest, TidiesWhatKilledWritersLeft) {
  ASSERT_TRUE(speak("a"));
  std::ofstream(path() + "/.new-7") << "RWSP";
  std::ofstream(path() + "/foreign") << "no entry";
  reopen();
  EXPECT_EQ(files(), 1U);
}

TEST_F(SpeechCacheTest, SurvivesAKillAtAnyTime) {
  for (int round = 0; round < 5; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto folder = SpeechFolder::open({path(), 3'000'000, [] { return 1'000'000; }, log});
      for (int at = 0;; ++at) {
        const auto key = "k" + std::to_string(at % 100);
        (void)(*folder)->put(key, pack({{a_tone(20'000), 8000}, 2'000'000}, key));
      }
    }
    while (files() < 10) std::this_thread::yield();
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto folder = open_folder();
    EXPECT_EQ(files(), folder->entries());
    EXPECT_GE(folder->entries(), 9U);
    for (const auto& file : fs::directory_iterator(path()))
      EXPECT_TRUE(folder->find(file.path().filename().string())) << file.path();
    EXPECT_EQ(files(), folder->entries());
    fs::remove_all(path());
    fs::create_directory(path());
  }
}

TEST_F(SpeechCacheTest, AFullDiskDoesNotKeepSpeechFromPlaying) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto spoken = speak("a");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_TRUE(spoken);
  EXPECT_EQ(heard.samples(), 16'000U);
  EXPECT_EQ(files(), 0U);
  ASSERT_TRUE(speak("a"));
  EXPECT_EQ(files(), 1U);
  fs::remove_all(path());
  EXPECT_TRUE(speak("b"));  // the folder is gone
}

/// A synthesis that waits for the test between its two pieces.
class Halting {
 public:
  explicit Halting(std::string problem = {}) : problem_(std::move(problem)) {}
  Result<void> operator()(const SpeechCache::Take& take) {
    ++begun;
    take({a_tone(4000), 8000});
    go_on.get_future().wait();
    more_wanted = take({a_tone(4000), 8000});
    if (!problem_.empty()) return fail(problem_);
    return {};
  }
  std::atomic<int> begun{0};
  std::promise<void> go_on;
  bool more_wanted = false;

 private:
  std::string problem_;
};

/// Takes pieces; tells when the first came.
struct Listener {
  SpeechCache::Take take(bool wants_more = true) {
    return [this, wants_more](audio::Samples piece) {
      total += piece.samples.size();
      if (++pieces == 1) first.set_value();
      return wants_more;
    };
  }
  std::promise<void> first;
  int pieces = 0;
  std::size_t total = 0;
};

TEST_F(SpeechCacheTest, TwoWhoWantTheSameHearItAsItComes) {
  for (const std::string problem : {"", "the engine died"}) {
    Halting synthesis(problem);
    Listener one, two;
    const auto make = [&](const SpeechCache::Take& take) { return synthesis(take); };
    const auto key = "k" + std::to_string(problem.size());
    auto leader = std::async(std::launch::async, [&] { return cache->speak(key, {}, make, one.take()); });
    one.first.get_future().wait();
    auto follower = std::async(std::launch::async, [&] { return cache->speak(key, {}, make, two.take()); });
    two.first.get_future().wait();  // before the synthesis goes on
    synthesis.go_on.set_value();
    const auto led = leader.get(), followed = follower.get();
    EXPECT_EQ(led.has_value(), problem.empty());
    EXPECT_EQ(followed.has_value(), problem.empty());
    EXPECT_EQ(followed ? "" : followed.error().message, problem);
    EXPECT_EQ(synthesis.begun, 1);
    EXPECT_EQ(one.total, 8000U);
    EXPECT_EQ(two.total, 8000U);
    EXPECT_EQ(files(), 1U);
  }
}

TEST_F(SpeechCacheTest, GoesOnForTheSecondWhenTheFirstHasEnough) {
  Halting synthesis;
  Listener one, two;
  const auto make = [&](const SpeechCache::Take& take) { return synthesis(take); };
  // The first takes one piece and leaves with the second.
  int taken = 0;
  const auto leaves = [&](const audio::Samples&) {
    if (++taken == 1) one.first.set_value();
    return taken < 2;
  };
  auto leader = std::async(std::launch::async, [&] { return cache->speak("a", {}, make, leaves); });
  one.first.get_future().wait();
  auto follower = std::async(std::launch::async, [&] { return cache->speak("a", {}, make, two.take()); });
  two.first.get_future().wait();
  synthesis.go_on.set_value();
  EXPECT_TRUE(leader.get());
  EXPECT_TRUE(follower.get());
  EXPECT_EQ(two.total, 8000U);
  EXPECT_EQ(files(), synthesis.more_wanted ? 1U : 0U);
}

TEST_F(SpeechCacheTest, ManyThreadsAtOnce) {
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int at = 0; at < 60; ++at) {
        Collected mine;
        const auto spoken = cache->speak(
            "k" + std::to_string(at % 7), {std::chrono::hours(1), (at + thread) % 13 == 0},
            [&](const SpeechCache::Take& take) -> Result<void> {
              ++made;
              for (int piece = 0; piece < 4; ++piece) take({a_tone(1000), 8000});
              return {};
            },
            mine.take());
        EXPECT_TRUE(spoken);
        EXPECT_EQ(mine.samples(), 4000U);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(held->entries(), 7U);
  EXPECT_EQ(files(), 7U);
  EXPECT_LT(made, 240);
}

TEST_F(SpeechCacheTest, ServersShareWhatTheySynthesised) {
  const auto store = std::make_shared<MemoryStore>();
  reopen(store);
  ASSERT_TRUE(speak("a"));
  EXPECT_EQ(store->held.size(), 1U);
  fs::remove_all(path());  // another server
  reopen(store);
  ASSERT_TRUE(speak("a"));
  EXPECT_EQ(synthesised, 1);
  EXPECT_EQ(files(), 1U);
  store->held.clear();
  ASSERT_TRUE(speak("a"));  // now from the folder
  EXPECT_EQ(synthesised, 1);
}

TEST_F(SpeechCacheTest, ASharedStoreThatIsWrongOrAwayIsNotMissed) {
  const auto store = std::make_shared<MemoryStore>();
  reopen(store);
  store->held["a"] = "no entry";
  store->held["b"] = pack({{a_tone(100), 8000}, now - 1}, "b");
  store->held["c"] = pack({{a_tone(100), 8000}, now + 100}, "another");
  for (const auto* key : {"a", "b", "c"}) ASSERT_TRUE(speak(key));
  EXPECT_EQ(synthesised, 3);
  store->broken = true;
  ASSERT_TRUE(speak("d"));
  ASSERT_TRUE(speak("d"));
  EXPECT_EQ(synthesised, 4);
}

TEST(SpeechKey, PartsAreNotMistakenForEachOther) {
  EXPECT_NE(SpeechCache::key_of({"ab", "c"}), SpeechCache::key_of({"a", "bc"}));
  EXPECT_NE(SpeechCache::key_of({"a"}), SpeechCache::key_of({"a", ""}));
  EXPECT_EQ(SpeechCache::key_of({"a", "b"}), SpeechCache::key_of({"a", "b"}));
  EXPECT_EQ(SpeechCache::key_of({"a"}).size(), 64U);
}

}  // namespace
}  // namespace rw::speech
