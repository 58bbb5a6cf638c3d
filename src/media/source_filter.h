#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "media/engine.h"
#include "net/address.h"
#include "net/target_policy.h"
#include "rtp/packet.h"

namespace rw::media {

/// Decides from where RTP is accepted. Valid RTP from the signalled address always is, and once it has come nobody else
/// is heard until an offer/answer names another address (RFC 3264 5.1, 8.3.1). Before, another source may be latched
/// within `latch_window` of the answer, or of the address's change: when `packets_to_latch` packets in sequence of one
/// SSRC have come from it. It stays until the signalled address speaks, or changes. What such a change has superseded
/// is not latched again. No I/O.
class SourceFilter {
 public:
  static constexpr std::chrono::seconds latch_window{5};
  static constexpr int packets_to_latch = 4;

  /// `targets`: which sources may be latched, as something is going to be sent there; null: any.
  explicit SourceFilter(Latch latch, const net::TargetPolicy* targets = nullptr) : latch_(latch), targets_(targets) {}

  /// An offer/answer exchange named `signalled`. The same address as before leaves everything as it is; so does one
  /// where nobody listens (0.0.0.0, the hold of RFC 2543). Another one forgets the source.
  void configure(const net::Address& signalled, TimePoint now);
  /// The leg was answered: another source may be latched from now on. Only the first time counts.
  void answered(TimePoint now);

  /// Whether `packet`, which is valid, is accepted from `from`. `negotiated`: its payload type is; what is not latches
  /// nothing. May change the source.
  bool accept(const net::Address& from, const rtp::Packet& packet, bool negotiated, TimePoint now);
  /// Whether the leg's other side is there: the signalled address, or the latched source.
  bool is_party(const net::Address& from) const { return from == signalled_ || (latched_ && from == *latched_); }
  /// RTCP comes from the same host as RTP; its port tells nothing.
  bool accept_rtcp(const net::Address& from) const {
    return from.same_host(signalled_) || (latched_ && from.same_host(*latched_));
  }

  /// Where to send: the latched source (RFC 4961), else the signalled address.
  const net::Address& remote() const { return latched_ ? *latched_ : signalled_; }
  bool is_latched() const { return latched_.has_value(); }

 private:
  /// Somebody who wants to be latched.
  struct Claim {
    net::Address from;
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;  ///< of the last packet
    int packets = 0;             ///< in sequence
  };
  using Claims = std::array<Claim, 4>;
  /// What was in force before a change of the address.
  struct Superseded {
    net::Address signalled, source;
  };
  static constexpr std::size_t most_superseded = 4;

  bool may_latch(const net::Address& from, TimePoint now) const;
  int fitness(const net::Address& from) const;
  bool has_proven(const net::Address& from, const rtp::Packet& packet);
  Claim& claim_of(const net::Address& from);

  const Latch latch_;
  const net::TargetPolicy* const targets_;
  bool answered_ = false;
  bool signalled_spoke_ = false;
  net::Address signalled_;
  net::Address former_;  ///< where was sent before the signalled address changed
  std::optional<net::Address> latched_;
  TimePoint latch_until_;               ///< once it is answered
  std::unique_ptr<Claims> claims_;      ///< while there are any
  std::vector<Superseded> superseded_;  ///< the latest last
};

}  // namespace rw::media
