#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

/// The members that are read of replies and requests, by where they stand: what is not among them has been misspelt, or
/// is of no use there, and is told rather than ignored in silence. openapi/ringwright.yaml describes them.
namespace rw::call {

struct UnknownMember {
  std::string path;     ///< as it stands there, e.g. "phrases[2].txt"; at most 100 bytes of each name
  std::string kind;     ///< the same without places in arrays: what is told once
  std::string nearest;  ///< the known name that is most like it
};

/// The members of `body` that nobody reads, those of nested objects included; `null` and `{}` say nothing and are none.
/// `name`: of a callback whose reply it is ("newCall"), or of a command of the API ("placeivrcall"). At most 20; of a
/// name that is not known, none.
std::vector<UnknownMember> unknown_members(std::string_view name, const boost::json::object& body);

/// As `warnings` of an alarm or an answer: [{"member": …, "nearest": …}], with `event` if it is not empty.
boost::json::array warnings_of(const std::vector<UnknownMember>& unknown, std::string_view event = {});

}  // namespace rw::call
