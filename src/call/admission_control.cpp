#include "call/admission_control.h"

namespace rw::call {

sip::Admission AdmissionControl::decide(std::size_t calls, TimePoint now) {
  if (draining_) return {503, 30};
  if (calls >= max_calls_) return {503, 10};
  if (const auto wait = rate_.take(per_second_, now)) return {503, *wait};
  return {};
}

}  // namespace rw::call
