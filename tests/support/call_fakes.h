#pragma once

#include <algorithm>
#include <boost/json/parse.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "call/services.h"

/// Stand-ins for what the call layer works with: they write down what they are asked, and a test answers when it likes.
namespace rw::call::fake {

class Media : public MediaPort {
 public:
  Result<media::Engine::NewLeg> create(media::LegId /*beside*/) override {
    if (exhausted) return fail("no free port");
    return media::Engine::NewLeg{++legs_made, static_cast<std::uint16_t>(20000 + 2 * legs_made)};
  }
  void configure(media::LegId, media::LegParameters parameters) override {
    configured.push_back(std::move(parameters));
  }
  void start_timeout_watch(media::LegId) override { ++watches; }
  void expect_confirmation(media::LegId leg, std::chrono::milliseconds time) override { unconfirmed[leg] = time; }
  void confirm(media::LegId leg) override { unconfirmed.erase(leg); }
  void play(media::LegId leg, media::Play item) override {
    queue.push_back({item.id, item.sound, item.silence, {}, leg});
  }
  void send_digits(media::LegId leg, media::SendDigits digits) override {
    queue.push_back({digits.id, nullptr, {}, digits.digits, leg});
  }
  void echo(media::LegId leg, media::Echo echo) override { queue.push_back({echo.id, nullptr, echo.length, {}, leg}); }
  void stop(media::LegId, media::PlayId item) override { stopped.push_back(item); }
  void stop_all(media::LegId) override { queue.clear(); }
  void background(media::LegId leg, media::SoundPtr sound, std::chrono::milliseconds pause) override {
    background_leg = leg;
    background_sound = std::move(sound);
    background_pause = pause;
  }
  void join(media::LegId a, media::LegId b) override {
    part(a);
    part(b);
    joined[a] = b;
    joined[b] = a;
  }
  void part(media::LegId leg) override {
    listeners.erase(leg);
    const auto found = joined.find(leg);
    if (found == joined.end()) return;
    joined.erase(found->second);
    joined.erase(leg);
  }
  void monitor(media::LegId listener, media::LegId a, media::LegId b) override { listeners[listener] = {a, b}; }
  void record(media::LegId leg, media::Record record) override { records.push_back({leg, std::move(record)}); }
  void stop_recording(media::LegId leg, std::shared_ptr<media::RecordingTap> tap) override {
    std::erase_if(records, [&](const auto& one) { return one.first == leg && one.second.tap == tap; });
  }
  void watch_silence(media::LegId, std::chrono::milliseconds length) override { silence_watched = length; }
  void release(media::LegId leg) override {
    part(leg);
    std::erase_if(records, [leg](const auto& one) { return one.first == leg; });
    ++legs_released;
  }

  struct Queued {
    media::PlayId id;
    media::SoundPtr sound;
    std::chrono::milliseconds silence;
    std::string digits;
    media::LegId leg = 0;
  };
  bool exhausted = false;
  std::map<media::LegId, media::LegId> joined;                    ///< both ways
  std::map<media::LegId, std::chrono::milliseconds> unconfirmed;  ///< how long is waited for a sign of life
  std::map<media::LegId, std::pair<media::LegId, media::LegId>> listeners;
  std::vector<std::pair<media::LegId, media::Record>> records;
  std::chrono::milliseconds silence_watched{0};
  std::uint64_t legs_made = 0, legs_released = 0;
  int watches = 0;
  std::vector<media::LegParameters> configured;
  std::vector<Queued> queue;
  std::vector<media::PlayId> stopped;
  media::LegId background_leg = 0;
  media::SoundPtr background_sound;
  std::chrono::milliseconds background_pause{0};
};

class Sounds : public audio::SoundLoader {
 public:
  void add_form(media::SoundPtr, rtp::Codec codec, const std::string&) override { forms.push_back(codec); }
  void load(audio::SoundRequest request, rtp::Codec, Wanted, Done done) override {
    std::string name;
    if (const auto* file = std::get_if<audio::FilePrompt>(&request)) name = file->name;
    if (const auto* text = std::get_if<audio::SpokenText>(&request)) name = text->text;
    if (const auto* tone = std::get_if<audio::Tone>(&request)) name = tone->name;
    asked.push_back(name);
    if (hold) {
      held.push_back(std::move(done));
    } else if (!missing.empty() && missing == name) {
      done(fail("no such file: " + name));
    } else {
      done(sound(name));
    }
  }
  media::SoundPtr sound(const std::string& name) {
    auto& known = sounds_[name];
    if (!known) known = std::make_shared<media::Sound>(std::vector<std::int16_t>(8000), 8000);
    return known;
  }
  bool hold = false;
  std::string missing;
  std::vector<std::string> asked;
  std::vector<rtp::Codec> forms;  ///< that were added
  std::vector<Done> held;

 private:
  std::map<std::string, media::SoundPtr> sounds_;
};

class Recordings : public RecordingPort {
 public:
  struct Kept {
    RecordingOrder order;
    bool finished = false;
  };
  Result<OpenRecording> start(RecordingOrder order) override {
    if (!refusal.empty()) return fail(refusal);
    auto kept = std::make_shared<Kept>(Kept{std::move(order)});
    all.push_back(kept);
    return OpenRecording{std::make_shared<Tap>(), [kept] { kept->finished = true; }};
  }
  std::size_t running() const {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& one) { return !one->finished; }));
  }
  std::string refusal;
  std::vector<std::shared_ptr<Kept>> all;

 private:
  class Tap : public media::RecordingTap {
    void put(const media::RecordedPacket&) override {}
  };
};

class Channel : public callbacks::Channel {
 public:
  struct Question {
    callbacks::QuestionId id;
    std::string event;
    boost::json::object body;
    callbacks::ReplyHandler handler;
  };
  callbacks::QuestionId ask(const callbacks::Context&, std::string event, boost::json::object body,
                            callbacks::ReplyHandler handler) override {
    questions.push_back({++count_, std::move(event), std::move(body), std::move(handler)});
    return count_;
  }
  void forget(callbacks::QuestionId question) override {
    std::erase_if(questions, [question](const Question& one) { return one.id == question; });
  }
  void notify(const callbacks::Context&, std::string event, boost::json::object body,
              std::function<void()> /*over*/) override {
    notices.emplace_back(std::move(event), std::move(body));
  }
  void alarm(const callbacks::Context&, boost::json::object body) override { alarms.push_back(std::move(body)); }
  void session_open(const callbacks::Context& context, TimePoint, boost::json::object members) override {
    open_sessions[context.session_id] = std::move(members);
  }
  void session_discarded(const callbacks::Context& context) override { open_sessions.erase(context.session_id); }

  /// Answers the oldest question with a JSON text.
  void answer(std::string_view json) { reply(callbacks::Reply{boost::json::parse(json).as_object(), 200}); }
  void refuse(callbacks::Failure::Kind kind) {
    reply(tl::unexpected(callbacks::Failure{kind, "http://application/", 500, "it failed"}));
  }
  std::size_t count(std::string_view event) const {
    return static_cast<std::size_t>(
        std::count_if(notices.begin(), notices.end(), [event](const auto& one) { return one.first == event; }));
  }

  std::vector<Question> questions;
  std::vector<std::pair<std::string, boost::json::object>> notices;
  std::vector<boost::json::object> alarms;
  std::map<std::string, boost::json::object> open_sessions;  ///< as noted; those that were completed, too

 private:
  void reply(tl::expected<callbacks::Reply, callbacks::Failure> reply) {
    auto question = std::move(questions.front());
    questions.erase(questions.begin());
    question.handler(std::move(reply));
  }
  callbacks::QuestionId count_ = 0;
};

}  // namespace rw::call::fake
