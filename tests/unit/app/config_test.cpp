#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/shard.h"
#include "app/toml_text.h"

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
  EXPECT_EQ(config->storage.reserve_mb, 256U);
  EXPECT_EQ(config->domains.at(0)->max_storage, 2147483648U);
  EXPECT_EQ(Config::embedded_default().storage.reserve_mb, 0U);
  const auto& service = *config->domains.at(0)->mediaservices.at(0);
  EXPECT_EQ(service.callback_url, "http://127.0.0.1:9000");
  EXPECT_EQ(service.alarm_url, "http://127.0.0.1:9000/demo.example");
  EXPECT_EQ(service.tone_plan, "eu");
}

TEST(Config, WhatIsNotTomlIsSaidWithItsLine) {
  EXPECT_THAT(problem("[=]"), HasSubstr("test.toml:1: Error while parsing key: expected bare key "));
  EXPECT_THAT(problem("a = 1\n[[[[[[[[[{\"a\\nb9 971= "), HasSubstr("test.toml:2: "));
  EXPECT_THAT(problem("[[[[[[[[[{\"a\nb9 971= "), HasSubstr("test.toml:1: "));
  EXPECT_THAT(problem("a = 0{\"n\\abli\uFD3Fa\"a\\nbl\\0i"), HasSubstr("test.toml:1: "));
  EXPECT_THAT(problem("a = n\n"), testing::EndsWith("saw 'n '")) << "a line, whatever it quotes";
  const std::vector<std::string> wrong{"[",     "[[",     "[]",     "[[]]",     "[{}]",     "[.a]",  "[a.",
                                       "[a.]",  "[a.=]",  "[\"",    "[\"a",     "[a]]",     "[[a]",  "=",
                                       "= 1",   "a",      "a =",    "a.",       "a..=1",    "\"a=1", "a = {",
                                       "a={=",  "a={,}",  "a={b",   "a={b.",    "a={b.=1}", "a = [", "a=[[",
                                       "a=[,]", "a=[{",   "a = _",  "a = \x01", "a=\"\\",   "a='",   "a=1_",
                                       "a=+",   "a = 0x", "a = 1e", "a=1979-",  "a = 07:",  "\x80",  "\"\x80\" = 1"};
  for (const auto& line : wrong) {
    EXPECT_THAT(problem(line), testing::StartsWith("test.toml:1: ")) << line;
    EXPECT_THAT(problem("\n" + line), testing::StartsWith("test.toml:2: ")) << line;
  }
}

TEST(Config, CharactersThatAreNoAsciiStandInQuotesAndCommentsAlone) {
  const auto stray = [](const std::string& text) { return line_of_stray_character(text).value_or(0); };
  EXPECT_EQ(stray("\xEF\xBB\xBF# \u00E9\na = '\u00E9' # \u00E9\n\"\u00E9\" = \"\\\"\u00E9\"\nb = '\\' # \u00E9"), 0U);
  EXPECT_EQ(stray("a = \"\"\"\n\u00E9\"\"\\\"\"\u00E9\"\"\"\"\"\nb = '''''' # \u00E9\nc = '''\n'\u00E9'''''\n"), 0U);
  EXPECT_EQ(stray("a = \"\"\nb = ''\n\u00A0c = 1"), 3U);
  EXPECT_EQ(stray("a = \"\"\"\n\"\"\"\u00E9"), 2U);
  EXPECT_EQ(stray("a = ''''''\u00E9"), 1U);
  EXPECT_EQ(stray("a = 'x\n\u00E9'"), 0U) << "what comes first is a string that is not closed";
  for (const std::string character : {"\u00A0", "\u00E9", "\u1681", "\u2070", "\u3001", "\uFE0F", "\uFEFD", "\uFEFF"}) {
    EXPECT_THAT(problem("\na = 1\n" + character + "b = 2"),
                testing::StartsWith("test.toml:3: a character that is not ASCII, outside of quotes and comments"));
    EXPECT_THAT(problem("a = 1" + character), testing::StartsWith("test.toml:1: a character that is not ASCII"));
  }
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
  EXPECT_THAT(problem("[media]\ncodecs = [\"G729\"]\n"), HasSubstr("PCMA, PCMU, GSM, G722 or opus"));
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

/// A domain with one trunk, whose table begins at line 4.
std::string with_trunk(const std::string& lines) {
  return "[[domains]]\nname = \"demo.example\"\n[[domains.trunks]]\n" + lines;
}

TEST(Config, ATrunkInAndOut) {
  const auto config = Config::parse(with_trunk(R"(name = "carrier"
allow = ["10.0.0.0/8"]
key = "k"
proxy = "sip:proxy.carrier.example:5070;transport=tcp;lr"
hosts = ["Carrier.Example", "pstn.example"]
username = "u"
password = "env:PATH"
realm = "carrier.example"
trusted = true
register = true
aor = "sip:4670@carrier.example"
)"),
                                    "test.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto& trunk = config->domains.at(0)->trunks.at(0);
  EXPECT_EQ(trunk.allow.size(), 1U);
  EXPECT_EQ(trunk.proxy, "sip:proxy.carrier.example:5070;transport=tcp;lr");
  EXPECT_EQ(trunk.hosts, (std::vector<std::string>{"carrier.example", "pstn.example"}));
  EXPECT_EQ(trunk.username, "u");
  EXPECT_EQ(trunk.password, std::getenv("PATH"));
  EXPECT_EQ(trunk.realm, "carrier.example");
  EXPECT_TRUE(trunk.trusted);
  EXPECT_EQ(trunk.registration, "sip:4670@carrier.example");
}

TEST(Config, ATrunkWithAProxyTakesEveryHostAndRegistersOnlyIfTold) {
  auto config = Config::parse(with_trunk("proxy = \"sip:carrier.example\"\nusername = \"u\"\npassword = \"p\"\n"), "t");
  ASSERT_TRUE(config) << config.error().message;
  auto trunk = config->domains.at(0)->trunks.at(0);
  EXPECT_EQ(trunk.hosts, std::vector<std::string>{"*"});
  EXPECT_EQ(trunk.registration, "");
  EXPECT_FALSE(trunk.trusted);
  config = Config::parse(
      with_trunk("proxy = \"sip:carrier.example\"\nusername = \"u\"\npassword = \"p\"\nregister = true\n"), "t");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->domains.at(0)->trunks.at(0).registration, "sip:u@carrier.example");
}

TEST(Config, TrunkErrorsNameLineKeyFoundAndExpected) {
  const std::string at = "test.toml:4: domains[0].trunks[0].";
  EXPECT_THAT(problem(with_trunk("name = \"x\"\n")),
              HasSubstr("domains[0].trunks[0].allow: missing: expected `allow`, the networks"));
  EXPECT_THAT(problem(with_trunk("proxy = \"carrier.example\"\n")),
              HasSubstr(at + "proxy: found \"carrier.example\", expected a SIP URI, e.g. sip:"));
  EXPECT_THAT(problem(with_trunk("proxy = \"tel:+46\"\n")),
              HasSubstr(at + "proxy: found \"tel:+46\", expected a SIP URI"));
  EXPECT_THAT(problem(with_trunk("proxy = \"sips:carrier.example\"\n")),
              HasSubstr(at + "proxy: found \"sips:carrier.example\", expected a sip: URI over udp or tcp"));
  EXPECT_THAT(problem(with_trunk("proxy = \"sip:carrier.example;transport=tls\"\n")), HasSubstr("over udp or tcp"));
  EXPECT_THAT(problem(with_trunk("proxy = 7\n")), HasSubstr(at + "proxy: found integer 7, expected a string"));
  EXPECT_THAT(problem(with_trunk("hosts = [1]\nproxy = \"sip:c\"\n")),
              HasSubstr(at + "hosts: found integer 1, expected a string"));
  EXPECT_THAT(problem(with_trunk("username = \"u\"\nproxy = \"sip:c\"\n")),
              HasSubstr("trunks[0].password: missing: expected together with `username`"));
  EXPECT_THAT(problem(with_trunk("password = \"p\"\nproxy = \"sip:c\"\n")),
              HasSubstr("trunks[0].username: missing: expected together with `password`"));
  EXPECT_THAT(problem(with_trunk("password = \"env:RINGWRIGHT_NOT_THERE\"\nusername = \"u\"\nproxy = \"sip:c\"\n")),
              HasSubstr(at + "password: the environment has no variable RINGWRIGHT_NOT_THERE"));
  EXPECT_THAT(problem(with_trunk("password = \"file:/nonexistent\"\nusername = \"u\"\nproxy = \"sip:c\"\n")),
              HasSubstr(at + "password: can't read the file /nonexistent"));
  EXPECT_THAT(problem(with_trunk("trusted = 1\nproxy = \"sip:c\"\n")),
              HasSubstr(at + "trusted: found integer 1, expected true or false"));
  EXPECT_THAT(problem(with_trunk("register = true\nproxy = \"sip:c\"\n")),
              HasSubstr("trunks[0].aor: missing: expected the SIP URI to register"));
  EXPECT_THAT(problem(with_trunk("aor = \"sip:c\"\nproxy = \"sip:c\"\n")),
              HasSubstr(at + "aor: found \"sip:c\", expected the SIP URI to register, e.g. sip:"));
  EXPECT_THAT(problem(with_trunk("register = true\nallow = [\"10.0.0.1\"]\n")),
              HasSubstr(at + "register: without effect: expected `proxy` too"));
  EXPECT_THAT(problem(with_trunk("colour = 1\nproxy = \"sip:c\"\n")), HasSubstr(at + "colour: unknown key"));
  EXPECT_THAT(problem(with_trunk("allow = [\"carrier\"]\n")),
              HasSubstr(at + "allow: found string 'carrier', expected a network, e.g. 10.0.0.0/8"));
  EXPECT_THAT(
      problem(with_trunk("name = \"x\"\nproxy = \"sip:c\"\n[[domains.trunks]]\nname = \"x\"\nproxy = \"sip:c\"\n")),
      HasSubstr("test.toml:7: domains[0].trunks[1].name: used twice in this domain: x"));
}

TEST(Config, AnOpenListenerNeedsATrunkThatCallsMayComeOver) {
  EXPECT_THAT(problem("[sip]\nlisten = [\"udp:0.0.0.0:5060\"]\n" + with_trunk("proxy = \"sip:c\"\n")),
              HasSubstr("domains[0].trunks: none has `allow`"));
  EXPECT_EQ(problem("[sip]\nlisten = [\"udp:0.0.0.0:5060\"]\n" + with_trunk("allow = [\"10.0.0.1\"]\n")), "");
}

TEST(Config, TheNextHopAndTheNameServers) {
  const auto config = Config::parse(std::string(R"(
[sip]
outbound_proxy = "sip:127.0.0.1:5070;lr"
dns_servers = ["127.0.0.1:5353", "10.0.0.1", "::1", "[::1]:54"]
)") + minimal,
                                    "test.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->sip.outbound_proxy, "sip:127.0.0.1:5070;lr");
  std::vector<std::string> servers;
  for (const auto& one : config->sip.dns_servers) servers.push_back(one.to_string());
  EXPECT_EQ(servers, (std::vector<std::string>{"127.0.0.1:5353", "10.0.0.1:53", "[::1]:53", "[::1]:54"}));
  EXPECT_THAT(problem("[sip]\noutbound_proxy = \"proxy\"\n"),
              HasSubstr("test.toml:2: sip.outbound_proxy: found \"proxy\", expected a SIP URI"));
  EXPECT_THAT(problem("[sip]\ndns_servers = [\"ns1.example\"]\n"),
              HasSubstr("test.toml:2: sip.dns_servers: found string 'ns1.example', expected ADDRESS or ADDRESS:PORT"));
}

TEST(Config, WhatAMediaserviceMayDo) {
  const auto config =
      Config::parse(std::string(minimal) + "allow_refer = true\nhold_music = \"hold.wav\"\n", "test.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->domains.at(0)->mediaservices.at(0)->allow_refer);
  EXPECT_EQ(config->domains.at(0)->mediaservices.at(0)->hold_music, "hold.wav");
  EXPECT_THAT(problem(std::string(minimal) + "allow_refer = \"yes\"\n"),
              HasSubstr("allow_refer: found string 'yes', expected true or false"));
  EXPECT_THAT(problem(std::string(minimal) + "hold_music = true\n"),
              HasSubstr("hold_music: found boolean true, expected a string"));
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
  EXPECT_EQ(by("Call-ID: abc@host"), by("Call-ID:\r\n\t abc@host"));
  EXPECT_EQ(shard_of("x", 1), 0U);
}

TEST(ShardOf, CallsThatAShardPlacedComeBackToIt) {
  const auto by = [](const std::string& id, std::size_t count) {
    return shard_of("SIP/2.0 200 OK\r\nCall-ID: " + id + "\r\n\r\n", count);
  };
  for (std::size_t at = 0; at < 12; ++at) EXPECT_EQ(by(shard_tag(at, "5f0c") + "abc", 12), at);
  EXPECT_LT(by("s12.abc", 12), 12U) << "no shard of ours: by its hash";
  EXPECT_LT(by("s99999999999999999999999.abc", 12), 12U);
  EXPECT_LT(by("s1", 12), 12U);
}

TEST(Config, ReadsSpeech) {
  const auto plain = Config::parse(minimal, "test.toml");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->speech.engine, speech::SpeechSettings::TextEngine::flite);
  EXPECT_TRUE(plain->speech.fallback);
  EXPECT_TRUE(plain->speech.cache);
  EXPECT_EQ(plain->speech.cache_bytes, 1024ULL * 1024 * 1024);
  ::setenv("RW_TEST_SECRET", "s3cret", 1);
  const auto config = Config::parse(std::string(R"(
[tts]
engine = "http"
fallback = false
timeout = 12.5
cache = false
cache_mb = 7
[tts.aws]
region = "eu-north-1"
access_key_id = "AKID"
secret_access_key = "env:RW_TEST_SECRET"
endpoint = "http://127.0.0.1:4000/"
[tts.http]
url = "https://voices.example/api/"
model = "m"
voice = "v"
api_key = "env:RW_TEST_SECRET"
format = "pcm"
pcm_rate = 16000
speed = 1.5
)") + minimal,
                                    "test.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto& speech = config->speech;
  EXPECT_EQ(speech.engine, speech::SpeechSettings::TextEngine::http);
  EXPECT_FALSE(speech.fallback);
  EXPECT_FALSE(speech.cache);
  EXPECT_EQ(speech.timeout, std::chrono::milliseconds(12'500));
  EXPECT_EQ(speech.cache_bytes, 7ULL * 1024 * 1024);
  EXPECT_EQ(speech.polly.region, "eu-north-1");
  EXPECT_EQ(speech.polly.credentials.secret_access_key, "s3cret");
  EXPECT_EQ(speech.polly.endpoint, "http://127.0.0.1:4000");
  EXPECT_EQ(speech.http.url, "https://voices.example/api");
  EXPECT_EQ(speech.http.api_key, "s3cret");
  EXPECT_EQ(speech.http.format, "pcm");
  EXPECT_EQ(speech.http.pcm_rate, 16'000U);
  EXPECT_EQ(speech.http.speed, 1.5);
}

TEST(Config, RefusesSpeechThatCanNotWork) {
  const auto tts = [](const std::string& text) { return problem("[tts]\n" + text + minimal); };
  EXPECT_THAT(tts("engine = \"http\"\n"), HasSubstr("tts.http.url: missing"));
  EXPECT_THAT(tts("engine = \"festival\"\n"), HasSubstr("tts.engine"));
  EXPECT_THAT(tts("[tts.aws]\naccess_key_id = \"a\"\n"), HasSubstr("tts.aws.secret_access_key: missing"));
  EXPECT_THAT(tts("[tts.aws]\nendpoint = \"ftp://x\"\n"), HasSubstr("tts.aws.endpoint"));
  EXPECT_THAT(tts("[tts.aws]\nsecret_access_key = \"env:RW_NO_SUCH\"\naccess_key_id = \"a\"\n"),
              HasSubstr("tts.aws.secret_access_key"));
  EXPECT_THAT(tts("[tts.google]\ncredentials_file = \"/nowhere.json\"\n"), HasSubstr("can't read the file"));
  EXPECT_THAT(tts("[tts.google]\ncredentials_file = \"/dev/null\"\n"), HasSubstr("service account"));
  EXPECT_THAT(tts("[tts.http]\napi_key = \"a b\"\n"), HasSubstr("tts.http.api_key"));
  EXPECT_THAT(tts("[tts.http]\nunknown = 1\n"), HasSubstr("tts.http.unknown"));
  EXPECT_THAT(tts("cache_mb = 0\n"), HasSubstr("tts.cache_mb"));
}

}  // namespace
}  // namespace rw::app
