#include "call/device_media.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace rw::call {
namespace {

using testing::StartsWith;

class DeviceMedia : public testing::Test {
 protected:
  DeviceMedia() { domain_.allow_media = {*net::Network::parse("10.0.0.0/8"), *net::Network::parse("::1")}; }

  /// Of the usual members with `changes`.
  Result<sdp::DeviceAudio> read(std::string_view changes) {
    auto body = boost::json::parse(
                    R"({"codec":"PCMA","receiveIp":"10.1.2.3","receivePort":4000,"telephoneEventPayloadType":101})")
                    .as_object();
    const auto parsed = boost::json::parse(changes);
    for (const auto& one : parsed.as_object()) body[one.key()] = one.value();
    JsonFields fields(body);
    auto audio = read_device_audio(fields, domain_);
    if (fields.error()) return tl::unexpected(*fields.error());
    return audio;
  }
  std::string why(std::string_view changes) {
    const auto audio = read(changes);
    return audio ? "" : audio.error().message;
  }

  tenant::Domain domain_;
};

TEST_F(DeviceMedia, ReadsWhatADeviceSays) {
  const auto audio = read(R"({"receivePort":"4000","crypto":[{"id":"3","suite":"S","config":"inline:k|1:4"}]})");
  ASSERT_TRUE(audio) << audio.error().message;
  EXPECT_EQ(audio->codec, rtp::Codec::pcma);
  EXPECT_EQ(audio->receive.to_string(), "10.1.2.3:4000");
  EXPECT_EQ(audio->telephone_event, 101);
  EXPECT_EQ(audio->crypto, (std::vector<sdp::Crypto>{{3, "S", "inline:k|1:4"}}));
  EXPECT_EQ(read(R"({"receiveIp":"::1"})")->receive.to_string(), "[::1]:4000");
  EXPECT_FALSE(read(R"({"telephoneEventPayloadType":null})")->telephone_event);
  EXPECT_FALSE(read(R"({"telephoneEventPayloadType":0})")->telephone_event);
  EXPECT_TRUE(read(R"({"crypto":[{},null]})")->crypto.empty());
}

TEST_F(DeviceMedia, NamesWhatItCanNotUse) {
  const std::pair<const char*, const char*> table[] = {
      {R"({"codec":"opus"})", "codec: "},
      {R"({"codec":null})", "codec: "},
      {R"({"codec":{}})", "codec: "},
      {R"({"receiveIp":null})", "receiveIp: "},
      {R"({"receiveIp":"host.example"})", "receiveIp: "},
      {R"({"receiveIp":"10.1.2.3\u0000"})", "receiveIp: "},
      {R"({"receiveIp":"10.1.2.3\r\na=x"})", "receiveIp: "},
      {R"({"receivePort":null})", "receivePort: "},
      {R"({"receivePort":0})", "receivePort: "},
      {R"({"receivePort":65536})", "receivePort: "},
      {R"({"receivePort":4000.5})", "receivePort: "},
      {R"({"telephoneEventPayloadType":95})", "telephoneEventPayloadType: "},
      {R"({"telephoneEventPayloadType":128})", "telephoneEventPayloadType: "},
      {R"({"crypto":{}})", "crypto: "},
      {R"({"crypto":[1]})", "crypto[0]: "},
      {R"({"crypto":[{"suite":"S","config":"inline:k"}]})", "crypto[0].id: "},
      {R"({"crypto":[{"id":1,"config":"inline:k"}]})", "crypto[0].suite: "},
      {R"({"crypto":[{"id":1,"suite":"S T","config":"inline:k"}]})", "crypto[0].suite: "},
      {R"({"crypto":[{"id":1,"suite":"S"}]})", "crypto[0].config: "},
      {R"({"crypto":[{"id":1,"suite":"S","config":"k"}]})", "crypto[0].config: "},
      {R"({"crypto":[{"id":1,"suite":"S","config":"inline:k\r\na=x"}]})", "crypto[0].config: "},
      {R"({"crypto":[{"id":1,"suite":"S","config":"inline:k"},{"id":1,"suite":"T","config":"inline:k"}]})",
       "crypto[1].id: "}};
  for (const auto& [changes, expected] : table) EXPECT_THAT(why(changes), StartsWith(expected)) << changes;
}

TEST_F(DeviceMedia, TheAddressIsOneThatTheDomainAllows) {
  EXPECT_THAT(why(R"({"receiveIp":"11.0.0.1"})"), StartsWith("receiveIp: "));
  EXPECT_THAT(why(R"({"receiveIp":"8.8.8.8"})"), StartsWith("receiveIp: "));  // the list replaces the default
  domain_.allow_media.clear();
  EXPECT_EQ(why(R"({"receiveIp":"8.8.8.8"})"), "");
  for (const std::string ip : {"10.1.2.3", "127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255",
                               "::1", "fe80::1", "::ffff:127.0.0.1"})
    EXPECT_THAT(why(R"({"receiveIp":")" + ip + "\"}"), StartsWith("receiveIp: ")) << ip;
}

TEST_F(DeviceMedia, TellsOfTheOtherSide) {
  sdp::RemoteAudio remote;
  remote.codec = rtp::Codec::gsm;
  remote.receive = *net::Address::parse("10.0.0.9:5000");
  boost::json::object body;
  add_remote_audio(body, remote);
  EXPECT_EQ(body, boost::json::parse(R"({"codec":"GSM","remoteRtpIp":"10.0.0.9"})"));
  remote.telephone_event = 97;
  remote.crypto = {{1, "S", "inline:k"}};
  add_remote_audio(body, remote);
  EXPECT_EQ(body, boost::json::parse(R"({"codec":"GSM","remoteRtpIp":"10.0.0.9","telephoneEventPayloadType":97,
                                         "crypto":[{"id":1,"suite":"S","config":"inline:k"}]})"));
}

}  // namespace
}  // namespace rw::call
