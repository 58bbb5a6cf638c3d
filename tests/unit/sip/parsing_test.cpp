#include <gtest/gtest.h>

#include <string>

#include "sip/header_values.h"
#include "sip/incoming_request.h"
#include "sip/message.h"
#include "sip/stream_framer.h"
#include "sip/uri.h"
#include "sip/via.h"

namespace rw::sip {
namespace {

using namespace std::string_literals;

TEST(Message, WithAsManyHeadersAsThereMayBeIsReadAgainAsItWasWritten) {
  std::string text = "OPTIONS sip:a@b SIP/2.0\r\n";
  for (std::size_t i = 1; i < max_headers; ++i) text += "X: y\r\n";
  const auto message = Message::parse(text + "\r\n");
  ASSERT_TRUE(message);
  EXPECT_TRUE(Message::parse(message->serialise()));
  EXPECT_FALSE(Message::parse(text + "X: y\r\n\r\n"));
}
TEST(Uri, TakesAllItsParts) {
  const auto uri = Uri::parse("sip:ann%20b;x=1@Example.COM:5070;transport=tcp;lr?Subject=hi");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->user, "ann b");
  EXPECT_EQ(uri->user_parameters, ";x=1");
  EXPECT_EQ(uri->host, "example.com");
  EXPECT_EQ(uri->port, 5070);
  EXPECT_EQ(*uri->parameter("transport"), "tcp");
  ASSERT_NE(uri->parameter("lr"), nullptr);
  EXPECT_EQ(uri->to_string(), "sip:ann%20b;x=1@example.com:5070;transport=tcp;lr?Subject=hi");
}

TEST(Uri, KnowsIpv6AndTel) {
  EXPECT_EQ(Uri::parse("sip:a@[2001:db8::1]:5060")->host, "2001:db8::1");
  EXPECT_EQ(Uri::parse("sip:[::1]")->to_string(), "sip:[::1]");
  EXPECT_EQ(Uri::parse("tel:+46890200;phone-context=x")->user, "+46890200");
}

TEST(Uri, OfAnotherSchemeIsANameAndNoPlace) {
  for (const auto* text :
       {"urn:service:sos", "im:alice@example.com", "http://www.example.com/?a=b", "isbn:2983792873"}) {
    const auto uri = Uri::parse_any(text);
    ASSERT_TRUE(uri) << text;
    EXPECT_EQ(uri->to_string(), text);
    EXPECT_TRUE(Uri::parse(text).error().message.starts_with(Uri::other_scheme)) << text;
  }
  EXPECT_EQ(Uri::parse_any("URN:service:sos")->scheme, "urn");
  for (const auto* text : {"urn:", "1x:y", "a b:c", "a@b:c", ":c", "x:a\x01", "sip:a@b:99999"}) {
    EXPECT_FALSE(Uri::parse_any(text)) << text;
    EXPECT_FALSE(Uri::parse(text).error().message.starts_with(Uri::other_scheme)) << text;
  }
}

TEST(Uri, ThreeColonsBeforeAnIpv4AddressAreTwo) {
  EXPECT_EQ(Uri::parse("sip:a@[2001:db8:::192.0.2.1]:5070")->to_string(), "sip:a@[2001:db8::192.0.2.1]:5070");
}

TEST(Uri, IsReadAgainAsItWasWritten) {
  for (const auto* text : {"sip:@b?x=c@d", "sip:b", "sip:a@b?Replaces=c@d"}) {
    EXPECT_EQ(Uri::parse(Uri::parse(text)->to_string())->host, "b") << text;
  }
}
TEST(Uri, RefusesWhatIsNone) {
  for (const auto* text :
       {"", "sip:", "example.com", "http://example.com", "sip:a@", "sip:a@b:99999", "sip:a@[::1", "sip:a b@c",
        "sip:a@b c", "sip:@b;c@d", "sip:[b]", "sip:[::1;]", "tel:", "sip:a@b\r\nX: y", "sip:a@<b>"}) {
    EXPECT_FALSE(Uri::parse(text)) << text;
  }
}

TEST(NameAddress, ReadsQuotesBracketsAndParameters) {
  const auto quoted = NameAddress::parse(R"("Ann \"x\", B" <sip:ann@example.com;lr>;tag=7;q="a;b")");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->display_name, R"(Ann "x", B)");
  EXPECT_EQ(*quoted->parameter("tag"), "7");
  EXPECT_EQ(*quoted->parameter("q"), "a;b");
  const auto bare = NameAddress::parse("sip:ann@example.com;tag=8");
  EXPECT_EQ(*bare->parameter("tag"), "8");
  EXPECT_EQ(bare->uri.parameter("tag"), nullptr);
  EXPECT_EQ(NameAddress::parse("Ann B <sip:ann@example.com>")->display_name, "Ann B");
  EXPECT_FALSE(NameAddress::parse(R"("Ann <sip:ann@example.com>)"));
  EXPECT_FALSE(NameAddress::parse("Ann <sip:ann@example.com"));
}

TEST(NameAddress, OfAnyScheme) {
  const auto sos = NameAddress::parse_any("\"SOS\" <urn:service:sos>;tag=7");
  ASSERT_TRUE(sos);
  EXPECT_EQ(*sos->parameter("tag"), "7");
  EXPECT_EQ(sos->to_string(), "\"SOS\" <urn:service:sos>;tag=7");
  EXPECT_EQ(*NameAddress::parse_any("isbn:2983792873;tag=8")->parameter("tag"), "8");
  EXPECT_FALSE(NameAddress::parse("<urn:service:sos>"));
}

TEST(NameAddress, ControlCharactersInAQuotedStringAreWrittenAsTheyHaveToBe) {
  const auto text = "\"a\\\0b\\\x07\" <sip:ann@example.com>"s;
  const auto address = NameAddress::parse(text);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->display_name, "a\0b\x07"s);
  EXPECT_EQ(address->to_string(), text);
}

TEST(SplitList, RespectsQuotesAndBrackets) {
  const auto items = split_list(R"("a,b" <sip:c,d@e>, <sip:f@g> ,, h)");
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[1], "<sip:f@g>");
  EXPECT_EQ(items[2], "h");
}

TEST(Via, ReadsSentByAndParameters) {
  const auto via = Via::parse("SIP / 2.0 / udp [2001:db8::9]:5066 ;branch=z9hG4bKx; rport");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "2001:db8::9");
  EXPECT_EQ(via->port, 5066);
  EXPECT_EQ(via->branch, "z9hG4bKx");
  EXPECT_TRUE(via->rport);
  const auto capitals = Via::parse("SIP/2.0/TCP h;Branch=z9hG4bKx;RPORT");
  EXPECT_EQ(capitals->branch, "z9hG4bKx");
  EXPECT_TRUE(capitals->rport);
  EXPECT_FALSE(Via::parse("SIP/2.0/UDP"));
  EXPECT_FALSE(Via::parse("SIP/2.0/UDP host:port"));
}

const std::string options =
    "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:x@y>;tag=1\r\nt: <sip:a@b>\r\ni: "
    "c1\r\nCSeq: 1 OPTIONS\r\n";

TEST(Message, ExpandsCompactFormsAndFoldedLines) {
  const auto message = Message::parse(options + "s: one\r\n  two\r\nl: 3\r\n\r\nabcdef");
  ASSERT_TRUE(message);
  EXPECT_EQ(*message->header("via"), "SIP/2.0/UDP h;branch=z9hG4bK1");
  EXPECT_EQ(*message->header("Subject"), "one two");
  EXPECT_EQ(message->body(), "abc");
}

TEST(Message, ToleratesBareLineFeeds) {
  EXPECT_TRUE(Message::parse("\r\nOPTIONS sip:a@b SIP/2.0\nVia: x\nCall-ID: 1\n\n"));
}

TEST(Message, RefusesWhatBreaksItsBounds) {
  EXPECT_FALSE(Message::parse(options + "Content-Length: 10\r\n\r\nshort"));
  EXPECT_FALSE(Message::parse(options + "Content-Length: -1\r\n\r\n"));
  EXPECT_FALSE(Message::parse(options + "Content-Length: 99999999999999999999\r\n\r\n"));
  EXPECT_FALSE(Message::parse(options + "Call-ID: again\r\n\r\n"));
  EXPECT_FALSE(Message::parse(options + "X: " + std::string(9000, 'x') + "\r\n\r\n"));
  EXPECT_FALSE(Message::parse(options));  // no end of the headers
  std::string many = options;
  for (int at = 0; at < 300; ++at) many += "X: y\r\n";
  EXPECT_FALSE(Message::parse(many + "\r\n"));
  EXPECT_FALSE(Message::parse(options + "no colon here\r\n\r\n"));
  EXPECT_FALSE(Message::parse(options + "X: a\0b\r\n\r\n"s));
  EXPECT_FALSE(Message::parse(options + "X: a\r\n b\0c\r\n\r\n"s)) << "in a folded line too";
  EXPECT_FALSE(Message::parse(options + "X: a\r\n b\rc\r\n\r\n"));
}

TEST(Message, ANulIsLegalBehindABackslashInAQuotedString) {
  for (const auto& value : {"\"a\\\0b\" <sip:a@b>"s, "<sip:a@b>;x=\"\\\\\\\0\""s}) {
    const auto message = Message::parse(options + "P-X: " + value + "\r\n\r\n");
    ASSERT_TRUE(message);
    EXPECT_EQ(*message->header("P-X"), value);
    EXPECT_NE(message->serialise().find(value), std::string::npos) << "it is written again";
  }
  EXPECT_TRUE(Message::parse(options + "P-X: \"a\r\n b\\\0\"\r\n\r\n"s)) << "a string that is folded";
  for (const auto& value : {"\"a\0b\" <sip:a@b>"s, "a\\\0b"s, "\"a\\\\\0\""s, "\"a\" \\\0"s})
    EXPECT_FALSE(Message::parse(options + "P-X: " + value + "\r\n\r\n"));
}

TEST(Message, RefusesBadStartLines) {
  for (const auto* line : {"OPTIONS sip:a@b SIP/3.0", "OPTIONS  sip:a@b SIP/2.0", "sip:a@b SIP/2.0", "SIP/2.0 99 Low",
                           "SIP/2.0 700 High", "SIP/2.0 2x0 Odd", "OPT(IONS sip:a@b SIP/2.0", "OPTIONS sip:a@b"}) {
    EXPECT_FALSE(Message::parse(line + "\r\nVia: x\r\n\r\n"s)) << line;
  }
}

TEST(Message, NothingSmugglesAHeader) {
  auto message = Message::request("OPTIONS", "sip:a@b");
  message.add("X-Evil", "a\r\nContact: <sip:thief@example.com>");
  EXPECT_EQ(message.serialise().find("thief"), std::string::npos);
}

TEST(HeaderValues, ParametersHaveNoCase) {
  EXPECT_EQ(parameter_of("1800;refresher=uas", "refresher"), "uas");
  EXPECT_EQ(parameter_of("1800 ; x ; Refresher = UAS ;y", "refresher"), "UAS");
  EXPECT_EQ(parameter_of("1800;norefresher=uas", "refresher"), "");
  EXPECT_EQ(parameter_of("1800;refresher", "refresher"), "");
}

TEST(StatelessTags, AreTheSameForTheSameRequestOnly) {
  const StatelessTags tags("s3."), others("s3.");
  const auto tag = tags.tag("via", "call", "from", "1 OPTIONS");
  EXPECT_TRUE(tag.starts_with("s3."));
  EXPECT_EQ(tags.tag("via", "call", "from", "1 OPTIONS"), tag);
  EXPECT_NE(tags.tag("via", "call", "from", "2 OPTIONS"), tag);
  EXPECT_NE(tags.tag("vi", "acall", "from", "1 OPTIONS"), tag);
  EXPECT_NE(others.tag("via", "call", "from", "1 OPTIONS"), tag) << "nobody can guess it";
}

TEST(BadRequest, IsAnsweredFromWhatCanBeRead) {
  const auto answer =
      bad_request(options + "Content-Length: 99\r\n\r\n", "body shorter than its Content-Length", StatelessTags("s0."));
  const auto message = Message::parse(answer);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->status(), 400);
  EXPECT_EQ(*message->header("Call-ID"), "c1");
  EXPECT_GE(to_tag(*message).size(), 20U);
  EXPECT_TRUE(bad_request("ACK sip:a@b SIP/2.0\r\n\r\n", "x", StatelessTags("s0.")).empty());
  EXPECT_TRUE(bad_request("garbage", "x", StatelessTags("s0.")).empty());
}

TEST(FirstMessage, CutsAStream) {
  const auto whole = options + "Content-Length: 3\r\n\r\nabc";
  for (std::size_t at = 1; at < whole.size(); ++at) EXPECT_EQ(first_message(whole.substr(0, at)).value(), 0U) << at;
  EXPECT_EQ(first_message(whole + "OPTIONS").value(), whole.size());
  EXPECT_EQ(first_message("\r\n\r\n").value(), 4U);
  EXPECT_EQ(first_message("\r\n" + whole).value(), 2U);
  EXPECT_EQ(first_message(options + "Content-Length:\r\n \t 3\r\n\r\nabcdef").value(), options.size() + 28);
  EXPECT_FALSE(first_message(options + "Subject: x\r\n l: 3\r\n\r\n")) << "that is the Subject's";
  EXPECT_FALSE(first_message(options + "\r\n"));  // no Content-Length
  EXPECT_FALSE(first_message(options + "l: 70000\r\n\r\n"));
  EXPECT_FALSE(first_message(options + "l: 3\r\nContent-Length: 5\r\n\r\nabcdef")) << "the end is not known";
  EXPECT_FALSE(first_message(std::string(70'000, 'x')));
}

}  // namespace
}  // namespace rw::sip
