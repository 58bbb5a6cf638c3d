#pragma once

#include <optional>

#include "call/activity.h"
#include "call/fallback.h"
#include "call/phrase_player.h"
#include "call/services.h"

namespace rw::call {

/// The activity of a caller whose application is away: answered, if there is something to be heard; phrases; then the
/// fallback's action. A phrase that fails raises an alarm, and the next one follows.
class FallingBack final : public Activity, private PhrasePlayer::Listener {
 public:
  /// `reason`: of the session's end, if the action is to hang up.
  FallingBack(Services& services, Participant& caller, FallbackCommand command, EndReason reason);
  ~FallingBack() override { stop(nullptr); }

  std::string_view name() const override { return "FallingBack"; }
  void begin() override;
  void confirmed() override;
  void stop(const End* end) override;
  void play_ended(media::PlayId play) override;
  void codec_changed() override;
  bool may_be_connected(const PartyAddress&) const override { return player_.has_value(); }

 private:
  void act();
  void phrases_failed(const PhraseFailure& failure) override;
  RecordingOrder recording_of(const RecordPhrase& phrase) override;
  void phrases_done() override { act(); }

  Services& services_;
  Participant& caller_;
  FallbackCommand command_;
  const EndReason reason_;
  std::optional<PhrasePlayer> player_;  ///< once there is a media leg
};

}  // namespace rw::call
