// What a jitter buffer makes of a line that loses, doubles, reorders, delays and bunches packets.

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "rtp/jitter_buffer.h"
#include "rtp/wire.h"
#include "support/bad_line.h"

namespace rw::rtp {
namespace {

constexpr std::uint16_t sent = 2000;

class JitterBufferOnABadLine : public testing::TestWithParam<rw::test::NamedWeather> {
 protected:
  /// The numbers of the frames that are taken, one in each step.
  void run(std::uint32_t seed) {
    rw::test::BadLine<std::uint16_t> line(seed, GetParam().weather);
    JitterBuffer buffer;
    for (std::uint16_t number = 0; number < sent; ++number) {
      for (const std::uint16_t arrived : line.step(number)) put(buffer, arrived);
      take(buffer);
    }
    for (int i = 0; i < 30; ++i) {
      for (const std::uint16_t arrived : line.step()) put(buffer, arrived);
      take(buffer);
    }
    lost_ = line.lost();
  }
  static void put(JitterBuffer& buffer, std::uint16_t number) {
    std::array<std::uint8_t, 160> frame{};
    write16(frame.data(), number);
    buffer.put(static_cast<std::uint16_t>(number + first), frame);
  }
  void take(JitterBuffer& buffer) {
    const auto taken = buffer.take();
    if (taken.state == JitterBuffer::State::frame) taken_.push_back(read16(taken.payload.data()));
  }

  static constexpr std::uint16_t first = 65'000;  ///< so that the numbers wrap around
  std::vector<std::uint16_t> taken_;
  std::size_t lost_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Weather, JitterBufferOnABadLine, testing::ValuesIn(rw::test::weathers),
                         [](const auto& one) { return one.param.name; });

TEST_P(JitterBufferOnABadLine, NothingIsHeardTwiceOrInTheWrongOrder) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U}) {
    taken_.clear();
    run(seed);
    for (std::size_t i = 1; i < taken_.size(); ++i) ASSERT_LT(taken_[i - 1], taken_[i]) << "seed " << seed;
  }
}

TEST_P(JitterBufferOnABadLine, WhatComesInTimeIsHeard) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U}) {
    taken_.clear();
    run(seed);
    // What is 8 to 20 packets late can't be waited for; while the buffer learns, a few more come too late.
    const auto too_late = static_cast<std::size_t>(GetParam().weather.late * sent);
    EXPECT_GT(taken_.size() + too_late * 3 / 2, (sent - lost_) * 95 / 100) << "seed " << seed;
  }
}

}  // namespace
}  // namespace rw::rtp
