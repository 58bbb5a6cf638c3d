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

}  // namespace
}  // namespace rw::sip
