#include "sdp/negotiator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rw::sdp {
namespace {

using rtp::Codec;
using testing::HasSubstr;
using testing::Not;

Capabilities ours() {
  Capabilities capabilities;
  capabilities.codecs = {Codec::pcma, Codec::pcmu, Codec::gsm};
  capabilities.address = *net::Address::parse("127.0.0.1:16384");
  capabilities.session_id = 7;
  return capabilities;
}

std::string offer(std::string_view media) {
  return "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n" + std::string(media);
}

TEST(Negotiator, AnswersWithTheCommonCodecsInOurOrder) {
  Negotiator negotiator(ours());
  const auto answer =
      negotiator.answer(offer("m=audio 4000 RTP/AVP 18 0 8 97\r\na=rtpmap:97 telephone-event/8000\r\n"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->agreement.codec, Codec::pcma);
  EXPECT_EQ(answer->agreement.payload_type, 8);
  EXPECT_EQ(answer->agreement.remote.to_string(), "10.0.0.9:4000");
  EXPECT_EQ(answer->agreement.remote_rtcp.port(), 4001);
  EXPECT_EQ(answer->agreement.telephone_event_send, 97);
  EXPECT_THAT(answer->sdp, HasSubstr("m=audio 16384 RTP/AVP 8 0 97\r\n"));
  EXPECT_THAT(answer->sdp, HasSubstr("a=fmtp:97 0-15\r\n"));
}

TEST(Negotiator, UsesTheOffersNumbersForDynamicTypes) {
  Negotiator negotiator(ours());
  const auto answer = negotiator.answer(offer("m=audio 4000 RTP/AVP 110\r\na=rtpmap:110 pcmu/8000\r\n"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->agreement.codec, Codec::pcmu);
  EXPECT_EQ(answer->agreement.payload_type, 110);
  EXPECT_FALSE(answer->agreement.telephone_event_send);
}

TEST(Negotiator, RefusesWhatItCanNotServe) {
  const auto why = [](std::string_view media) {
    return Negotiator::check(offer(media), ours().codecs).error().message;
  };
  EXPECT_THAT(why("m=video 4000 RTP/AVP 96\r\n"), HasSubstr("no audio"));
  EXPECT_THAT(why("m=audio 4000 RTP/AVP 18\r\n"), HasSubstr("no codec"));
  EXPECT_THAT(why("m=audio 0 RTP/AVP 8\r\n"), HasSubstr("port 0"));
  EXPECT_THAT(why("m=audio 4000 RTP/SAVP 8\r\n"), HasSubstr("RTP/SAVP"));
  EXPECT_FALSE(Negotiator::check("nonsense", ours().codecs));
  EXPECT_FALSE(Negotiator::check("v=0\r\nm=audio 4000 RTP/AVP 8\r\n", ours().codecs));
}

TEST(Negotiator, ServesAudioWithFeedback) {
  Negotiator negotiator(ours());
  const auto answer = negotiator.answer(offer("m=audio 4000 RTP/AVPF 8\r\na=rtcp-fb:* trr-int 5000\r\n"));
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->sdp, HasSubstr("m=audio 16384 RTP/AVPF 8\r\n"));
  EXPECT_THAT(answer->sdp, Not(HasSubstr("rtcp-fb")));
  EXPECT_TRUE(Negotiator::check(offer("m=audio 4000 RTP/SAVPF 8\r\nm=audio 4002 RTP/AVPF 8\r\n"), ours().codecs));
}

TEST(Negotiator, ReportsGoWhereTheOtherSideWantsThem) {
  const auto rtcp_of = [](std::string_view attribute) {
    Negotiator negotiator(ours());
    const auto answer = negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\na=" + std::string(attribute) + "\r\n"));
    return answer->agreement.remote_rtcp.to_string();
  };
  EXPECT_EQ(rtcp_of("x"), "10.0.0.9:4001");
  EXPECT_EQ(rtcp_of("rtcp:53020"), "10.0.0.9:53020");
  EXPECT_EQ(rtcp_of("rtcp:53020 IN IP4 10.0.0.10"), "10.0.0.10:53020");
  EXPECT_EQ(rtcp_of("rtcp:53020 IN IP6 2001:db8::7"), "10.0.0.9:53020") << "we have no socket for it";
  EXPECT_EQ(rtcp_of("rtcp:53020 IN IP4 reports.example"), "10.0.0.9:53020");
  for (const auto* wrong : {"rtcp:0", "rtcp:70000", "rtcp:", "rtcp:x IN IP4 10.0.0.10"})
    EXPECT_EQ(rtcp_of(wrong), "10.0.0.9:4001") << wrong;
  EXPECT_EQ(rtcp_of("rtcp-mux"), "10.0.0.9:4000");
}

TEST(Negotiator, AnswersEveryMediaLineInItsPlace) {
  Negotiator negotiator(ours());
  const auto answer =
      negotiator.answer(offer("m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 8\r\n"));
  ASSERT_TRUE(answer);
  const auto reply = Session::parse(answer->sdp);
  ASSERT_EQ(reply->media.size(), 3U);
  EXPECT_EQ(reply->media[0].port, 0);
  EXPECT_EQ(reply->media[1].port, 16384);
  EXPECT_EQ(reply->media[2].port, 0);
}

TEST(Negotiator, HoldIsTheMirrorOfWhatWasAskedFor) {
  Negotiator negotiator(ours());
  const auto held = negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n"));
  EXPECT_TRUE(held->agreement.held());
  EXPECT_THAT(held->sdp, HasSubstr("a=recvonly"));
  EXPECT_EQ(negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\na=inactive\r\n"))->agreement.direction,
            Direction::inactive);
  EXPECT_TRUE(negotiator.answer("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n")->agreement.held());
  EXPECT_FALSE(negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\n"))->agreement.held());
}

TEST(Negotiator, TheVersionGrowsOnlyWithAChange) {
  Negotiator negotiator(ours());
  const auto audio = offer("m=audio 4000 RTP/AVP 8\r\n");
  const auto first = negotiator.answer(audio)->sdp;
  EXPECT_EQ(negotiator.answer(audio)->sdp, first);
  const auto held = negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n"))->sdp;
  EXPECT_EQ(Session::parse(held)->version, Session::parse(first)->version + 1);
  EXPECT_EQ(Session::parse(held)->id, 7U);
}

TEST(Negotiator, OffersAllItHasAndTakesTheAnswer) {
  Negotiator negotiator(ours());
  const auto sdp = negotiator.offer();
  EXPECT_THAT(sdp, HasSubstr("m=audio 16384 RTP/AVP 8 0 3 101\r\n"));
  const auto agreement =
      negotiator.accept(offer("m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"));
  ASSERT_TRUE(agreement);
  EXPECT_EQ(agreement->codec, Codec::pcmu);
  EXPECT_EQ(agreement->telephone_event_receive, 101);
}

TEST(Negotiator, FindsTheRtcpAddress) {
  Negotiator negotiator(ours());
  EXPECT_EQ(negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\na=rtcp:5555\r\n"))->agreement.remote_rtcp.port(), 5555);
  const auto muxed = negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\na=rtcp-mux\r\n"));
  EXPECT_EQ(muxed->agreement.remote_rtcp.port(), 4000);
  EXPECT_THAT(muxed->sdp, HasSubstr("a=rtcp-mux"));
}

TEST(Negotiator, SpeaksIpv6) {
  auto capabilities = ours();
  capabilities.address = *net::Address::parse("[::1]:16384");
  Negotiator negotiator(capabilities);
  const auto answer = negotiator.answer("v=0\r\nc=IN IP6 ::2\r\nm=audio 4000 RTP/AVP 8\r\n");
  EXPECT_EQ(answer->agreement.remote.to_string(), "[::2]:4000");
  EXPECT_THAT(answer->sdp, HasSubstr("c=IN IP6 ::1"));
}

TEST(Session, IsBoundedInEveryDirection) {
  std::string many = "v=0\r\n";
  for (int at = 0; at < 17; ++at) many += "m=audio 4000 RTP/AVP 8\r\n";
  EXPECT_FALSE(Session::parse(many));
  many = "v=0\r\nm=audio 4000 RTP/AVP 8\r\n";
  for (int at = 0; at < 65; ++at) many += "a=x\r\n";
  EXPECT_FALSE(Session::parse(many));
  EXPECT_FALSE(Session::parse("v=0\r\n" + std::string(max_bytes, 'x')));
  EXPECT_FALSE(Session::parse("v=0\r\nm=audio 99999 RTP/AVP 8\r\n"));
  EXPECT_FALSE(Session::parse("v=0\r\nm=audio\r\n"));
  EXPECT_FALSE(Session::parse(""));
}

TEST(Session, ToleratesBareLineFeedsAndUnknownLines) {
  const auto session =
      Session::parse("v=0\no=- 1 2 IN IP4 h\ns=x\ni=info\nc=IN IP4 10.0.0.1/127\nt=0 0\nm=audio 4000/2 RTP/AVP 8 \n");
  ASSERT_TRUE(session);
  EXPECT_EQ(session->host, "10.0.0.1");
  EXPECT_EQ(session->media[0].formats, std::vector<std::string>{"8"});
}

}  // namespace
}  // namespace rw::sdp
