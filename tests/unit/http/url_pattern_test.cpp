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

}  // namespace
}  // namespace rw::http
