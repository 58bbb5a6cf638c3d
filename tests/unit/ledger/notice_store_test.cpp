#include "ledger/notice_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <future>

#include "support/scratch_folder.h"

namespace rw::ledger {
namespace {

using testing_support::ScratchFolder;

const ops::Log quiet(ops::Log::Format::text, ops::Level::error);

std::shared_ptr<Notice> notice(const std::string& lane, const std::string& body,
                               const std::string& domain = "a.example") {
  auto made = std::make_shared<Notice>();
  made->lane = lane;
  made->domain = domain;
  made->mediaservice = "main";
  made->base = "http://elsewhere";
  made->event = "callAnswered";
  made->session_id = lane;
  made->trace_id = "trace";
  made->call_id = "call@host";
  made->body = body;
  made->put_at = 1234;
  return made;
}

std::unique_ptr<NoticeStore> open(const ScratchFolder& folder, NoticeStore::Limits limits = {}) {
  auto store = NoticeStore::open(folder.file("outbox.db"), limits, quiet);
  EXPECT_TRUE(store.has_value()) << (store ? "" : store.error().message);
  return store ? std::move(*store) : nullptr;
}

std::shared_ptr<const Notice> load(NoticeStore& store, std::int64_t number) {
  std::promise<std::shared_ptr<const Notice>> loaded;
  store.load(number, [&](std::shared_ptr<const Notice> found) { loaded.set_value(std::move(found)); });
  return loaded.get_future().get();
}

TEST(NoticeStore, what_was_stored_is_there_after_a_crash) {
  const ScratchFolder folder, copy;
  const auto store = open(folder);
  std::promise<bool> written;
  const auto number =
      store->put(notice("s1", R"({"x":"å"})"), [&](std::int64_t, bool done) { written.set_value(done); });
  ASSERT_TRUE(written.get_future().get());
  // The files as a kill would leave them at this moment.
  for (const auto* name : {"outbox.db", "outbox.db-wal"})
    std::filesystem::copy_file(folder.file(name), copy.file(name));
  const auto again = open(copy);
  const auto waiting = again->take_waiting();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].number, number);
  EXPECT_EQ(waiting[0].lane, "s1");
  EXPECT_EQ(waiting[0].call_id, "call@host");
  const auto found = load(*again, number);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->body, R"({"x":"å"})");
  EXPECT_EQ(found->base, "http://elsewhere");
  EXPECT_EQ(found->put_at, 1234);
  EXPECT_EQ(found->trace_id, "trace");
}

TEST(NoticeStore, keeps_the_order_and_forgets_what_was_removed) {
  const ScratchFolder folder;
  std::vector<std::int64_t> numbers;
  {
    const auto store = open(folder);
    for (int at = 0; at < 5; ++at) numbers.push_back(store->put(notice("s", std::to_string(at)), {}));
    store->remove(numbers[1], *notice("s", "1"));
    store->stop();
  }
  const auto store = open(folder);
  std::vector<std::int64_t> left;
  for (const auto& one : store->take_waiting()) left.push_back(one.number);
  EXPECT_EQ(left, (std::vector<std::int64_t>{numbers[0], numbers[2], numbers[3], numbers[4]}));
  EXPECT_GT(store->put(notice("s", "next"), {}), numbers.back());
  EXPECT_EQ(load(*store, numbers[1]), nullptr);
}

TEST(NoticeStore, is_bounded_and_one_domain_can_not_fill_it) {
  const ScratchFolder folder;
  const auto store = open(folder, {.notices = 3, .notices_of_domain = 2, .bytes = 1 << 20, .bytes_of_domain = 4096});
  const auto first = store->put(notice("s", "1"), {});
  EXPECT_NE(first, 0);
  EXPECT_EQ(store->put(notice("s", std::string(4000, 'x')), {}), 0) << "bytes of the domain";
  EXPECT_NE(store->put(notice("s", "2"), {}), 0);
  EXPECT_EQ(store->put(notice("s", "3"), {}), 0);
  EXPECT_NE(store->put(notice("s", "1", "b.example"), {}), 0) << "another domain has room";
  EXPECT_EQ(store->put(notice("s", "1", "c.example"), {}), 0) << "all of it is full";
  store->remove(first, *notice("s", "1"));
  store->flush();
  EXPECT_NE(store->put(notice("s", "3"), {}), 0);
}

TEST(NoticeStore, many_notices_share_a_transaction) {
  const ScratchFolder folder;
  const auto store = open(folder);
  constexpr int count = 20'000;
  const auto body = std::string(500, 'x');
  timespec begun{}, ended{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
  for (int at = 0; at < count; ++at) {
    const auto one = notice("session-" + std::to_string(at / 3), body);
    store->remove(store->put(one, {}), *one);
    if (at % 10 == 9) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // about as calls bring them
  }
  store->flush();
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
  const auto micros = (ended.tv_sec - begun.tv_sec) * 1e6 + (ended.tv_nsec - begun.tv_nsec) / 1e3;
  RecordProperty("microseconds_per_notice", std::to_string(micros / count));
  std::printf("CPU per notice, put and removed: %.1f us\n", micros / count);
}

TEST(NoticeStore, a_large_backlog_is_taken_up_quickly) {
  const ScratchFolder folder;
  {
    const auto store = open(folder);
    const auto body = std::string(700, 'x');
    for (int at = 0; at < 100'000; ++at) EXPECT_NE(store->put(notice(std::to_string(at / 2), body), {}), 0);
    store->stop();
  }
  const auto begun = Clock::now();
  const auto store = open(folder);
  EXPECT_EQ(store->take_waiting().size(), 100'000U);
  std::printf("100000 notices taken up in %.0f ms\n",
              std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
}

/// Files can't grow while it lives, as on a disk that is full.
class FullDisk {
 public:
  FullDisk() : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

TEST(NoticeStore, what_the_disk_refuses_is_stored_when_there_is_room) {
  const ScratchFolder folder, copy;
  std::atomic<int> failures = 0;
  const ops::Log silent(ops::Log::Format::text, ops::Level::error);
  const auto store = *NoticeStore::open(folder.file("outbox.db"), {}, silent, [&failures] { ++failures; });
  const auto put = [&](const std::string& lane) {
    std::promise<bool> written;
    store->put(notice(lane, "body of " + lane), [&](std::int64_t, bool done) { written.set_value(done); });
    return written.get_future().get();
  };
  ASSERT_TRUE(put("1"));
  {
    const FullDisk full;
    EXPECT_FALSE(put("2"));
    EXPECT_FALSE(put("3"));
    EXPECT_EQ(load(*store, 2)->body, "body of 2");
    store->remove(3, *notice("3", "body of 3"));  // it has been delivered
    store->flush();
  }
  EXPECT_GE(failures, 2);
  EXPECT_TRUE(put("4"));
  EXPECT_EQ(load(*store, 2)->body, "body of 2");
  for (const auto* name : {"outbox.db", "outbox.db-wal"})
    std::filesystem::copy_file(folder.file(name), copy.file(name));
  const auto again = open(copy);
  std::vector<std::string> lanes;
  for (const auto& one : again->take_waiting()) lanes.push_back(one.lane);
  EXPECT_EQ(lanes, (std::vector<std::string>{"1", "2", "4"}));
}

}  // namespace
}  // namespace rw::ledger
