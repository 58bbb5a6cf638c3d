#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace rw::speech {

/// A JSON value as text that is the same for all that mean the same: members sorted by name, no spaces.
std::string canonical_json(const boost::json::value& value);

}  // namespace rw::speech
