#include "call/admission_control.h"

#include <algorithm>

namespace rw::call {

sip::Admission AdmissionControl::decide(std::size_t calls, TimePoint now) {
  if (draining_) return {503, 30};
  if (calls >= max_calls_) return {503, 10};
  const double elapsed = std::chrono::duration<double>(now - refilled_).count();
  refilled_ = now;
  tokens_ = std::min(std::max(per_second_, 1.0), tokens_ + elapsed * per_second_);
  if (tokens_ < 1) return {503, 1};
  tokens_ -= 1;
  return {};
}

}  // namespace rw::call
