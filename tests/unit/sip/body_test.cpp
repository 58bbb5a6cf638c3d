#include "sip/body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sip/user_agent.h"

namespace rw::sip {
namespace {

constexpr auto sdp = "v=0\r\n";

Message with(const std::string& type, const std::string& body, const Headers& headers = {}) {
  auto message = Message::request("INVITE", "sip:a@b");
  message.set_body(body, type);
  for (const auto& [name, value] : headers) message.add(name, value);
  return message;
}

SessionBody read(const std::string& type, const std::string& body, const Headers& headers = {}) {
  return SessionBody::read(with(type, body, headers));
}

std::string part(const std::string& type, const std::string& content, const std::string& headers = {}) {
  return "--b\r\nContent-Type: " + type + "\r\n" + headers + "\r\n" + content + "\r\n";
}

const auto optional = "Content-Disposition: signal;handling=optional\r\n";
const auto required = "Content-Disposition: signal;handling=required\r\n";
const auto mixed = "multipart/mixed;boundary=b";

TEST(Body, ADescriptionBesideSomethingElse) {
  const auto isup = part("application/isup;version=x", std::string("\1\0H", 3), optional);
  for (const auto& body :
       {part("application/sdp", sdp) + isup + "--b--\r\n", isup + part("application/sdp", sdp) + "--b--",
        "for old readers\r\n" + isup + part("application/sdp;charset=utf-8", sdp) + "--b--\r\nafter all",
        part("Application/SDP", sdp, "Content-Disposition: session;handling=required\r\n") + isup + "--b--"}) {
    const auto found = read(mixed, body);
    EXPECT_EQ(found.sdp, sdp) << body;
    EXPECT_FALSE(found.refused) << body;
    EXPECT_EQ(found.ignored, "application/isup") << body;
  }
}

TEST(Body, BoundariesAsTheyAreWritten) {
  for (const auto* type : {R"(multipart/mixed; boundary="b")", "Multipart/Mixed ; charset=x; Boundary = b ;y",
                           R"(multipart/mixed;x="a;b";boundary=b)", "multipart/mixed\t;boundary=b"}) {
    EXPECT_EQ(read(type, part("application/sdp", sdp) + "--b--").sdp, sdp) << type;
  }
  EXPECT_EQ(read(R"(multipart/mixed;boundary="a\"b: c")",
                 "--a\"b: c\r\nContent-Type:application/sdp\r\n\r\nv=0\r\n--a\"b: c--")
                .sdp,
            "v=0");
  EXPECT_EQ(read(mixed, "--b \t\r\nc: application/sdp\r\n\r\nv=0\r\n\r\n--b--").sdp, sdp)
      << "blanks behind it; a compact name";
  EXPECT_EQ(read(mixed, "--b\nContent-Type: application/sdp\n\nv=0\n--bb\nx\n--b--\n").sdp, "v=0\n--bb\nx")
      << "another one";
  EXPECT_EQ(read(mixed, "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n").sdp, sdp) << "never closed";
  EXPECT_EQ(read(mixed, "--b\r\nContent-Type:\r\n application/sdp\r\n\r\nv=0\r\n--b--").sdp, "v=0")
      << "a folded header";
}

TEST(Body, PartsInParts) {
  const std::string inner = "--c\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--c--";
  EXPECT_EQ(read(mixed, part("multipart/mixed;boundary=c", inner) + "--b--").sdp, sdp);
  EXPECT_EQ(read("multipart/related;boundary=b", part("text/xml", "<x/>") + part("application/sdp", sdp) + "--b--").sdp,
            sdp);
  EXPECT_EQ(read("multipart/signed;boundary=b",
                 part("application/sdp", sdp) + part("application/pkcs7-signature", "x") + "--b--")
                .sdp,
            sdp);
  EXPECT_EQ(read("multipart/unheard-of;boundary=b", part("application/sdp", sdp) + "--b--").sdp, sdp) << "as mixed";
}

TEST(Body, OfAlternativesTheLastThatIsUnderstood) {
  const auto type = "multipart/alternative;boundary=b";
  EXPECT_EQ(read(type, part("application/sdp", "v=0 1") + part("application/sdp", "v=0 2") +
                           part("application/sdpng", "x") + "--b--")
                .sdp,
            "v=0 2");
  const auto none = read(type, part("application/sdpng", "x") + part("text/plain", "x") + "--b--");
  EXPECT_TRUE(none.refused);
  EXPECT_EQ(none.sdp, "");
}

TEST(Body, TheRootOfRelatedParts) {
  const auto body =
      part("application/sdp", "v=0 1") + part("application/sdp", "v=0 2", "Content-ID: <two>\r\n") + "--b--";
  EXPECT_EQ(read("multipart/related;boundary=b", body).sdp, "v=0 1");
  EXPECT_EQ(read("multipart/related;boundary=b;start=\"<two>\"", body).sdp, "v=0 2");
}

TEST(Body, WhatMayNotBeLeftAside) {
  EXPECT_TRUE(read("text/plain", "x").refused);
  EXPECT_TRUE(read("", "x").refused);
  EXPECT_FALSE(read("text/plain", "x", {{"Content-Disposition", "render;handling=optional"}}).refused);
  EXPECT_FALSE(read("text/plain", "x", {{"Content-Disposition", "render; Handling = \"OPTIONAL\""}}).refused);
  EXPECT_TRUE(read(mixed, part("application/sdp", sdp) + part("application/isup", "x", required) + "--b--").refused);
  EXPECT_FALSE(read(mixed, part("application/sdp", sdp) + part("application/isup", "x") + "--b--").refused)
      << "it does not say so";
  EXPECT_FALSE(read(mixed, part("application/sdp", sdp) + part("application/isup", "x", required) + "--b--",
                    {{"Content-Disposition", "session;handling=optional"}})
                   .refused);
  EXPECT_TRUE(read(mixed, part("application/isup", "x") + "--b--").refused) << "nothing of it is understood";
  EXPECT_TRUE(read(mixed, "nothing").refused);
  EXPECT_TRUE(read("multipart/mixed", part("application/sdp", sdp)).refused) << "no boundary";
}

TEST(Body, OtherDescriptionsAreNotTheSessions) {
  const auto early = part("application/sdp", "v=0 early", "Content-Disposition: early-session;handling=optional\r\n");
  EXPECT_EQ(read(mixed, early + part("application/sdp", sdp) + "--b--").sdp, sdp);
  EXPECT_EQ(read("application/sdp", sdp, {{"Content-Disposition", "early-session"}}).sdp, "");
  EXPECT_TRUE(read("application/sdp", sdp, {{"Content-Disposition", "early-session"}}).refused);
}

TEST(Body, Encodings) {
  EXPECT_EQ(read("application/sdp", sdp, {{"Content-Encoding", "Identity"}}).sdp, sdp);
  EXPECT_TRUE(read("application/sdp", sdp, {{"Content-Encoding", "gzip"}}).refused);
  EXPECT_EQ(read(mixed, part("application/sdp", "dj0w\r\nDQo=", "Content-Transfer-Encoding: base64\r\n") + "--b--").sdp,
            sdp);
  EXPECT_EQ(
      read(mixed,
           part("application/sdp", "v=3D0=\r\n=0D=0A=", "Content-Transfer-Encoding: Quoted-Printable\r\n") + "--b--")
          .sdp,
      "v=0\r\n=");
  EXPECT_EQ(read(mixed, part("application/sdp", sdp, "Content-Transfer-Encoding: 8bit\r\n") + "--b--").sdp, sdp);
  EXPECT_EQ(read(mixed, part("application/sdp", "x", "Content-Transfer-Encoding: x-unknown\r\n") + "--b--").sdp, "");
  EXPECT_EQ(read(mixed, part("application/sdp", "!", "Content-Transfer-Encoding: base64\r\n") + "--b--").sdp, "");
}

TEST(Body, HasAnEnd) {
  std::string body = "v=0";
  std::string type = "application/sdp";
  for (int depth = 0; depth < 100; ++depth) {
    const auto boundary = "b" + std::to_string(depth) + "e";
    body = "--" + boundary + "\r\nContent-Type: " + type + "\r\n\r\n" + body + "\r\n--" + boundary + "--";
    type = "multipart/mixed;boundary=" + boundary;
    EXPECT_EQ(read(type, body).sdp, depth < max_body_depth ? "v=0" : "") << depth;
  }
  std::string many;
  for (int part = 0; part < 5000; ++part) many += "--b\r\n\r\n\r\n";
  EXPECT_LT(read(mixed, many).ignored.size(), 300U);
}

TEST(Body, PartsOfAnInfo) {
  const auto message = with(mixed, part("application/dtmf-relay", "Signal=5") + part("text/plain", "x") + "--b--");
  const auto parts = parts_of(message, [](const BodyPart&) { return true; });
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_TRUE(parts[0].is("application/dtmf-relay"));
  EXPECT_EQ(parts[0].content(), "Signal=5");
}

}  // namespace
}  // namespace rw::sip
