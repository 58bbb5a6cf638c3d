#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rw {

/// JSON that somebody else wrote, read leniently: a byte order mark before it is skipped, text that is no UTF-8 is read
/// as Latin-1, half a surrogate pair (`\ud83d` alone) becomes U+FFFD. Nested at most 32 deep. The error says what is
/// wrong. Of a member that stands twice in an object, the last one counts.
///
/// `verbatim` names a member of the outermost object whose numbers keep all their digits: write_json() writes them as
/// they came, however long they are. Nobody else should look into it.
Result<boost::json::value> read_json(std::string_view text, std::string_view verbatim = {});

/// The same, and it has to be an object.
Result<boost::json::object> read_json_object(std::string_view text, std::string_view verbatim = {});

/// JSON that gives somebody rights: read as it stands, with none of that leniency. An object with a member that stands
/// in it twice, at any depth, is an error: another reader would take the other one (RFC 8725 section 2.4, RFC 7517
/// section 4).
Result<boost::json::object> read_strict_json_object(std::string_view text);

/// As text, the numbers of verbatim members as they came.
std::string write_json(const boost::json::value& value);
/// An object of which only the member `verbatim` may have such numbers.
std::string write_json(boost::json::object object, std::string_view verbatim);

}  // namespace rw
