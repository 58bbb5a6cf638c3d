#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "media/codec.h"

namespace rw::media {

/// G.722 at 64 kbit/s, whose audio may be taken and given at 8000 or 16000 Hz.
std::unique_ptr<Encoder> make_g722_encoder(std::uint32_t rate);
std::unique_ptr<Decoder> make_g722_decoder(std::uint32_t rate);
/// Opus for speech (RFC 6716, RFC 7587), mono, at 8000 or 16000 Hz.
std::unique_ptr<Encoder> make_opus_encoder(std::uint32_t rate);
std::unique_ptr<Decoder> make_opus_decoder(std::uint32_t rate);
/// How many milliseconds an opus packet lasts; 0 if it is none.
std::size_t opus_payload_ms(std::span<const std::uint8_t> payload);

}  // namespace rw::media
