#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "rtp/codec.h"
#include "sdp/audio_stream.h"
#include "sdp/problem.h"

/// Offer and answer for a device that does its own RTP and no SIP: what it says of its stream becomes a description,
/// and the other side's description becomes what the device has to know. No media of ours.
namespace rw::sdp {

/// a=crypto (RFC 4568), handed on untouched.
struct Crypto {
  std::uint32_t id = 0;  ///< the tag: at most nine digits
  std::string suite;
  std::string config;  ///< whatever follows the suite: key parameters, "inline:" included, and session parameters

  bool operator==(const Crypto&) const = default;
  /// What stands behind "a=crypto:"; nothing if it can't be read.
  static std::optional<Crypto> parse(std::string_view value);
  std::string to_string() const;
};

/// Bounds of what a device may name.
inline constexpr std::uint32_t max_crypto_id = 999'999'999;
inline constexpr std::size_t max_cryptos = 32;
inline constexpr std::size_t max_suite_bytes = 64;
inline constexpr std::size_t max_crypto_bytes = 1024;

/// What a device receives.
struct DeviceAudio {
  rtp::Codec codec = rtp::Codec::pcma;
  net::Address receive;
  std::optional<std::uint8_t> telephone_event;  ///< payload type
  std::vector<Crypto> crypto;                   ///< empty: no SRTP
};

/// What the other side receives.
struct RemoteAudio {
  rtp::Codec codec = rtp::Codec::pcma;  ///< of several, the one it likes best
  net::Address receive;
  std::optional<std::uint8_t> telephone_event;
  std::vector<Crypto> crypto;  ///< in an offer all, in an answer the chosen one
  bool held = false;           ///< it wants to hear nothing (RFC 3264 8.4)
  bool operator==(const RemoteAudio&) const = default;
};

/// The device's side of a leg's offer/answer exchanges. Payload types are the static ones of RFC 3551: a device can't
/// be told of others.
class DeviceNegotiator {
 public:
  DeviceNegotiator(DeviceAudio audio, std::uint64_t session_id) : audio_(std::move(audio)), publisher_(session_id) {}

  const DeviceAudio& audio() const { return audio_; }
  std::string offer();
  struct Answer {
    std::string sdp;
    RemoteAudio remote;
  };
  /// The answer to an offer. The error says what doesn't fit; it begins with the field of the API ("codec: …") where
  /// the device has named what wasn't offered. Changes nothing then.
  Outcome<Answer> answer(std::string_view offer);
  /// The answer to offer().
  Outcome<RemoteAudio> accept(std::string_view answer) const;

  /// What an offer is about, before a device has said anything: its first stream that a device can take.
  static Outcome<RemoteAudio> read_offer(std::string_view offer);

 private:
  std::string publish(Session session);
  Media describe(std::string protocol, const std::vector<Crypto>& crypto, bool telephone_event,
                 Direction direction) const;

  DeviceAudio audio_;
  bool feedback_ = false;  ///< the profile of the other side's last offer has it, and so ours do (RFC 4585, RFC 5124)
  Publisher publisher_;
};

}  // namespace rw::sdp
