#include "speech/spoken_form.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <utility>

#include "base/json_fields.h"

namespace rw::speech {
namespace {

Result<boost::json::object> object_of(const std::string& text, const char* name) {
  boost::system::error_code error;
  auto parsed = boost::json::parse(text, error);
  if (error || !parsed.is_object()) return fail(std::string(name) + ": expected an object");
  return std::move(parsed.get_object());
}

}  // namespace

Result<audio::SpokenText> spoken_form(const audio::PollySpeech& spoken) {
  const auto parameters = object_of(spoken.parameters, "awsTTSParameters");
  if (!parameters) return tl::unexpected(parameters.error());
  JsonFields polly(*parameters, "awsTTSParameters");
  audio::SpokenText text;
  text.text = polly.text("Text").value_or("");
  text.ssml = polly.text("TextType") == "ssml";
  text.language = polly.text("LanguageCode").value_or("");
  text.caching = spoken.caching;
  if (text.text.empty()) polly.reject("Text", "the text to speak");
  if (polly.error()) return tl::unexpected(*polly.error());
  return text;
}

Result<audio::SpokenText> spoken_form(const audio::GoogleSpeech& spoken) {
  const auto parameters = object_of(spoken.parameters, "googleTTSParameters");
  if (!parameters) return tl::unexpected(parameters.error());
  JsonFields google(*parameters, "googleTTSParameters");
  const auto* input = google.object("input");
  if (input == nullptr) return fail("googleTTSParameters.input: expected an object");
  JsonFields said(*input, "googleTTSParameters.input");
  audio::SpokenText text;
  text.ssml = said.has("ssml");
  text.text = said.text(text.ssml ? "ssml" : "text").value_or("");
  text.caching = spoken.caching;
  if (text.text.empty()) said.reject("text", "the text to speak");
  if (const auto* voice = google.object("voice")) text.language = JsonFields(*voice).text("languageCode").value_or("");
  if (said.error()) return tl::unexpected(*said.error());
  return text;
}

}  // namespace rw::speech
