#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

/// RFC 4028 as the one who calls.
class SessionTimerTest : public ClientTest {};

TEST_F(SessionTimerTest, TheInviteAsksForOneAnd422IsHeeded) {
  options.session_expires = 120;
  restart();
  call();
  EXPECT_EQ(*last("INVITE").header("Session-Expires"), "120");
  EXPECT_EQ(*last("INVITE").header("Min-SE"), "90");
  EXPECT_NE(last("INVITE").header("Supported")->find("timer"), std::string::npos);
  reply(422, "", "Min-SE: 600\r\n");
  EXPECT_EQ(*last("INVITE").header("Session-Expires"), "600");
  EXPECT_EQ(*last("INVITE").header("Min-SE"), "600");
  reply(422, "", "Min-SE: 600\r\n");  // no more than that
  EXPECT_EQ(find<Ended>()->status, 422);
}

TEST_F(SessionTimerTest, WeRefreshByUpdateWhereThatIsAllowed) {
  const auto leg = establish("Session-Expires: 100;refresher=uac\r\nRequire: timer\r\nAllow: INVITE, UPDATE\r\n");
  EXPECT_EQ(agent->session_interval(leg), 100U);
  pass(milliseconds(50'100));
  ASSERT_EQ(count_sent("UPDATE"), 1U);
  EXPECT_EQ(*last("UPDATE").header("Session-Expires"), "100;refresher=uac");
  receive(response_to(last("UPDATE"), 422, "", "Min-SE: 200\r\n"));
  pass(milliseconds(20));
  ASSERT_EQ(count_sent("UPDATE"), 2U);
  EXPECT_EQ(*last("UPDATE").header("Session-Expires"), "200;refresher=uac");
  receive(response_to(last("UPDATE"), 200, "", "Session-Expires: 200;refresher=uas\r\n"));
  pass(seconds(110));
  EXPECT_EQ(count_sent("UPDATE"), 2U);  // it is their turn now
  pass(seconds(60));
  EXPECT_EQ(find<Ended>()->cause, EndCause::session_expired);
}

TEST_F(SessionTimerTest, WeRefreshByReinviteAndAnOfferWaitsForThat) {
  const auto leg = establish("Session-Expires: 100;refresher=uac\r\n");
  pass(milliseconds(50'100));
  ASSERT_EQ(count_sent("INVITE"), 2U);
  EXPECT_EQ(last("INVITE").body(), offer_sdp);
  EXPECT_TRUE(agent->offer(leg, "v=0\r\n", now));
  EXPECT_FALSE(agent->offer(leg, "v=0\r\n", now));
  reply(200, "", "Session-Expires: 100;refresher=uac\r\n", answer_sdp);
  EXPECT_EQ(count<OfferAnswered>(), 0U);
  ASSERT_EQ(count_sent("INVITE"), 3U);
  EXPECT_EQ(last("INVITE").body(), "v=0\r\n");
  EXPECT_EQ(*last("INVITE").header("Session-Expires"), "100;refresher=uac");
  reply(200, "", {}, answer_sdp);
  EXPECT_EQ(count<OfferAnswered>(), 1U);
  hang_up();
}

TEST_F(SessionTimerTest, AnUpdateThatIsNotKnownAfterAllBecomesAReinvite) {
  establish("Session-Expires: 100;refresher=uac\r\nAllow: UPDATE\r\n");
  pass(milliseconds(50'100));
  receive(response_to(last("UPDATE"), 501));
  pass(milliseconds(20));
  EXPECT_EQ(count_sent("INVITE"), 2U);
  reply(200, "", {}, answer_sdp);
  hang_up();
}

TEST_F(SessionTimerTest, RefreshesThatNeverSucceedEndTheSession) {
  establish("Session-Expires: 100;refresher=uac\r\nAllow: UPDATE\r\n");
  for (int at = 0; at < 60 && count<Ended>() == 0; ++at) {
    const auto before = count_sent("UPDATE");
    pass(seconds(2));
    if (count_sent("UPDATE") > before) receive(response_to(last("UPDATE"), 500));
  }
  ASSERT_EQ(count<Ended>(), 1U);
  EXPECT_EQ(find<Ended>()->cause, EndCause::session_expired);
  EXPECT_GT(count_sent("UPDATE"), 2U);
}

TEST_F(SessionTimerTest, TheirRefreshesKeepItAlive) {
  establish("Session-Expires: 100;refresher=uas\r\n");
  pass(seconds(60));
  receive(request("UPDATE", 1, "Supported: timer\r\nSession-Expires: 100;refresher=uac\r\n"));
  pass(seconds(60));
  EXPECT_EQ(count<Ended>(), 0U);
  pass(seconds(20));
  EXPECT_EQ(find<Ended>()->cause, EndCause::session_expired);
}

TEST_F(SessionTimerTest, NobodyWantsOne) {
  const auto leg = establish();
  EXPECT_EQ(agent->session_interval(leg), 0U);
  pass(seconds(4000));
  EXPECT_EQ(count<Ended>(), 0U);
  hang_up();
}

}  // namespace
}  // namespace rw::sip
