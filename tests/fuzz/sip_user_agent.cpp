// Sequences of messages, commands and clock steps against a whole user agent, as server and as client. Invariants:
// every leg that was announced or placed ends exactly once, and when all has ended and lingered nothing is left.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sip/user_agent.h"

namespace {

using rw::sip::LegId;

constexpr std::string_view methods[] = {"INVITE", "ACK",    "CANCEL", "BYE",      "OPTIONS",
                                        "PRACK",  "UPDATE", "INFO",   "REGISTER", "REFER"};
constexpr std::string_view extras[] = {"",
                                       "Supported: timer, 100rel\r\nSession-Expires: 90\r\n",
                                       "Require: 100rel\r\n",
                                       "RAck: 1 1 INVITE\r\n",
                                       "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n",
                                       "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\nAllow: UPDATE\r\n",
                                       "Record-Route: <sip:127.0.0.1:7000;lr>\r\n",
                                       "Refer-To: <sip:c@d?Replaces=c0%3Bto-tag%3Da%3Bfrom-tag%3Df0>\r\n",
                                       "Refer-To: c<sip:c@d>;x\r\nRefer-Sub: false\r\n",
                                       "Replaces: c0;to-tag=a;from-tag=f0\r\n"};
/// Headers of responses.
constexpr std::string_view answers[] = {"",
                                        "Require: 100rel\r\nRSeq: 1\r\n",
                                        "Require: 100rel\r\nRSeq: 2\r\n",
                                        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n",
                                        "Proxy-Authenticate: Digest realm=\"r\", nonce=\"m\", stale=true\r\n",
                                        "Contact: <sip:x@127.0.0.1:5071>, <sip:y@host.example>;q=0.1\r\n",
                                        "Contact: <sip:z@127.0.0.1;transport=tcp>\r\n",
                                        "Min-SE: 1000\r\nSession-Expires: 100;refresher=uac\r\nAllow: UPDATE\r\n",
                                        "Session-Expires: 90;refresher=uas\r\nRecord-Route: <sip:127.0.0.1:7000>\r\n"};
constexpr int statuses[] = {100, 180, 183, 200, 200, 202, 301, 302, 401, 407,
                            408, 422, 481, 486, 487, 491, 500, 503, 603};

class Play {
 public:
  Play(const std::uint8_t* data, std::size_t size) : data_(data), end_(data + size) {
    flow_.local = *rw::net::Address::parse("127.0.0.1:5060");
    flow_.remote = *rw::net::Address::parse("127.0.0.1:5070");
    rw::sip::UserAgentOptions options;
    options.shard_tag = "s1";
    options.listeners.push_back(flow_);
    options.listeners.push_back(flow_);
    options.listeners.back().transport = rw::sip::Transport::tcp;
    agent_ = std::make_unique<rw::sip::UserAgent>(std::move(options));
  }

  void run() {
    while (data_ < end_) step();
    for (const auto& [leg, ended] : legs_) {
      if (ended) continue;
      // What can be stopped is stopped; the rest is on its way out.
      if (!agent_->reject(leg, 480, {}, now_) && !agent_->bye(leg, "", now_)) agent_->cancel(leg, "", now_);
    }
    settle();
    for (int at = 0; at < 400; ++at) pass(std::chrono::seconds(1));
    for (const auto& [leg, ended] : legs_) {
      if (!ended) std::abort();
    }
    const auto counts = agent_->counts();
    if (counts.legs != 0 || counts.transactions != 0 || counts.timers != 0) std::abort();
  }

 private:
  std::uint8_t next() { return data_ < end_ ? *data_++ : 0; }

  void step() {
    const auto what = next();
    if (what < 100) {
      receive(what);
    } else if (what < 130) {
      pass(std::chrono::milliseconds(next() * 100));
    } else if (what < 190) {
      answer_request();
    } else if (what < 205) {
      place_call(next());
    } else if (what < 212) {
      resolve(next());
    } else if (what < 220) {
      receive_in_call();
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
    agent_->receive(flow_, text + "\r\n" + body, now_);
  }

  /// A response to one of the last requests that the user agent has sent.
  void answer_request() {
    const auto which = next();
    const auto how = next();
    const auto extra = next();
    if (requests_.empty()) return;
    const auto& request = requests_[which % requests_.size()];
    auto response = rw::sip::Message::response(statuses[how % std::size(statuses)]);
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) response.add(name, *request.header(name));
    const auto& to = *request.header("To");
    if (to.find("tag=") == std::string::npos) {
      const auto tag = std::string(1, static_cast<char>('a' + extra % 3));
      response.set("To", to + ";tag=" + tag);
      calls_[*request.header("Call-ID")] = {*request.header("From"), to + ";tag=" + tag};
    }
    if ((extra & 64) != 0) response.set_body("v=0\r\n", "application/sdp");
    auto text = response.serialise();
    text.insert(text.find("Content-Length"), answers[(extra >> 2) % std::size(answers)]);
    agent_->receive(flow_, text, now_);
  }

  void place_call(std::uint8_t how) {
    rw::sip::OutgoingInvite wanted;
    wanted.target = (how & 1) != 0   ? "sip:b@host.example"
                    : (how & 2) != 0 ? "sip:b@127.0.0.1;transport=tcp"
                                     : "sip:b@127.0.0.1";
    if ((how & 4) != 0) wanted.routes.emplace_back("<sip:127.0.0.1:5080>");
    wanted.from = "<sip:a@b>";
    wanted.to = "<sip:b@b>";
    wanted.sdp = "v=0\r\n";
    if ((how & 8) != 0) wanted.headers.emplace_back("X-Long", std::string(1300, 'x'));
    if ((how & 16) != 0) wanted.credentials.push_back({"r", "u", "p"});
    wanted.follow_redirects = (how & 32) != 0;
    const auto leg = agent_->invite(std::move(wanted), now_);
    if (!leg) std::abort();
    legs_.emplace(*leg, false);
  }

  void resolve(std::uint8_t how) {
    std::vector<rw::sip::Lookup> lookups;
    agent_->take_lookups(lookups);
    for (const auto& one : lookups) last_lookup_ = one.id;
    std::vector<rw::sip::Flow> hops;
    for (int at = 0; at < how % 4; ++at) {
      auto hop = flow_;
      hop.transport = static_cast<rw::sip::Transport>((how >> 2) % 3);
      hop.remote.set_port(static_cast<std::uint16_t>(6000 + at));
      hops.push_back(hop);
    }
    agent_->resolved(last_lookup_, std::move(hops), now_);
  }

  /// A request of the other side in a dialog of a call that we have placed.
  void receive_in_call() {
    const auto method = methods[next() % std::size(methods)];
    const auto cseq = std::to_string(next() % 16);
    const auto how = next();
    if (calls_.empty()) return;
    const auto& [call, ends] = *std::next(calls_.begin(), how % calls_.size());
    const std::string body = (how & 8) != 0 ? "v=0\r\n" : "";
    std::string text(method);
    text += " sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK" + std::string(method) + cseq +
            call + "\r\nFrom: " + ends.second + "\r\nTo: " + ends.first + "\r\nCall-ID: " + call + "\r\nCSeq: " + cseq +
            " " + std::string(method) + "\r\nContact: <sip:b@127.0.0.1:5070>\r\n" +
            std::string(extras[(how >> 4) % std::size(extras)]);
    if (!body.empty()) text += "Content-Type: application/sdp\r\n";
    agent_->receive(flow_, text + "\r\n" + body, now_);
  }

  void command(LegId leg, std::uint8_t what) {
    switch (what % 16) {
      case 0:
        agent_->answer(leg, "v=0\r\n", {}, now_);
        break;
      case 1:
        agent_->reject(leg, 486, {}, now_);
        break;
      case 2:
        agent_->provisional(leg, 183, "v=0\r\n", {}, now_);
        break;
      case 3:
        agent_->answer_offer(leg, "v=0\r\n", now_);
        break;
      case 4:
        agent_->reject_offer(leg, 488, {}, now_);
        break;
      case 5:
        agent_->bye(leg, "SIP;cause=200", now_);
        break;
      case 6:
        agent_->provisional(leg, 180, {}, {}, now_);
        break;
      case 7:
      case 8:
        agent_->cancel(leg, "", now_);
        break;
      case 9:
      case 10:
        agent_->offer(leg, "v=0\r\na=x\r\n", now_);
        break;
      case 11:
        agent_->accept_refer(leg, now_);
        break;
      case 12:
        agent_->reject_refer(leg, 603, now_);
        break;
      case 13:
        agent_->notify_refer(leg, 180, now_);
        break;
      case 14:
        agent_->notify_refer(leg, 200, now_);
        break;
      default:
        close_connection();
        break;
    }
  }

  void close_connection() {
    auto flow = last_flow_;
    if (flow.connection == 0) flow.connection = 77;
    agent_->connection_closed(flow, now_);
  }

  void pass(rw::Duration time) {
    now_ += time;
    agent_->advance(now_);
    settle();
  }

  void settle() {
    std::vector<rw::sip::Event> events;
    agent_->take_events(events);
    for (const auto& event : events) {
      if (const auto* invite = std::get_if<rw::sip::IncomingInvite>(&event)) legs_.emplace(invite->leg, false);
      if (const auto* refer = std::get_if<rw::sip::ReferReceived>(&event)) {
        if (refer->refer_to.empty()) std::abort();
      }
      if (const auto* ended = std::get_if<rw::sip::Ended>(&event)) {
        const auto found = legs_.find(ended->leg);
        if (found == legs_.end() || found->second) std::abort();
        found->second = true;
      }
    }
    std::vector<rw::sip::Transmit> sent;
    agent_->take_transmits(sent);
    for (const auto& one : sent) {
      last_flow_ = one.flow;
      remember(one.bytes);
    }
  }

  void remember(const std::string& bytes) {
    auto message = rw::sip::Message::parse(bytes);
    if (!message) std::abort();
    if (message->is_request()) {
      if (message->method() == "ACK") return;
      if (requests_.size() == 8) requests_.erase(requests_.begin());
      requests_.push_back(std::move(*message));
      return;
    }
    const auto& to = *message->header("To");
    const auto tag = to.find("tag=");
    if (tag != std::string::npos && tags_.size() < 16) tags_.push_back(to.substr(tag + 4));
  }

  const std::uint8_t* data_;
  const std::uint8_t* end_;
  std::unique_ptr<rw::sip::UserAgent> agent_;
  rw::TimePoint now_{};
  rw::sip::Flow flow_, last_flow_;
  std::map<LegId, bool> legs_;  ///< whether it has ended
  std::vector<std::string> tags_;
  std::vector<rw::sip::Message> requests_;  ///< the last ones sent
  /// From and To, with tags, of the calls that we have placed, by Call-ID
  std::map<std::string, std::pair<std::string, std::string>> calls_;
  std::uint64_t last_lookup_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  Play(data, size).run();
  return 0;
}
