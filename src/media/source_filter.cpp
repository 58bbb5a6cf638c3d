#include "media/source_filter.h"

#include <algorithm>
#include <utility>

namespace rw::media {

void SourceFilter::configure(const net::Address& signalled, TimePoint now) {
  if (signalled.is_unspecified() || signalled.port() == 0 || signalled == signalled_) return;
  // Who comes back to an address may come from where it came then.
  std::erase_if(superseded_, [&](const Superseded& one) { return one.signalled == signalled; });
  if (signalled_.port() != 0) {
    if (superseded_.size() == most_superseded) superseded_.erase(superseded_.begin());
    superseded_.push_back({signalled_, remote()});
    former_ = remote();
  }
  signalled_ = signalled;
  signalled_spoke_ = false;
  latched_.reset();
  claims_.reset();
  if (answered_) latch_until_ = now + latch_window;
}

void SourceFilter::answered(TimePoint now) {
  if (std::exchange(answered_, true)) return;
  latch_until_ = now + latch_window;
}

bool SourceFilter::accept(const net::Address& from, const rtp::Packet& packet, bool negotiated, TimePoint now) {
  if (from == signalled_) {
    if (!std::exchange(signalled_spoke_, true)) {
      latched_.reset();
      claims_.reset();
    }
    return true;
  }
  if (latched_ && from == *latched_) return true;
  if (!negotiated || !may_latch(from, now) || !has_proven(from, packet)) return false;
  if (targets_ != nullptr && !targets_->allows(from)) return false;
  latched_ = from;
  claims_.reset();
  return true;
}

bool SourceFilter::may_latch(const net::Address& from, TimePoint now) const {
  if (latch_ == Latch::off || signalled_spoke_ || !answered_ || now > latch_until_) return false;
  if (latch_ == Latch::same_address && !from.same_host(signalled_)) return false;
  if (latched_ && fitness(from) <= fitness(*latched_)) return false;
  // What is on its way from there was sent before the change.
  return std::ranges::none_of(superseded_,
                              [&](const Superseded& one) { return from == one.signalled || from == one.source; });
}

/// How likely it is that `from` is the leg's other side behind a NAT. Who fits better than whoever was latched first
/// takes its place.
int SourceFilter::fitness(const net::Address& from) const {
  if (from.same_host(signalled_)) return 2;
  return from.same_host(former_) ? 1 : 0;
}

/// Whether this is the packet with which `from` has sent enough in sequence.
bool SourceFilter::has_proven(const net::Address& from, const rtp::Packet& packet) {
  Claim& claim = claim_of(from);
  const auto step = static_cast<std::uint16_t>(packet.sequence - claim.sequence);
  const bool same_stream = claim.packets != 0 && packet.ssrc == claim.ssrc;
  if (same_stream && step == 0) return false;  // came twice
  claim.packets = same_stream && step == 1 ? claim.packets + 1 : 1;
  claim.ssrc = packet.ssrc;
  claim.sequence = packet.sequence;
  return claim.packets >= packets_to_latch;
}

/// A place for its claim: its own, or that of the one which has the least to show.
SourceFilter::Claim& SourceFilter::claim_of(const net::Address& from) {
  if (!claims_) claims_ = std::make_unique<Claims>();
  const auto own =
      std::ranges::find_if(*claims_, [&](const Claim& one) { return one.packets != 0 && one.from == from; });
  if (own != claims_->end()) return *own;
  const auto least = std::ranges::min_element(*claims_, {}, [this](const Claim& one) {
    return one.packets == 0 ? std::pair(-1, 0) : std::pair(fitness(one.from), one.packets);
  });
  *least = Claim{from, 0, 0, 0};
  return *least;
}

}  // namespace rw::media
