#pragma once

#include <chrono>
#include <optional>

#include "base/time.h"
#include "media/engine.h"
#include "net/address.h"

namespace rw::media {

/// Decides from where RTP is accepted: from the signalled address; or, when nothing has come from there yet, from the
/// first source of valid RTP within `latch_window` of the answer. Then the source is fixed until the next offer/answer.
/// No I/O.
class SourceFilter {
 public:
  static constexpr std::chrono::seconds latch_window{5};

  explicit SourceFilter(Latch latch) : latch_(latch) {}

  /// An offer/answer exchange named `signalled`: forgets the source.
  void configure(const net::Address& signalled, TimePoint now);
  /// The leg was answered: another source may be latched from now on.
  void answered(TimePoint now);

  /// Whether RTP, valid and of a negotiated payload type, is accepted from `from`. May fix the source.
  bool accept(const net::Address& from, TimePoint now);
  /// RTCP comes from the same host as RTP; its port tells nothing.
  bool accept_rtcp(const net::Address& from) const { return from.same_host(remote()); }

  /// Where to send: the source once it is fixed (RFC 4961), the signalled address before.
  const net::Address& remote() const { return source_ ? *source_ : signalled_; }
  bool is_latched() const { return source_ && !(*source_ == signalled_); }

 private:
  const Latch latch_;
  net::Address signalled_;
  std::optional<net::Address> source_;
  std::optional<TimePoint> latch_until_;
};

}  // namespace rw::media
