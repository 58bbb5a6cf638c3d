#include "demo/demo_application.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace rw::demo {
namespace {

using boost::json::array;
using boost::json::object;

object file(std::string_view name) {
  return {{"format", "file"}, {"fileName", name}};
}
object speech(std::string text) {
  return {{"format", "tts"}, {"text", std::move(text)}};
}

object one_digit() {
  return {{"maxDigits", 1}, {"firstTimeout", 8}, {"flush", true}};
}

object menu(array phrases) {
  phrases.push_back(file("demo-menu.wav"));
  return {{"sessionReferenceId", "menu"}, {"phrases", std::move(phrases)}, {"dtmf", one_digit()}, {"bargeIn", "all"}};
}

object goodbye() {
  return {{"sessionReferenceId", "goodbye"}, {"phrases", array{file("demo-goodbye.wav")}}, {"hangup", true}};
}

/// "1 2 3", so that digits are spoken one by one.
std::string spaced(std::string_view digits) {
  std::string text;
  for (const char digit : digits) {
    if (digit == '*') {
      text += "star, ";
    } else {
      text += std::string(1, digit) + ", ";
    }
  }
  return text;
}

object chosen(std::string_view digit) {
  if (digit == "1") {
    return {
        {"sessionReferenceId", "digits"},
        {"phrases", array{file("demo-digits.wav")}},
        {"dtmf",
         object{
             {"maxDigits", 10}, {"terminationKey", "#"}, {"flush", true}, {"firstTimeout", 10}, {"betweenTimeout", 4}}},
        {"bargeIn", "all"},
        {"bargeInOn", "digit"}};
  }
  if (digit == "2") {
    array tones{object{{"format", "tone"}, {"name", "ringback"}, {"seconds", 6}}};
    return {{"sessionReferenceId", "again"}, {"phrases", std::move(tones)}};
  }
  if (digit == "9") return goodbye();
  return menu({file("demo-unknown.wav")});
}

object next_command(const object& body) {
  const auto* reference = body.if_contains("sessionReferenceId");
  const std::string_view step =
      reference != nullptr && reference->is_string() ? std::string_view(reference->get_string()) : "";
  const auto* parameters = body.if_contains("dtmfParams");
  std::string_view digits;
  if (parameters != nullptr && parameters->is_object()) {
    if (const auto* match = parameters->get_object().if_contains("dtmfMatch"); match != nullptr && match->is_string()) {
      digits = match->get_string();
    }
  }
  if (step == "greet") return menu({file("demo-welcome.wav")});
  if (step == "again") return menu({});
  if (step == "menu") return digits.empty() ? goodbye() : chosen(digits);
  if (step == "digits") {
    const auto text = digits.empty() ? std::string("You did not press any digit.") : "You pressed " + spaced(digits);
    return {{"sessionReferenceId", "again"}, {"phrases", array{speech(text)}}};
  }
  return goodbye();
}

}  // namespace

const std::vector<DemoPrompt>& demo_prompts() {
  static const std::vector<DemoPrompt> prompts{
      {"demo-welcome.wav", "Welcome to Ringwright. This call is answered by your own computer."},
      {"demo-menu.wav",
       "Press one, and I will say the digits that you press. Press two to hear a ringing tone. Press nine to hang up."},
      {"demo-digits.wav", "Please press some digits, and then the hash key."},
      {"demo-unknown.wav", "There is nothing behind that key."},
      {"demo-goodbye.wav", "Thank you for calling. Goodbye."},
  };
  return prompts;
}

object demo_reply(std::string_view event, const object& body) {
  if (event == "newCall") return {{"action", "ivr"}, {"sessionReferenceId", "greet"}};
  if (event == "getIvrCommand") return next_command(body);
  return {};
}

}  // namespace rw::demo
