#include "http/request_body.h"

#include <gtest/gtest.h>

#include <boost/beast/http/verb.hpp>
#include <string>
#include <vector>

namespace rw::http {
namespace {

struct Got {
  std::string body, rest;
  bool at_end = false;
  std::string problem;
  bool operator==(const Got&) const = default;
};

/// Reads a chunked body that comes in parts of `part` octets and is taken away `most` at a time.
Got read(std::string_view octets, std::size_t part, std::size_t most = 1000) {
  BodyReader reader(BodyFraming{.chunked = true});
  Got got;
  std::string waiting;
  while (!reader.at_end() && reader.problem().empty()) {
    std::string piece;
    waiting.erase(0, reader.read(waiting, piece, most));
    got.body += piece;
    if (!waiting.empty() && !piece.empty()) continue;
    if (octets.empty() || reader.at_end() || !reader.problem().empty()) break;
    waiting += octets.substr(0, part);
    octets.remove_prefix(std::min(part, octets.size()));
  }
  got.at_end = reader.at_end();
  got.problem = reader.problem();
  got.rest = waiting + std::string(octets);
  return got;
}

/// The same, wherever it is cut.
Got read_in_all_parts(std::string_view octets) {
  const auto whole = read(octets, octets.size());
  for (std::size_t part = 1; part <= octets.size(); ++part) {
    const auto got = read(octets, part, part % 5 + 1);
    EXPECT_EQ(got.body, whole.body) << part;
    EXPECT_EQ(got.at_end, whole.at_end) << part;
    EXPECT_EQ(got.problem, whole.problem) << part;
    if (whole.at_end) {
      EXPECT_EQ(got.rest, whole.rest) << part;
    }
  }
  return whole;
}

TEST(BodyReader, ReadsChunksWhereverTheyAreCut) {
  const auto got =
      read_in_all_parts("3\r\nabc\r\n00a;x=\"y;\"\r\n0123456789\r\n1 ;z\r\n\r\r\n000 \t;end\r\nA: b\r\nC:\r\n\r\nGET");
  EXPECT_EQ(got.body, "abc0123456789\r");
  EXPECT_TRUE(got.at_end);
  EXPECT_EQ(got.rest, "GET");
  EXPECT_EQ(read_in_all_parts("0\r\n\r\n").body, "");
}

TEST(BodyReader, WaitsForTheEndOfChunks) {
  for (const std::string_view text : {"", "1", "1;", "1\r", "1\r\n", "1\r\na", "1\r\na\r", "1\r\na\r\n", "0\r\n",
                                      "0\r\n\r", "0\r\na", "0\r\na:\r\n"}) {
    const auto got = read_in_all_parts(text);
    EXPECT_FALSE(got.at_end) << text;
    EXPECT_EQ(got.problem, "") << text;
  }
}

TEST(BodyReader, TakesNothingForChunksThatIsNotWrittenAsThem) {
  for (const std::string text : {"\r\n",
                                 "x\r\n",
                                 "-1\r\n",
                                 "+1\r\n",
                                 " 1\r\n",
                                 "0x1\r\n",
                                 ";a\r\n",
                                 "1@\r\na\r\n",
                                 "1 \r\na\r\n",
                                 "1 1\r\n",
                                 "1\na\n",
                                 "1\r\ra",
                                 "1;a\nb",
                                 "1;\x01\r\n",
                                 "1;\r\ra",
                                 "1\r\nab\r\n",
                                 "1\r\na\n",
                                 "1\r\na\rb",
                                 "10000000000000000\r\n",
                                 "0\r\nabc\r\n0@\r\n\r\n",
                                 "0@\r\n\r\n",
                                 "0\r\n a: b\r\n\r\n",
                                 "0\r\na : b\r\n\r\n",
                                 "0\r\n: b\r\n\r\n",
                                 "0\r\na: b\r\n c\r\n\r\n",
                                 "0\r\na: b\n\n",
                                 "0\r\na: \x7f\r\n\r\n",
                                 "0\r\na: b\rc",
                                 "0\r\n\n",
                                 "0\r\n\r\r"}) {
    const auto got = read_in_all_parts(text);
    EXPECT_FALSE(got.at_end) << text;
    EXPECT_NE(got.problem, "") << text;
  }
  EXPECT_EQ(read_in_all_parts("ffffffffffffffff\r\na").problem, "");
}

TEST(BodyReader, SkipsNoMoreThan16KB) {
  const std::string much(BodyReader::most_skipped - 1, 'x'), too_much(BodyReader::most_skipped, 'x');
  EXPECT_TRUE(read("0;" + much + "\r\n\r\n", 1000).at_end);
  EXPECT_NE(read("0;" + too_much, 1000).problem, "");
  EXPECT_NE(read("0\r\na:" + too_much, 1000).problem, "");
  EXPECT_NE(read(std::string(BodyReader::most_skipped + 2, '0'), 1000).problem, "");
  std::string chunks;
  for (int i = 0; i < 200; ++i) chunks += "1;" + std::string(100, 'x') + "\r\na\r\n";
  EXPECT_NE(read(chunks, 1000).problem, "") << "of all chunks together";
}

TEST(BodyReader, ReadsAsMuchAsTheLengthSays) {
  BodyReader reader(BodyFraming{.has_length = true, .length = 5});
  std::string into;
  EXPECT_EQ(reader.read("abc", into, 2), 2U);
  EXPECT_EQ(into, "ab");
  EXPECT_EQ(reader.read("c", into, 100), 1U);
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.read("defg", into, 100), 2U);
  EXPECT_EQ(into, "abcde");
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(BodyReader().at_end());
  EXPECT_TRUE(BodyReader(BodyFraming{.has_length = true}).at_end());
}

int status_of(const std::vector<std::string>& codings, unsigned version = 11, bool with_length = false) {
  namespace beast = boost::beast::http;
  beast::request_header<beast::fields> head;
  head.version(version);
  for (const auto& coding : codings) head.insert(beast::field::transfer_encoding, coding);
  if (with_length) head.insert(beast::field::content_length, "3");
  const auto framing = body_framing(head, with_length, with_length ? 3 : 0);
  if (!framing) return framing.error().status;
  EXPECT_EQ(framing->chunked, !codings.empty());
  EXPECT_EQ(framing->length, with_length ? 3U : 0U);
  return 200;
}

TEST(BodyFraming, OnlyChunksOrALengthSayWhereABodyEnds) {
  EXPECT_EQ(status_of({}), 200);
  EXPECT_EQ(status_of({}, 11, true), 200);
  EXPECT_EQ(status_of({}, 10, true), 200);
  EXPECT_EQ(status_of({"chunked"}), 200);
  EXPECT_EQ(status_of({" Chunked\t"}), 200);
  EXPECT_EQ(status_of({",chunked, "}), 200);
  EXPECT_EQ(status_of({"", "chunked"}), 200);
  for (const auto* coding : {"", ",", "gzip", "identity", "xchunked", "\"chunked\"", "chunked;q=1", "chunked gzip",
                             "chunked, gzip", "chunked, chunked", "chunked, gzip, chunked",
                             "\x0b"
                             "chunked"})
    EXPECT_EQ(status_of({coding}), 400) << coding;
  EXPECT_EQ(status_of({"chunked", "gzip"}), 400);
  EXPECT_EQ(status_of({"chunked", "chunked"}), 400);
  EXPECT_EQ(status_of({"gzip, chunked"}), 501);
  EXPECT_EQ(status_of({"identity", "chunked"}), 501);
  EXPECT_EQ(status_of({"chunked"}, 10), 400);
  EXPECT_EQ(status_of({"chunked"}, 11, true), 400);
  EXPECT_EQ(status_of({"gzip"}, 11, true), 400);
}

}  // namespace
}  // namespace rw::http
