#pragma once

#include <string>

#include "call/activity.h"
#include "call/fallback_plan.h"
#include "call/phrase_player.h"
#include "call/services.h"
#include "tenant/fallback.h"

namespace rw::call {

class Participant;

/// The application does not decide, and the domain has said what is to happen then (section 9 of the behaviour): the
/// party hears the fallback's phrases, then somebody is called for it, or its call ends.
class FallingBack final : public Activity, private PhrasePlayer::Listener {
 public:
  FallingBack(Services& services, Participant& participant, FallbackPlan plan);
  ~FallingBack() override { stop(nullptr); }

  std::string_view name() const override { return "FallingBack"; }
  void begin() override;
  void confirmed() override;
  void stop(const End* end) override;
  void play_ended(media::PlayId play) override { player_.play_ended(play); }
  void codec_changed() override;

 private:
  void phrase_failed(const std::string& format, const std::string& problem, bool timed_out) override;
  RecordingOrder recording_of(const RecordPhrase& phrase) override;
  void phrases_done() override;

  Services& services_;
  Participant& participant_;
  FallbackPlan plan_;
  PhrasePlayer player_;
  bool begun_ = false;
};

/// Does what the domain's fallback of that mode says, if it has one for the number that was called, and the session has
/// not used one before; raises the alarm `emergencyFallback`. False: there is nothing to fall back to. `details`: why.
bool fall_back(Services& services, Participant& participant, tenant::Fallback::Mode mode,
               const boost::json::object& details);

}  // namespace rw::call
