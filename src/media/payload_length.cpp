#include "media/payload_length.h"

#include "media/codec.h"
#include "media/wideband_codec.h"

namespace rw::media {

std::size_t payload_ms(rtp::Codec codec, std::span<const std::uint8_t> payload) {
  if (codec == rtp::Codec::opus) return opus_payload_ms(payload);
  return payload.size() * frame_ms / rtp::facts(codec).frame_bytes;
}

}  // namespace rw::media
