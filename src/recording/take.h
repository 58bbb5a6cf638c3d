#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "recording/disk_file.h"
#include "recording/order.h"
#include "recording/packet_ring.h"
#include "recording/seal.h"
#include "recording/sound_encoder.h"
#include "recording/track.h"
#include "storage/disk_shares.h"

namespace rw::recording {

/// One recording under way, from its packets to its file. Put into by the media workers, ended by anybody, advanced by
/// one thread.
class Take {
 public:
  static constexpr std::size_t most_channels = 2;
  /// How long a place on the time line stays open for what comes late.
  static constexpr Duration held_back = std::chrono::milliseconds(400);

  struct Parts {
    std::uint32_t rate = 8000;
    int channels = 2;
    std::chrono::milliseconds longest{0};
    std::unique_ptr<SoundEncoder> encoder;
    std::unique_ptr<Seal> seal;  ///< null: not encrypted
    std::function<void(Ending)> ended;
    storage::HeldSpace space{nullptr, {}};  ///< what its file takes
  };
  Take(std::string id, Parts parts, TimePoint start);

  const std::string& id() const { return id_; }

  /// On a media worker's thread; for each channel on one at a time.
  void put(const media::RecordedPacket& packet);
  /// Any thread; the first call counts. The recording reaches until `at`. `failure`: empty, or why there is none.
  void end(TimePoint at, std::string failure);

  /// The file, which is empty: before the first advance().
  void write_to(std::shared_ptr<DiskFile> file) { file_ = std::move(file); }
  const std::shared_ptr<DiskFile>& file() const { return file_; }
  /// When it is over: lets go of all that it needed to write the file.
  void release();
  /// Writes all that is certain by `now`. True when the recording is over: complete, or failed.
  bool advance(TimePoint now);

  /// It is over before it began: in place of write_to().
  void give_up(std::string reason) { fail_with(std::move(reason), false); }

  /// Whether any packet has come.
  bool heard() const;
  /// The rest: when it is over.
  const std::string& failure() const { return failure_; }
  /// Why it was ended before its time, with what there was till then; empty: it was not.
  const std::string& cut_short() const { return cut_short_; }
  /// What the file takes: for whoever has the file now.
  storage::HeldSpace take_space() { return std::move(parts_.space); }
  std::chrono::milliseconds duration() const;
  std::uint64_t dropped_packets() const;

 private:
  struct End {
    TimePoint at;
    std::string failure;
  };
  std::optional<End> told_to_end() const;
  std::int64_t position_of(std::chrono::milliseconds since_start) const;
  void collect(TimePoint now, bool all);
  void encode_until(std::int64_t position);
  bool has_room(bool asked);
  Result<void> write(bool last);
  bool fail_with(std::string reason, bool told);

  const std::string id_;
  Parts parts_;
  std::array<std::unique_ptr<PacketRing>, most_channels> rings_;
  std::array<std::unique_ptr<Track>, most_channels> tracks_;
  std::shared_ptr<DiskFile> file_;
  std::string failure_, cut_short_;

  std::atomic<bool> ended_{false};
  mutable std::mutex end_mutex_;
  std::optional<End> end_;

  bool begun_ = false;
  std::int64_t done_ = 0;  ///< samples of each channel that are encoded
  std::vector<std::int16_t> interleaved_;
  Bytes plain_, sealed_;
};

}  // namespace rw::recording
