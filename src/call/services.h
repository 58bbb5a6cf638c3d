#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audio/sound_loader.h"
#include "base/ids.h"
#include "base/reply_token.h"
#include "base/time.h"
#include "base/timers.h"
#include "call/activity.h"
#include "call/admission_control.h"
#include "call/call_limits.h"
#include "call/media_port.h"
#include "call/party.h"
#include "call/recording.h"
#include "call/unconfirmed_calls.h"
#include "callbacks/channel.h"
#include "net/target_policy.h"
#include "ops/log.h"
#include "ops/metrics.h"
#include "sip/user_agent.h"
#include "tenant/fallback.h"

namespace rw::call {

class Participant;

/// Settings of the call layer.
struct Settings {
  std::string node_id;
  std::string node_address;    ///< `ivrServer` in callbacks
  net::Address media_address;  ///< goes into SDP
  std::vector<rtp::Codec> codecs{rtp::Codec::pcma, rtp::Codec::pcmu, rtp::Codec::gsm};
  std::chrono::milliseconds max_session{14'400'000};
  std::string outbound_proxy;  ///< URI of the next hop of calls that no trunk takes; empty: RFC 3263
  bool follow_redirects = false;
  /// Where sound may go to whose address the other side has named.
  net::TargetPolicy media_targets{true};
  /// How long sound goes to a caller of whom nothing shows that it is there: behind our 200, and before.
  std::chrono::milliseconds unconfirmed_media{1000}, unconfirmed_early_media{20'000};
};

/// What is told of a leg if its CANCEL fails.
struct CancelledLeg {
  callbacks::Context application;
  std::string participant, user, call_id;
};

/// All that the calls of one shard work with; they live on the shard's thread. `now` is set at each input.
struct Services {
  const Settings& settings;
  sip::UserAgent& sip;
  MediaPort& media;
  audio::SoundLoader& sounds;  ///< whose answers come on the shard's thread
  callbacks::Channel& application;
  RecordingPort& recordings;
  const ReplyTokens& tokens;
  ops::Metrics& metrics;
  ops::Log log;
  /// Who is served, as it stands.
  std::function<std::shared_ptr<const tenant::Directory>()> directory{};
  /// The fallback for a called number of a domain, as it stands; null: there is none. May be empty.
  std::function<std::shared_ptr<const tenant::Fallback>(std::string_view domain, std::string_view number)> fallback{};
  /// Which shard this is, and of how many.
  std::size_t shard = 0, shards = 1;
  /// Brings a letter to the switchboard of another shard.
  std::function<void(std::size_t shard, Letter)> carry{};

  /// Of domains and trunks; the same for all shards.
  std::shared_ptr<CallLimits> limits = std::make_shared<CallLimits>();
  /// Of calls that have come in, until their caller has shown that it is there; the same for all shards.
  std::shared_ptr<UnconfirmedCalls> unconfirmed = std::make_shared<UnconfirmedCalls>();
  /// The server's own limits; null: none.
  AdmissionControl* admission = nullptr;

  Timers timers{};
  IdSource ids{};
  TimePoint now{};

  // ---- whose is what, of the participants that have not gone
  std::unordered_map<sip::LegId, Participant*> sip_legs{};
  std::unordered_map<media::LegId, Participant*> media_legs{};
  std::unordered_map<std::string, Participant*> participants{};  ///< by id
  /// SIP legs whose participant has gone while its CANCEL is under way.
  std::unordered_map<sip::LegId, CancelledLeg> cancelled_legs{};

  /// Activities that are over, until nothing of them is on the stack.
  std::vector<std::unique_ptr<Activity>> past_activities{};
  std::vector<Letter> letters{};  ///< delivered when the present input has been dealt with
};

}  // namespace rw::call
