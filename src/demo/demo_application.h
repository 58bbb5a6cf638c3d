#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rw::demo {

/// A prompt of the demo: synthesised into prompt storage at the first start.
struct DemoPrompt {
  std::string_view file_name;
  std::string_view text;
};
const std::vector<DemoPrompt>& demo_prompts();

/// The demo application: greets, reads a menu, says back the digits that were pressed, hangs up. It is what a user's
/// own application would be: a function from a callback's JSON to the reply's. All its state travels in
/// `sessionReferenceId`, so it has none.
boost::json::object demo_reply(std::string_view event, const boost::json::object& body);

}  // namespace rw::demo
