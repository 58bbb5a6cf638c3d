#include "call/phrase.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json_fields.h"
#include "call/recording.h"

namespace rw::call {
namespace {

using std::chrono::milliseconds;

constexpr double longest_seconds = 4.0 * 3600;
constexpr std::size_t most_phrases = 100;

milliseconds to_milliseconds(double seconds) {
  return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// The format that the members speak of.
std::string infer_format(JsonFields& fields) {
  if (fields.has("fileName")) return "file";
  if (fields.object("awsTTSParameters") != nullptr) return "awstts";
  if (fields.object("googleTTSParameters") != nullptr) return "googletts";
  if (fields.has("text") || fields.has("ssml")) return "tts";
  if (fields.has("frequencies") || fields.has("name")) return "tone";
  if (fields.has("digits")) return "digits";
  if (fields.has("url")) return "url";
  if (fields.has("seconds")) return "silence";
  return {};
}

using Content = decltype(Phrase::content);

std::optional<Content> read_file(JsonFields& fields, const PhraseContext& context) {
  const auto name = fields.text("fileName");
  if (!name || name->empty()) {
    fields.reject("fileName", "the name of a prompt file");
    return std::nullopt;
  }
  return audio::SoundRequest(audio::FilePrompt{context.domain, *name});
}

/// `cacheTimeToLive` and `refreshCache`.
audio::SpeechCaching read_caching(JsonFields& fields) {
  using std::chrono::hours;
  static constexpr std::array<std::pair<std::string_view, int>, 5> named{
      {{"DAY", 1}, {"WEEK", 7}, {"MONTH", 30}, {"QUARTER", 91}, {"HALF-YEAR", 182}}};
  constexpr double longest = 366.0 * 24 * 3600;
  audio::SpeechCaching caching;
  caching.refresh = fields.flag("refreshCache").value_or(false);
  const auto text = fields.text("cacheTimeToLive").value_or("");
  const auto found = std::ranges::find(named, text, &std::pair<std::string_view, int>::first);
  if (found != named.end()) {
    caching.time_to_live = hours(24 * found->second);
  } else if (!text.empty()) {
    const auto value = fields.number("cacheTimeToLive", 0, longest);
    if (value) caching.time_to_live = std::chrono::seconds(static_cast<std::int64_t>(*value));
  }
  return caching;
}

/// The replacement character stands for half an emoji and the like: it is spoken as nothing.
std::string without_replacements(std::string text) {
  constexpr std::string_view replacement = "\xef\xbf\xbd";
  for (auto at = text.find(replacement); at != std::string::npos; at = text.find(replacement, at))
    text.erase(at, replacement.size());
  return text;
}

/// What an engine is sent.
std::string speech_parameters(const boost::json::object& parameters) {
  return without_replacements(boost::json::serialize(parameters));
}

std::optional<Content> read_speech(JsonFields& fields, const PhraseContext& context) {
  audio::SpokenText spoken;
  if (const auto ssml = fields.text("ssml")) {
    spoken.text = *ssml;
    spoken.ssml = true;
  } else {
    spoken.text = fields.text("text").value_or("");
  }
  if (spoken.text.empty()) fields.reject("text", "the text to speak");
  spoken.text = without_replacements(std::move(spoken.text));
  spoken.voice = fields.text("voice").value_or("");
  spoken.language = fields.text("language").value_or("");
  spoken.caching = read_caching(fields);
  spoken.domain = context.domain;
  return audio::SoundRequest(std::move(spoken));
}

/// A Polly SynthesizeSpeech request: the engine gets its members as they are.
std::optional<Content> read_polly(JsonFields& fields, const PhraseContext& context) {
  const auto* parameters = fields.object("awsTTSParameters");
  if (parameters == nullptr) {
    fields.reject("awsTTSParameters", "an object");
    return std::nullopt;
  }
  JsonFields polly(*parameters, fields.path("awsTTSParameters"));
  if (polly.text("Text").value_or("").empty()) polly.reject("Text", "the text to speak");
  if (polly.error()) fields.reject(*polly.error());
  return audio::SoundRequest(audio::PollySpeech{speech_parameters(*parameters), fields.text("region").value_or(""),
                                                read_caching(fields), context.domain});
}

/// A Google text:synthesize request: the same.
std::optional<Content> read_google(JsonFields& fields, const PhraseContext& context) {
  const auto* parameters = fields.object("googleTTSParameters");
  const auto* input = parameters == nullptr ? nullptr : parameters->if_contains("input");
  if (input == nullptr || !input->is_object()) {
    fields.reject("googleTTSParameters.input", "an object");
    return std::nullopt;
  }
  JsonFields google(input->get_object(), fields.path("googleTTSParameters.input"));
  if (google.text(google.has("ssml") ? "ssml" : "text").value_or("").empty())
    google.reject("text", "the text to speak");
  if (google.error()) fields.reject(*google.error());
  return audio::SoundRequest(audio::GoogleSpeech{speech_parameters(*parameters), read_caching(fields), context.domain});
}

std::optional<Content> read_url(JsonFields& fields, const PhraseContext& context) {
  constexpr std::size_t longest_url = 8192;
  auto url = fields.text("url").value_or("");
  const bool valid = (url.starts_with("http://") || url.starts_with("https://")) && url.size() <= longest_url &&
                     std::ranges::all_of(url, [](unsigned char c) { return c > ' ' && c != 0x7f; });
  if (!valid) fields.reject("url", "an http or https URL of at most 8192 characters");
  return audio::SoundRequest(audio::UrlSound{context.domain, std::move(url)});
}

std::optional<Content> read_record(JsonFields& fields, const PhraseContext& context) {
  RecordPhrase record;
  if (!context.may_record) fields.reject("format", "a phrase that is not \"record\": that one is for getIvrCommand");
  record.file_name = fields.text("fileName").value_or("");
  if (const auto valid = check_recording_name(record.file_name); record.file_name.empty() || !valid)
    fields.reject("fileName", record.file_name.empty() ? "a file name" : "a file name; it " + valid.error().message);
  if (const auto longest = fields.number("maxDuration", 0.1, longest_seconds))
    record.longest = to_milliseconds(*longest);
  if (const auto silence = fields.number("silenceTimeout", 0, longest_seconds))
    record.silence = to_milliseconds(*silence);
  record.beep = fields.flag("beep").value_or(record.beep);
  record.termination_keys = fields.text("terminationKey").value_or(record.termination_keys);
  if (record.termination_keys.find_first_not_of("0123456789*#ABCD") != std::string::npos)
    fields.reject("terminationKey", "characters of 0-9 * # A-D");
  return record;
}

std::optional<Content> read_tone(JsonFields& fields, const PhraseContext& context) {
  audio::Tone tone;
  tone.domain = context.domain;
  tone.length = to_milliseconds(fields.number("seconds", 0.02, 3600).value_or(5));
  if (auto name = fields.choice("name", {"dial", "ringback", "busy", "congestion"})) {
    tone.plan = context.tone_plan;
    tone.name = std::move(*name);
    return audio::SoundRequest(std::move(tone));
  }
  const auto* frequencies = fields.array("frequencies");
  if (frequencies == nullptr || frequencies->empty() || frequencies->size() > 4) {
    fields.reject("frequencies", "one to four numbers");
    return std::nullopt;
  }
  for (const auto& frequency : *frequencies) {
    if (frequency.is_null()) continue;
    const double hertz = frequency.is_number() ? frequency.to_number<double>() : 0;
    if (hertz < 20 || hertz > 3800) fields.reject("frequencies", "numbers from 20 to 3800");
    tone.frequencies.push_back(hertz);
  }
  tone.on = to_milliseconds(fields.number("on", 0, 60).value_or(0));
  tone.off = to_milliseconds(fields.number("off", 0, 60).value_or(0));
  return audio::SoundRequest(std::move(tone));
}

std::optional<Content> read_digits(JsonFields& fields) {
  auto digits = fields.text("digits").value_or("");
  const bool valid =
      !digits.empty() && digits.size() <= 64 && digits.find_first_not_of("0123456789*#ABCDabcd") == std::string::npos;
  if (!valid) fields.reject("digits", "1 to 64 of 0-9 * # A-D");
  std::transform(digits.begin(), digits.end(), digits.begin(),
                 [](char c) { return c >= 'a' && c <= 'd' ? static_cast<char>(c - 32) : c; });
  return DigitsPhrase{std::move(digits)};
}

std::optional<Content> read_content(const std::string& format, JsonFields& fields, const PhraseContext& context) {
  if (format == "file") return read_file(fields, context);
  if (format == "tts") return read_speech(fields, context);
  if (format == "awstts") return read_polly(fields, context);
  if (format == "googletts") return read_google(fields, context);
  if (format == "url") return read_url(fields, context);
  if (format == "record") return read_record(fields, context);
  if (format == "tone") return read_tone(fields, context);
  if (format == "digits") return read_digits(fields);
  if (format == "silence")
    return SilencePhrase{to_milliseconds(fields.number("seconds", 0, longest_seconds).value_or(1))};
  if (format == "echo") return EchoPhrase{to_milliseconds(fields.number("seconds", 0, longest_seconds).value_or(10))};
  fields.reject("format", "a phrase format that this server plays");
  return std::nullopt;
}

}  // namespace

PhraseOrError read_phrase(const boost::json::object& object, const std::string& path, const PhraseContext& context) {
  JsonFields fields(object, path);
  auto format = fields.text("format").value_or("");
  if (format.empty()) format = infer_format(fields);
  auto content = read_content(format, fields, context);
  if (fields.error()) return BadPhrase{format, fields.error()->message};
  return Phrase{format, std::move(*content)};
}

bool is_unsaid(const boost::json::value& phrase) {
  if (is_nothing(phrase)) return true;
  const auto* object = phrase.if_object();
  if (object == nullptr) return false;
  // Silence, echo and tones need none of these; a recording without a name would be lost without a word.
  static constexpr std::array<std::string_view, 7> contents{
      "fileName", "url", "text", "ssml", "awsTTSParameters", "googleTTSParameters", "digits"};
  static constexpr std::array<std::string_view, 4> without{"record", "tone", "silence", "echo"};
  bool empty = false;
  for (const auto name : contents) {
    const auto* content = object->if_contains(name);
    if (content != nullptr && !is_nothing(*content)) return false;
    empty = empty || content != nullptr;
  }
  JsonFields fields(*object);
  auto format = fields.text("format").value_or("");
  if (format.empty()) format = infer_format(fields);
  return empty && !fields.error() && std::ranges::find(without, format) == without.end();
}

Result<Phrases> read_phrases(const boost::json::array& array, const std::string& path, const PhraseContext& context) {
  if (array.size() > most_phrases) return fail(path + ": more than " + std::to_string(most_phrases) + " phrases");
  Phrases phrases;
  for (std::size_t at = 0; at < array.size(); ++at) {
    if (is_unsaid(array[at])) continue;
    const auto item = path + "[" + std::to_string(at) + "]";
    if (!array[at].is_object()) return fail(item + ": expected an object");
    phrases.push_back(read_phrase(array[at].get_object(), item, context));
  }
  return phrases;
}

}  // namespace rw::call
