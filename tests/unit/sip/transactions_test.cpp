#include "sip/transactions.h"

#include <gtest/gtest.h>

#include <map>

namespace rw::sip {
namespace {

/// What becomes of requests on a stream connection when it is lost.
TEST(Transactions, FailWithTheConnectionTheyWentOver) {
  Timers timers;
  Transactions transactions(timers, {}, [](const Flow&, const std::string&) {});
  std::map<std::string, int> results;
  const auto send = [&](const std::string& branch, Transport transport, const std::string& remote, std::uint64_t id) {
    auto request = Message::request("OPTIONS", "sip:test");
    const Flow flow{transport, {}, *net::Address::parse(remote), id};
    transactions.send_request(flow, request, branch, [&, branch](const Message& r) { results[branch] = r.status(); },
                              {});
  };
  send("named", Transport::tcp, "10.0.0.1:5060", 7);
  send("unnamed", Transport::tcp, "10.0.0.1:5060", 0);
  send("elsewhere", Transport::tcp, "10.0.0.2:5060", 0);
  send("datagram", Transport::udp, "10.0.0.1:5060", 0);
  // The connection that was opened for "unnamed" got a number of its own, or none if it could not even be tried.
  transactions.connection_closed({Transport::tcp, {}, *net::Address::parse("10.0.0.1:5060"), 8});
  EXPECT_EQ(results, (std::map<std::string, int>{{"unnamed", 503}}));
  transactions.connection_closed({Transport::tcp, {}, *net::Address::parse("10.0.0.1:5060"), 7});
  transactions.connection_closed({Transport::tcp, {}, *net::Address::parse("10.0.0.2:5060"), 0});
  EXPECT_EQ(results, (std::map<std::string, int>{{"unnamed", 503}, {"named", 503}, {"elsewhere", 503}}));
}

TEST(Transactions, WhatIsBeingWorkedOnOutlivesItsConnection) {
  Timers timers;
  Transactions transactions(timers, {}, [](const Flow&, const std::string&) {});
  std::vector<int> results;
  auto request = Message::request("INVITE", "sip:test");
  for (const auto* name : {"Via", "From", "Call-ID"}) request.add(name, "x");
  request.add("CSeq", "1 INVITE");
  const Flow flow{Transport::tcp, {}, *net::Address::parse("10.0.0.1:5060"), 7};
  transactions.send_request(flow, request, "b", [&](const Message& r) { results.push_back(r.status()); }, {});
  auto ringing = Message::response(180);
  ringing.add("CSeq", "1 INVITE");
  transactions.response(ringing, "b", {});
  transactions.connection_closed(flow);
  EXPECT_EQ(results, std::vector<int>{180});
  auto answer = Message::response(486);
  answer.add("CSeq", "1 INVITE");
  transactions.response(answer, "b", {});
  EXPECT_EQ(results, (std::vector<int>{180, 486}));
}

class LingeringTest : public testing::Test {
 protected:
  static constexpr std::size_t large = 60'000;

  void answer(const std::string& key, int status, bool is_invite, bool repeats = true) {
    transactions.begin_server(key, flow, is_invite, repeats);
    transactions.respond(key, status, std::string(large, 'x'), now);
  }
  void advance(Duration time) {
    for (const auto end = now + time; timers.next() && *timers.next() <= end;) timers.advance(now = *timers.next());
    now += time;
  }

  Timers timers;
  std::size_t sent = 0, forgotten = 0;
  Transactions transactions{timers, {}, [this](const Flow&, const std::string&) { ++sent; }, [this] { ++forgotten; }};
  Flow flow{Transport::udp, {}, *net::Address::parse("10.0.0.1:5060"), 0};
  TimePoint now = Clock::now();
};

TEST_F(LingeringTest, ManyLongResponsesAreNotKept) {
  const auto fit = Transactions::most_lingering_bytes / large;
  for (std::size_t at = 0; at < 2000; ++at) answer(std::to_string(at), at % 2 == 0 ? 200 : 500, at % 3 == 0);
  const auto accepted = static_cast<std::size_t>(2000 / 6 + 1);  // 2xx to an INVITE are the calls' own
  EXPECT_LE(transactions.size(), fit + accepted);
  EXPECT_GE(transactions.size(), fit);
  EXPECT_EQ(forgotten, 2000 - transactions.size());
  EXPECT_TRUE(transactions.has_server("1999"));
  EXPECT_FALSE(transactions.has_server("1")) << "the oldest goes first";
  advance(std::chrono::seconds(40));
  EXPECT_EQ(transactions.size(), 0U);
  const auto before = forgotten;
  for (std::size_t at = 0; at < fit; ++at) answer("again" + std::to_string(at), 200, false);
  EXPECT_EQ(forgotten, before) << "those that are over don't count";
}

TEST_F(LingeringTest, ARefusalIsRepeatedUnlessItIsAStrangers) {
  answer("known", 486, true);
  advance(std::chrono::seconds(3));
  EXPECT_EQ(sent, 3U);
  EXPECT_TRUE(transactions.absorb("known", true, now));
  sent = 0;
  answer("stranger", 486, true, false);
  advance(std::chrono::seconds(3));
  EXPECT_EQ(sent, 1U);
  EXPECT_TRUE(transactions.absorb("stranger", false, now));
  EXPECT_EQ(sent, 2U) << "the INVITE has come again";
}

}  // namespace
}  // namespace rw::sip
