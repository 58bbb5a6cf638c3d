#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "audio/sound_loader.h"
#include "base/result.h"

namespace rw::call {

struct SilencePhrase {
  std::chrono::milliseconds length{0};
};
struct DigitsPhrase {
  std::string digits;
};
/// The caller hears itself.
struct EchoPhrase {
  std::chrono::milliseconds length{0};
};

/// What the caller says goes into a file of the prompt storage.
struct RecordPhrase {
  std::string file_name;
  std::chrono::milliseconds longest{120'000};
  std::chrono::milliseconds silence{5'000};  ///< after which it ends; 0: never
  bool beep = true;
  std::string termination_keys = "#";
};

/// One item of `phrases`: something to be heard.
struct Phrase {
  std::string format;  ///< as given or inferred, for alarms
  std::variant<audio::SoundRequest, SilencePhrase, DigitsPhrase, EchoPhrase, RecordPhrase> content;
};

/// A phrase that can't be played as written, but does not spoil the others.
struct BadPhrase {
  std::string format;
  std::string problem;
};
using PhraseOrError = std::variant<Phrase, BadPhrase>;
using Phrases = std::vector<PhraseOrError>;

/// Where phrases of a mediaservice come from.
struct PhraseContext {
  std::string domain;
  std::string tone_plan;
  bool may_record = false;  ///< the phrases are a getIvrCommand's
};

/// Reads one phrase; `path` names it in errors, e.g. "phrases[2]".
PhraseOrError read_phrase(const boost::json::object& object, const std::string& path, const PhraseContext& context);
/// Whether a phrase says nothing: null, {}, or what its format plays is there, but null or {}. Such ones are passed
/// over.
bool is_unsaid(const boost::json::value& phrase);
/// Reads `phrases`; at most 100 of them. An item that is not an object is an error of the whole answer.
Result<Phrases> read_phrases(const boost::json::array& array, const std::string& path, const PhraseContext& context);

}  // namespace rw::call
