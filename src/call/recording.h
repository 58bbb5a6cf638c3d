#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "callbacks/channel.h"
#include "media/engine.h"

/// Recordings as the call layer knows them: what is to be recorded, under which name, and what the application is told
/// in the end (section 8 of the behaviour).
namespace rw::call {

struct Services;

struct RecordingOrder {
  enum class Kind : std::uint8_t { connection, phrase };
  Kind kind = Kind::connection;
  callbacks::Context application;  ///< whom the end is told
  bool tell = true;                ///< it is told at all
  std::string file_name;           ///< with its extension
  bool two_channels = true;
  bool wideband = false;        ///< 16000 Hz instead of 8000
  boost::json::object members;  ///< of the notification, beside what only the end knows
};

/// How a recording has ended.
struct RecordingEnd {
  std::string file_name;  ///< as it is stored
  std::uint64_t size = 0;
  std::chrono::milliseconds duration{0};
  std::string failure;  ///< empty: it is stored
};

/// Name and body of the notification about an end: recordingReady or fileRecorded.
std::pair<std::string_view, boost::json::object> recording_notice(RecordingOrder::Kind kind,
                                                                  boost::json::object members, const RecordingEnd& end);

/// A recording that has begun.
struct OpenRecording {
  std::shared_ptr<media::RecordingTap> tap;
  std::function<void()> finish;  ///< to be called once; after that the application will be told how it ended
};

/// Makes recordings. Thread-safe; never blocks.
class RecordingPort {
 public:
  virtual ~RecordingPort() = default;
  /// The error says why it can't begin; then the application is told by nobody.
  virtual Result<OpenRecording> start(RecordingOrder order) = 0;
};

/// What an application wants recorded: `callRecording` and `recordingFileName` of a reply.
struct RecordingWish {
  std::string file_name;  ///< empty: a name is made for it
};

/// What a file name must be; the error says why it isn't.
Result<void> check_recording_name(std::string_view name);
/// The name with an extension that tells the format: .mp3 is added unless it ends with .mp3, .wav or .ogg.
std::string with_extension(std::string name);

struct RecordedLeg {
  media::LegId leg = 0;
  media::RecordedSide side = media::RecordedSide::heard;
  std::uint8_t channel = 0;
};

/// At most one recording at a time, of a connection or of a leg. It ends with this.
class Recording {
 public:
  explicit Recording(Services& services) : services_(services) {}
  ~Recording() { stop(); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  bool running() const { return open_.has_value(); }
  /// Ends the one that is running.
  Result<void> start(RecordingOrder order, std::initializer_list<RecordedLeg> legs);
  /// As start(); if it can't begin, the application is told so as it is told of any other failure.
  void start_or_tell(RecordingOrder order, std::initializer_list<RecordedLeg> legs);
  void stop();

 private:
  Services& services_;
  std::optional<OpenRecording> open_;
  std::vector<media::LegId> legs_;
};

}  // namespace rw::call
