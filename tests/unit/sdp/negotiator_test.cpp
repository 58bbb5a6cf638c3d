#include "sdp/negotiator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace rw::sdp {
namespace {

using rtp::Codec;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

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
  EXPECT_EQ(answer->agreement.telephone_event_send, (rtp::EventFormat{97, 8000}));
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
    return Negotiator::check(offer(media), ours().codecs, ours().address).error().message;
  };
  EXPECT_THAT(why("m=video 4000 RTP/AVP 96\r\n"), HasSubstr("no audio"));
  EXPECT_THAT(why("m=audio 4000 RTP/AVP 18\r\n"), HasSubstr("no codec"));
  EXPECT_THAT(why("m=audio 0 RTP/AVP 8\r\nm=image 5000 udptl t38\r\n"), HasSubstr("port 0"));
  EXPECT_THAT(why("m=audio 4000 RTP/SAVP 8\r\n"), HasSubstr("RTP/SAVP"));
  EXPECT_FALSE(Negotiator::check("nonsense", ours().codecs, ours().address));
  EXPECT_FALSE(Negotiator::check("v=0\r\nm=audio 4000 RTP/AVP 8\r\n", ours().codecs, ours().address));
}

TEST(Negotiator, ServesAudioWithFeedback) {
  Negotiator negotiator(ours());
  const auto answer = negotiator.answer(offer("m=audio 4000 RTP/AVPF 8\r\na=rtcp-fb:* trr-int 5000\r\n"));
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->sdp, HasSubstr("m=audio 16384 RTP/AVPF 8\r\n"));
  EXPECT_THAT(answer->sdp, Not(HasSubstr("rtcp-fb")));
  EXPECT_THAT(negotiator.offer(), HasSubstr("m=audio 16384 RTP/AVPF 8 0 3 101\r\n")) << "and goes on with it";
  EXPECT_TRUE(Negotiator::check(offer("m=audio 4000 RTP/SAVPF 8\r\nm=audio 4002 RTP/AVPF 8\r\n"), ours().codecs,
                                ours().address));
}

TEST(Negotiator, LearnsHowLongPacketsMayBe) {
  const auto longest = [](std::string_view attributes) {
    Negotiator negotiator(ours());
    return negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\n" + std::string(attributes)))->agreement.packet_ms;
  };
  EXPECT_EQ(longest(""), 20U);
  EXPECT_EQ(longest("a=ptime:60\r\n"), 60U);
  EXPECT_EQ(longest("a=ptime:60\r\na=maxptime:40\r\n"), 40U);
  EXPECT_EQ(longest("a=maxptime:150\r\n"), 20U) << "it can take more, but has not asked for it";
  for (const auto* below : {"a=ptime:10\r\n", "a=ptime:60\r\na=maxptime:10\r\n", "a=ptime:-1\r\n", "a=ptime:\r\n"})
    EXPECT_EQ(longest(below), 20U) << below;
  EXPECT_EQ(longest("a=ptime:4000000000\r\n"), 200U);
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
  EXPECT_EQ(agreement->telephone_event_send, (rtp::EventFormat{101, 8000}));
  EXPECT_THAT(agreement->telephone_event_receive, ElementsAre(rtp::EventFormat{101, 8000}));
}

TEST(Negotiator, HearsWhoAnswersWithNumbersOfItsOwn) {
  Capabilities capabilities = ours();
  capabilities.codecs = {Codec::opus, Codec::pcma};
  Negotiator negotiator(std::move(capabilities));
  EXPECT_THAT(negotiator.offer(), HasSubstr("m=audio 16384 RTP/AVP 96 8 101 102\r\n"));
  const auto agreement = negotiator.accept(
      offer("m=audio 4000 RTP/AVP 111 97 98\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:97 telephone-event/8000\r\n"
            "a=rtpmap:98 telephone-event/48000\r\n"));
  ASSERT_TRUE(agreement);
  EXPECT_EQ(agreement->telephone_event_send, (rtp::EventFormat{98, 48000}));
  EXPECT_THAT(
      agreement->telephone_event_receive,
      UnorderedElementsAre(rtp::EventFormat{101, 8000}, rtp::EventFormat{102, 48000}, rtp::EventFormat{98, 48000}));
  std::vector<std::pair<int, Codec>> numbers;
  for (const auto& one : agreement->receive) numbers.emplace_back(one.payload_type, one.codec);
  EXPECT_THAT(numbers,
              UnorderedElementsAre(std::pair(96, Codec::opus), std::pair(8, Codec::pcma), std::pair(111, Codec::opus)));
}

TEST(Negotiator, ANumberThatWeGaveToSomethingElseStaysOursIfThatIsAnswered) {
  const auto heard_as_96 = [](std::string_view answer) {
    Capabilities capabilities = ours();
    capabilities.codecs = {Codec::opus, Codec::pcma};
    Negotiator negotiator(std::move(capabilities));
    negotiator.offer();
    const auto agreement = negotiator.accept(offer(answer));
    EXPECT_EQ(agreement->telephone_event_send, (rtp::EventFormat{96, 8000}));
    const bool audio = std::ranges::count(agreement->receive, 96, &Agreement::Receive::payload_type) != 0;
    const bool events =
        std::ranges::count(agreement->telephone_event_receive, 96, &rtp::EventFormat::payload_type) != 0;
    EXPECT_NE(audio, events);
    return events ? "events" : "audio";
  };
  EXPECT_STREQ(heard_as_96("m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"), "events");
  EXPECT_STREQ(heard_as_96("m=audio 4000 RTP/AVP 111 96\r\na=rtpmap:111 opus/48000/2\r\n"
                           "a=rtpmap:96 telephone-event/8000\r\n"),
               "audio");
}

TEST(Negotiator, TheEventsHaveTheClockOfTheAudioWhereItIsOffered) {
  const auto events_of = [](std::vector<Codec> codecs, std::string_view media) {
    Capabilities capabilities = ours();
    capabilities.codecs = std::move(codecs);
    return Negotiator(std::move(capabilities)).answer(offer(media))->agreement;
  };
  constexpr auto both =
      "m=audio 4000 RTP/AVP 111 8 126 110\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n"
      "a=rtpmap:110 telephone-event/48000\r\n";
  constexpr auto only_48000 =
      "m=audio 4000 RTP/AVP 111 8 110\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n";
  constexpr auto only_8000 =
      "m=audio 4000 RTP/AVP 111 8 126\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n";
  const rtp::EventFormat slow{126, 8000}, fast{110, 48000};

  const auto opus = events_of({Codec::opus, Codec::pcma}, both);
  EXPECT_EQ(opus.telephone_event_send, fast);
  EXPECT_THAT(opus.telephone_event_receive, ElementsAre(fast, slow));
  EXPECT_EQ(events_of({Codec::pcma, Codec::opus}, both).telephone_event_send, slow);
  EXPECT_EQ(events_of({Codec::opus}, only_48000).telephone_event_send, fast);
  EXPECT_EQ(events_of({Codec::opus}, only_8000).telephone_event_send, slow);
  const auto none = events_of({Codec::pcma, Codec::opus}, only_48000);
  EXPECT_FALSE(none.telephone_event_send);
  EXPECT_TRUE(none.telephone_event_receive.empty());  // tones in the audio are listened for
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

TEST(Negotiator, SaysWhatItCanNotServe) {
  const auto what = [](std::string_view description) {
    return Negotiator::check(description, ours().codecs, ours().address).error().what;
  };
  EXPECT_EQ(what(offer("m=video 4000 RTP/AVP 96\r\n")), Unserved::media_type);
  EXPECT_EQ(what(offer("m=audio 4000 RTP/AVP 18\r\n")), Unserved::format);
  EXPECT_EQ(what(offer("m=audio 4000 RTP/SAVP 8\r\n")), Unserved::transport);
  EXPECT_EQ(what("v=0\r\nc=IN IP6 2001:db8::7\r\nm=audio 4000 RTP/AVP 8\r\n"), Unserved::address_family);
  EXPECT_EQ(what("v=0\r\nc=IN IP4 no.such.name\r\nm=audio 4000 RTP/AVP 8\r\n"), Unserved::address_family);
  EXPECT_EQ(what("nonsense"), Unserved::parameter);
  EXPECT_EQ(what(offer("m=audio 99999 RTP/AVP 8\r\n")), Unserved::parameter);
}

TEST(Negotiator, TakesTheLineOfItsAddressFamily) {
  const std::string lines[] = {"m=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::7\r\n",
                               "m=audio 5000 RTP/AVP 8\r\nc=IN IP4 10.0.0.7\r\n"};
  for (const bool v6 : {false, true}) {
    for (const auto& text : {lines[0] + lines[1], lines[1] + lines[0]}) {
      auto capabilities = ours();
      if (v6) capabilities.address = *net::Address::parse("[::1]:16384");
      Negotiator negotiator(capabilities);
      const auto answer = negotiator.answer(offer(text));
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->agreement.remote.to_string(), v6 ? "[2001:db8::7]:4000" : "10.0.0.7:5000");
      const auto reply = Session::parse(answer->sdp);
      EXPECT_EQ(reply->media[text == lines[v6 ? 0 : 1] + lines[v6 ? 1 : 0] ? 0 : 1].port, 16384);
    }
  }
  EXPECT_TRUE(Negotiator(ours()).answer("v=0\r\nc=IN IP6 ::\r\nm=audio 4000 RTP/AVP 8\r\n")->agreement.held());
  EXPECT_FALSE(Negotiator(ours()).accept("v=0\r\nc=IN IP6 ::2\r\nm=audio 4000 RTP/AVP 8\r\n"));
}

TEST(Negotiator, AgreesOnNothingWhereNothingIsWanted) {
  Negotiator negotiator(ours());
  const auto none = negotiator.answer(offer(""));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->agreement.held());
  EXPECT_TRUE(none->agreement.remote.is_unspecified());
  EXPECT_THAT(none->sdp, Not(HasSubstr("m=")));
  const auto off = negotiator.answer(offer("m=audio 0 RTP/AVP 8\r\n"));
  ASSERT_TRUE(off);
  EXPECT_TRUE(off->agreement.held());
  EXPECT_THAT(off->sdp, HasSubstr("m=audio 0 RTP/AVP 8\r\n"));
  EXPECT_FALSE(negotiator.answer(offer("m=audio 4000 RTP/AVP 8\r\n"))->agreement.held());
}

TEST(Negotiator, OffersTheNumbersOfTheDialog) {
  auto capabilities = ours();
  capabilities.codecs.push_back(Codec::opus);
  Negotiator negotiator(capabilities);
  EXPECT_THAT(negotiator.offer(), HasSubstr("RTP/AVP 8 0 3 96 101 102\r\n"));
  ASSERT_TRUE(negotiator.answer(offer("m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\n")));
  const auto sdp = negotiator.offer();
  EXPECT_THAT(sdp, HasSubstr("a=rtpmap:96 telephone-event/8000\r\n"));
  EXPECT_THAT(sdp, HasSubstr("a=rtpmap:97 opus/48000/2\r\n")) << "96 is taken";
  ASSERT_TRUE(negotiator.answer(
      offer("m=audio 4000 RTP/AVP 8 111 101\r\na=rtpmap:111 OPUS/48000/2\r\na=rtpmap:101 speex/16000\r\n")));
  const auto next = negotiator.offer();
  EXPECT_THAT(next, HasSubstr("a=rtpmap:111 opus/48000/2\r\n"));
  EXPECT_THAT(next, HasSubstr("a=rtpmap:96 telephone-event/8000\r\n"));
  EXPECT_EQ(negotiator.offer(), next) << "and so it stays";
  const auto agreement = negotiator.accept(
      offer("m=audio 4000 RTP/AVP 111 96\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:96 telephone-event/8000\r\n"));
  ASSERT_TRUE(agreement);
  EXPECT_THAT(agreement->telephone_event_receive,
              ElementsAre(rtp::EventFormat{96, 8000}, rtp::EventFormat{102, 48000}));
  EXPECT_EQ(negotiator.offer(), next);
}

TEST(PayloadTypes, ANumberIsNeverUsedForSomethingElse) {
  PayloadTypes types;
  Media theirs;
  for (int number = 96; number < 127; ++number) {
    theirs.formats.push_back(std::to_string(number));
    theirs.attributes.push_back({"rtpmap", std::to_string(number) + " x" + std::to_string(number) + "/8000"});
  }
  types.learn(theirs, true);
  EXPECT_EQ(types.number_for("telephone-event/8000", 101), 127);
  EXPECT_EQ(types.number_for("Telephone-Event/8000", 101), 127);
  EXPECT_EQ(types.number_for("x100/8000", 101), 100);
  EXPECT_EQ(types.number_for("opus/48000/2", 96), 96) << "there is none left";
}

TEST(PayloadTypes, AnAnswerChangesNoneOfOurs) {
  PayloadTypes types;
  EXPECT_EQ(types.number_for("opus/48000/2", 96), 96);
  Media answer;
  answer.formats = {"96", "97"};
  answer.attributes = {{"rtpmap", "96 telephone-event/8000"}, {"rtpmap", "97 opus/48000/2"}};
  types.learn(answer, false);
  EXPECT_EQ(types.number_for("opus/48000/2", 96), 96);
  EXPECT_EQ(types.number_for("red/8000", 97), 98) << "theirs";
}

TEST(Session, IsBoundedByItsBytesOnly) {
  std::string many = "v=0\r\n";
  for (int at = 0; at < 500; ++at) many += "a=x-session\r\n";
  many += "m=video 4002 RTP/AVPF";
  for (int at = 0; at < 500; ++at) many += " " + std::to_string(at % 128);
  for (int at = 0; at < 500; ++at) many += "\r\na=candidate:" + std::to_string(at);
  for (int at = 0; at < 100; ++at) many += "\r\nm=image 0 udptl t38\r\nc=TN RFC2543 +1-201-406-4090";
  many += "\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 10.0.0.1\r\n";
  Negotiator negotiator(ours());
  const auto answer = negotiator.answer(many);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->agreement.remote.to_string(), "10.0.0.1:4000");
  EXPECT_EQ(Session::parse(answer->sdp)->media.size(), 102U);
  EXPECT_FALSE(Session::parse("v=0\r\n" + std::string(max_bytes, 'x')));
  EXPECT_FALSE(Session::parse("v=0\r\nm=audio\r\n"));
  EXPECT_FALSE(Session::parse(""));
}

TEST(Session, AStreamThatCanNotBeReadLeavesTheOthers) {
  const auto answer = Negotiator(ours()).answer(
      "v=0\r\nc=ATM NSAP 47\r\nm=audio 99999 RTP/AVP 8\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 8\r\nc=ATM NSAP "
      "47\r\n"
      "m=message $ TCP/MSRP *\r\nm=audio  6000  RTP/AVP  8\r\nc=IN IP4 10.0.0.2\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->agreement.remote.to_string(), "10.0.0.2:6000");
  EXPECT_THAT(answer->sdp,
              HasSubstr("m=audio 0 RTP/AVP 8\r\nm=audio 0 RTP/AVP 8\r\nm=message 0 TCP/MSRP *\r\nm=audio 16384 "));
}

TEST(Session, MayEndWithZeroBytes) {
  for (const std::string& end : {std::string("\0", 1), std::string("\r\n\0\0", 4)}) {
    const auto answer = Negotiator(ours()).answer(offer("m=audio 4000 RTP/AVP 8\r\na=sendonly" + end));
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->agreement.held());
  }
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
