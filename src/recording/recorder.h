#pragma once

#include <atomic>
#include <memory>

#include "media/recording_tap.h"
#include "ops/log.h"
#include "recording/order.h"
#include "storage/disk_shares.h"
#include "storage/prompt_store.h"

namespace rw::recording {

class Take;
class JobThreads;

/// What became of a recording.
struct Finished {
  std::string id;
  Kind kind = Kind::connection;
  std::string domain;
  std::string file_name;   ///< in prompt storage
  std::uint64_t size = 0;  ///< bytes
  std::chrono::milliseconds duration{0};
  bool success = false;
  std::string reason;  ///< of the failure
  /// The file that could not be stored and is kept for the operator: worth an alarm. Empty if there is none.
  std::string kept;
  /// Why it ended before its time, though what there was has been stored: worth an alarm. Empty: it did not.
  std::string cut_short;
  boost::json::object context;  ///< of the Order
};

/// A recording under way: the tap of its packets, and how to end it. Whoever lets go of the last one ends it.
class Recording final : public media::RecordingTap {
 public:
  ~Recording() override;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  const std::string& id() const;
  void put(const media::RecordedPacket& packet) override;
  /// Any thread; the first call counts. Packets that come afterwards are not recorded.
  void finish();
  /// The same, but there will be no recording: `reason` is told in Finished.
  void fail(std::string reason);

 private:
  friend class Recorder;
  Recording(std::shared_ptr<Take> take, std::function<void(std::string)> end);
  const std::shared_ptr<Take> take_;
  const std::function<void(std::string)> end_;
  std::atomic<bool> over_{false};
};

/// Records, stores and tells what became of it. Its files survive the process: what a crash left behind is repaired,
/// stored and told at the next start. Thread-safe.
///
/// Threads: encoders (packets to bytes to write()), one that syncs to disk each second, one for files, journal and
/// reports, and those that upload. None of them makes a media worker or another recording wait.
class Recorder {
 public:
  struct Options {
    explicit Options(storage::PromptStore& where) : store(where) {}
    std::string folder;           ///< made if it isn't there; nobody else's
    storage::PromptStore& store;  ///< outlives the recorder
    ops::Log log{ops::Log::Format::text, ops::Level::warning};
    /// Told of every recording exactly once, on one thread of the recorder; again after a restart, unless
    /// acknowledge() was called. Must not block.
    std::function<void(Finished)> report;
    /// Where it is counted what the files take, and asked whether they may grow; null: nowhere.
    std::shared_ptr<storage::DiskShares> shares = nullptr;
    std::size_t encoder_threads = 1;
    std::size_t upload_threads = 2;
    std::size_t most = 4000;                                     ///< recordings at a time
    std::chrono::milliseconds longest = std::chrono::hours(12);  ///< of any recording; a WAV file can't be longer
    std::chrono::milliseconds every{200};                        ///< how often packets are turned into bytes
    std::chrono::seconds give_up{24 * 60 * 60};                  ///< after the end of the recording
    /// Before the upload is tried again, after this many failures. Default: 1 s, doubled up to 5 minutes.
    std::function<Duration(unsigned)> back_off = {};
    std::function<TimePoint()> clock = {};      ///< default: Clock::now()
    std::function<WallTime()> wall_clock = {};  ///< default: std::chrono::system_clock::now()
  };

  /// Takes up what is left in the folder. An error if that can't be used.
  static Result<std::unique_ptr<Recorder>> open(Options options);
  /// Ends all recordings; what isn't stored by now is stored after the next start.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Does not block. The error says what is wrong with the order, or that the domain has no room; that the disk is
  /// full, say, is told in Finished.
  Result<std::shared_ptr<Recording>> start(Order order);

  /// The result has reached whom it was meant for: it will not be told again.
  void acknowledge(const std::string& id);

  /// Recordings that are under way or not yet reported.
  std::size_t pending() const;

 private:
  class Core;
  explicit Recorder(std::shared_ptr<Core> core);
  const std::shared_ptr<Core> core_;
};

}  // namespace rw::recording
