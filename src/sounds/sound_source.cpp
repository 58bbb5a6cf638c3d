#include "sounds/sound_source.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>
#include <variant>

#include "audio/decode.h"
#include "media/tone.h"
#include "sounds/url_source.h"
#include "speech/sentences.h"

namespace rw::sounds {
namespace {

using Step = SoundSource::Step;

class ToneSource final : public SoundSource {
 public:
  explicit ToneSource(audio::Tone tone) : tone_(std::move(tone)) {
    constexpr std::chrono::seconds longest_kept{10};
    made_.may_be_kept = tone_.domain.empty() || tone_.length <= longest_kept;
  }

  Result<Step> step(SoundOutput& output, Tools& /*tools*/) override {
    constexpr std::uint32_t rate = 8000;
    if (!samples_) {
      const auto spec = spec_of(tone_);
      if (!spec) return tl::unexpected(spec.error());
      samples_.emplace(*spec, std::min<std::chrono::milliseconds>(tone_.length, audio::max_duration), rate);
    }
    audio::Samples piece{std::vector<std::int16_t>(rate), rate};
    piece.samples.resize(samples_->next(piece.samples));
    if (piece.samples.empty()) return Step::over;
    if (auto put = output.append(piece); !put) return tl::unexpected(put.error());
    return piece.samples.size() < rate ? Step::over : Step::more;
  }

 private:
  static Result<media::ToneSpec> spec_of(const audio::Tone& tone) {
    if (!tone.name.empty()) return media::plan_tone(tone.plan, tone.name);
    media::ToneSpec spec;
    spec.frequencies = tone.frequencies;
    if (tone.on.count() > 0) spec.cadence = {tone.on, tone.off};
    return spec;
  }

  const audio::Tone tone_;
  std::optional<media::ToneSamples> samples_;
};

class FileSource final : public SoundSource {
 public:
  FileSource(audio::FilePrompt file, std::string etag) : file_(std::move(file)), known_(std::move(etag)) {}

  Result<Step> step(SoundOutput& output, Tools& tools) override {
    if (!reader_) {
      if (auto found = open(tools); !found) return tl::unexpected(found.error());
      if (made_.unchanged) return Step::over;
    }
    auto done = read(output);
    if (done) return done;
    // Perhaps it was replaced, and the file removed, between the look-up and here.
    constexpr int most_attempts = 3;
    const auto before = path_;
    const bool lasting = !made_.fresh_for;
    if (!output.empty() || ++attempts_ == most_attempts) return done;
    if (auto found = open(tools); !found) return tl::unexpected(found.error());
    if (path_ == before && lasting) return done;
    return made_.unchanged ? Step::over : Step::more;
  }

 private:
  Result<void> open(Tools& tools) {
    auto prompt = tools.makers.find(file_);
    if (!prompt) return tl::unexpected(prompt.error());
    made_ = {prompt->etag, prompt->fresh_for, prompt->etag == known_ && !known_.empty()};
    path_ = std::move(prompt->path);
    reader_.emplace(path_);
    return {};
  }

  /// A file may have much in it that is no audio: its bytes are bounded as well.
  Result<Step> read(SoundOutput& output) {
    constexpr int most_reads = 64;
    const auto until = output.duration() + in_a_step;
    std::array<float, 4096> room;
    for (int reads = 0; reads < most_reads && output.duration() < until; ++reads) {
      const auto got = reader_->read(room);
      if (!got) return tl::unexpected(got.error());
      if (reader_->over()) return Step::over;
      if (auto put = output.append(std::span(room).first(*got), reader_->reader().rate()); !put)
        return tl::unexpected(put.error());
    }
    return Step::more;
  }

  const audio::FilePrompt file_;
  const std::string known_;
  std::string path_;
  std::optional<audio::FileReader> reader_;
  int attempts_ = 0;
};

/// Text is spoken sentence by sentence; what goes to a service as it is, at once.
class SpeechSource final : public SoundSource {
 public:
  explicit SpeechSource(audio::SpeechRequest request) : request_(std::move(request)) {}

  Result<Step> step(SoundOutput& output, Tools& tools) override {
    if (!begun_) {
      if (auto parted = part(tools.engine()); !parted) return tl::unexpected(parted.error());
      begun_ = true;
    }
    if (parts_.empty()) return Step::over;
    const auto part = std::move(parts_.front());
    parts_.pop_front();
    Result<void> put;
    const auto spoken = tools.engine().speak(part, [&](const audio::Samples& piece) {
      put = output.wanted() ? output.append(piece) : Result<void>(fail("nobody waits for it any more"));
      return put.has_value();
    });
    if (!put) return tl::unexpected(put.error());
    if (!spoken) return tl::unexpected(spoken.error());
    return parts_.empty() ? Step::over : Step::more;
  }

 private:
  Result<void> part(const speech::SpeechEngine& engine) {
    const auto as_text = engine.text_of(request_);
    if (!as_text) return tl::unexpected(as_text.error());
    if (!*as_text) {
      parts_.push_back(request_);
      return {};
    }
    auto part = **as_text;
    const auto text = speech::speakable_text(part);
    if (!text) return tl::unexpected(text.error());
    part.ssml = false;
    for (const auto sentence : speech::sentences_of(*text)) {
      if (!speech::is_speakable(sentence)) continue;
      part.text = sentence;
      parts_.emplace_back(part);
    }
    return {};
  }

  const audio::SpeechRequest request_;
  bool begun_ = false;
  std::deque<audio::SpeechRequest> parts_;
};

}  // namespace

std::unique_ptr<SoundSource> make_source(const audio::SoundRequest& request, const std::string& etag,
                                         http::Downloads& downloads, std::function<void()> came) {
  if (const auto* file = std::get_if<audio::FilePrompt>(&request)) return std::make_unique<FileSource>(*file, etag);
  if (const auto* source = std::get_if<audio::UrlSound>(&request))
    return make_url_source(downloads, *source, etag, std::move(came));
  if (const auto* tone = std::get_if<audio::Tone>(&request)) return std::make_unique<ToneSource>(*tone);
  if (const auto* spoken = std::get_if<audio::SpokenText>(&request)) return std::make_unique<SpeechSource>(*spoken);
  if (const auto* polly = std::get_if<audio::PollySpeech>(&request)) return std::make_unique<SpeechSource>(*polly);
  return std::make_unique<SpeechSource>(std::get<audio::GoogleSpeech>(request));
}

}  // namespace rw::sounds
