#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "call/recording.h"
#include "recording/recorder.h"
#include "tenant/directory.h"

namespace rw::app {

/// The recorder, as the calls know it: keeps with each recording what its application is to be told, and brings that to
/// a shard in the end, after a restart too. Thread-safe.
class Recordings final : public call::RecordingPort {
 public:
  struct Options {
    std::function<std::shared_ptr<const tenant::Directory>()> directory;
    /// Brings a notification, or an alarm (with an empty event), on its way; `over` is to be called when it is
    /// on the disk, or has been dropped.
    std::function<void(callbacks::Context, std::string event, boost::json::object body, std::function<void()> over)>
        tell;
    ops::Log log;
  };
  explicit Recordings(Options options) : options_(std::move(options)) {}

  /// Opens the recorder, which takes up what an earlier process has left. Until then no recording can begin.
  Result<void> open(recording::Recorder::Options recorder);
  /// Ends all recordings; what isn't stored by now is stored after the next start. No more can begin.
  void close();

  Result<call::OpenRecording> start(call::RecordingOrder order) override;
  /// Recordings that are under way or not stored yet.
  std::size_t pending() const;

 private:
  void finished(const recording::Finished& finished);
  /// The application will be told, whatever happens to this process, or nobody is to be told.
  void acknowledge(const std::string& id);

  const Options options_;
  mutable std::mutex mutex_;  ///< guards recorder_: ends are told while it is opened, and delivered when it is closed
  std::unique_ptr<recording::Recorder> recorder_;
};

}  // namespace rw::app
