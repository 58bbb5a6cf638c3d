#include "sounds/url_source.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cmath>
#include <mutex>
#include <semaphore>
#include <thread>

#include "audio/wav_file.h"
#include "http/server.h"

namespace rw::sounds {
namespace {

using http::Answer;
using http::IncomingRequest;
using http::Responder;

std::string wav() {
  audio::Samples tone{std::vector<std::int16_t>(16000), 16000};
  for (std::size_t at = 0; at < tone.samples.size(); ++at)
    tone.samples[at] = static_cast<std::int16_t>(8000 * std::sin(0.2 * static_cast<double>(at)));
  return audio::wav_bytes(tone);
}

class UrlSourceTest : public testing::Test {
 protected:
  UrlSourceTest() {
    http::Router router;
    router.add("GET", "/{name}", [this](const IncomingRequest& request, const Responder& respond) {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      respond(answers_[request.capture("name")]);
    });
    http::ServerOptions options;
    options.error = [](int status, std::string reason) {
      return Answer{.status = status, .headers = {}, .body = std::move(reason), .source = {}};
    };
    server_.emplace(loop_, std::move(router), options);
    base_ = "http://" + server_->listen(*net::Address::from("127.0.0.1", 0))->to_string() + "/";
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~UrlSourceTest() override {
    server_->stop(std::chrono::milliseconds(0));
    thread_.join();
  }

  void answer(const std::string& name, int status, std::vector<std::pair<std::string, std::string>> headers = {},
              std::string body = {}) {
    const std::lock_guard lock(mutex_);
    answers_[name] = Answer{.status = status, .headers = std::move(headers), .body = std::move(body), .source = {}};
  }
  IncomingRequest last_request() {
    const std::lock_guard lock(mutex_);
    return requests_.back();
  }
  std::size_t requests() {
    const std::lock_guard lock(mutex_);
    return requests_.size();
  }
  Result<Made> fetch(const std::string& url, const std::string& etag = {}) {
    SoundOutput output([this](const std::shared_ptr<media::Sound>& sound) { heard_ = sound; });
    const auto source = make_url_source(*downloads_, {"d", url}, etag, [this] { came_.release(); });
    Makers makers;
    Tools tools(makers);
    for (;;) {
      const auto step = source->step(output, tools);
      if (!step) return tl::unexpected(step.error());
      if (*step == SoundSource::Step::over) break;
      if (*step == SoundSource::Step::later) came_.acquire();
    }
    output.finish();
    return source->made();
  }

  boost::asio::io_context loop_;
  std::optional<http::Server> server_;
  std::string base_;
  std::thread thread_;
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::vector<IncomingRequest> requests_;

  std::counting_semaphore<> came_{0};
  std::optional<http::Downloads> downloads_{
      std::in_place, http::Downloads::Options{.policy = net::AddressPolicy({*net::Network::parse("127.0.0.0/8")})}};
  media::SoundPtr heard_;
};

TEST_F(UrlSourceTest, BringsTheSoundAndItsVersion) {
  answer("a.wav", 200, {{"ETag", "\"1\""}, {"Cache-Control", "public, max-age=60"}}, wav());
  const auto fetched = fetch(base_ + "a.wav?" + std::string(8000, 'x'));
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(fetched->etag, "\"1\"");
  EXPECT_EQ(fetched->fresh_for, std::chrono::seconds(60));
  EXPECT_TRUE(fetched->may_be_kept);
  EXPECT_EQ(heard_->duration(), std::chrono::seconds(1));
}

TEST_F(UrlSourceTest, AsksWhetherItIsStillTheSame) {
  answer("a.wav", 304);
  auto fetched = fetch(base_ + "a.wav", "\"1\"");
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_TRUE(fetched->unchanged);
  EXPECT_EQ(fetched->etag, "\"1\"");
  EXPECT_EQ(last_request().header("If-None-Match"), "\"1\"");
  EXPECT_EQ(heard_, nullptr);
  answer("b.wav", 200, {{"Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT"}}, wav());
  fetched = fetch(base_ + "b.wav");
  ASSERT_TRUE(fetched);
  EXPECT_TRUE(fetched->may_be_kept);
  EXPECT_TRUE(fetch(base_ + "b.wav", fetched->etag));
  EXPECT_EQ(last_request().header("If-Modified-Since"), "Mon, 01 Jan 2024 00:00:00 GMT");
}

TEST_F(UrlSourceTest, KeepsNothingWithoutAVersion) {
  answer("a.wav", 200, {}, wav());
  EXPECT_FALSE(fetch(base_ + "a.wav")->may_be_kept);
  answer("b.wav", 200, {{"ETag", "\"1\""}, {"Cache-Control", "no-store"}}, wav());
  EXPECT_FALSE(fetch(base_ + "b.wav")->may_be_kept);
}

TEST_F(UrlSourceTest, FollowsRedirectsButNotForever) {
  answer("a.wav", 302, {{"Location", "/b.wav"}});
  answer("b.wav", 200, {}, wav());
  answer("loop", 302, {{"Location", "/loop"}});
  EXPECT_TRUE(fetch(base_ + "a.wav"));
  EXPECT_FALSE(fetch(base_ + "loop"));
}

TEST_F(UrlSourceTest, SaysWhatWentWrongWithoutSecrets) {
  answer("gone", 404, {}, "not here");
  answer("page", 200, {}, "<html>please log in to hear this prompt</html>");
  const auto secret = base_.substr(0, 7) + "user:password@" + base_.substr(7);
  EXPECT_EQ(fetch(secret + "gone?token=secret").error().message, base_ + "gone: it was answered with the status 404");
  const auto page = fetch(base_ + "page?token=secret");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().message.find("secret"), std::string::npos);
  EXPECT_FALSE(fetch("ftp://127.0.0.1/a.wav"));
  EXPECT_FALSE(fetch("file:///etc/passwd"));
  EXPECT_FALSE(fetch(base_ + std::string(8193, 'x')));
}

TEST_F(UrlSourceTest, GoesNowhereItMayNot) {
  downloads_.emplace(http::Downloads::Options{});  // public addresses alone
  answer("a.wav", 200, {}, wav());
  const auto fetched = fetch(base_ + "a.wav");
  ASSERT_FALSE(fetched);
  EXPECT_NE(fetched.error().message.find("not one that may be used"), std::string::npos);
  EXPECT_EQ(requests(), 0U);
}

}  // namespace
}  // namespace rw::sounds
