#include "call/falling_back.h"

#include <memory>
#include <utility>

#include "call/hunt.h"
#include "call/participant.h"

namespace rw::call {

FallingBack::FallingBack(Services& services, Participant& participant, FallbackPlan plan)
    : services_(services),
      participant_(participant),
      plan_(std::move(plan)),
      player_(services, participant.media_leg(), *this) {}

void FallingBack::begin() {
  if (plan_.phrases.empty()) {
    phrases_done();
  } else {
    participant_.stop_ringback();
    participant_.answer();  // the phrases begin when that has been acknowledged
  }
}

void FallingBack::confirmed() {
  if (begun_ || plan_.phrases.empty()) return;
  begun_ = true;
  player_.start(std::move(plan_.phrases), participant_.codec());
}

void FallingBack::stop(const End* /*end*/) {
  player_.stop();
}

void FallingBack::codec_changed() {
  player_.codec_changed(participant_.codec());
}

void FallingBack::phrase_failed(const std::string& format, const std::string& problem, bool timed_out) {
  participant_.alarm("ivrCommandError", timed_out ? "phraseRemoteCacheTimeout" : "phraseError",
                     {{"format", format}, {"description", problem}});
}

RecordingOrder FallingBack::recording_of(const RecordPhrase& phrase) {
  return participant_.file_recording(phrase.file_name, false);
}

void FallingBack::phrases_done() {
  if (plan_.call) {
    participant_.change(std::make_unique<Hunt>(services_, participant_, std::move(*plan_.call)));
  } else {
    participant_.hang_up(EndReason::error);
  }
}

bool fall_back(Services& services, Participant& participant, tenant::Fallback::Mode mode,
               const boost::json::object& details) {
  auto& session = participant.session();
  const auto* inbound = session.inbound();
  if (inbound == nullptr || session.fallback() || !services.fallback) return false;
  const auto found = services.fallback(session.domain(), inbound->called_party);
  if (!found || found->mode != mode) return false;
  auto plan = read_fallback_command(found->command, participant.phrase_context());
  if (!plan) {  // it was good when it was taken: a mediaservice may have changed
    session.log().error("fallback can't be used", {{"problem", plan.error().message}});
    return false;
  }
  session.set_fallback(mode);
  const bool always = mode == tenant::Fallback::Mode::always;
  participant.alarm("emergencyFallback", always ? "triggeredByAlways" : "triggeredByError", details);
  participant.change(std::make_unique<FallingBack>(services, participant, std::move(*plan)));
  return true;
}

}  // namespace rw::call
