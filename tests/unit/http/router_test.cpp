#include "http/router.h"

#include <gtest/gtest.h>

#include "http/byte_range.h"
#include "http/target.h"

namespace rw::http {
namespace {

Router sample() {
  Router router;
  const Handler nothing = [](IncomingRequest, const Responder&) {};
  router.add("GET", "/healthz", nothing);
  router.add("GET", "/{domain}/promptfile", nothing);
  router.add("POST", "/{domain}/interruptivrcommand", nothing);
  router.add("GET", "/{domain}/promptfile/{filename}", nothing);
  router.add("DELETE", "/{domain}/promptfile/{filename}", nothing);
  router.add("GET", "/fixed/promptfile/{filename}", nothing);
  return router;
}

TEST(Router, FindsARouteAndItsNames) {
  const auto router = sample();
  const auto match = router.find("DELETE", "/customer.example.com/promptfile/a%20b%2Fc%C3%A5.wav");
  ASSERT_EQ(match.status, 200);
  EXPECT_EQ(match.captures.at("domain"), "customer.example.com");
  EXPECT_EQ(match.captures.at("filename"), "a b/cå.wav");
}

TEST(Router, ThePathWithFewerNamesWins) {
  const auto router = sample();
  EXPECT_EQ(router.find("GET", "/fixed/promptfile/x").captures.count("domain"), 0U);
  EXPECT_EQ(router.find("GET", "/other/promptfile/x").captures.count("domain"), 1U);
}

TEST(Router, TellsWhichMethodsThereAre) {
  const auto match = sample().find("PUT", "/d/promptfile/x");
  EXPECT_EQ(match.status, 405);
  EXPECT_EQ(match.allow, "DELETE, GET, HEAD");
}

TEST(Router, HeadIsServedByGet) {
  const auto router = sample();
  EXPECT_EQ(router.find("HEAD", "/healthz").route, router.find("GET", "/healthz").route);
  EXPECT_EQ(router.find("HEAD", "/d/interruptivrcommand").status, 405);
}

TEST(Router, UnknownPathsAre404) {
  const auto router = sample();
  for (const auto* path :
       {"/", "", "*", "/healthz/", "/d/promptfile/", "//promptfile", "/d/promptfile/x/y", "/d/nothing"})
    EXPECT_EQ(router.find("GET", path).status, 404) << path;
}

TEST(Router, BrokenEscapesAre400) {
  const auto router = sample();
  for (const auto* name : {"%", "%4", "%zz", "%ff", "%c3", "%c0%80", "%ed%a0%80", "%f4%90%80%80"})
    EXPECT_EQ(router.find("GET", std::string("/d/promptfile/") + name).status, 400) << name;
}

TEST(Target, IsTakenApart) {
  const auto target = parse_target("/d/promptfile?next=a%2Bb+c&flag&x=1=2");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/d/promptfile");
  const std::vector<std::pair<std::string, std::string>> expected{{"next", "a+b c"}, {"flag", ""}, {"x", "1=2"}};
  EXPECT_EQ(target->query, expected);
}

TEST(Target, AbsoluteFormIsTaken) {
  EXPECT_EQ(parse_target("http://host:80/a/b?c=d")->path, "/a/b");
  EXPECT_EQ(parse_target("http://host")->path, "/");
}

TEST(Target, OtherFormsAreNot) {
  EXPECT_FALSE(parse_target(""));
  EXPECT_FALSE(parse_target("host:80"));
  EXPECT_FALSE(parse_target("/a?b=%f"));
}

TEST(ByteRange, OneRange) {
  const auto is = [](std::string_view header, std::uint64_t first, std::uint64_t length) {
    const auto request = read_range(header, 100);
    return request.satisfiable && request.range && request.range->first == first && request.range->length == length;
  };
  EXPECT_TRUE(is("bytes=0-0", 0, 1));
  EXPECT_TRUE(is("bytes=10-", 10, 90));
  EXPECT_TRUE(is("Bytes= 10-999", 10, 90));
  EXPECT_TRUE(is("bytes=-30", 70, 30));
  EXPECT_TRUE(is("bytes=-300", 0, 100));
}

TEST(ByteRange, OutsideOfTheContent) {
  EXPECT_FALSE(read_range("bytes=100-", 100).satisfiable);
  EXPECT_FALSE(read_range("bytes=0-", 0).satisfiable);
  EXPECT_FALSE(read_range("bytes=-0", 100).satisfiable);
}

TEST(ByteRange, WhatIsNotUnderstoodMeansTheWhole) {
  for (const auto* header : {"", "bytes", "bytes=", "bytes=-", "lines=1-2", "bytes=5-4", "bytes=1-2,4-5", "bytes=a-b",
                             "bytes=1-2x", "bytes=99999999999999999999-"}) {
    const auto request = read_range(header, 100);
    EXPECT_TRUE(request.satisfiable && !request.range) << header;
  }
}

}  // namespace
}  // namespace rw::http
