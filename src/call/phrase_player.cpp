#include "call/phrase_player.h"

#include <algorithm>

namespace rw::call {
namespace {

constexpr std::size_t prepared_ahead = 2;
constexpr auto longest_preparation = std::chrono::seconds(10);

}  // namespace

PhrasePlayer::PhrasePlayer(Services& services, media::LegId leg, Listener& listener)
    : services_(services), leg_(leg), listener_(listener) {}

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
  items_.clear();
  current_ = 0;
  round_.reset();
}

void PhrasePlayer::skip_current() {
  if (!playing()) return;
  Item& item = items_[current_];
  if (item.stage == Stage::queued) {
    services_.media.stop(leg_, item.play);  // play_ended() will come
    return;
  }
  item.stage = Stage::over;
  item.patience.cancel();
  pump();
}

void PhrasePlayer::codec_changed(rtp::Codec codec) {
  codec_ = codec;
  for (Item& item : items_) {
    if (item.stage != Stage::queued || item.sound == nullptr) continue;
    const auto& content = std::get<Phrase>(item.phrase).content;
    // The engine plays the Sound's new form as soon as it is there; the answer itself is not needed.
    services_.sounds.load(std::get<audio::SoundRequest>(content), codec, [](const Result<media::SoundPtr>&) {});
  }
}

void PhrasePlayer::play_ended(media::PlayId play) {
  for (Item& item : items_) {
    if (item.stage == Stage::queued && item.play == play) item.stage = Stage::over;
  }
  if (playing()) pump();
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
      if (items_[at].stage == Stage::ready && all_before_queued) enqueue(items_[at]);
      all_before_queued = all_before_queued && (items_[at].stage == Stage::queued || items_[at].stage == Stage::over);
    }
  }
  pumping_ = false;
  if (!round.expired() && current_ >= items_.size()) {
    round_.reset();
    items_.clear();
    current_ = 0;
    listener_.phrases_done();
  }
}

void PhrasePlayer::prepare(std::size_t index) {
  Item& item = items_[index];
  if (const auto* bad = std::get_if<BadPhrase>(&item.phrase)) {
    give_up(index, bad->problem, false);
    return;
  }
  const auto& content = std::get<Phrase>(item.phrase).content;
  const auto* request = std::get_if<audio::SoundRequest>(&content);
  if (request == nullptr) {
    item.stage = Stage::ready;
    return;
  }
  item.stage = Stage::loading;
  item.patience = services_.timers.start(services_.now + longest_preparation, [this, index] {
    give_up(index, "it was not ready within 10 seconds", true);
    pump();
  });
  services_.sounds.load(*request, codec_,
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
  } else {
    give_up(index, sound.error().message, false);
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
  } else {
    media::Play play;
    play.id = item.play;
    play.sound = item.sound;
    if (const auto* silence = std::get_if<SilencePhrase>(&content)) play.silence = silence->length;
    services_.media.play(leg_, play);
  }
}

void PhrasePlayer::give_up(std::size_t index, const std::string& problem, bool timed_out) {
  Item& item = items_[index];
  item.stage = Stage::over;
  item.patience.cancel();
  const auto format = std::holds_alternative<Phrase>(item.phrase) ? std::get<Phrase>(item.phrase).format
                                                                  : std::get<BadPhrase>(item.phrase).format;
  listener_.phrase_failed(format, problem, timed_out);
}

}  // namespace rw::call
