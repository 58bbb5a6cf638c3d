#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "http/exchange.h"

/// The answers of the REST API.
namespace rw::api {

/// 200 with {"success":true} and what `members` adds.
http::Answer success(boost::json::object members = {});

/// {"success":false,"error":…,"reason":…}. The stable code is the status's; 401, 429 and 503 get the headers that
/// belong to them.
http::Answer failure(int status, std::string_view reason);
/// The same with a code of its own. `retry_after`: seconds, for 429 and 503; 0: the usual ones.
http::Answer failure(int status, std::string_view code, std::string_view reason, int retry_after = 0);

/// Any JSON.
http::Answer json_answer(int status, const boost::json::object& body);

}  // namespace rw::api
