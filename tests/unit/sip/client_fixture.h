#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sip/uri.h"
#include "sip/user_agent.h"

namespace rw::sip {

inline constexpr std::string_view offer_sdp = "v=0\r\nm=audio 4000 RTP/AVP 8\r\n";
inline constexpr std::string_view answer_sdp = "v=0\r\nm=audio 5000 RTP/AVP 8\r\n";

/// A user agent that calls, with a clock that moves when told; the other side is written by the test, response by
/// response. Ends with nothing left.
class ClientTest : public testing::Test {
 protected:
  using milliseconds = std::chrono::milliseconds;
  using seconds = std::chrono::seconds;

  ClientTest() {
    options.shard_tag = "s7";
    add_listener(Transport::udp, "192.0.2.1:5060");
    add_listener(Transport::tcp, "192.0.2.1:5060");
    wanted.target = "sip:bob@192.0.2.9";
    wanted.from = "\"Ann\" <sip:ann@example.com>";
    wanted.to = "<sip:bob@example.com>";
    wanted.contact_user = "ann";
    wanted.sdp = offer_sdp;
    restart();
  }
  void restart() { agent = std::make_unique<UserAgent>(options); }
  void TearDown() override {
    pass(seconds(240));
    EXPECT_EQ(agent->counts().legs, 0U);
    EXPECT_EQ(agent->counts().transactions, 0U);
    EXPECT_EQ(agent->counts().timers, 0U);
    EXPECT_LE(count<Ended>(), legs_started);
  }
  void add_listener(Transport transport, std::string_view address) {
    Flow flow;
    flow.transport = transport;
    flow.local = *net::Address::parse(address);
    options.listeners.push_back(flow);
  }
  static Flow hop(Transport transport, std::string_view address) {
    Flow flow;
    flow.transport = transport;
    flow.remote = *net::Address::parse(address);
    return flow;
  }

  void drain() {
    agent->take_events(events);
    agent->take_lookups(lookups);
    std::vector<Transmit> out;
    agent->take_transmits(out);
    for (auto& one : out) {
      flows.push_back(one.flow);
      sent.push_back(*Message::parse(one.bytes));
    }
  }
  void pass(Duration time) {
    for (const auto end = now + time; now < end;) {
      now = std::min(end, now + milliseconds(10));
      agent->advance(now);
      drain();
    }
  }
  LegId call() {
    const auto leg = agent->invite(wanted, now);
    EXPECT_TRUE(leg) << (leg ? "" : leg.error().message);
    ++legs_started;
    drain();
    return *leg;
  }
  void receive(const std::string& text) {
    auto flow = flows.empty() ? options.listeners.front() : flows.back();
    agent->receive(flow, text, now);
    drain();
  }

  /// What the other side says to a request of ours.
  std::string response_to(const Message& request, int status, const std::string& tag = "b1",
                          const std::string& extra = {}, std::string_view body = {}) const {
    auto response = Message::response(status);
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) response.add(name, *request.header(name));
    const auto& to = *request.header("To");
    if (!tag.empty() && to.find(";tag=") == std::string::npos) response.set("To", to + ";tag=" + tag);
    if (extra.find("Contact:") == std::string::npos && request.method() == "INVITE")
      response.add("Contact", "<sip:bob@192.0.2.9:5080>");
    response.set_body(std::string(body), "application/sdp");
    auto text = response.serialise();
    text.insert(text.find("Content-Length"), extra);
    return text;
  }
  void reply(int status, const std::string& tag = "b1", const std::string& extra = {}, std::string_view body = {}) {
    const auto request = last("INVITE");
    receive(response_to(request, status, tag, extra, body));
  }
  /// A call that is up.
  LegId establish(const std::string& extra = {}) {
    const auto leg = call();
    reply(200, "b1", extra, answer_sdp);
    EXPECT_EQ(count<Answered>(), 1U);
    return leg;
  }
  /// A request of the other side in the dialog.
  std::string request(const std::string& method, int cseq, const std::string& extra = {}, std::string_view body = {},
                      const std::string& tag = "b1") const {
    const auto& invite = first("INVITE");
    auto message = Message::request(method, "sip:ann@192.0.2.1:5060");
    message.add("Via", "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK" + tag +
                           (method == "ACK" && !acks_success ? "INVITE" : method) + std::to_string(cseq));
    message.add("Max-Forwards", "70");
    message.add("From", *invite.header("To") + ";tag=" + tag);
    message.add("To", *invite.header("From"));
    message.add("Call-ID", *invite.header("Call-ID"));
    message.add("CSeq", std::to_string(cseq) + " " + method);
    message.add("Contact", "<sip:bob@192.0.2.9:5080>");
    message.set_body(std::string(body), "application/sdp");
    auto text = message.serialise();
    text.insert(text.find("Content-Length"), extra);
    return text;
  }
  void hang_up(int cseq = 900) {
    receive(request("BYE", cseq));
    EXPECT_EQ(count<Ended>(), 1U);
  }

  template <class Event>
  const Event* find() const {
    for (const auto& event : events) {
      if (const auto* found = std::get_if<Event>(&event)) return found;
    }
    return nullptr;
  }
  template <class Event>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(events.begin(), events.end(),
                                                  [](const auto& one) { return std::holds_alternative<Event>(one); }));
  }
  std::size_t count_sent(std::string_view method) const {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [&](const Message& one) { return one.method() == method; }));
  }
  std::size_t count_status(int status) const {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [&](const Message& one) { return one.status() == status; }));
  }
  const Message& first(std::string_view method) const {
    return *std::find_if(sent.begin(), sent.end(), [&](const Message& one) { return one.method() == method; });
  }
  const Message& last(std::string_view method) const {
    return *std::find_if(sent.rbegin(), sent.rend(), [&](const Message& one) { return one.method() == method; });
  }
  /// Where the last request of that method went.
  const Flow& flow_of(std::string_view method) const {
    const auto found =
        std::find_if(sent.rbegin(), sent.rend(), [&](const Message& one) { return one.method() == method; });
    return flows[static_cast<std::size_t>(sent.rend() - found - 1)];
  }
  static std::string branch_of(const Message& message) {
    const auto& via = *message.header("Via");
    return via.substr(via.find("branch="));
  }
  static std::string tag_of(const std::string& address) {
    const auto at = address.find(";tag=");
    return at == std::string::npos ? "" : address.substr(at + 5);
  }

  UserAgentOptions options;
  std::unique_ptr<UserAgent> agent;
  OutgoingInvite wanted;
  TimePoint now = Clock::now();
  std::vector<Event> events;
  std::vector<Lookup> lookups;
  std::vector<Message> sent;
  std::vector<Flow> flows;
  std::size_t legs_started = 0;
  bool acks_success = true;
};

}  // namespace rw::sip
