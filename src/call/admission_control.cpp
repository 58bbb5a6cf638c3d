#include "call/admission_control.h"

namespace rw::call {

sip::Admission AdmissionControl::decide(std::size_t calls, TimePoint now) {
  const auto refused = [](int retry_after, std::string_view why) {
    return sip::Admission{.status = 503, .retry_after = retry_after, .why = why};
  };
  if (draining_) return refused(30, "the server drains: it takes no new calls");
  if (calls >= max_calls_) return refused(10, "limits.max_calls: there are as many at this moment");
  if (const auto wait = rate_.take(per_second_, now)) return refused(*wait, "limits.calls_per_second");
  return {};
}

}  // namespace rw::call
