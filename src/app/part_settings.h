#pragma once

#include <string>

#include "app/config.h"
#include "base/result.h"
#include "call/services.h"
#include "callbacks/sender.h"
#include "http/server.h"
#include "media/engine.h"
#include "net/target_policy.h"
#include "ops/metrics.h"

/// What the parts of the server are told of the configuration.
namespace rw::app {

/// The secret that signs replyIds: the configured one, or one that is made once and kept in the data folder.
Result<std::string> reply_secret(const Config& config);
call::Settings call_settings(const Config& config);
call::UnconfirmedCalls::Limits unconfirmed_calls(const Config& config);
media::EngineOptions engine_options(const Config& config);
callbacks::Settings callback_settings(const Config& config);
/// Where SIP requests may go that others have named.
net::TargetPolicy target_policy(const Config& config);
/// Where RTP and RTCP may go that others have named.
net::TargetPolicy media_target_policy(const Config& config);
http::ServerOptions http_options(const Config& config, ops::Metrics& metrics, const ops::Log& log);

}  // namespace rw::app
