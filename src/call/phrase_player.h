#pragma once

#include <memory>
#include <string>
#include <vector>

#include "call/phrase.h"
#include "call/phrase_failures.h"
#include "call/recording.h"
#include "call/services.h"

namespace rw::call {

/// Plays phrases to one leg, in order and without a gap: the next one is prepared while the present one is heard. A
/// phrase that can't be played is reported and passed over.
class PhrasePlayer {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Phrases could not be played. Before phrases_done(), and once or twice for each kind of failure.
    virtual void phrases_failed(const PhraseFailure& failure) = 0;
    /// A `record` phrase begins.
    virtual RecordingOrder recording_of(const RecordPhrase& phrase) = 0;
    /// The last phrase has been heard, or given up. May be called from inside start() and skip_current().
    virtual void phrases_done() = 0;
  };

  PhrasePlayer(Services& services, media::LegId leg, Listener& listener);
  ~PhrasePlayer() { stop(); }
  PhrasePlayer(const PhrasePlayer&) = delete;
  PhrasePlayer& operator=(const PhrasePlayer&) = delete;

  /// Begins with the first of `phrases`. What is still playing is stopped.
  void start(Phrases phrases, rtp::Codec codec);
  /// Stops the phrase that is heard; the next one goes on.
  void skip_current();
  /// Stops all; phrases_done() is not called.
  void stop();
  /// The leg's codec is another one now: what is on its way is made ready in it.
  void codec_changed(rtp::Codec codec);
  void play_ended(media::PlayId play);
  /// Whether the key ends the recording of the present phrase, and is nobody else's business.
  bool take_digit(char digit);
  void fell_silent();

  bool playing() const { return current_ < items_.size(); }
  /// Whether anything of the last start() has been given to the leg to play.
  bool has_played() const { return has_played_; }

 private:
  enum class Stage : std::uint8_t { waiting, loading, ready, queued, over };
  struct Item {
    PhraseOrError phrase;
    Stage stage = Stage::waiting;
    media::SoundPtr sound;
    media::PlayId play = 0;
    bool recording = false;  ///< of a `record` phrase: the beep is over
    Timer patience;
  };

  void pump();
  void prepare(std::size_t index);
  void loaded(std::size_t index, Result<media::SoundPtr> sound);
  void enqueue(Item& item);
  void add_form(const Item& item);
  const RecordPhrase* recording_now() const;
  bool ends_recording(Item& item);
  void begin_recording(Item& item, const RecordPhrase& phrase);
  void give_up(std::size_t index, const std::string& problem, PhraseFailure::Cause cause);
  void tell_failures(bool all);

  Services& services_;
  const media::LegId leg_;
  Listener& listener_;
  rtp::Codec codec_ = rtp::Codec::pcma;
  std::vector<Item> items_;
  std::size_t current_ = 0;
  PhraseFailures failures_;
  Recording recording_;
  bool pumping_ = false;
  bool has_played_ = false;
  std::shared_ptr<int> round_;  ///< lives as long as one start(); answers for an earlier one find it gone
};

}  // namespace rw::call
