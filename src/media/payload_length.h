#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "rtp/codec.h"

namespace rw::media {

/// How many milliseconds of audio the payload is; 0 if it is none of its codec.
std::size_t payload_ms(rtp::Codec codec, std::span<const std::uint8_t> payload);

}  // namespace rw::media
