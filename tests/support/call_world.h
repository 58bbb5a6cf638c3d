#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "call/switchboard.h"
#include "support/call_fakes.h"

/// The whole core without I/O: shards as the server has them, and phones that call and are called, on one clock that
/// moves when told. What the shards and the phones say to each other is delivered in order, at once.
namespace rw::call {

inline constexpr std::string_view phone_sdp =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
inline constexpr std::string_view phone_sdp_on_hold =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=inactive\r\n";

class World {
 public:
  /// One event loop's worth of the server.
  struct Shard {
    Shard(World& world, std::size_t index, std::size_t count)
        : user_agent(options_of(world, index)),
          services{
              .settings = world.settings,
              .sip = user_agent,
              .media = world.media,
              .sounds = world.sounds,
              .application = application,
              .recordings = world.recordings,
              .tokens = world.tokens,
              .metrics = world.metrics,
              .log = ops::Log(ops::Log::Format::text, ops::Level::error),
              .directory = [&world] { return world.directory; },
              .fallback =
                  [&world](std::string_view, std::string_view number) {
                    const auto found = world.fallbacks.find(number);
                    return found == world.fallbacks.end() ? nullptr : found->second;
                  },
              .shard = index,
              .shards = count,
              .carry = [&world](std::size_t to, Letter letter) { world.letters.emplace_back(to, std::move(letter)); }},
          calls(services) {}

    sip::UserAgent user_agent;
    fake::Channel application;
    Services services;
    Switchboard calls;
  };

  explicit World(std::size_t shard_count = 1) : phones(phone_options()) {
    settings.media_address = *net::Address::from("127.0.0.1", 0);
    settings.node_address = "127.0.0.1";
    settings.node_id = "node";
    service->domain = "demo.example";
    service->id = "main";
    service->numbers = {"1*"};
    auto domain = std::make_shared<tenant::Domain>();
    domain->name = "demo.example";
    domain->open = true;
    domain->allow_media = {*net::Network::parse("127.0.0.0/8")};
    domain->devices = {{"door", ""}};
    domain->mediaservices = {service};
    directory = std::make_shared<tenant::Directory>(std::vector<std::shared_ptr<const tenant::Domain>>{domain});
    for (std::size_t at = 0; at < shard_count; ++at) shards.push_back(std::make_unique<Shard>(*this, at, shard_count));
  }

  // ---- the phones

  /// Calls the server; an inbound call comes to the shard that `to_shard` names.
  sip::LegId call(std::size_t to_shard = 0, std::string sdp = std::string(phone_sdp), sip::Headers headers = {},
                  const std::string& user = "100") {
    sip::OutgoingInvite invite;
    invite.target = "sip:" + user + "@demo.example";
    invite.from = "\"Ann\" <sip:ann@caller.example>";
    invite.to = "<sip:100@demo.example>";
    invite.contact_user = "ann";
    invite.routes = {"<sip:127.0.0.1:5060;lr>"};
    invite.sdp = std::move(sdp);
    invite.headers = std::move(headers);
    const auto leg = phones.invite(std::move(invite), now).value();
    shard_of_call[phones.call_id(leg)] = to_shard;
    deliver();
    return leg;
  }
  void ring(sip::LegId leg, std::string sdp = {}) {
    phones.provisional(leg, sdp.empty() ? 180 : 183, std::move(sdp), {}, now);
    deliver();
  }
  void pick_up(sip::LegId leg, std::string sdp = std::string(phone_sdp)) {
    phones.answer(leg, std::move(sdp), {}, now);
    deliver();
  }
  void refuse(sip::LegId leg, int status) {
    phones.reject(leg, status, {}, now);
    deliver();
  }
  void hang_up(sip::LegId leg) {
    phones.bye(leg, "", now);
    deliver();
  }
  void cancel(sip::LegId leg) {
    phones.cancel(leg, "", now);
    deliver();
  }
  /// A phone answers the offer that it has had: `status` 200 with `sdp`, or refuses it.
  void answer_offer(sip::LegId leg, int status = 200, std::string sdp = std::string(phone_sdp)) {
    if (status == 200) {
      phones.answer_offer(leg, std::move(sdp), now);
    } else {
      phones.reject_offer(leg, status, {}, now);
    }
    deliver();
  }
  /// The last event of that kind that the phones have had for `leg`, or null.
  template <class Event>
  const Event* last(sip::LegId leg) const {
    for (auto at = heard.rbegin(); at != heard.rend(); ++at) {
      const auto* event = std::get_if<Event>(&*at);
      if (event != nullptr && event->leg == leg) return event;
    }
    return nullptr;
  }
  /// Calls that have come to the phones, oldest first.
  std::vector<sip::IncomingInvite> incoming() const {
    std::vector<sip::IncomingInvite> calls;
    for (const auto& event : heard) {
      if (const auto* invite = std::get_if<sip::IncomingInvite>(&event)) calls.push_back(*invite);
    }
    return calls;
  }

  // ---- the application

  fake::Channel& application(std::size_t shard = 0) { return shards[shard]->application; }
  bool asked(std::size_t shard = 0) { return !application(shard).questions.empty(); }
  const fake::Channel::Question& question(std::size_t shard = 0) { return application(shard).questions.at(0); }
  /// Answers the oldest question of a shard.
  void answer(std::string_view json, std::size_t shard = 0) {
    shards[shard]->calls.run([&] { application(shard).answer(json); }, now);
    deliver();
  }
  /// The last notification of that event, or an empty object.
  boost::json::object notice(std::string_view event, std::size_t shard = 0) {
    const auto& notices = application(shard).notices;
    const auto found =
        std::find_if(notices.rbegin(), notices.rend(), [&](const auto& one) { return one.first == event; });
    return found == notices.rend() ? boost::json::object{} : found->second;
  }
  ReplySubject subject_of(const boost::json::object& body) const {
    return tokens.verify(body.at("replyId").as_string()).value();
  }
  template <class Command>
  Verdict command(Command&& run, std::size_t shard = 0) {
    auto verdict = run(shards[shard]->calls);
    deliver();
    return verdict;
  }

  /// The calls of that number have a fallback from now on.
  void set_fallback(tenant::Fallback::Mode mode, std::string command, const std::string& number = "100") {
    tenant::Fallback entry;
    entry.number = number;
    entry.mode = mode;
    entry.command = std::move(command);
    fallbacks[number] = std::make_shared<const tenant::Fallback>(std::move(entry));
  }
  /// The oldest question gets no usable answer.
  void leave_unanswered(std::size_t shard = 0, callbacks::Failure::Kind kind = callbacks::Failure::Kind::unreachable) {
    shards[shard]->calls.run([&] { application(shard).refuse(kind); }, now);
    deliver();
  }
  /// The oldest sound that is being played has been heard.
  void play_ends(std::size_t shard = 0) {
    const auto played = media.queue.front();
    media.queue.erase(media.queue.begin());
    shards[shard]->calls.media_event(media::PlayEnded{played.leg, played.id, true}, now);
    deliver();
  }

  // ---- the world's course

  /// Until nobody has anything to say.
  void deliver() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& shard : shards) busy |= turn(*shard);
      busy |= turn_phones();
      for (; !letters.empty(); busy = true) {
        auto [to, letter] = std::move(letters.front());
        letters.pop_front();
        shards[to]->calls.receive(std::move(letter), now);
      }
    }
  }
  void pass(Duration time) {
    for (const auto end = now + time; now < end;) {
      now += std::chrono::milliseconds(100);
      for (auto& shard : shards) {
        shard->user_agent.advance(now);
        shard->calls.advance(now);
      }
      phones.advance(now);
      deliver();
    }
  }
  /// What is left of calls that should all be over, in words; empty if nothing is.
  std::string leftovers() {
    std::string left;
    const auto check = [&left](const char* what, std::size_t count) {
      if (count != 0) left += std::string(what) + ": " + std::to_string(count) + "; ";
    };
    for (auto& shard : shards) {
      check("sessions", shard->calls.sessions());
      check("participants", shard->calls.participants());
      check("timers", shard->services.timers.size());
      check("SIP legs", shard->services.sip_legs.size());
      check("media legs", shard->services.media_legs.size());
      check("cancelled legs", shard->services.cancelled_legs.size());
      check("letters", shard->services.letters.size());
      check("past activities", shard->services.past_activities.size());
      check("questions", shard->application.questions.size());
      check("user agent's legs", shard->user_agent.counts().legs);
      check("user agent's transactions", shard->user_agent.counts().transactions);
    }
    check("unreleased media legs", media.legs_made - media.legs_released);
    check("joined media legs", media.joined.size());
    check("recorded media legs", media.records.size());
    check("running recordings", recordings.running());
    return left;
  }

  Settings settings;
  std::shared_ptr<tenant::Mediaservice> service = std::make_shared<tenant::Mediaservice>();
  std::shared_ptr<const tenant::Directory> directory;
  std::map<std::string, std::shared_ptr<const tenant::Fallback>, std::less<>> fallbacks;  ///< by called number
  fake::Media media;
  fake::Sounds sounds;
  fake::Recordings recordings;
  ReplyTokens tokens{"secret"};
  ops::Metrics metrics;
  TimePoint now = Clock::now();
  std::deque<std::pair<std::size_t, Letter>> letters;
  std::map<std::string, std::size_t> shard_of_call;  ///< of calls that the phones have placed
  sip::UserAgent phones;
  std::vector<sip::Event> heard;
  std::vector<std::unique_ptr<Shard>> shards;
  /// Whether a message gets lost. May be empty.
  std::function<bool(const std::string& message)> lose;

 private:
  static sip::Flow flow(int local, int remote) {
    sip::Flow flow;
    flow.local = *net::Address::from("127.0.0.1", static_cast<std::uint16_t>(local));
    flow.remote = *net::Address::from("127.0.0.1", static_cast<std::uint16_t>(remote));
    return flow;
  }
  static sip::UserAgentOptions options_of(World& /*world*/, std::size_t index) {
    sip::UserAgentOptions options;
    options.shard_tag = "s" + std::to_string(index) + ".";
    options.listeners = {flow(5060, 0)};
    return options;
  }
  static sip::UserAgentOptions phone_options() {
    sip::UserAgentOptions options;
    options.shard_tag = "phone.";
    options.listeners = {flow(5070, 0)};
    return options;
  }

  bool turn(Shard& shard) {
    bool busy = false;
    for (std::vector<sip::Event> events; shard.user_agent.take_events(events), !events.empty(); events.clear()) {
      for (const auto& event : events) shard.calls.sip_event(event, now);
      busy = true;
    }
    std::vector<sip::Transmit> out;
    shard.user_agent.take_transmits(out);
    for (auto& one : out) {
      if (lose && lose(one.bytes)) continue;
      phones.receive(flow(5070, 5060), one.bytes, now);
      busy = true;
    }
    return busy;
  }
  bool turn_phones() {
    const auto before = heard.size();
    phones.take_events(heard);
    std::vector<sip::Transmit> out;
    phones.take_transmits(out);
    for (auto& one : out) {
      if (lose && lose(one.bytes)) continue;
      shard_for(one.bytes).user_agent.receive(flow(5060, 5070), one.bytes, now);
    }
    return heard.size() != before || !out.empty();
  }
  Shard& shard_for(const std::string& bytes) {
    const auto message = sip::Message::parse(bytes);
    const std::string id = message && message->header("Call-ID") != nullptr ? *message->header("Call-ID") : "";
    if (const auto found = shard_of_call.find(id); found != shard_of_call.end()) return *shards[found->second];
    for (std::size_t at = 0; at < shards.size(); ++at) {
      if (id.starts_with("s" + std::to_string(at) + ".")) return *shards[at];
    }
    return *shards[0];
  }
};

}  // namespace rw::call
