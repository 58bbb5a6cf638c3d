#include "speech/flite_engine.h"

#include <mutex>
#include <utility>
#include <variant>

#include "speech/pieces.h"
#include "speech/sentences.h"

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
    const auto* spoken = std::get_if<audio::SpokenText>(&request);
    if (spoken == nullptr) return fail("the embedded speech engine takes plain text and SSML only");
    const auto text = speakable_text(*spoken);
    if (!text) return tl::unexpected(text.error());
    Pieces pieces(take);
    for (const auto sentence : sentences_of(*text)) {
      if (!pieces.wanted()) return {};
      if (!is_speakable(sentence)) continue;
      const auto samples = Flite::instance().speak(std::string(sentence));
      if (auto added = pieces.add(samples.samples, samples.rate); !added) return added;
      pieces.flush();
    }
    return pieces.finish();
  }
};

}  // namespace

std::unique_ptr<SpeechEngine> make_flite_engine() {
  return std::make_unique<FliteEngine>();
}

}  // namespace rw::speech
