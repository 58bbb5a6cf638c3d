#include "sdp/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Descriptions for devices that do their own RTP.
namespace rw::sdp {
namespace {

using rtp::Codec;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Crypto aes80{1, "AES_CM_128_HMAC_SHA1_80", "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4"};
const Crypto aes32{2, "AES_CM_128_HMAC_SHA1_32", "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj UNENCRYPTED_SRTCP"};

DeviceAudio device(std::vector<Crypto> crypto = {}) {
  DeviceAudio audio;
  audio.codec = Codec::pcmu;
  audio.receive = *net::Address::parse("10.1.2.3:40000");
  audio.telephone_event = 101;
  audio.crypto = std::move(crypto);
  return audio;
}

std::string description(std::string_view media) {
  return "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n" + std::string(media);
}
const std::string crypto_lines = "a=crypto:" + aes80.to_string() + "\r\na=crypto:" + aes32.to_string() + "\r\n";

std::string why(DeviceNegotiator negotiator, std::string_view media) {
  const auto answer = negotiator.answer(description(media));
  return answer ? "" : answer.error().message;
}

TEST(DeviceNegotiator, OffersWhatTheDeviceNames) {
  DeviceNegotiator negotiator(device(), 7);
  const auto offer = negotiator.offer();
  EXPECT_THAT(offer, HasSubstr("o=- 7 1 IN IP4 10.1.2.3\r\n"));
  EXPECT_THAT(offer, HasSubstr("c=IN IP4 10.1.2.3\r\n"));
  EXPECT_THAT(offer, HasSubstr("m=audio 40000 RTP/AVP 0 101\r\n"));
  EXPECT_EQ(negotiator.offer(), offer);
  const auto remote =
      negotiator.accept(description("m=audio 5000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"));
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->codec, Codec::pcmu);
  EXPECT_EQ(remote->receive.to_string(), "10.0.0.9:5000");
  EXPECT_EQ(remote->telephone_event, 96);
  EXPECT_TRUE(remote->crypto.empty());
}

TEST(DeviceNegotiator, OffersAllCryptosAndTakesTheChosenOne) {
  DeviceNegotiator negotiator(device({aes80, aes32}), 7);
  const auto offer = negotiator.offer();
  EXPECT_THAT(offer, HasSubstr("m=audio 40000 RTP/SAVP 0 101\r\n"));
  EXPECT_THAT(offer, HasSubstr(crypto_lines));
  auto chosen = aes32;
  chosen.config = "inline:theirs";
  const auto remote =
      negotiator.accept(description("m=audio 5000 RTP/SAVP 0\r\na=crypto:" + chosen.to_string() + "\r\n"));
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->crypto, std::vector<Crypto>{chosen});
  EXPECT_FALSE(negotiator.accept(description("m=audio 5000 RTP/AVP 0\r\n")));
  EXPECT_FALSE(
      negotiator.accept(description("m=audio 5000 RTP/SAVP 0\r\na=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:x\r\n")));
  EXPECT_FALSE(negotiator.accept(description("m=audio 5000 RTP/SAVP 0\r\n")));
  EXPECT_FALSE(negotiator.accept(description("m=audio 0 RTP/SAVP 0\r\n" + crypto_lines)));
}

TEST(DeviceNegotiator, GoesOnWithTheProfileThatItHasAnswered) {
  DeviceNegotiator negotiator(device(), 7);
  ASSERT_TRUE(negotiator.answer(description("m=audio 4000 RTP/AVPF 0\r\n")));
  EXPECT_THAT(negotiator.offer(), HasSubstr("m=audio 40000 RTP/AVPF 0 101\r\n"));
  ASSERT_TRUE(negotiator.answer(description("m=audio 4000 RTP/AVP 0\r\n")));
  EXPECT_THAT(negotiator.offer(), HasSubstr("m=audio 40000 RTP/AVP 0 101\r\n"));
}

TEST(DeviceNegotiator, ReadsAnOffer) {
  const auto remote = DeviceNegotiator::read_offer(
      description("m=video 4002 RTP/AVP 96\r\nm=audio 4000 RTP/SAVP 18 3 8 97\r\na=rtpmap:97 telephone-event/8000\r\n" +
                  crypto_lines + "a=crypto:nonsense\r\na=sendonly\r\n"));
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->codec, Codec::gsm);  // what the caller likes best
  EXPECT_EQ(remote->receive.to_string(), "10.0.0.9:4000");
  EXPECT_EQ(remote->telephone_event, 97);
  EXPECT_EQ(remote->crypto, (std::vector<Crypto>{aes80, aes32}));
  EXPECT_TRUE(remote->held);
}

TEST(DeviceNegotiator, RefusesOffersThatNoDeviceCanTake) {
  for (const auto* media : {"m=audio 4000 RTP/AVP 18\r\n", "m=video 4000 RTP/AVP 0\r\n", "m=audio 0 RTP/AVP 0\r\n",
                            "m=audio 4000 RTP/SAVP 0\r\n", "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n",
                            "m=audio 4000 RTP/AVP 110\r\na=rtpmap:110 PCMU/8000\r\n"})
    EXPECT_FALSE(DeviceNegotiator::read_offer(description(media))) << media;
  EXPECT_FALSE(DeviceNegotiator::read_offer("nonsense"));
}

TEST(DeviceNegotiator, AnswersWithTheChosenCryptoInItsPlace) {
  auto mine = aes32;
  mine.config = "inline:mine";
  DeviceNegotiator negotiator(device({mine}), 7);
  const auto answer = negotiator.answer(
      description("m=video 4002 RTP/AVP 96\r\nm=audio 4004 RTP/AVP 0\r\nm=audio 4000 RTP/SAVP 8 0 97\r\n"
                  "a=rtpmap:97 telephone-event/8000\r\n" +
                  crypto_lines));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(answer->sdp,
              HasSubstr("m=video 0 RTP/AVP 96\r\nm=audio 0 RTP/AVP 0\r\nm=audio 40000 RTP/SAVP 0 101\r\n"));
  EXPECT_THAT(answer->sdp, HasSubstr("a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:mine\r\n"));
  EXPECT_THAT(answer->sdp, Not(HasSubstr("a=crypto:1")));
  EXPECT_EQ(answer->remote.receive.port(), 4000);
}

TEST(DeviceNegotiator, AnswersAHoldAndKeepsItsVersionOtherwise) {
  DeviceNegotiator negotiator(device(), 7);
  const auto talk = description("m=audio 4000 RTP/AVP 0\r\n");
  const auto first = negotiator.answer(talk);
  ASSERT_TRUE(first);
  EXPECT_THAT(first->sdp, Not(HasSubstr("telephone-event")));  // not offered
  EXPECT_EQ(negotiator.answer(talk)->sdp, first->sdp);
  const auto held = negotiator.answer(description("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"));
  EXPECT_TRUE(held->remote.held);
  EXPECT_THAT(held->sdp, HasSubstr("o=- 7 2 "));
  EXPECT_THAT(held->sdp, HasSubstr("a=recvonly\r\n"));
}

TEST(DeviceNegotiator, NamesTheFieldThatDoesNotFit) {
  EXPECT_THAT(why({device(), 7}, "m=audio 4000 RTP/AVP 8\r\n"), StartsWith("codec: "));
  EXPECT_THAT(why({device(), 7}, "m=audio 4000 RTP/SAVP 0\r\n" + crypto_lines), StartsWith("crypto: "));
  EXPECT_THAT(why({device({aes80}), 7}, "m=audio 4000 RTP/AVP 0\r\n"), StartsWith("crypto: "));
  auto swapped = aes80;
  swapped.id = 2;
  EXPECT_THAT(why({device({swapped}), 7}, "m=audio 4000 RTP/SAVP 0\r\n" + crypto_lines), StartsWith("crypto: "));
}

TEST(Crypto, ReadsWhatRfc4568Allows) {
  EXPECT_EQ(Crypto::parse(aes32.to_string()), aes32);
  for (const std::string text : {"", "1", "1 SUITE", "x SUITE inline:k", "1234567890 SUITE inline:k",
                                 "-1 SUITE inline:k", "1  inline:k", "1 SUITE \x01"})
    EXPECT_FALSE(Crypto::parse(text)) << text;
  EXPECT_FALSE(Crypto::parse("1 SUITE " + std::string(max_crypto_bytes + 1, 'k')));
}

}  // namespace
}  // namespace rw::sdp
