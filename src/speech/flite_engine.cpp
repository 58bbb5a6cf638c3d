#include "speech/flite_engine.h"

#include <mutex>
#include <string>

#include "speech/text_engine.h"

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

class FliteEngine final : public TextEngine {
  Result<void> say(std::string_view sentence, const audio::SpokenText& /*spoken*/, Pieces& pieces) override {
    const auto samples = Flite::instance().speak(std::string(sentence));
    return pieces.add(samples.samples, samples.rate);
  }
};

}  // namespace

std::unique_ptr<SpeechEngine> make_flite_engine() {
  return std::make_unique<FliteEngine>();
}

}  // namespace rw::speech
