#include "speech/flite_engine.h"

#include <algorithm>
#include <cctype>
#include <mutex>
#include <utility>
#include <variant>

extern "C" {
#include <flite/flite.h>
cst_voice* register_cmu_us_slt(const char* voxdir);
}

namespace rw::speech {
namespace {

/// flite initialises itself once, and its voices are for one thread at a time.
class Flite {
 public:
  static Flite& instance() {
    static Flite flite;
    return flite;
  }
  audio::Samples speak(const std::string& text) {
    const std::lock_guard lock(mutex_);
    const std::unique_ptr<cst_wave, void (*)(cst_wave*)> wave(flite_text_to_wave(text.c_str(), voice_), &delete_wave);
    audio::Samples result;
    if (!wave) return result;
    result.rate = static_cast<std::uint32_t>(wave->sample_rate);
    result.samples.assign(wave->samples, wave->samples + wave->num_samples);
    return result;
  }

 private:
  Flite() {
    flite_init();
    voice_ = register_cmu_us_slt(nullptr);
  }
  std::mutex mutex_;
  cst_voice* voice_ = nullptr;
};

class FliteEngine final : public SpeechEngine {
 public:
  Result<void> speak(const audio::SpeechRequest& request, const Take& take) override {
    const auto* text_request = std::get_if<audio::SpokenText>(&request);
    if (text_request == nullptr) return fail("the embedded speech engine takes plain text and SSML only");
    const auto& spoken = *text_request;
    if (spoken.text.size() > max_text) return fail("the text is longer than 10000 characters");
    const auto text = spoken.ssml ? text_of_ssml(spoken.text) : spoken.text;
    const bool speakable =
        std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80; });
    if (!speakable) return fail("the text has nothing that can be spoken");
    auto samples = Flite::instance().speak(text);
    if (samples.samples.empty()) return fail("the speech engine made no sound of the text");
    take(std::move(samples));
    return {};
  }
};

}  // namespace

std::unique_ptr<SpeechEngine> make_flite_engine() {
  return std::make_unique<FliteEngine>();
}

}  // namespace rw::speech
