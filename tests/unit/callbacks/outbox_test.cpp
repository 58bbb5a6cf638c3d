#include "callbacks/outbox.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <condition_variable>
#include <future>
#include <mutex>

#include "callbacks/http_channel.h"
#include "callbacks/open_session.h"
#include "support/http_peer.h"
#include "support/scratch_folder.h"

namespace rw::callbacks {
namespace {

using namespace std::chrono_literals;
using testing_support::answer;
using testing_support::HttpPeer;
using testing_support::ScratchFolder;

const ops::Log quiet(ops::Log::Format::text, ops::Level::error);

/// An application that writes down what it gets, and answers with a status.
class Application {
 public:
  std::string url() const { return peer_.url(); }
  void answer_with(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  /// The bodies that came, as soon as there are `count`.
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return got_.size() >= count; })) << got_.size();
    return got_;
  }

 private:
  http::Router router() {
    http::Router router;
    router.add("POST", "/{event}", [this](const http::IncomingRequest& request, const http::Responder& respond) {
      const std::lock_guard lock(mutex_);
      got_.push_back(request.body);
      changed_.notify_all();
      respond(answer(status_, "{}"));
    });
    return router;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int status_ = 200;
  std::vector<std::string> got_;
  HttpPeer peer_{router()};
};

std::string number_of(const std::string& body) {
  return std::string(boost::json::parse(body).at("n").as_string());
}

/// One process: a loop on a thread of its own with a channel, until it is destroyed without a word, as a kill does it.
class Process {
 public:
  Process(const ScratchFolder& folder, std::shared_ptr<tenant::Mediaservice> service, Settings settings)
      : folder_(*ledger::SessionFolder::open(folder.file("sessions"))),
        store_(*ledger::NoticeStore::open(folder.file("outbox.db"), {}, quiet)),
        service_(std::move(service)) {
    auto waiting = store_->take_waiting();
    complete_cut_sessions(folder_, *store_, waiting, settings, metrics, quiet);
    HttpChannel::Keeping keeping{
        *store_, *ledger::SessionJournal::create(folder_.file(0), quiet),
        [this](std::string_view, std::string_view id) { return service_->id == id ? service_ : nullptr; }};
    channel_ = std::make_unique<HttpChannel>(loop_, std::move(settings), std::move(keeping), metrics, quiet);
    channel_->restore(waiting);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Process() {
    run([this] { loop_.stop(); });
    thread_.join();
    store_->stop();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void run(std::function<void()> job) { boost::asio::post(loop_, std::move(job)); }
  void notify(const std::string& session, const std::string& event, const std::string& number) {
    run([this, session, event, number] {
      channel_->notify({service_, session, "trace", "call"}, event, {{"n", number}}, {});
    });
  }
  void alarm(const std::string& session) {
    run([this, session] { channel_->alarm({service_, session, "trace", "call"}, {{"n", "alarm"}}); });
  }
  void open_session(const std::string& session) {
    run([this, session] {
      channel_->session_open({service_, session, "trace", "call"}, Clock::now(), {{"n", "cut " + session}});
    });
  }
  void discard_session(const std::string& session) {
    run([this, session] { channel_->session_discarded({service_, session, "trace", "call"}); });
  }
  std::size_t pending() const { return store_->pending(); }
  void wait_until_delivered() {
    std::promise<void> come;
    run([&come] { come.set_value(); });  // after what was asked for before
    come.get_future().wait();
    const auto deadline = Clock::now() + 20s;  // the store counts, and tells nobody
    while (pending() != 0) {
      ASSERT_LT(Clock::now(), deadline) << pending() << " notifications are not delivered";
      std::this_thread::sleep_for(1ms);
    }
    store_->flush();
  }

  ops::Metrics metrics;

 private:
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop_.get_executor()};
  ledger::SessionFolder folder_;
  std::unique_ptr<ledger::NoticeStore> store_;
  const std::shared_ptr<tenant::Mediaservice> service_;
  std::unique_ptr<HttpChannel> channel_;
  std::thread thread_;
};

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() {
    settings.addresses = net::AddressPolicy({*net::Network::parse("127.0.0.0/8")});
    settings.outbox_back_off = 20ms;
    settings.outbox_longest = 50ms;
    service->domain = "a.example";
    service->id = "main";
    service->callback_url = application.url();
    service->alarm_url = application.url() + "/alarms";
  }
  std::unique_ptr<Process> process() { return std::make_unique<Process>(folder, service, settings); }

  http::ClientLibrary library;
  ScratchFolder folder;
  Application application;
  Settings settings;
  std::shared_ptr<tenant::Mediaservice> service = std::make_shared<tenant::Mediaservice>();
};

TEST_F(OutboxTest, delivers_in_order) {
  const auto running = process();
  for (int at = 0; at < 50; ++at) running->notify("s", "callNotify", std::to_string(at));
  running->wait_until_delivered();
  const auto got = application.wait_for(50);
  ASSERT_EQ(got.size(), 50U);
  for (int at = 0; at < 50; ++at) EXPECT_EQ(number_of(got[static_cast<std::size_t>(at)]), std::to_string(at));
}

TEST_F(OutboxTest, the_next_process_goes_on_where_the_last_one_was_killed) {
  application.answer_with(503);
  {
    const auto killed = process();
    for (int at = 0; at < 20; ++at) killed->notify("s", "callNotify", std::to_string(at));
    application.wait_for(3);
  }
  application.answer_with(200);
  const auto repeated = application.wait_for(1);
  const auto next = process();
  next->wait_until_delivered();
  const auto got = application.wait_for(repeated.size() + 20);
  std::vector<std::string> order;
  for (const auto& body : got)
    if (order.empty() || order.back() != body) order.push_back(body);
  ASSERT_EQ(order.size(), 20U) << "repetitions are the same to the letter, and in order";
  for (std::size_t at = 0; at < 20; ++at) EXPECT_EQ(number_of(order[at]), std::to_string(at));
}

TEST_F(OutboxTest, what_was_delivered_is_not_delivered_again) {
  {
    const auto first = process();
    first->notify("s", "callNotify", "1");
    first->wait_until_delivered();
  }
  const auto next = process();
  EXPECT_EQ(next->pending(), 0U);
}

TEST_F(OutboxTest, gives_up_what_is_too_old) {
  settings.outbox_age = std::chrono::hours(0);
  application.answer_with(503);
  const auto running = process();
  running->notify("s", "callNotify", "1");
  running->wait_until_delivered();
  EXPECT_NE(running->metrics.text().find(R"(event="callNotify",kind="tooOld")"), std::string::npos);
}

TEST_F(OutboxTest, gives_up_what_nobody_is_there_for) {
  application.answer_with(503);
  {
    const auto killed = process();
    killed->notify("s", "callNotify", "1");
    application.wait_for(1);
  }
  service->id = "another";
  const auto next = process();
  next->wait_until_delivered();
  EXPECT_NE(next->metrics.text().find(R"(event="callNotify",kind="noMediaservice")"), std::string::npos);
}

TEST_F(OutboxTest, a_base_of_a_calls_own_does_not_keep_alarms_from_the_operators_url) {
  settings.addresses = net::AddressPolicy({});
  settings.outbox_age = std::chrono::hours(0);
  service->trusted_urls = true;
  service = std::make_shared<tenant::Mediaservice>(*tenant::with_base(*service, application.url() + "/side"));
  const auto running = process();
  running->alarm("s");
  running->notify("s", "callNotify", "1");
  running->wait_until_delivered();
  const auto got = application.wait_for(1);
  ASSERT_EQ(got.size(), 1U) << "the base leads to this machine, and was not named by the operator";
  EXPECT_EQ(number_of(got.front()), "alarm");
}

TEST_F(OutboxTest, a_base_of_a_calls_own_is_not_trusted_by_the_next_process_either) {
  settings.addresses = net::AddressPolicy({});
  const auto configured = service;
  configured->trusted_urls = true;
  service = std::make_shared<tenant::Mediaservice>(*tenant::with_base(*configured, application.url() + "/side"));
  {
    const auto killed = process();
    killed->notify("s", "callNotify", "1");
    killed->open_session("s");
  }
  service = configured;
  settings.outbox_age = std::chrono::hours(0);
  const auto next = process();
  next->wait_until_delivered();
  EXPECT_TRUE(application.wait_for(0).empty());
  EXPECT_NE(next->metrics.text().find(R"(event="callNotify",kind="tooOld")"), std::string::npos);
  EXPECT_NE(next->metrics.text().find(R"(event="sessionCompleted",kind="tooOld")"), std::string::npos);
}

TEST_F(OutboxTest, a_backlog_larger_than_what_is_held_in_memory_is_delivered) {
  constexpr std::size_t count = 10'000;
  application.answer_with(503);
  const auto running = process();
  for (std::size_t at = 0; at < count; ++at)
    running->notify(std::to_string(at % 5000), "callNotify", std::to_string(at / 5000));
  application.wait_for(100);
  application.answer_with(200);
  running->wait_until_delivered();
}

TEST_F(OutboxTest, sessions_that_were_cut_off_are_completed_once) {
  {
    const auto killed = process();
    for (const auto* id : {"cut", "complete", "discarded"}) killed->open_session(id);
    killed->discard_session("discarded");
    killed->notify("complete", "sessionCompleted", "complete");
    killed->wait_until_delivered();
  }
  {
    const auto next = process();
    next->wait_until_delivered();
    const auto got = application.wait_for(2);
    ASSERT_EQ(got.size(), 2U);
    const auto body = boost::json::parse(got[1]).as_object();
    EXPECT_EQ(body.at("n"), "cut cut");
    EXPECT_EQ(body.at("reason"), "error");
    EXPECT_TRUE(body.at("sessionDuration").is_string());
  }
  const auto third = process();
  EXPECT_EQ(third->pending(), 0U);
}

TEST_F(OutboxTest, a_session_whose_end_is_being_told_is_not_completed_anew) {
  application.answer_with(503);
  {
    const auto killed = process();
    killed->open_session("s");
    killed->notify("s", "sessionCompleted", "as it was");
    application.wait_for(1);
  }
  application.answer_with(200);
  const auto next = process();
  next->wait_until_delivered();
  for (const auto& body : application.wait_for(2)) EXPECT_EQ(number_of(body), "as it was");
}

}  // namespace
}  // namespace rw::callbacks
