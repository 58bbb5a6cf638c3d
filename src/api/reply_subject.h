#pragma once

#include <string>
#include <string_view>

#include "base/json_fields.h"
#include "base/reply_token.h"
#include "http/exchange.h"
#include "tenant/directory.h"

namespace rw::api {

/// Reads the member `replyId` and what it stands for. The error is the answer to give: 400 if it is missing or not one
/// of ours, 403 if it belongs to another domain, 404 if to another node.
tl::expected<ReplySubject, http::Answer> read_reply_subject(JsonFields& fields, const ReplyTokens& tokens,
                                                            const tenant::Domain& domain, std::string_view node_id);

}  // namespace rw::api
