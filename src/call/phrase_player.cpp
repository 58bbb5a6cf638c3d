#include "call/phrase_player.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace rw::call {
namespace {

constexpr std::size_t prepared_ahead = 2;
constexpr auto longest_preparation = std::chrono::seconds(10);

/// What has to be made ready before the phrase is heard.
std::optional<audio::SoundRequest> sound_of(const Phrase& phrase) {
  if (const auto* request = std::get_if<audio::SoundRequest>(&phrase.content)) return *request;
  const auto* record = std::get_if<RecordPhrase>(&phrase.content);
  if (record == nullptr || !record->beep) return std::nullopt;
  return audio::Tone{.frequencies = {1000}, .length = std::chrono::milliseconds(250)};
}

bool is_record(const PhraseOrError& phrase) {
  const auto* good = std::get_if<Phrase>(&phrase);
  return good != nullptr && std::holds_alternative<RecordPhrase>(good->content);
}

}  // namespace

PhrasePlayer::PhrasePlayer(Services& services, media::LegId leg, Listener& listener)
    : services_(services), leg_(leg), listener_(listener), recording_(services) {}

void PhrasePlayer::start(Phrases phrases, rtp::Codec codec) {
  stop();
  codec_ = codec;
  has_played_ = false;
  round_ = std::make_shared<int>(0);
  items_.reserve(phrases.size());
  for (auto& phrase : phrases) {
    Item item;
    item.phrase = std::move(phrase);
    items_.push_back(std::move(item));
  }
  pump();
}

void PhrasePlayer::stop() {
  const bool queued =
      std::any_of(items_.begin(), items_.end(), [](const Item& item) { return item.stage == Stage::queued; });
  if (queued) services_.media.stop_all(leg_);
  if (recording_now() != nullptr) services_.media.watch_silence(leg_, std::chrono::milliseconds(0));
  recording_.stop();
  items_.clear();
  current_ = 0;
  round_.reset();
  tell_failures(true);
}

void PhrasePlayer::skip_current() {
  if (!playing()) return;
  Item& item = items_[current_];
  const bool beeps = is_record(item.phrase) && !item.recording;  // the end of which would begin the recording
  if (item.stage == Stage::queued) services_.media.stop(leg_, item.play);
  if (item.stage == Stage::queued && !beeps) return;  // play_ended() will come
  item.stage = Stage::over;
  item.patience.cancel();
  pump();
}

void PhrasePlayer::codec_changed(rtp::Codec codec) {
  codec_ = codec;
  for (Item& item : items_) {
    if (item.stage != Stage::queued || item.sound == nullptr) continue;
    add_form(item);
  }
}

/// The engine plays the form as soon as it is there.
void PhrasePlayer::add_form(const Item& item) {
  const auto request = sound_of(std::get<Phrase>(item.phrase));
  services_.sounds.add_form(item.sound, codec_, audio::domain_of(*request));
}

void PhrasePlayer::play_ended(media::PlayId play) {
  std::string problem;
  std::string format;
  for (Item& item : items_) {
    if (item.stage != Stage::queued || item.play != play) continue;
    if (is_record(item.phrase) && !ends_recording(item)) return;
    item.stage = Stage::over;
    format = std::get<Phrase>(item.phrase).format;
    if (const auto sound = std::exchange(item.sound, nullptr)) problem = sound->problem();
  }
  if (!problem.empty()) failures_.add(PhraseFailure::Cause::failed, format, problem);
  if (playing()) pump();
}

/// A play of a `record` phrase has ended: its beep, after which the recording begins, or the recording itself.
bool PhrasePlayer::ends_recording(Item& item) {
  if (!item.recording) {
    begin_recording(item, std::get<RecordPhrase>(std::get<Phrase>(item.phrase).content));
    return false;
  }
  services_.media.watch_silence(leg_, std::chrono::milliseconds(0));
  recording_.stop();
  return true;
}

/// While it lasts, silence is played: its end is the recording's.
void PhrasePlayer::begin_recording(Item& item, const RecordPhrase& phrase) {
  item.recording = true;
  item.sound.reset();
  item.play = services_.ids.number();
  recording_.start_or_tell(listener_.recording_of(phrase), {{leg_, media::RecordedSide::heard, 0}});
  if (phrase.silence.count() > 0) services_.media.watch_silence(leg_, phrase.silence);
  media::Play play;
  play.id = item.play;
  play.silence = phrase.longest;
  services_.media.play(leg_, play);
}

const RecordPhrase* PhrasePlayer::recording_now() const {
  if (!playing() || !items_[current_].recording || items_[current_].stage != Stage::queued) return nullptr;
  return &std::get<RecordPhrase>(std::get<Phrase>(items_[current_].phrase).content);
}

bool PhrasePlayer::take_digit(char digit) {
  const auto* phrase = recording_now();
  if (phrase == nullptr || phrase->termination_keys.find(digit) == std::string::npos) return false;
  skip_current();
  return true;
}

void PhrasePlayer::fell_silent() {
  if (recording_now() != nullptr) skip_current();
}

void PhrasePlayer::pump() {
  if (pumping_) return;  // prepare() may answer at once; the loop below goes on with what it changed
  pumping_ = true;
  const std::weak_ptr<int> round = round_;
  for (bool changed = true; changed && !round.expired();) {
    changed = false;
    while (current_ < items_.size() && items_[current_].stage == Stage::over) ++current_;
    bool all_before_queued = true;
    for (std::size_t at = current_; at < items_.size() && at < current_ + prepared_ahead && !round.expired(); ++at) {
      if (items_[at].stage == Stage::waiting) {
        prepare(at);
        changed = true;
        break;  // a listener may have changed everything
      }
      // Nothing is queued behind a recording, which has no end yet, nor a recording behind anything.
      const bool alone = is_record(items_[at].phrase);
      if (items_[at].stage == Stage::ready && all_before_queued && (!alone || at == current_)) enqueue(items_[at]);
      all_before_queued =
          all_before_queued && !alone && (items_[at].stage == Stage::queued || items_[at].stage == Stage::over);
    }
  }
  pumping_ = false;
  if (!round.expired() && current_ >= items_.size()) {
    round_.reset();
    items_.clear();
    current_ = 0;
    tell_failures(true);
    listener_.phrases_done();
  } else if (!round.expired() && items_[current_].stage == Stage::queued) {
    tell_failures(false);
  }
}

/// What fails while nothing is heard is told when something is, or all is over: then it is known how many there are.
void PhrasePlayer::tell_failures(bool all) {
  const auto tell = [this](const PhraseFailure& failure) { listener_.phrases_failed(failure); };
  if (all) {
    failures_.tell_rest(tell);
  } else {
    failures_.tell_new(tell);
  }
}

void PhrasePlayer::prepare(std::size_t index) {
  Item& item = items_[index];
  if (const auto* bad = std::get_if<BadPhrase>(&item.phrase)) {
    give_up(index, bad->problem, PhraseFailure::Cause::unreadable);
    return;
  }
  const auto request = sound_of(std::get<Phrase>(item.phrase));
  if (!request) {
    item.stage = Stage::ready;
    return;
  }
  item.stage = Stage::loading;
  item.patience = services_.timers.start(services_.now + longest_preparation, [this, index] {
    give_up(index, "it was not ready within 10 seconds", PhraseFailure::Cause::timed_out);
    pump();
  });
  services_.sounds.load(*request, codec_, round_,
                        [this, index, round = std::weak_ptr<int>(round_)](Result<media::SoundPtr> sound) {
                          if (!round.expired()) loaded(index, std::move(sound));
                        });
}

void PhrasePlayer::loaded(std::size_t index, Result<media::SoundPtr> sound) {
  Item& item = items_[index];
  if (item.stage != Stage::loading) return;
  if (sound) {
    item.patience.cancel();
    item.sound = std::move(*sound);
    item.stage = Stage::ready;
    if (item.sound->payload(codec_) == nullptr) add_form(item);  // the codec has changed meanwhile
  } else {
    give_up(index, sound.error().message, PhraseFailure::Cause::failed);
  }
  pump();
}

void PhrasePlayer::enqueue(Item& item) {
  const auto& content = std::get<Phrase>(item.phrase).content;
  item.play = services_.ids.number();
  item.stage = Stage::queued;
  has_played_ = true;
  if (const auto* digits = std::get_if<DigitsPhrase>(&content)) {
    media::SendDigits send;
    send.id = item.play;
    send.digits = digits->digits;
    services_.media.send_digits(leg_, send);
  } else if (const auto* echo = std::get_if<EchoPhrase>(&content)) {
    services_.media.echo(leg_, {item.play, echo->length});
  } else if (const auto* record = std::get_if<RecordPhrase>(&content); record != nullptr && !record->beep) {
    begin_recording(item, *record);
  } else {
    media::Play play;
    play.id = item.play;
    play.sound = item.sound;
    if (const auto* silence = std::get_if<SilencePhrase>(&content)) play.silence = silence->length;
    services_.media.play(leg_, play);
  }
}

void PhrasePlayer::give_up(std::size_t index, const std::string& problem, PhraseFailure::Cause cause) {
  Item& item = items_[index];
  item.stage = Stage::over;
  item.patience.cancel();
  const auto format = std::holds_alternative<Phrase>(item.phrase) ? std::get<Phrase>(item.phrase).format
                                                                  : std::get<BadPhrase>(item.phrase).format;
  failures_.add(cause, format, problem);
}

}  // namespace rw::call
