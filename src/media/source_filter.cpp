#include "media/source_filter.h"

namespace rw::media {

void SourceFilter::configure(const net::Address& signalled, TimePoint now) {
  signalled_ = signalled;
  source_.reset();
  if (latch_until_) latch_until_ = now + latch_window;
}

void SourceFilter::answered(TimePoint now) {
  latch_until_ = now + latch_window;
}

bool SourceFilter::accept(const net::Address& from, TimePoint now) {
  if (source_) return from == *source_;
  const bool may_latch = latch_ != Latch::off && latch_until_ && now <= *latch_until_ &&
                         (latch_ == Latch::any || from.same_host(signalled_));
  if (!(from == signalled_) && !may_latch) return false;
  source_ = from;
  return true;
}

}  // namespace rw::media
