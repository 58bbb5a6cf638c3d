#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/shard.h"

namespace rw::app {
namespace {

using testing::HasSubstr;

constexpr auto minimal = R"(
[[domains]]
name = "demo.example"
auth = "none"
[[domains.mediaservices]]
id = "main"
numbers = ["1*"]
callback_url = "http://127.0.0.1:9000/"
)";

std::string problem(const std::string& text) {
  const auto config = Config::parse(text, "test.toml");
  return config ? "" : config.error().message;
}

TEST(Config, HasTheDocumentedDefaults) {
  const auto config = Config::parse(minimal, "test.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->http.listen.at(0).to_string(), "127.0.0.1:8080");
  EXPECT_EQ(config->sip.listen.size(), 2U);
  EXPECT_EQ(config->media.first_port, 16384);
  EXPECT_EQ(config->media.last_port, 32767);
  EXPECT_EQ(config->limits.max_calls, 5000U);
  EXPECT_EQ(config->callbacks.total_timeout, std::chrono::seconds(15));
  const auto& service = *config->domains.at(0)->mediaservices.at(0);
  EXPECT_EQ(service.callback_url, "http://127.0.0.1:9000");
  EXPECT_EQ(service.alarm_url, "http://127.0.0.1:9000/demo.example");
  EXPECT_EQ(service.tone_plan, "eu");
}

TEST(Config, ReadsWhatIsGiven) {
  const auto config = Config::parse(std::string(R"(
[server]
node_id = "n7"
drain_timeout = 5
[http]
listen = ["127.0.0.1:0", "[::1]:0"]
[sip]
listen = ["udp:127.0.0.1:0"]
[media]
ports = [20000, 20099]
codecs = ["GSM", "pcmu"]
latch = "same-address"
[limits]
calls_per_second = 0.5
max_session = 1.5
[callbacks]
answer_timeout = 0.25
)") + minimal,
                                    "test.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.node_id, "n7");
  EXPECT_EQ(config->http.listen.size(), 2U);
  EXPECT_EQ(config->media.codecs, (std::vector{rtp::Codec::gsm, rtp::Codec::pcmu}));
  EXPECT_EQ(config->media.latch, media::Latch::same_address);
  EXPECT_EQ(config->limits.max_session, std::chrono::milliseconds(1500));
  EXPECT_EQ(config->callbacks.answer_timeout, std::chrono::milliseconds(250));
}

TEST(Config, ErrorsNameFileLineKeyFoundAndExpected) {
  EXPECT_THAT(problem("[media]\nworkers = \"many\"\n"),
              HasSubstr("test.toml:2: media.workers: found string 'many', expected a whole number from 0 to 256"));
  EXPECT_THAT(problem("[sip]\nlisten = [\"udp:127.0.0.1:5060\", \"carrier\"]\n"),
              HasSubstr("test.toml:2: sip.listen: found string 'carrier', expected udp:ADDRESS:PORT"));
  EXPECT_THAT(problem("[server]\ncolour = 1\n"), HasSubstr("test.toml:2: server.colour: unknown key"));
  EXPECT_THAT(problem("[media]\nports = [3, 2]\n"), HasSubstr("media.ports"));
  EXPECT_THAT(problem("[media]\ncodecs = [\"G729\"]\n"), HasSubstr("PCMA, PCMU or GSM"));
  EXPECT_THAT(problem("[log]\nlevel = \"loud\"\n"), HasSubstr("\"debug\" | \"info\""));
  EXPECT_THAT(problem("[server\n"), HasSubstr("test.toml:1: "));
}

TEST(Config, ReportsEveryFindingAtOnce) {
  const auto all = problem("[server]\na = 1\nb = 2\n");
  EXPECT_THAT(all, HasSubstr("server.a"));
  EXPECT_THAT(all, HasSubstr("server.b"));
}

TEST(Config, NoAuthorisationOnlyOnLoopback) {
  EXPECT_THAT(problem(std::string("[http]\nlisten = [\"0.0.0.0:8080\"]\n") + minimal), HasSubstr("domains[0].auth"));
  EXPECT_THAT(problem(std::string("[sip]\nlisten = [\"udp:0.0.0.0:5060\"]\n") + minimal),
              HasSubstr("domains[0].trunks"));
}

TEST(Config, DomainsAreChecked) {
  EXPECT_THAT(problem("[[domains]]\nauth = \"none\"\n"), HasSubstr("domains[0].name: missing"));
  EXPECT_THAT(problem(std::string(minimal) + minimal), HasSubstr("used twice"));
  EXPECT_THAT(problem("[[domains]]\nname = \"a\"\n[[domains.mediaservices]]\nid = \"m\"\ncallback_url = \"ftp://x\"\n"),
              HasSubstr("http:// or https://"));
}

TEST(Config, SecretsComeFromTheEnvironment) {
  EXPECT_THAT(problem("[server]\nreply_secret = \"env:RINGWRIGHT_NOT_THERE\"\n"), HasSubstr("RINGWRIGHT_NOT_THERE"));
  const auto config = Config::parse("[server]\nreply_secret = \"env:PATH\"\n", "test.toml");
  ASSERT_TRUE(config);
  EXPECT_NE(config->server.reply_secret, "env:PATH");
}

TEST(ShardOf, FollowsTheCallIdHoweverItIsWritten) {
  const auto by = [](const std::string& header) {
    return shard_of("INVITE sip:a@b SIP/2.0\r\n" + header + "\r\n\r\n", 7);
  };
  EXPECT_EQ(by("Call-ID: abc@host"), by("i:abc@host"));
  EXPECT_EQ(by("Call-ID: abc@host"), by("CALL-ID :  abc@host "));
  EXPECT_EQ(shard_of("x", 1), 0U);
}

TEST(ShardOf, CallsThatAShardPlacedComeBackToIt) {
  const auto by = [](const std::string& id, std::size_t count) {
    return shard_of("SIP/2.0 200 OK\r\nCall-ID: " + id + "\r\n\r\n", count);
  };
  for (std::size_t at = 0; at < 12; ++at) EXPECT_EQ(by(shard_tag(at) + "abc", 12), at);
  EXPECT_LT(by("s12.abc", 12), 12U) << "no shard of ours: by its hash";
  EXPECT_LT(by("s99999999999999999999999.abc", 12), 12U);
  EXPECT_LT(by("s1", 12), 12U);
}

}  // namespace
}  // namespace rw::app
