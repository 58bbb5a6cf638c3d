#include "speech/canonical_json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <vector>

namespace rw::speech {

std::string canonical_json(const boost::json::value& value) {
  if (const auto* object = value.if_object()) {
    std::vector<std::string_view> names;
    for (const auto& member : *object) names.emplace_back(member.key());
    std::ranges::sort(names);
    std::string text = "{";
    for (const auto name : names) {
      if (text.size() > 1) text += ',';
      text += boost::json::serialize(boost::json::string_view(name)) + ":" + canonical_json(object->at(name));
    }
    return text + "}";
  }
  if (const auto* array = value.if_array()) {
    std::string text = "[";
    for (const auto& item : *array) text += (text.size() > 1 ? "," : "") + canonical_json(item);
    return text + "]";
  }
  return boost::json::serialize(value);
}

}  // namespace rw::speech
