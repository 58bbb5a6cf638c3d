#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rw::rtp {

/// The audio codecs that the server speaks, in no order of preference.
enum class Codec : std::uint8_t { pcma, pcmu, gsm, g722, opus };

struct CodecFacts {
  Codec codec;
  std::string_view name;      ///< encoding name in SDP and in the API, e.g. "PCMA"
  std::uint8_t payload_type;  ///< static payload type (RFC 3551), or the one we offer for a dynamic one
  bool is_static;
  std::uint32_t rtp_clock;    ///< Hz of the RTP timestamp (G722 says 8000, RFC 3551 4.5.2)
  std::uint32_t sample_rate;  ///< Hz of the audio itself
  int channels;               ///< as written in rtpmap (opus: 2)
  std::uint16_t frame_bytes;  ///< payload bytes of 20 ms, 0 if it varies
};

inline constexpr std::array<CodecFacts, 5> codecs{{
    {Codec::pcma, "PCMA", 8, true, 8000, 8000, 1, 160},
    {Codec::pcmu, "PCMU", 0, true, 8000, 8000, 1, 160},
    {Codec::gsm, "GSM", 3, true, 8000, 8000, 1, 33},
    {Codec::g722, "G722", 9, true, 8000, 16000, 1, 160},
    {Codec::opus, "opus", 96, false, 48000, 48000, 2, 0},
}};

constexpr const CodecFacts& facts(Codec codec) {
  return codecs[static_cast<std::size_t>(codec)];
}

/// By encoding name, without regard to case.
std::optional<Codec> codec_named(std::string_view name);

}  // namespace rw::rtp
