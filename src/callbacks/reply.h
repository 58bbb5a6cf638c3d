#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "callbacks/channel.h"

namespace rw::callbacks {

/// What an answer of the application brought that has a status of 2xx. `body` may be any octets; `url` is for the
/// failure.
tl::expected<Reply, Failure> read_reply(int status, std::string_view body, const std::string& url);

}  // namespace rw::callbacks
