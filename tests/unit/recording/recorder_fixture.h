#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "recording/recorder.h"
#include "support/recording_test.h"
#include "support/scratch_folder.h"

namespace rw::recording {

/// A store that remembers what it got, and can be told to fail.
class FakeStore final : public storage::PromptStore {
 public:
  struct File {
    std::string domain, name, bytes;
    storage::UploadKind kind;
  };
  class Upload final : public storage::PromptUpload {
   public:
    Upload(FakeStore& store, File file) : store_(store), file_(std::move(file)) {}
    storage::StoreResult<void> write(std::span<const char> bytes) override {
      file_.bytes.append(bytes.data(), bytes.size());
      return {};
    }
    storage::StoreResult<storage::StoredPrompt> commit() override {
      const std::lock_guard lock(store_.mutex);
      store_.files.push_back(file_);
      return storage::StoredPrompt{file_.name, file_.bytes.size(), "audio/x", "etag", {}};
    }

   private:
    FakeStore& store_;
    File file_;
  };

  storage::StoreResult<std::unique_ptr<storage::PromptUpload>> begin(const std::string& domain, const std::string& name,
                                                                     storage::UploadKind kind) override {
    const std::lock_guard lock(mutex);
    ++attempts;
    if (failures > 0) {
      --failures;
      if (throws) throw std::runtime_error("the store has gone mad");
      return tl::unexpected(storage::StoreError{failure, "the store is away"});
    }
    return std::make_unique<Upload>(*this, File{domain, name, {}, kind});
  }
  storage::StoreResult<storage::StoredPrompt> find(const std::string&, const std::string&) override { return none(); }
  storage::StoreResult<void> remove(const std::string&, const std::string&) override { return none(); }
  storage::StoreResult<Page> list(const std::string&, const std::string&) override { return none(); }

  std::mutex mutex;
  int attempts = 0, failures = 0;
  bool throws = false;
  storage::StoreError::Kind failure = storage::StoreError::Kind::storage;
  std::vector<File> files;

 private:
  static tl::unexpected<storage::StoreError> none() {
    return tl::unexpected(storage::StoreError{storage::StoreError::Kind::not_found, "no"});
  }
};

/// A recorder whose clocks the test moves, and what it reports.
class RecorderTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override {
    recorder.reset();
    EXPECT_EQ(open_files(), files_before_) << "file descriptors are left open";
  }

  void open() {
    Recorder::Options options(store);
    options.folder = folder.file("recordings");
    options.shares = shares;
    options.log = ops::Log(ops::Log::Format::text, quiet);
    options.report = [this](Finished finished) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(std::move(finished));
      changed_.notify_all();
    };
    options.back_off = [this](unsigned failures) {
      const std::lock_guard lock(mutex_);
      back_offs.push_back(failures);
      wall += wall_per_retry;
      return Duration(0);
    };
    options.clock = [this] {
      const std::lock_guard lock(mutex_);
      return now;
    };
    options.wall_clock = [this] {
      const std::lock_guard lock(mutex_);
      return wall;
    };
    auto opened = Recorder::open(options);
    ASSERT_TRUE(opened) << opened.error().message;
    recorder = std::move(*opened);
  }
  /// As after a restart.
  void reopen() {
    recorder.reset();
    open();
  }

  std::shared_ptr<storage::DiskShares> shares;  ///< from the next open() on

  void pass(std::chrono::milliseconds time) {
    const std::lock_guard lock(mutex_);
    now += time;
  }

  /// Waits until there are as many reports; a test that never gets them is ended by its runner.
  std::vector<Finished> reports(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return reports_.size() >= count; });
    EXPECT_EQ(reports_.size(), count);
    return reports_;
  }
  std::size_t reported() {
    const std::lock_guard lock(mutex_);
    return reports_.size();
  }

  Order order(const std::string& name) {
    Order order;
    order.domain = "a.example";
    order.file_name = name;
    order.context = {{"sessionId", "s-1"}};
    return order;
  }
  /// A second of a tone on both sides, 440 Hz and 1000 Hz.
  void talk(Recording& recording) {
    recording_test::Phone left(0, rtp::Codec::pcma, now), right(1, rtp::Codec::pcmu, now);
    for (int packet = 0; packet < 50; ++packet) {
      recording.put(left.next(440));
      recording.put(right.next(1000));
    }
    pass(std::chrono::seconds(1));
  }
  Finished record(const std::string& name) {
    auto recording = *recorder->start(order(name));
    talk(*recording);
    const auto before = reported();
    recording->finish();
    return reports(before + 1).back();
  }
  std::string stored_file(std::size_t index = 0) {
    const std::lock_guard lock(store.mutex);
    const auto& bytes = store.files.at(index).bytes;
    const auto path = folder.file("stored-" + std::to_string(index));
    recording_test::write_file(path, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    return path;
  }
  /// Names in the recorder's folder.
  std::vector<std::string> left(const std::string& below = "") {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder.file("recordings") + below, error)) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
    }
    return names;
  }

  static std::ptrdiff_t open_files() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  }

  testing_support::ScratchFolder folder;
  FakeStore store;
  TimePoint now = TimePoint() + std::chrono::hours(1);
  WallTime wall = WallTime() + std::chrono::hours(24 * 365 * 50);
  std::chrono::seconds wall_per_retry{1};
  std::vector<unsigned> back_offs;
  ops::Level quiet = ops::Level::error;
  std::unique_ptr<Recorder> recorder;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Finished> reports_;
  std::ptrdiff_t files_before_ = open_files();
};

}  // namespace rw::recording
