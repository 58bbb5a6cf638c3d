#include "sip/replaces.h"
#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

/// RFC 3515, RFC 3891, RFC 4488.
class ReferTest : public ClientTest {
 protected:
  void refer(int cseq, const std::string& to = "<sip:carol@example.com>", const std::string& extra = {}) {
    receive(request("REFER", cseq, "Refer-To: " + to + "\r\nReferred-By: <sip:bob@example.com>\r\n" + extra));
  }
  std::string our_tag() const { return tag_of(*first("INVITE").header("From")); }
  std::string invite_with(const std::string& extra) const {
    return "INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKnew" +
           std::to_string(sent.size()) + "\r\nFrom: <sip:carol@example.com>;tag=c" + std::to_string(sent.size()) +
           "\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: new" + std::to_string(sent.size()) +
           "\r\nCSeq: 1 INVITE\r\nContact: <sip:carol@192.0.2.9:5090>\r\n" + extra +
           "Content-Type: application/sdp\r\n\r\n" + std::string(answer_sdp);
  }
};

TEST_F(ReferTest, AnAcceptedReferIsNotifiedUntilItsEnd) {
  const auto leg = establish();
  refer(1, "Carol <sip:carol@example.com;x=y>");
  ASSERT_NE(find<ReferReceived>(), nullptr);
  EXPECT_EQ(find<ReferReceived>()->refer_to, "sip:carol@example.com;x=y");
  EXPECT_EQ(find<ReferReceived>()->referred_by, "<sip:bob@example.com>");
  EXPECT_FALSE(agent->notify_refer(leg, 180, now));
  EXPECT_TRUE(agent->accept_refer(leg, now));
  EXPECT_FALSE(agent->accept_refer(leg, now));
  drain();
  EXPECT_EQ(count_status(202), 1U);
  ASSERT_EQ(count_sent("NOTIFY"), 1U);
  EXPECT_EQ(last("NOTIFY").body(), "SIP/2.0 100 Trying\r\n");
  EXPECT_EQ(*last("NOTIFY").header("Event"), "refer");
  EXPECT_EQ(*last("NOTIFY").header("Content-Type"), "message/sipfrag;version=2.0");
  EXPECT_TRUE(last("NOTIFY").header("Subscription-State")->starts_with("active;expires="));
  EXPECT_TRUE(agent->notify_refer(leg, 180, now));  // waits for the answer to the first
  EXPECT_TRUE(agent->notify_refer(leg, 200, now));
  EXPECT_FALSE(agent->notify_refer(leg, 200, now));
  drain();
  EXPECT_EQ(count_sent("NOTIFY"), 1U);
  receive(response_to(last("NOTIFY"), 200));
  ASSERT_EQ(count_sent("NOTIFY"), 2U);
  EXPECT_EQ(last("NOTIFY").body(), "SIP/2.0 200 OK\r\n");
  EXPECT_EQ(*last("NOTIFY").header("Subscription-State"), "terminated;reason=noresource");
  receive(response_to(last("NOTIFY"), 200));
  refer(2);
  agent->accept_refer(leg, now);
  drain();
  EXPECT_EQ(*last("NOTIFY").header("Event"), "refer;id=2");
  receive(response_to(last("NOTIFY"), 481));
  EXPECT_FALSE(agent->notify_refer(leg, 200, now));
  hang_up();
}

TEST_F(ReferTest, WhereToIsForTheApplicationToJudge) {
  const auto leg = establish();
  refer(1, "<urn:service:sos>");
  ASSERT_NE(find<ReferReceived>(), nullptr);
  EXPECT_EQ(find<ReferReceived>()->refer_to, "urn:service:sos");
  EXPECT_TRUE(agent->reject_refer(leg, 603, now));
  hang_up();
}

TEST_F(ReferTest, TheLastNotifyGoesOutBeforeABye) {
  const auto leg = establish();
  refer(1);
  agent->accept_refer(leg, now);
  agent->notify_refer(leg, 200, now);  // waits for the answer to the first
  agent->bye(leg, "", now);
  drain();
  ASSERT_EQ(count_sent("NOTIFY"), 2U);
  EXPECT_EQ(last("NOTIFY").body(), "SIP/2.0 200 OK\r\n");
  EXPECT_EQ(sent.back().method(), "BYE");
  receive(response_to(first("NOTIFY"), 200));
  receive(response_to(last("NOTIFY"), 200));
  receive(response_to(last("BYE"), 200));
}

TEST_F(ReferTest, ARefusalAndASecondOneAtATime) {
  const auto leg = establish();
  refer(1);
  refer(2);
  EXPECT_EQ(sent.back().status(), 491);
  EXPECT_TRUE(agent->reject_refer(leg, 603, now));
  EXPECT_FALSE(agent->reject_refer(leg, 603, now));
  drain();
  EXPECT_EQ(sent.back().status(), 603);
  EXPECT_EQ(count_sent("NOTIFY"), 0U);
  EXPECT_EQ(count<ReferReceived>(), 1U);
  hang_up();
}

TEST_F(ReferTest, NoSubscriptionWhereNoneIsWanted) {
  const auto leg = establish();
  refer(1, "<sip:carol@example.com>", "Refer-Sub: false\r\nSupported: norefersub\r\n");
  agent->accept_refer(leg, now);
  drain();
  EXPECT_EQ(*sent.back().header("Refer-Sub"), "false");
  EXPECT_EQ(count_sent("NOTIFY"), 0U);
  EXPECT_FALSE(agent->notify_refer(leg, 200, now));
  hang_up();
}

TEST_F(ReferTest, ABrokenOneIs400AndOneOutsideACallIs403) {
  establish();
  receive(request("REFER", 1));
  EXPECT_EQ(sent.back().status(), 400);
  refer(2, "<sip:a@b>, <sip:c@d>");
  EXPECT_EQ(sent.back().status(), 400);
  refer(3, "<a@b>");
  EXPECT_EQ(sent.back().status(), 400);
  auto outside = request("REFER", 4, "Refer-To: <sip:a@b>\r\n");
  outside.erase(outside.find(";tag=" + our_tag()), our_tag().size() + 5);
  receive(outside);
  EXPECT_EQ(sent.back().status(), 403);
  EXPECT_EQ(count<ReferReceived>(), 0U);
  hang_up();
}

TEST_F(ReferTest, AReferThatIsOpenWhenTheCallEndsIsAnswered) {
  establish();
  refer(1);
  hang_up();
  EXPECT_EQ(count_status(487), 1U);
}

TEST_F(ReferTest, AttendedTransferNamesTheOtherLeg) {
  const auto leg = establish();
  const auto& invite = first("INVITE");
  refer(1, "<sip:x@192.0.2.1?Subject=a&Replaces=" + *invite.header("Call-ID") + "%3Bto-tag%3D" + our_tag() +
               "%3Bfrom-tag%3Db1>");
  EXPECT_EQ(find<ReferReceived>()->replaces, leg);
  EXPECT_NE(find<ReferReceived>()->refer_to.find("?Subject=a&Replaces="), std::string::npos);
  agent->reject_refer(leg, 603, now);
  refer(2, "<sip:x@192.0.2.1?Replaces=other%3Bto-tag%3Da%3Bfrom-tag%3Db1>");
  EXPECT_EQ(std::get<ReferReceived>(events.back()).replaces, 0U);
  hang_up();
}

TEST_F(ReferTest, AnInviteWithReplaces) {
  const auto leg = establish();
  const auto value = *first("INVITE").header("Call-ID") + ";from-tag=b1;to-tag=" + our_tag();
  const auto status_for = [&](const std::string& extra) {
    receive(invite_with(extra));
    return sent.back().status();
  };
  EXPECT_EQ(status_for("Replaces: nothing;from-tag=b1;to-tag=" + our_tag() + "\r\n"), 481);
  EXPECT_EQ(status_for("Replaces: " + value + ";early-only\r\n"), 486);
  EXPECT_EQ(status_for("Replaces: " + value + "\r\nReplaces: " + value + "\r\n"), 400);
  EXPECT_EQ(status_for("Replaces: no-tags\r\n"), 400);
  EXPECT_EQ(count<IncomingInvite>(), 0U);
  EXPECT_EQ(status_for("Require: replaces\r\nReplaces: " + value + "\r\n"), 100);
  ASSERT_EQ(count<IncomingInvite>(), 1U);
  EXPECT_EQ(find<IncomingInvite>()->replaces, leg);
  agent->reject(find<IncomingInvite>()->leg, 480, {}, now);
  agent->bye(leg, "", now);
  drain();
  EXPECT_EQ(status_for("Replaces: " + value + "\r\n"), 603);
  receive(response_to(last("BYE"), 200));
  EXPECT_EQ(count<Ended>(), 2U);
  legs_started += 1;
  receive(request("INFO", 9, "Replaces: x\r\n"));
  EXPECT_EQ(sent.back().status(), 400);
}

TEST_F(ReferTest, AnEarlyDialogIsNotReplaced) {
  call();
  reply(180);
  receive(invite_with("Replaces: " + *first("INVITE").header("Call-ID") + ";from-tag=b1;to-tag=" + our_tag() + "\r\n"));
  EXPECT_EQ(sent.back().status(), 481);
  receive(response_to(first("INVITE"), 486));
}

TEST(Replaces, IsRead) {
  const auto replaces = Replaces::parse("a@b ; to-tag = 7743 ;from-tag=6472;x;Early-Only");
  ASSERT_TRUE(replaces);
  EXPECT_EQ(replaces->call_id, "a@b");
  EXPECT_EQ(replaces->to_tag, "7743");
  EXPECT_EQ(replaces->from_tag, "6472");
  EXPECT_TRUE(replaces->early_only);
  for (const auto* broken : {"", ";to-tag=1;from-tag=2", "a", "a;to-tag=1", "a;to-tag=1;to-tag=2;from-tag=3",
                             "a;to-tag=;from-tag=2", "a b;to-tag=1;from-tag=2"}) {
    EXPECT_FALSE(Replaces::parse(broken)) << broken;
  }
  EXPECT_FALSE(Replaces::in_headers_of(*Uri::parse("sip:a@b?Replaces=a%3")));
  EXPECT_FALSE(Replaces::in_headers_of(*Uri::parse("sip:a@b?Subject=x")));
}

}  // namespace
}  // namespace rw::sip
