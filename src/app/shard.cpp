#include "app/shard.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

namespace rw::app {

/// The media engine, whose events come back as messages to the shard.
class Shard::Media final : public call::MediaPort {
 public:
  Media(media::Engine& engine, Shard& shard) : engine_(engine), shard_(shard) {}
  Result<media::Engine::NewLeg> create() override {
    return engine_.create([this](media::Event event) {
      shard_.post([this, event] {
        shard_.switchboard_->media_event(event, Clock::now());
        shard_.settle();
      });
    });
  }
  void configure(media::LegId leg, media::LegParameters parameters) override {
    engine_.configure(leg, std::move(parameters));
  }
  void start_timeout_watch(media::LegId leg) override { engine_.start_timeout_watch(leg); }
  void play(media::LegId leg, media::Play item) override { engine_.play(leg, std::move(item)); }
  void send_digits(media::LegId leg, media::SendDigits digits) override { engine_.send_digits(leg, std::move(digits)); }
  void echo(media::LegId leg, media::Echo echo) override { engine_.echo(leg, echo); }
  void stop(media::LegId leg, media::PlayId item) override { engine_.stop(leg, item); }
  void stop_all(media::LegId leg) override { engine_.stop_all(leg); }
  void background(media::LegId leg, media::SoundPtr sound, std::chrono::milliseconds pause) override {
    engine_.background(leg, std::move(sound), pause);
  }
  void release(media::LegId leg) override { engine_.release(leg); }

 private:
  media::Engine& engine_;
  Shard& shard_;
};

/// The sound loader, whose answers come back on the shard's thread.
class Shard::Sounds final : public audio::SoundLoader {
 public:
  Sounds(audio::SoundLoader& loader, Shard& shard) : loader_(loader), shard_(shard) {}
  void load(audio::SoundRequest request, rtp::Codec codec, Done done) override {
    loader_.load(std::move(request), codec, [this, done = std::move(done)](Result<media::SoundPtr> sound) {
      if (shard_.on_own_thread()) {  // it was at hand: we are still inside load()
        done(std::move(sound));
        return;
      }
      shard_.post([this, done, sound = std::move(sound)] {
        shard_.switchboard_->run([&] { done(sound); }, Clock::now());
        shard_.settle();
      });
    });
  }

 private:
  audio::SoundLoader& loader_;
  Shard& shard_;
};

/// The callback channel, whose answers are inputs of the switchboard.
class Shard::Application final : public callbacks::Channel {
 public:
  Application(callbacks::Channel& channel, Shard& shard) : channel_(channel), shard_(shard) {}
  callbacks::QuestionId ask(const callbacks::Context& context, std::string event, boost::json::object body,
                            callbacks::ReplyHandler handler) override {
    return channel_.ask(context, std::move(event), std::move(body), [this, handler = std::move(handler)](auto reply) {
      shard_.switchboard_->run([&] { handler(std::move(reply)); }, Clock::now());
      shard_.settle();
    });
  }
  void forget(callbacks::QuestionId question) override { channel_.forget(question); }
  void notify(const callbacks::Context& context, std::string event, boost::json::object body) override {
    channel_.notify(context, std::move(event), std::move(body));
  }
  void alarm(const callbacks::Context& context, boost::json::object body) override {
    channel_.alarm(context, std::move(body));
  }

 private:
  callbacks::Channel& channel_;
  Shard& shard_;
};
