// Sequences of messages, commands and clock steps against a whole user agent. Invariants: every leg that was announced
// ends exactly once, and when all has ended and lingered nothing is left.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sip/user_agent.h"

namespace {

using rw::sip::LegId;

constexpr std::string_view methods[] = {"INVITE", "ACK",    "CANCEL", "BYE",     "OPTIONS",
                                        "PRACK",  "UPDATE", "INFO",   "REGISTER"};
constexpr std::string_view extras[] = {"",
                                       "Supported: timer, 100rel\r\nSession-Expires: 90\r\n",
                                       "Require: 100rel\r\n",
                                       "RAck: 1 1 INVITE\r\n",
                                       "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n",
                                       "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\nAllow: UPDATE\r\n",
                                       "Record-Route: <sip:127.0.0.1:7000;lr>\r\n"};

class Play {
 public:
  Play(const std::uint8_t* data, std::size_t size) : data_(data), end_(data + size) {
    flow_.local = *rw::net::Address::parse("127.0.0.1:5060");
    flow_.remote = *rw::net::Address::parse("127.0.0.1:5070");
  }

  void run() {
    while (data_ < end_) step();
    for (const auto& [leg, ended] : legs_) {
      if (!ended && !agent_.reject(leg, 480, {}, now_)) agent_.bye(leg, "", now_);
    }
    for (int at = 0; at < 400; ++at) pass(std::chrono::seconds(1));
    for (const auto& [leg, ended] : legs_) {
      if (!ended) std::abort();
    }
    const auto counts = agent_.counts();
    if (counts.legs != 0 || counts.transactions != 0 || counts.timers != 0) std::abort();
  }

 private:
  std::uint8_t next() { return data_ < end_ ? *data_++ : 0; }

  void step() {
    const auto what = next();
    if (what < 150) {
      receive(what);
    } else if (what < 180) {
      pass(std::chrono::milliseconds(next() * 100));
    } else if (what < 190) {
      answer_request(next());
    } else if (!legs_.empty()) {
      command(std::next(legs_.begin(), next() % legs_.size())->first, what);
    }
    settle();
  }

  void receive(std::uint8_t what) {
    const auto method = methods[what % std::size(methods)];
    const auto cseq = std::to_string(next() % 8);
    const auto call = std::to_string(next() % 3);
    const auto options = next();
    const std::string branch = method == "ACK" || method == "CANCEL" ? "INVITE" : std::string(method);
    std::string to = "<sip:100@demo>";
    if ((options & 1) != 0 && !tags_.empty()) to += ";tag=" + tags_[next() % tags_.size()];
    const std::string body = (options & 2) != 0 ? "v=0\r\n" : "";
    std::string text(method);
    text += " sip:100@demo SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK" + branch + cseq + call +
            ((options & 4) != 0 ? "x" : "") + "\r\nFrom: <sip:a@b>;tag=f" + call + "\r\nTo: " + to + "\r\nCall-ID: c" +
            call + "\r\nCSeq: " + cseq + " " + std::string(method) + "\r\nContact: <sip:a@127.0.0.1:5070>\r\n" +
            std::string(extras[(options >> 3) % std::size(extras)]);
    if (!body.empty()) text += "Content-Type: application/sdp\r\n";
    agent_.receive(flow_, text + "\r\n" + body, now_);
  }

  /// A response to the last request that the user agent has sent.
  void answer_request(std::uint8_t how) {
    if (!request_) return;
    auto response = rw::sip::Message::response(how < 100 ? 200 : how < 150 ? 481 : how < 200 ? 100 : 491);
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) response.add(name, *request_->header(name));
    agent_.receive(flow_, response.serialise(), now_);
  }

  void command(LegId leg, std::uint8_t what) {
    switch (what % 8) {
      case 0:
        agent_.answer(leg, "v=0\r\n", {}, now_);
        break;
      case 1:
        agent_.reject(leg, 486, {}, now_);
        break;
      case 2:
        agent_.provisional(leg, 183, "v=0\r\n", {}, now_);
        break;
      case 3:
        agent_.answer_offer(leg, "v=0\r\n", now_);
        break;
      case 4:
        agent_.reject_offer(leg, 488, now_);
        break;
      case 5:
        agent_.bye(leg, "SIP;cause=200", now_);
        break;
      case 6:
        agent_.provisional(leg, 180, {}, {}, now_);
        break;
      default:
        agent_.connection_closed(flow_, now_);
        break;
    }
  }

  void pass(rw::Duration time) {
    now_ += time;
    agent_.advance(now_);
    settle();
  }

  void settle() {
    std::vector<rw::sip::Event> events;
    agent_.take_events(events);
    for (const auto& event : events) {
      if (const auto* invite = std::get_if<rw::sip::IncomingInvite>(&event)) legs_.emplace(invite->leg, false);
      if (const auto* ended = std::get_if<rw::sip::Ended>(&event)) {
        const auto found = legs_.find(ended->leg);
        if (found == legs_.end() || found->second) std::abort();
        found->second = true;
      }
    }
    std::vector<rw::sip::Transmit> sent;
    agent_.take_transmits(sent);
    for (const auto& one : sent) remember(one.bytes);
  }

  void remember(const std::string& bytes) {
    auto message = rw::sip::Message::parse(bytes);
    if (!message) std::abort();
    if (message->is_request()) {
      request_ = std::move(*message);
      return;
    }
    const auto& to = *message->header("To");
    const auto tag = to.find("tag=");
    if (tag != std::string::npos && tags_.size() < 16) tags_.push_back(to.substr(tag + 4));
  }

  const std::uint8_t* data_;
  const std::uint8_t* end_;
  rw::sip::UserAgent agent_{{}};
  rw::TimePoint now_{};
  rw::sip::Flow flow_;
  std::map<LegId, bool> legs_;  ///< whether it has ended
  std::vector<std::string> tags_;
  std::optional<rw::sip::Message> request_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  Play(data, size).run();
  return 0;
}
