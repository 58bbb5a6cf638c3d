#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>

#include "base/ascii.h"
#include "base/base64url.h"
#include "base/ids.h"
#include "base/json_fields.h"
#include "base/mailbox.h"
#include "base/reply_token.h"
#include "base/timers.h"

namespace rw {
namespace {

TEST(Ascii, OnlyLettersFromAToZHaveACase) {
  EXPECT_EQ(lower_case("AbZ[@`{9-\xc3\x84"), "abz[@`{9-\xc3\x84");
  EXPECT_EQ(upper_case("aBz[@`{9-\xc3\xa4"), "ABZ[@`{9-\xc3\xa4");
  EXPECT_TRUE(same_letters("Call-ID", "cALL-id"));
  EXPECT_FALSE(same_letters("Call-ID", "Call-IDs"));
  EXPECT_FALSE(same_letters("@", "`"));
  EXPECT_FALSE(same_letters("\xc3\x84", "\xc3\xa4"));
  EXPECT_TRUE(same_letters("", ""));
  EXPECT_TRUE(begins_with_letters("Bearer x", "bearer "));
  EXPECT_FALSE(begins_with_letters("Bear", "bearer"));
}

TEST(IdSource, MakesDifferentVersion4Uuids) {
  IdSource ids;
  std::set<std::string> seen;
  for (int at = 0; at < 1000; ++at) {
    const auto id = ids.uuid();
    EXPECT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(id).second);
  }
  EXPECT_EQ(ids.token(20).size(), 20U);
}

TEST(ReplyTokens, ComeBackAsTheyWent) {
  const ReplyTokens tokens("secret");
  const ReplySubject subject{"demo.example", "node-1", "s", "p", "", "c"};
  const auto token = tokens.issue(subject);
  const auto read = tokens.verify(token);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->domain, "demo.example");
  EXPECT_EQ(read->session, "s");
  EXPECT_EQ(read->connection, "");
  EXPECT_EQ(read->command, "c");
}

TEST(ReplyTokens, AreRefusedWhenAnythingIsChanged) {
  const ReplyTokens tokens("secret");
  const auto token = tokens.issue({"demo.example", "node-1", "s", "p", "", ""});
  for (std::size_t at = 0; at < token.size(); ++at) {
    auto changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.verify(changed)) << at;
  }
  EXPECT_FALSE(ReplyTokens("other").verify(token));
  for (const auto* garbage : {"", ".", "..", "a.b.c"}) EXPECT_FALSE(tokens.verify(garbage));
  EXPECT_FALSE(tokens.verify(std::string(3000, 'a')));
}

TEST(Base64Url, IsItsOwnInverse) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "\xff\xfe\xfd"})
    EXPECT_EQ(from_base64url(base64url(text)), text);
  EXPECT_EQ(base64url("\xfb\xff"), "-_8");
  EXPECT_FALSE(from_base64url("a+b"));
}

TEST(JsonFields, AreLenientButNotSilent) {
  const auto object = boost::json::parse(R"({"n":"2.5","t":42,"f":"true","z":null,"bad":[]})").as_object();
  JsonFields fields(object, "dtmf");
  EXPECT_EQ(fields.number("n", 0, 10), 2.5);
  EXPECT_EQ(fields.text("t"), "42");
  EXPECT_EQ(fields.flag("f"), true);
  EXPECT_FALSE(fields.text("z"));
  EXPECT_FALSE(fields.error());
  EXPECT_FALSE(fields.text("bad"));
  ASSERT_TRUE(fields.error());
  EXPECT_EQ(fields.error()->message, "dtmf.bad: expected a string");
}

TEST(JsonFields, CheckRanges) {
  const auto object = boost::json::parse(R"({"n":11,"m":"x","c":"red"})").as_object();
  for (const auto* name : {"n", "m"}) {
    JsonFields fields(object);
    EXPECT_FALSE(fields.number(name, 0, 10));
    EXPECT_TRUE(fields.error());
  }
  JsonFields fields(object);
  EXPECT_FALSE(fields.choice("c", {"blue"}));
  EXPECT_EQ(fields.error()->message, "c: expected \"blue\"");
}

TEST(Mailbox, IsBoundedAndSaysWhenToWake) {
  Mailbox<int> box(2);
  EXPECT_EQ(box.post(1), Mailbox<int>::Posted::first);
  EXPECT_EQ(box.post(2), Mailbox<int>::Posted::behind);
  EXPECT_EQ(box.post(3), Mailbox<int>::Posted::full);
  std::vector<int> all;
  box.drain(all);
  EXPECT_EQ(all, (std::vector{1, 2}));
}

TEST(Timers, FireInOrderAndCanBeDropped) {
  Timers timers;
  const TimePoint start{};
  std::string log;
  auto second = timers.start(start + std::chrono::seconds(2), [&] { log += "2"; });
  auto first = timers.start(start + std::chrono::seconds(1), [&] { log += "1"; });
  {
    const auto dropped = timers.start(start + std::chrono::seconds(1), [&] { log += "x"; });
  }
  EXPECT_EQ(timers.next(), start + std::chrono::seconds(1));
  timers.advance(start + std::chrono::seconds(3));
  EXPECT_EQ(log, "12");
  EXPECT_EQ(timers.size(), 0U);
}

}  // namespace
}  // namespace rw
