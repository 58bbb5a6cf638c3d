#include "speech/espeak_engine.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "speech/child_process.h"
#include "support/scratch_folder.h"
#include "unit/speech/collected.h"
#include "unit/speech/sample_audio.h"

namespace rw::speech {
namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

class ChildTest : public testing::Test {
 protected:
  ~ChildTest() override {
    EXPECT_EQ(open_descriptors(), descriptors);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
    EXPECT_EQ(errno, ECHILD);
  }
  Result<ChildExit> run(const std::string& script, std::string_view input = {}, int most_milliseconds = 10'000) {
    output.clear();
    ChildRequest request;
    request.command = {"sh", "-c", script};
    request.input = input;
    request.timeout = std::chrono::milliseconds(most_milliseconds);
    request.most_output = 10'000'000;
    request.take = [this](std::span<const char> bytes) {
      output.append(bytes.data(), bytes.size());
      return output.size() < enough;
    };
    return run_child(request);
  }
  /// A program that stands in for espeak-ng.
  Result<void> speak_by(const std::string& script, int most_milliseconds = 10'000) {
    const auto path = folder.file("espeak");
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    ::chmod(path.c_str(), 0700);
    const auto engine = make_espeak_engine({path, std::chrono::milliseconds(most_milliseconds), nullptr});
    return engine->speak(audio::SpokenText{.text = "Hello", .language = "sv"}, heard.take());
  }

  testing_support::ScratchFolder folder;
  std::size_t descriptors = open_descriptors();
  std::string output;
  std::size_t enough = 1'000'000'000;
  Collected heard;
};

TEST_F(ChildTest, GetsInputAndGivesOutput) {
  const std::string much(3'000'000, 'x');  // more than the pipes hold, both ways
  const auto copied = run("cat", much);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->status, 0);
  EXPECT_EQ(output, much);
  const auto failed = run("echo no >&2; exit 3", much);  // which it does not read
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->status, 3);
  EXPECT_EQ(failed->errors, "no\n");
  EXPECT_EQ(run("kill -9 $$")->status, 128 + 9);
}

TEST_F(ChildTest, HasNothingOfThisProcess) {
  const int kept = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ++descriptors;
  const auto listed = run("ls /proc/self/fd | wc -l; trap | wc -l; env | grep -c HOME");
  EXPECT_EQ(output, "4\n0\n0\n");  // 0, 1, 2, and that of the listing itself
  EXPECT_TRUE(listed);
  ::close(kept);
  --descriptors;
}

TEST_F(ChildTest, IsKilledWhenItTakesTooLongWritesTooMuchOrIsNotWantedAnyMore) {
  EXPECT_FALSE(run("sleep 100 & sleep 100", {}, 100));
  EXPECT_FALSE(run("exec >&- 2>&-; sleep 100", {}, 100));
  EXPECT_FALSE(run("yes"));
  enough = 100;
  const auto stopped = run("yes");
  ASSERT_TRUE(stopped);
  EXPECT_FALSE(stopped->complete);
  EXPECT_FALSE(run_child({.command = {"no-such-program"}, .input = {}, .take = {}}));
}

TEST_F(ChildTest, EspeakSpeaksManyLanguages) {
  if (!is_installed("espeak-ng")) GTEST_SKIP() << "espeak-ng is not installed";
  const auto engine = make_espeak_engine({});
  for (const auto* language : {"", "sv-SE", "sv_SE", "de-DE", "cmn-CN", "nb-NO", "arb", "de-XX", "en-US"}) {
    heard = {};
    const auto spoken = engine->speak(audio::SpokenText{.text = "Hej!", .language = language}, heard.take());
    ASSERT_TRUE(spoken) << language << ": " << spoken.error().message;
    EXPECT_GT(heard.seconds(), 0.2);
  }
  EXPECT_TRUE(engine->speak(audio::SpokenText{.text = "Hej!", .voice = "sv+f3"}, heard.take()));
  for (const auto* language : {"xx", "--version", "-w/x", "../sv", "sv;ls", "en us"})
    EXPECT_FALSE(engine->speak(audio::SpokenText{.text = "Hej!", .language = language}, heard.take())) << language;
  for (const auto* voice : {"nobody", "-q", "../../x", "a b"})
    EXPECT_FALSE(engine->speak(audio::SpokenText{.text = "Hej!", .voice = voice}, heard.take())) << voice;
}

TEST_F(ChildTest, EspeakFailsClearly) {
  const auto wav = folder.file("a.wav");
  std::ofstream(wav, std::ios::binary) << wav_of(22'050, 22'050);
  EXPECT_TRUE(speak_by("cat > /dev/null; cat " + wav));
  EXPECT_NEAR(heard.seconds(), 1, 0.01);
  EXPECT_FALSE(speak_by("cat > /dev/null; cat " + wav + "; exit 1"));
  EXPECT_FALSE(speak_by("cat > /dev/null; head -c 1000 " + wav));
  EXPECT_FALSE(speak_by("cat > /dev/null; head -c 44 " + wav));
  EXPECT_FALSE(speak_by("cat > /dev/null"));
  EXPECT_FALSE(speak_by("echo nonsense"));
  EXPECT_FALSE(speak_by("cat " + wav + "; sleep 100", 200));
  EXPECT_FALSE(speak_by("kill -9 $$"));
  const auto missing = make_espeak_engine({"no-such-program"});
  const auto spoken = missing->speak(audio::SpokenText{.text = "Hello"}, heard.take());
  ASSERT_FALSE(spoken);
  EXPECT_EQ(spoken.error().message, "no-such-program is not installed: install the package espeak-ng");
}

}  // namespace
}  // namespace rw::speech
