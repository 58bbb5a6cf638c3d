#include "ops/mask.h"

#include <gtest/gtest.h>

namespace rw::ops {
namespace {

TEST(MaskPersonal, LeavesTheLastTwoOfALongNumber) {
  EXPECT_EQ(mask_personal("+46701234567"), "***67");
  EXPECT_EQ(mask_personal("12345"), "***");
  EXPECT_EQ(mask_personal("alice"), "***");
  EXPECT_EQ(mask_personal(""), "");
}

TEST(MaskPersonal, KeepsTheHostOfAnAddress) {
  EXPECT_EQ(mask_personal("sip:+46701234567@carrier.example:5060;transport=tcp"), "***67@carrier.example:5060");
  EXPECT_EQ(mask_personal("\"Alice Smith\" <sip:alice.smith@home.example>"), "***th@home.example");
  EXPECT_EQ(mask_personal("tel:+46701234567"), "***67");
}

TEST(MaskText, MasksNumbersAndUsers) {
  EXPECT_EQ(mask_text("Invalid sip address: sip:+46701234567@x.example"), "Invalid sip address: sip:***67@x.example");
  EXPECT_EQ(mask_text("sip:alice@home.example;user=phone is busy"), "sip:***@home.example;user=phone is busy");
  EXPECT_EQ(mask_text("<sips:bob:secret@h> and tel:+46-70-123"), "<sips:***et@h> and tel:***23");
  EXPECT_EQ(mask_text("mail bob@example.com"), "mail ***@example.com");
  EXPECT_EQ(mask_text("\"number\":\"4670123456\""), "\"number\":\"***56\"");
  EXPECT_EQ(mask_text("+4670123456"), "+***56");
  EXPECT_EQ(mask_text("SIP:CARL@HOME"), "SIP:***@HOME");
}

TEST(MaskText, LeavesWhatIsNoPersonsData) {
  for (const auto* text : {"status 503", "http://127.0.0.1:50600/newCall: timed out", "sip:carrier.example refuses",
                           "the answer is larger than 50 MB", "8b6f0c1e-7a1d-4b7e-9d6c-2f00aa11bb22",
                           "expected a sip:, sips: or tel: URI", "a tel:", ""})
    EXPECT_EQ(mask_text(text), text);
}

TEST(WithoutSecrets, TakesOutWhatAUrlHides) {
  EXPECT_EQ(without_secrets("https://u:pw@host/a/b?token=s3cret#x: timed out"), "https://host/a/b: timed out");
  EXPECT_EQ(without_secrets(R"({"url":"http://h/p?X-Amz-Signature=abc","status":0})"),
            R"({"url":"http://h/p","status":0})");
  EXPECT_EQ(without_secrets("http://host:8080/newCall failed"), "http://host:8080/newCall failed");
}

TEST(WithoutSecrets, TakesOutTokens) {
  EXPECT_EQ(without_secrets("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1 refused"), "Bearer *** refused");
  EXPECT_EQ(without_secrets("keyJack"), "keyJack");
}

}  // namespace
}  // namespace rw::ops
