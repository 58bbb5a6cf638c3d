#include "speech/espeak_engine.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>
#include <variant>

#include "base/ascii.h"
#include "speech/child_process.h"
#include "speech/sentences.h"
#include "speech/speech_decoder.h"

namespace rw::speech {
namespace {

/// A name that can be nothing but a name: no option, no path.
bool is_name(std::string_view text) {
  constexpr std::size_t longest = 40;
  const auto belongs = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '+'; };
  return !text.empty() && text.size() <= longest && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text, belongs);
}

class EspeakEngine final : public SpeechEngine {
 public:
  explicit EspeakEngine(EspeakOptions options) : options_(std::move(options)) {}

  Result<void> speak(const audio::SpeechRequest& request, const Take& take) override {
    const auto* spoken = std::get_if<audio::SpokenText>(&request);
    if (spoken == nullptr) return fail("espeak-ng takes plain text and SSML only");
    const auto text = speakable_text(*spoken);
    if (!text) return tl::unexpected(text.error());
    if (!spoken->voice.empty() && !is_name(spoken->voice)) return fail("voice: \"" + spoken->voice + "\" is no name");
    auto voice = spoken->voice.empty() ? espeak_voice_of(spoken->language) : Result<std::string>(spoken->voice);
    if (!voice) return tl::unexpected(voice.error());
    bool unknown = false;
    auto done = run(*voice, *text, take, unknown);
    const auto hyphen = voice->find('-');
    if (unknown && spoken->voice.empty() && hyphen != std::string::npos)
      done = run(voice->substr(0, hyphen), *text, take, unknown);
    return done;
  }

 private:
  Result<void> run(const std::string& voice, const std::string& text, const Take& take, bool& unknown_voice) {
    Pieces pieces(take);
    SpeechDecoder decoder(std::nullopt, pieces);
    Result<void> decoded;
    ChildRequest child;
    child.command = {options_.program, "-b", "1", "-v", voice, "--stdin", "--stdout"};
    child.input = text;
    child.timeout = options_.timeout;
    child.cancel = options_.cancel;
    child.take = [&](std::span<const char> bytes) {
      decoded = decoder.feed(bytes);
      return decoded && pieces.wanted();
    };
    auto exit = run_child(child);
    if (!exit) {
      if (!is_installed(options_.program))
        return fail(options_.program + " is not installed: install the package espeak-ng");
      return tl::unexpected(exit.error());
    }
    if (!decoded) return fail("espeak-ng: " + decoded.error().message);
    if (!exit->complete) return {};
    unknown_voice = exit->errors.find("voice does not exist") != std::string::npos;
    if (unknown_voice) return fail("espeak-ng has no voice \"" + voice + "\"");
    if (exit->status != 0) return fail("espeak-ng: exit status " + std::to_string(exit->status) + " " + exit->errors);
    if (auto finished = decoder.finish(); !finished) return fail("espeak-ng: " + finished.error().message);
    return pieces.finish();
  }

  EspeakOptions options_;
};

}  // namespace

Result<std::string> espeak_voice_of(const std::string& language) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> others{
      {{"arb", "ar"}, {"zh", "cmn"}, {"no", "nb"}, {"iw", "he"}, {"in", "id"}, {"fil", "tl"}}};
  if (language.empty()) return "en";
  if (!is_name(language)) return fail("language: \"" + language + "\" is no language tag");
  auto voice = lower_case(language);
  std::ranges::replace(voice, '_', '-');
  const auto base = std::string_view(voice).substr(0, voice.find('-'));
  for (const auto& [tag, name] : others) {
    if (base == tag) return std::string(name);
  }
  return voice;
}

std::unique_ptr<SpeechEngine> make_espeak_engine(EspeakOptions options) {
  return std::make_unique<EspeakEngine>(std::move(options));
}

}  // namespace rw::speech
