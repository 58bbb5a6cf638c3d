#include "sip/ownership.h"

#include <gtest/gtest.h>

#include "sip/incoming_request.h"
#include "sip/transactions.h"

namespace rw::sip {
namespace {

using Owner = Ownership::Owner;

std::string request(const std::string& method, const std::string& to_tag = "", const std::string& branch = "z9hG4bKa") {
  return method + " sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=" + branch +
         "\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:100@127.0.0.1>" + (to_tag.empty() ? "" : ";tag=" + to_tag) +
         "\r\nCall-ID: c\r\nCSeq: 1 " + method + "\r\nContent-Length: 0\r\n\r\n";
}

std::string response(const std::string& branch) {
  return "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=" + branch +
         "\r\nFrom: <sip:a@b>;tag=s0.mine.1\r\nTo: <sip:c@d>;tag=t\r\nCall-ID: s0.mine.x\r\nCSeq: 1 INVITE\r\n"
         "Content-Length: 0\r\n\r\n";
}

std::string key_of(const std::string& text, std::string_view method) {
  const auto read = IncomingRequest::read(std::make_shared<const Message>(*Message::parse(text)), {});
  return Transactions::server_key(*read->message, read->via, method);
}

class OwnershipTest : public testing::Test {
 protected:
  OwnershipTest() { owners.add_earlier({"old1", "old2"}, {key_of(request("INVITE"), "INVITE")}); }
  Ownership owners{"mine"};
};

TEST_F(OwnershipTest, ARequestInADialogIsWhoseTagItHas) {
  EXPECT_EQ(owners.of(request("BYE", "s0.mine.abc")), Owner::us);
  EXPECT_EQ(owners.of(request("BYE", "s12.old1.abc")), Owner::earlier);
  EXPECT_EQ(owners.of(request("INVITE", "s0.old2.abc")), Owner::earlier);
  EXPECT_EQ(owners.of(request("BYE", "s0.next.abc")), Owner::later);
  for (const auto* tag : {"abc", "s0.abc", "s.old1.abc", "sx.old1.a", "t0.old1.a"})
    EXPECT_EQ(owners.of(request("BYE", tag, "z9hG4bKb")), Owner::nobody) << tag;
}

TEST_F(OwnershipTest, AResponseIsWhoseBranchItHas) {
  EXPECT_EQ(owners.of(response("z9hG4bKs0.mine.q")), Owner::us);
  EXPECT_EQ(owners.of(response("z9hG4bKs3.old2.q")), Owner::earlier);
  EXPECT_EQ(owners.of(response("z9hG4bKs0.next.q")), Owner::later);
  EXPECT_EQ(owners.of(response("z9hG4bKabc")), Owner::nobody);
  EXPECT_EQ(owners.of(response("old")), Owner::nobody);
}

TEST_F(OwnershipTest, WhatBelongsToATransactionOfTheEarlierProcessIsItsOwn) {
  EXPECT_EQ(owners.of(request("INVITE")), Owner::earlier) << "repeated";
  EXPECT_EQ(owners.of(request("CANCEL")), Owner::earlier);
  EXPECT_EQ(owners.of(request("ACK", "stateless")), Owner::earlier);
  EXPECT_EQ(owners.of(request("INVITE", "", "z9hG4bKb")), Owner::nobody);
  EXPECT_EQ(owners.of(request("OPTIONS")), Owner::nobody) << "another transaction of the same branch";
}

TEST_F(OwnershipTest, AProcessThatHasHandedOverKeepsItsTransactions) {
  owners.set_own({key_of(request("INVITE", "", "z9hG4bKown"), "INVITE")});
  EXPECT_EQ(owners.of(request("CANCEL", "", "z9hG4bKown")), Owner::us);
  EXPECT_EQ(owners.of(request("CANCEL")), Owner::earlier);
}

TEST_F(OwnershipTest, WhatCanNotBeReadIsNobodys) {
  for (const auto* text : {"", "\r\n\r\n", "x", "SIP/2.0 200 OK\r\n\r\n", "BYE sip:a SIP/2.0\r\n\r\n"})
    EXPECT_EQ(owners.of(text), Owner::nobody) << text;
}

}  // namespace
}  // namespace rw::sip
