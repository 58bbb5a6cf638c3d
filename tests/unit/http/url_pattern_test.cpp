#include "http/url_pattern.h"

#include <gtest/gtest.h>

namespace rw::http {
namespace {

TEST(UrlPattern, MatchesByHostPortAndPrefix) {
  const char* const table[][3] = {
      {"http://127.0.0.1:*", "http://127.0.0.1:9000", "http://127.0.0.1:9000"},
      {"http://127.0.0.1:*", "http://127.0.0.1/", "http://127.0.0.1"},
      {"https://app.example", "https://APP.example:443/calls/", "https://app.example:443/calls"},
      {"https://app.example:8443/in", "https://app.example:8443/in/side", "https://app.example:8443/in/side"},
      {"https://app.example:8443/in/", "https://app.example:8443/in", "https://app.example:8443/in"},
      {"https://app.example:*/in", "https://app.example:1/out/../in/a", "https://app.example:1/in/a"},
      {"http://[::1]:*", "http://[::1]:80", "http://[::1]:80"}};
  for (const auto& [pattern, url, expected] : table) EXPECT_EQ(matching_url(pattern, url), expected) << url;
}

TEST(UrlPattern, TheNormalFormIsOne) {
  EXPECT_EQ(matching_url("http://a:*/", "http://a//"), "http://a");
  EXPECT_EQ(matching_url("http://a:*", "http://a///b//"), "http://a///b");
  EXPECT_EQ(matching_url("http://a:*/in", "http://a/in/b/../"), "http://a/in");
}

TEST(UrlPattern, RefusesWhatOnlyLooksAlike) {
  const char* const table[][2] = {{"http://app.example", "https://app.example"},
                                  {"http://app.example", "http://app.example:8080"},
                                  {"http://app.example:*", "http://app.example.evil.example"},
                                  {"http://app.example:*", "http://app.example@evil.example"},
                                  {"http://app.example:*", "http://evil.example@app.example"},
                                  {"http://app.example:*", "http://evil.example#app.example"},
                                  {"http://app.example:*", "http://evil.example/app.example"},
                                  {"http://app.example:*", "http://evil.example\\app.example"},
                                  {"http://app.example:*",
                                   "http://app.example:"
                                   "99999"},
                                  {"http://app.example:*", "http://app.example/?x=1"},
                                  {"http://app.example:*", "//app.example"},
                                  {"http://app.example:*", "app.example"},
                                  {"http://app.example:*", ""},
                                  {"http://app.example:*", "http://app.example/\r\nX: y"},
                                  {"http://app.example:*", "ftp://app.example"},
                                  {"http://app.example/in", "http://app.example/inside"},
                                  {"http://app.example/in", "http://app.example/in/../out"},
                                  {"http://app.example/in", "http://app.example/in/%2e%2e/out"},
                                  {"http://app.example/in", "http://app.example"},
                                  {"nonsense", "nonsense"}};
  for (const auto& [pattern, url] : table) EXPECT_FALSE(matching_url(pattern, url)) << url;
  EXPECT_FALSE(matching_url("http://a:*", "http://a/" + std::string(longest_base_url, 'x')));
}

TEST(UsableUrl, IsOneThatRequestsCanBeSentTo) {
  for (const auto* url :
       {"http://a", "https://user:pass@a.example:65535/b/?c=d", "http://[::1]:80/", "http://1.2.3.4/%20"})
    EXPECT_TRUE(is_usable_url(url)) << url;
  for (const auto* url :
       {"", "a", "ftp://a", "http://", "http:///a", "http://:80", "http://a:0", "http://a:65536", "http://a:99999",
        "http://a:x", "http://a b", "http://a/b c", "http://a#b", "http://a/%zz", "http://\xc3\xa9"})
    EXPECT_FALSE(is_usable_url(url)) << url;
  EXPECT_FALSE(is_usable_url("http://a/" + std::string(longest_base_url, 'x')));
}

TEST(UsableUrl, ThePathGoesBeforeTheQuery) {
  EXPECT_EQ(with_path("http://a", "/newCall"), "http://a/newCall");
  EXPECT_EQ(with_path("http://a//", "/newCall"), "http://a/newCall");
  EXPECT_EQ(with_path("http://a/api?code=K/?", "/newCall"), "http://a/api/newCall?code=K/?");
  EXPECT_EQ(with_path("http://a/?code=K", ""), "http://a?code=K");
}

TEST(UrlPattern, IsOneThatAnythingMatches) {
  for (const auto* pattern : {"http://a", "https://a.example:*/in", "http://[::1]:*", "http://a:8080/"})
    EXPECT_TRUE(is_url_pattern(pattern)) << pattern;
  for (const auto* pattern : {"a", "http://", "http://a:99999", "http://a#b", "http://a?b", "http://u@a", "http://*"})
    EXPECT_EQ(is_url_pattern(pattern), pattern == std::string_view("http://*")) << pattern;
}

}  // namespace
}  // namespace rw::http
