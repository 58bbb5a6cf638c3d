// The whole call core: phones, an application, an operator and a lossy wire do whatever they like, in any order. When
// all is said, every session has been completed exactly once and nothing is left of any call.
#include "support/call_world.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <span>

namespace rw::call {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t shard_count = 2;
constexpr std::size_t most_calls = 12;

constexpr std::array<std::string_view, 23> replies{
    R"({"action":"drop"})",
    R"({"action":"drop","dropCode":"busy"})",
    R"({"action":"ivr"})",
    R"({"action":"call","destAddr":"sip:bob@127.0.0.1:5070"})",
    R"({"action":"call","destAddr":["sip:bob@127.0.0.1:5070","sip:carol@127.0.0.1:5070"],"maxRingTime":2})",
    R"({"action":"call","destAddr":["sip:bob@127.0.0.1:5070","sip:carol@127.0.0.1:5070"],"strategy":"parallel"})",
    R"({"action":"call","destAddr":"sip:bob@127.0.0.1:5070","ringbackTone":"silent","monitorDestAddr":"sip:spy@127.0.0.1:5070"})",
    R"({"action":"call","destAddr":"sip:bob@127.0.0.1:5070","greeting":{"playMode":"calleeFirst","caller":{"phrases":[{"format":"file","fileName":"a"}]},"callee":{"phrases":[{"format":"silence","seconds":1}]}}})",
    R"({"action":"call","destAddr":["nowhere","sip:bob@nowhere.invalid"]})",
    R"({"action":"fly"})",
    R"({})",
    R"({"phrases":[{"format":"file","fileName":"a"}],"dtmf":{"maxDigits":2},"bargeIn":"all"})",
    R"({"phrases":[{"format":"silence","seconds":1}],"hangup":true})",
    R"({"getIVRCommandAfter":3,"backgroundPrompt":{"format":"file","fileName":"b"}})",
    R"({"action":"httpcall","codec":"PCMA","receiveIp":"127.0.0.1","receivePort":"7000"})",
    R"({"action":"httpcall","codec":"GSM","receiveIp":"127.0.0.1","receivePort":7002,"callRecording":true})",
    R"({"action":"call","destAddr":7})",
    R"({"action":"call","destAddr":"sip:bob@127.0.0.1:5070","callRecording":true,"recordingFileName":"a.wav"})",
    R"({"action":"ivr","callRecording":true})",
    R"({"phrases":[{"format":"silence","seconds":1}],"action":"call","destAddr":["sip:bob@127.0.0.1:5070","nowhere"]})",
    R"({"phrases":[{"fileName":"a"}],"action":"httpcall","codec":"PCMA","receiveIp":"127.0.0.1","receivePort":7006})",
    R"({"phrases":[{"fileName":"a"}],"action":"drop","dropCode":"error"})",
    R"({"phrases":[{"format":"record","fileName":"b"},{"format":"file","fileName":"a"}],"recordedCallback":true})"};

class Play {
 public:
  explicit Play(std::span<const std::uint8_t> script) : script_(script), world_(shard_count) {
    world_.settings.max_session = 60s;
    world_.service->allow_refer = true;
    world_.service->hold_music = "music";
    constexpr std::array<std::string_view, 4> fallbacks{
        R"({"action":{"type":"hangup"},"phrases":[{"format":"file","fileName":"a"}]})",
        R"({"action":{"type":"hangup"}})",
        R"({"action":{"type":"call","destAddr":"sip:bob@127.0.0.1:5070","maxRingTime":3}})",
        R"({"action":{"type":"call","destAddr":"sip:bob@127.0.0.1:5070"},"phrases":[{"format":"silence"},{"format":"file","fileName":"b"}]})"};
    using Mode = tenant::Fallback::Mode;
    if (const std::uint8_t choice = next() % 16; choice > 7)
      world_.set_fallback(choice % 4 == 0 ? Mode::always : Mode::on_error, std::string(fallbacks[choice % 4]));
    world_.lose = [this](const std::string&) { return std::exchange(lose_, false); };
  }

  void run() {
    while (!script_.empty()) step();
    end();
    check();
  }

 private:
  std::uint8_t next() {
    if (script_.empty()) return 0;
    const std::uint8_t byte = script_.front();
    script_ = script_.subspan(1);
    return byte;
  }
  template <class List>
  auto& pick(List& list) {
    return list[next() % list.size()];
  }
  sip::LegId leg() { return legs_.empty() ? 0 : pick(legs_); }

  void step() {
    switch (next() % 16) {
      case 0:
        if (calls_ < most_calls) {
          ++calls_;
          const std::size_t shard = next() % shard_count;
          const std::uint8_t kind = next() % 8;  // half for a device
          const std::string sdp(kind % 4 == 3 ? phone_sdp_on_hold : phone_sdp);
          legs_.push_back(world_.call(shard, sdp, {}, kind < 4 ? "100" : "door"));
        }
        break;
      case 1:
      case 2:
        answer();
        break;
      case 3:
        world_.pick_up(leg());
        break;
      case 4:
        world_.ring(leg(), (next() & 1U) != 0 ? std::string(phone_sdp) : std::string());
        break;
      case 5: {
        constexpr std::array statuses{486, 503, 603, 404, 302, 600};
        const auto who = leg();
        world_.refuse(who, pick(statuses));
        break;
      }
      case 6:
        world_.hang_up(leg());
        break;
      case 7:
        world_.cancel(leg());
        break;
      case 8:
        world_.pass(std::chrono::milliseconds(100) * (1 + next() % 40));
        break;
      case 9:
        media();
        break;
      case 10:
        command();
        break;
      case 11:
        world_.phones.offer(leg(), std::string((next() & 1U) != 0 ? phone_sdp : phone_sdp_on_hold), world_.now);
        world_.deliver();
        break;
      case 12:
        lose_ = true;
        break;
      case 13:
        place();
        break;
      case 14: {
        auto& shard = *world_.shards[next() % shard_count];
        if (shard.application.questions.empty()) break;
        const auto kind = (next() & 1U) != 0 ? callbacks::Failure::Kind::empty : callbacks::Failure::Kind::refused;
        shard.calls.run([&] { shard.application.refuse(kind); }, world_.now);
        world_.deliver();
        break;
      }
      default:
        world_.media.exhausted = next() % 8 == 0;
        world_.recordings.refusal = next() % 8 == 0 ? "the disk is full" : "";
        break;
    }
    take_notes();
  }

  void answer() {
    const std::size_t shard = next() % shard_count;
    if (!world_.asked(shard)) return;
    const std::uint8_t choice = next() % (replies.size() + 2);
    if (choice < replies.size()) {
      world_.answer(replies[choice], shard);
    } else {
      const std::string target = participants_.empty() ? "nobody" : pick(participants_);
      world_.answer(R"({"action":"connect","participantId":")" + target + "\"}", shard);
    }
  }

  void media() {
    if (world_.media.legs_made == 0) return;
    const media::LegId leg = 1 + next() % world_.media.legs_made;
    media::Event event = media::DtmfReceived{leg, '1', 0ms};
    if (const std::uint8_t kind = next() % 5; kind == 0) {
      event = media::RtpTimedOut{leg};
    } else if (kind == 1 && !world_.media.queue.empty()) {
      event = media::PlayEnded{leg, pick(world_.media.queue).id, true};
    } else if (kind == 2) {
      event = media::FellSilent{leg};
    }
    for (auto& shard : world_.shards) shard->calls.media_event(event, world_.now);
    world_.deliver();
  }

  void command() {
    if (subjects_.empty()) return;
    const ReplySubject subject = pick(subjects_);
    // Half of the time somebody else of the session, the IVR too, if it is one of it.
    const std::string other = participants_.empty() || next() % 2 == 0 ? std::string() : pick(participants_);
    const TimePoint now = world_.now;
    const std::uint8_t what = next() % 10;
    for (std::size_t shard = 0; shard < shard_count; ++shard) {
      world_.command(
          [&](Switchboard& calls) {
            switch (what) {
              case 0:
                return calls.hang_up_participant(subject, other, {}, now);
              case 1:
                return calls.hang_up_remote_participant(subject, other, now);
              case 2:
                return calls.hang_up_call(subject, now);
              case 3:
                return calls.split_connection(subject, {}, now);
              case 4:
                return calls.start_recording(subject, {}, {}, now);
              case 5:
                return calls.stop_recording(subject, {}, now);
              case 6:
                return calls.answer_remote_call(subject, device(), boost::json::value(1), now);
              case 7:
                return calls.answer_remote_call(subject, device(rtp::Codec::gsm), std::nullopt, now);
              case 8:
                return calls.send_remote_call_ringback(subject, now);
              default:
                return calls.interrupt_ivr_command(subject, {}, now);
            }
          },
          shard);
    }
  }

  void place() {
    if (calls_ >= most_calls) return;
    ++calls_;
    RemoteCallOrder order;
    order.call.service = world_.service;
    order.call.destination.address = "sip:bob@127.0.0.1:5070";
    order.call.destination.headers.sip_from = "door";
    order.call.destination.max_ring_time = 5s;
    order.audio = device();
    const bool remote = next() % 2 == 0;
    world_.command(
        [&](Switchboard& calls) {
          return remote ? calls.place_remote_call(order, world_.now) : calls.place_ivr_call(order.call, world_.now);
        },
        next() % shard_count);
  }
  static sdp::DeviceAudio device(rtp::Codec codec = rtp::Codec::pcma) {
    sdp::DeviceAudio audio;
    audio.codec = codec;
    audio.receive = *net::Address::parse("127.0.0.1:7004");
    audio.telephone_event = 101;
    return audio;
  }

  /// Who has been seen: in what the phones heard, and in what the application was told.
  void take_notes() {
    for (; heard_ < world_.heard.size(); ++heard_) {
      if (const auto* invite = std::get_if<sip::IncomingInvite>(&world_.heard[heard_])) legs_.push_back(invite->leg);
      if (const auto* offer = std::get_if<sip::OfferReceived>(&world_.heard[heard_])) answer_offer(offer->leg);
    }
    for (auto& shard : world_.shards) {
      for (const auto& question : shard->application.questions) note(question.body);
      for (const auto& notice : shard->application.notices) note(notice.second);
    }
  }
  void answer_offer(sip::LegId leg) {
    switch (next() % 8) {
      case 0:
        world_.phones.reject_offer(leg, 488, {}, world_.now);
        break;
      case 1:
        world_.phones.reject_offer(leg, 491, {}, world_.now);
        break;
      case 2:
        world_.phones.answer_offer(leg, "v=0\r\n", world_.now);
        break;
      default:
        world_.phones.answer_offer(leg, std::string(phone_sdp), world_.now);
        break;
    }
    world_.deliver();
  }
  void note(const boost::json::object& body) {
    sessions_.insert(std::string(body.at("sessionId").as_string()));
    if (const auto* token = body.if_contains("replyId");
        token != nullptr && seen_.insert(std::string(token->as_string())).second)
      subjects_.push_back(world_.subject_of(body));
    for (const auto* name : {"participantId", "callerParticipantId", "calleeParticipantId"}) {
      const auto* id = body.if_contains(name);
      if (id != nullptr && participants_seen_.insert(std::string(id->as_string())).second)
        participants_.emplace_back(id->as_string());
    }
  }

  /// Longer than the longest session and the longest transaction: all has to be over by itself.
  void end() {
    lose_ = false;
    for (auto& shard : world_.shards) {
      while (!shard->application.questions.empty()) {
        shard->calls.run([&] { shard->application.answer(R"({"action":"drop"})"); }, world_.now);
        world_.deliver();
      }
    }
    world_.pass(150s);
    take_notes();
    for (int round = 0; round < 20 && (world_.asked(0) || world_.asked(1)); ++round) {
      for (std::size_t shard = 0; shard < shard_count; ++shard)
        while (world_.asked(shard)) world_.answer(R"({"action":"drop"})", shard);
    }
    world_.pass(100s);
  }

  void check() {
    std::multiset<std::string> completed;
    for (auto& shard : world_.shards) {
      for (const auto& [event, body] : shard->application.notices)
        if (event == "sessionCompleted") completed.emplace(body.at("sessionId").as_string());
    }
    for (const auto& session : sessions_) {
      if (completed.count(session) == 1) continue;
      std::fprintf(stderr, "session %s was completed %zu times\n", session.c_str(), completed.count(session));
      std::abort();
    }
    if (const std::string left = world_.leftovers(); !left.empty()) {
      std::fprintf(stderr, "left over: %s\n", left.c_str());
      std::abort();
    }
  }

  std::span<const std::uint8_t> script_;
  World world_;
  std::size_t calls_ = 0;
  bool lose_ = false;
  std::size_t heard_ = 0;
  std::vector<sip::LegId> legs_;
  std::vector<ReplySubject> subjects_;
  std::vector<std::string> participants_;
  std::set<std::string> sessions_, seen_, participants_seen_;
};

}  // namespace
}  // namespace rw::call

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t longest = 400;
  rw::call::Play(std::span(data, std::min(size, longest))).run();
  return 0;
}
