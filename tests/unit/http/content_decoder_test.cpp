#include "http/content_decoder.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <string>

namespace rw::http {
namespace {

/// `window`: as deflateInit2() takes it: + 16 for gzip.
std::string compressed(std::string text, int window) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Given and taken in pieces of these sizes.
Result<std::string> decoded(std::string_view encoding, std::string_view bytes, std::size_t in, std::size_t out) {
  auto decoder = ContentDecoder::make(encoding);
  if (!decoder) return tl::unexpected(decoder.error());
  std::string all, room(out, '\0');
  for (;;) {
    const auto done = decoder->decode(bytes.substr(0, in), room);
    if (!done) return tl::unexpected(done.error());
    bytes.remove_prefix(done->taken);
    all.append(room, 0, done->put);
    if (done->put == 0 && done->taken == 0) return all;
  }
}

TEST(ContentDecoder, UndoesWhatWasDoneInPiecesOfAnySize) {
  std::string text;
  for (int at = 0; at < 20'000; ++at) text += std::to_string(at);
  for (const std::size_t size : {1U, 7U, 4096U, 1'000'000U}) {
    EXPECT_EQ(decoded("gzip", compressed(text, MAX_WBITS + 16), size, 4096).value(), text);
    EXPECT_EQ(decoded("Deflate", compressed(text, MAX_WBITS), size, 333).value(), text);
    EXPECT_EQ(decoded("", text, size, size).value(), text);
    EXPECT_EQ(decoded("identity", text, size, 100).value(), text);
  }
}

TEST(ContentDecoder, PutsNoMoreThanThereIsRoomFor) {
  const auto bomb = compressed(std::string(50'000'000, '\0'), MAX_WBITS + 16);
  auto decoder = ContentDecoder::make("gzip").value();
  std::array<char, 1000> room;
  EXPECT_EQ(decoder.decode(bomb, room)->put, room.size());
}

TEST(ContentDecoder, SaysWhatItCantDecode) {
  EXPECT_EQ(ContentDecoder::make("br").error().message, "its Content-Encoding is neither gzip nor deflate");
  EXPECT_EQ(decoded("gzip", "this is no gzip", 100, 100).error().message, "its Content-Encoding is broken");
}

TEST(ContentDecoder, WhatStandsBehindTheEndIsIgnored) {
  EXPECT_EQ(decoded("gzip", compressed("all", MAX_WBITS + 16) + std::string(5000, '\0'), 100, 100).value(), "all");
}

}  // namespace
}  // namespace rw::http
