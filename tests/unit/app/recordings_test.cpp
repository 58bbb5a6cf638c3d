#include "app/recordings.h"

#include <gtest/gtest.h>

#include <future>

#include "support/scratch_folder.h"
#include "unit/recording/recorder_fixture.h"

namespace rw::app {
namespace {

using namespace std::chrono_literals;
using recording::FakeStore;
using testing_support::ScratchFolder;

/// A process with a recorder: whom it tells of ends.
class Process {
 public:
  Process(const ScratchFolder& folder, FakeStore& store, std::shared_ptr<const tenant::Directory> directory)
      : recordings_({[directory] { return directory; },
                     [this](const callbacks::Context& application, const std::string& event,
                            const boost::json::object& /*body*/, const std::function<void()>& over) {
                       told_.set_value({application.service, event});
                       over();
                     },
                     ops::Log(ops::Log::Format::text, ops::Level::error)}) {
    recording::Recorder::Options options(store);
    options.folder = folder.file("recordings");
    options.every = 10ms;
    options.back_off = [](unsigned) -> Duration { return 10ms; };
    EXPECT_TRUE(recordings_.open(std::move(options)));
  }
  ~Process() { recordings_.close(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void record(std::shared_ptr<const tenant::Mediaservice> service) {
    call::RecordingOrder order;
    order.application = {std::move(service), "session", "trace", "call"};
    order.file_name = "talk.wav";
    auto open = recordings_.start(std::move(order));
    ASSERT_TRUE(open) << open.error().message;
    recording_test::Phone phone(0, rtp::Codec::pcma, Clock::now());
    for (int packet = 0; packet < 50; ++packet) open->tap->put(phone.next(440));
    open->finish();
  }
  struct Told {
    std::shared_ptr<const tenant::Mediaservice> service;
    std::string event;
  };
  Told wait() {
    auto told = told_.get_future();
    EXPECT_EQ(told.wait_for(20s), std::future_status::ready);
    return told.get();
  }

 private:
  std::promise<Told> told_;
  Recordings recordings_;
};

class RecordingsTest : public testing::Test {
 protected:
  RecordingsTest() {
    service_->domain = "a.example";
    service_->id = "main";
    service_->callback_url = "http://configured.example";
    service_->alarm_url = "http://configured.example/alarms";
    service_->trusted_urls = true;
    auto domain = std::make_shared<tenant::Domain>();
    domain->name = "a.example";
    domain->mediaservices = {service_};
    directory_ = std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{domain});
  }
  static void expect_own_base(const Process::Told& told) {
    EXPECT_EQ(told.event, "recordingReady");
    EXPECT_EQ(told.service->callback_url, "http://side.example");
    EXPECT_FALSE(told.service->trusts_callback_url());
    EXPECT_EQ(told.service->alarm_url, "http://configured.example/alarms");
  }

  ScratchFolder folder_;
  FakeStore store_;
  std::shared_ptr<tenant::Mediaservice> service_ = std::make_shared<tenant::Mediaservice>();
  std::shared_ptr<const tenant::Directory> directory_;
};

TEST_F(RecordingsTest, the_end_is_told_where_the_mediaservice_says) {
  Process process(folder_, store_, directory_);
  process.record(service_);
  EXPECT_EQ(process.wait().service, service_);
}

TEST_F(RecordingsTest, the_end_is_told_where_the_call_itself_said) {
  Process process(folder_, store_, directory_);
  process.record(tenant::with_base(*service_, "http://side.example"));
  expect_own_base(process.wait());
}

TEST_F(RecordingsTest, the_next_process_tells_it_there_too) {
  {
    Process first(folder_, store_, directory_);
    {
      const std::lock_guard lock(store_.mutex);
      store_.failures = 1'000'000;
    }
    first.record(tenant::with_base(*service_, "http://side.example"));
  }
  {
    const std::lock_guard lock(store_.mutex);
    store_.failures = 0;
  }
  Process next(folder_, store_, directory_);
  expect_own_base(next.wait());
}

}  // namespace
}  // namespace rw::app
