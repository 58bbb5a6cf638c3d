#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "audio/sound_loader.h"
#include "base/ids.h"
#include "base/reply_token.h"
#include "base/time.h"
#include "base/timers.h"
#include "call/media_port.h"
#include "callbacks/channel.h"
#include "ops/log.h"
#include "ops/metrics.h"
#include "sip/user_agent.h"

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
};

/// All that the calls of one shard work with; they live on the shard's thread. `now` is set at each input.
struct Services {
  const Settings& settings;
  sip::UserAgent& sip;
  MediaPort& media;
  audio::SoundLoader& sounds;  ///< whose answers come on the shard's thread
  callbacks::Channel& application;
  const ReplyTokens& tokens;
  ops::Metrics& metrics;
  ops::Log log;
  Timers timers;
  std::unordered_map<media::LegId, Participant*> media_legs;  ///< whose media events are whose
  IdSource ids;
  TimePoint now;
};

}  // namespace rw::call
