#include "sounds/sound_key.h"

namespace rw::sounds {
namespace {

struct Key {
  std::string operator()(const audio::FilePrompt& file) const { return "file\n" + file.name; }
  std::string operator()(const audio::UrlSound& source) const { return "url\n" + source.url; }
  std::string operator()(const audio::SpokenText& spoken) const {
    return "speech\n" + spoken.voice + "\n" + spoken.language + (spoken.ssml ? "\nssml\n" : "\ntext\n") + spoken.text;
  }
  std::string operator()(const audio::PollySpeech& spoken) const {
    return "polly\n" + spoken.region + "\n" + spoken.parameters;
  }
  std::string operator()(const audio::GoogleSpeech& spoken) const { return "google\n" + spoken.parameters; }
  std::string operator()(const audio::Tone& tone) const {
    std::string key = "tone\n" + tone.plan + "\n" + tone.name;
    for (const double frequency : tone.frequencies) key += "\n" + std::to_string(frequency);
    for (const auto time : {tone.on, tone.off, tone.length}) key += "\n" + std::to_string(time.count());
    return key;
  }
};

struct Refresh {
  template <class Request>
  bool operator()(const Request& request) const {
    if constexpr (requires { request.caching; }) return request.caching.refresh;
    return false;
  }
};

}  // namespace

std::string key_of(const audio::SoundRequest& request) {
  return audio::domain_of(request) + '\n' + std::visit(Key{}, request);
}
bool wants_refresh(const audio::SoundRequest& request) {
  return std::visit(Refresh{}, request);
}

}  // namespace rw::sounds
