#include "call/ringing.h"

#include "call/participant.h"

namespace rw::call {

void Ringing::begin() {
  limit_ = services_.timers.start(services_.now + max_ring_time_, [this] {
    participant_.hang_up(End{EndReason::no_answer, 408, "Not answered within maxRingTime", {}},
                         {408, "Not answered in time"});
  });
}

void Ringing::stop(const End* end) {
  limit_.cancel();
  if (end != nullptr) failed(*end);
}

void Ringing::progress(const sip::Progress& progress) {
  if (!rang_ && (progress.status == 180 || progress.status == 183)) {
    rang_ = true;
    participant_.notify_ringing();
  }
  // A description that can't be used may yet be followed by one that can, in the answer.
  if (!progress.sdp.empty() && describe(progress.sdp)) early_media();
}

Result<void> Ringing::describe(const std::string& sdp) {
  if (const auto taken = participant_.media().complete(sdp); !taken) return tl::unexpected(taken.error());
  return {};
}

void Ringing::answered(const sip::Answered& answer) {
  limit_.cancel();
  if (const auto usable = answer.sdp.empty() ? Result<void>{} : describe(answer.sdp); !usable) {
    participant_.alarm("callError", "invalidSdp", {{"description", usable.error().message}});
    participant_.hang_up(End{EndReason::failed, 488, usable.error().message, {}}, {488, "Not acceptable here"});
    return;
  }
  participant_.established();
  taken();
}

}  // namespace rw::call
