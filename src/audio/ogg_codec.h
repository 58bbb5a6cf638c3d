#pragma once

#include <ogg/ogg.h>

#include <memory>
#include <string_view>

#include "audio/file_format.h"
#include "base/result.h"

namespace rw::audio {

/// What an Ogg stream carries, packet by packet.
class OggCodec {
 public:
  virtual ~OggCodec() = default;

  /// Where a packet lies: facts of the page that it ends on (RFC 3533 6).
  struct Page {
    std::int64_t granule = -1;  ///< -1: it says none
    bool last = false;          ///< of the stream
    bool begins = false;        ///< this is the first packet that ends on it
  };
  /// The error says why it can't be played. A packet that is broken is passed over.
  virtual Result<void> packet(ogg_packet& packet, const Page& page, Decoded& out) = 0;
  /// Packets that tell about the stream have been read; audio comes now.
  virtual bool begun() const = 0;
};

/// The codec of a stream whose first packet this is: Opus (RFC 7845), Vorbis or FLAC (RFC 9639 10.1). Null: another
/// one's.
std::unique_ptr<OggCodec> make_ogg_codec(std::string_view first_packet);

std::unique_ptr<OggCodec> make_opus_codec();
std::unique_ptr<OggCodec> make_vorbis_codec();
std::unique_ptr<OggCodec> make_ogg_flac_codec();

}  // namespace rw::audio
