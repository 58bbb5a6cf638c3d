#include "call/admission_control.h"

#include <array>

namespace rw::call {
namespace {

constexpr std::string_view whole_rate = "limits.calls_per_second";

}  // namespace

sip::Admission AdmissionControl::decide(std::size_t calls, TimePoint now) {
  const auto refused = [](int retry_after, std::string_view why) {
    return sip::Admission{.status = 503, .retry_after = retry_after, .why = why};
  };
  if (draining_) return refused(30, "the server drains: it takes no new calls");
  if (calls >= limits_.max_calls) return refused(10, "limits.max_calls: there are as many at this moment");
  if (const auto wait = rate_.exhausted(limits_.per_second, now)) return refused(*wait, whole_rate);
  return {};
}

std::optional<AdmissionControl::Full> AdmissionControl::enter(const std::string& domain, const std::string& source,
                                                              TimePoint now) {
  // What a flood from one source leaves is enough for the domain's other callers, and what they leave for other
  // domains. No address begins with a line break, so that no domain is taken for one.
  const std::array<FairRate::Drawer, 2> who{
      {{"\n" + domain, limits_.per_second * usual_share, 0.25}, {source, limits_.per_second_of_source, 0.5}}};
  const auto over = rate_.take(limits_.per_second, std::span(who).first(source.empty() ? 1 : 2), now);
  if (!over) return std::nullopt;
  if (!over->whose) return Full{over->retry_after, whole_rate, false};
  return Full{over->retry_after,
              *over->whose == 0 ? "limits.calls_per_second: its domain has had its share"
                                : "limits.calls_per_second_per_source: its source has had its share",
              true};
}

}  // namespace rw::call
