#include "recording/recorder.h"

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "base/ids.h"
#include "recording/filing.h"
#include "recording/job_threads.h"
#include "recording/take.h"

namespace rw::recording {
namespace {

constexpr std::chrono::seconds sync_every{1};
/// From so many on, it costs less to sync all of the file system than one file after another: their inodes share
/// blocks, and neighbours go to the disk in one piece.
constexpr std::size_t many_files = 8;

Duration doubling_back_off(unsigned failures) {
  constexpr unsigned most_doublings = 9;
  return std::min<Duration>(std::chrono::seconds(1) * (1 << std::min(failures - 1, most_doublings)),
                            std::chrono::minutes(5));
}

}  // namespace

/// The threads, and who does what on them.
class Recorder::Core : public std::enable_shared_from_this<Core> {
 public:
  explicit Core(const Options& options);
  void begin(Journal::Found found);
  void stop();
  Result<std::shared_ptr<Recording>> start(Order order);
  Filing& filing() { return filing_; }

 private:
  /// One thread, and the recordings that it advances.
  struct Encoder {
    std::vector<std::shared_ptr<Take>> takes;
    JobThreads thread{1};
  };
  void add(Encoder& encoder, std::shared_ptr<Take> take);
  void advance_all(Encoder& encoder, TimePoint due);
  bool advance(Take& take);
  void advance_one(Encoder& encoder, const std::shared_ptr<Take>& take);
  void sync_all(TimePoint due);
  void sync(const std::vector<std::shared_ptr<DiskFile>>& files);
  Result<Take::Parts> parts_for(Order& order, Format format) const;

  const Options options_;
  std::mutex mutex_;
  IdSource ids_;                               ///< under mutex_
  std::size_t next_encoder_ = 0;               ///< under mutex_
  bool stopping_ = false;                      ///< under mutex_
  std::vector<std::weak_ptr<DiskFile>> open_;  ///< under mutex_
  Filing filing_;
  JobThreads syncer_{1};
  std::vector<std::unique_ptr<Encoder>> encoders_;
};

Recorder::Core::Core(const Options& options) : options_(options), filing_(options) {
  for (std::size_t at = 0; at < std::max<std::size_t>(options.encoder_threads, 1); ++at)
    encoders_.push_back(std::make_unique<Encoder>());
}

void Recorder::Core::begin(Journal::Found found) {
  filing_.take_up(std::move(found));
  const auto now = Clock::now();
  for (const auto& encoder : encoders_) advance_all(*encoder, now);
  sync_all(now);
}

void Recorder::Core::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  filing_.settle();  // what was started is with its encoder now
  for (const auto& encoder : encoders_) {
    encoder->thread.post([this, &encoder = *encoder] {
      for (const auto& take : encoder.takes) {
        take->end(options_.clock(), {});
        take->advance(options_.clock());
        filing_.close(take);
      }
      encoder.takes.clear();
    });
    encoder->thread.finish();
  }
  syncer_.abandon();
  filing_.finish();
}

Result<Take::Parts> Recorder::Core::parts_for(Order& order, Format format) const {
  Take::Parts parts;
  parts.rate = order.rate;
  parts.channels = order.channels;
  parts.longest = order.longest.count() > 0 ? std::min(order.longest, options_.longest) : options_.longest;
  parts.ended = std::move(order.ended);
  auto encoder = make_sound_encoder(format, order.rate, order.channels);
  if (!encoder) return tl::unexpected(encoder.error());
  parts.encoder = std::move(*encoder);
  if (!order.public_key.empty()) {
    const auto key = read_public_key(order.public_key);
    if (!key) return tl::unexpected(key.error());
    auto seal = Seal::make(*key, format);
    if (!seal) return tl::unexpected(seal.error());
    parts.seal = std::move(*seal);
  }
  return parts;
}

Result<std::shared_ptr<Recording>> Recorder::Core::start(Order order) {
  const auto format = format_of(order.file_name);
  if (!format) return tl::unexpected(format.error());
  JournalEntry entry;
  entry.kind = order.kind;
  entry.format = *format;
  entry.encrypted = !order.public_key.empty();
  entry.domain = order.domain;
  entry.file_name = stored_name(order.file_name, entry.encrypted);
  entry.started = options_.wall_clock();
  entry.context = std::move(order.context);
  if (auto valid = storage::check_name(entry.file_name); !valid) return rw::fail(valid.error().message);
  auto parts = parts_for(order, *format);
  if (!parts) return tl::unexpected(parts.error());
  parts->space = storage::HeldSpace(options_.shares, entry.domain);
  if (auto room = parts->space.grow_to(0); !room) return rw::fail(room.error().message);

  Encoder* encoder = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return rw::fail("the server is stopping");
    if (filing_.pending() >= options_.most) return rw::fail("too many recordings at a time");
    entry.id = ids_.uuid();
    encoder = encoders_[next_encoder_++ % encoders_.size()].get();
  }
  auto take = std::make_shared<Take>(entry.id, std::move(*parts), options_.clock());
  auto end = [core = weak_from_this(), encoder, take, clock = options_.clock](std::string failure) {
    take->end(clock(), std::move(failure));
    if (const auto alive = core.lock())
      encoder->thread.post([core = alive.get(), encoder, take] { core->advance_one(*encoder, take); });
  };
  std::shared_ptr<Recording> recording(new Recording(take, std::move(end)));  // NOLINT: private constructor
  filing_.open(take, std::move(entry),
               [this, encoder](std::shared_ptr<Take> opened) { add(*encoder, std::move(opened)); });
  return recording;
}

void Recorder::Core::add(Encoder& encoder, std::shared_ptr<Take> take) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(open_, [](const auto& file) { return file.expired(); });
    open_.push_back(take->file());
  }
  encoder.thread.post([this, &encoder, take = std::move(take)] {
    encoder.takes.push_back(take);
    advance_one(encoder, take);  // it may have ended meanwhile
  });
}

bool Recorder::Core::advance(Take& take) {
  const bool heard = take.heard();
  const bool over = take.advance(options_.clock());
  if (!heard && take.heard() && !over) filing_.heard(take.id());
  return over;
}

void Recorder::Core::advance_all(Encoder& encoder, TimePoint due) {
  encoder.thread.post_at(due, [this, &encoder, due] {
    std::erase_if(encoder.takes, [this](const auto& take) {
      const bool over = advance(*take);
      if (over) filing_.close(take);
      return over;
    });
    advance_all(encoder, std::max(due + options_.every, Clock::now()));
  });
}

void Recorder::Core::advance_one(Encoder& encoder, const std::shared_ptr<Take>& take) {
  const auto found = std::find(encoder.takes.begin(), encoder.takes.end(), take);
  if (found == encoder.takes.end() || !advance(*take)) return;
  encoder.takes.erase(found);
  filing_.close(take);
}

void Recorder::Core::sync_all(TimePoint due) {
  syncer_.post_at(due, [this, due] {
    std::vector<std::shared_ptr<DiskFile>> files;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& file : open_) {
        if (auto alive = file.lock()) files.push_back(std::move(alive));
      }
    }
    sync(files);
    sync_all(std::max(due + sync_every, Clock::now()));
  });
}

void Recorder::Core::sync(const std::vector<std::shared_ptr<DiskFile>>& files) {
  const auto entries = filing_.take_unsynced();
  if (files.size() >= many_files) {
    // What can't be written shows when the file is closed.
    if (!sync_file_system(options_.folder))
      options_.log.warning("The recordings can't be brought onto the disk", {{"folder", options_.folder}});
    return;
  }
  for (const auto& file : files) file->begin_sync();
  for (const auto& file : files) (void)file->sync();  // whoever appends next hears of an error
  filing_.journal().sync(entries);
}

Result<std::unique_ptr<Recorder>> Recorder::open(Options options) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) return rw::fail(options.folder + ": " + error.message());
  auto found = Journal(options.folder).load();
  if (!found) return tl::unexpected(found.error());
  if (!options.clock) options.clock = [] { return Clock::now(); };
  if (!options.wall_clock) options.wall_clock = [] { return std::chrono::system_clock::now(); };
  if (!options.back_off) options.back_off = doubling_back_off;
  auto core = std::make_shared<Core>(options);
  core->begin(std::move(*found));
  return std::unique_ptr<Recorder>(new Recorder(std::move(core)));  // NOLINT: private constructor
}

Recorder::Recorder(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Recorder::~Recorder() {
  core_->stop();
}

Result<std::shared_ptr<Recording>> Recorder::start(Order order) {
  return core_->start(std::move(order));
}

void Recorder::acknowledge(const std::string& id) {
  core_->filing().acknowledge(id);
}

std::size_t Recorder::pending() const {
  return core_->filing().pending();
}

Recording::Recording(std::shared_ptr<Take> take, std::function<void(std::string)> end)
    : take_(std::move(take)), end_(std::move(end)) {}

Recording::~Recording() {
  finish();
}

const std::string& Recording::id() const {
  return take_->id();
}

void Recording::put(const media::RecordedPacket& packet) {
  take_->put(packet);
}

void Recording::finish() {
  if (!over_.exchange(true)) end_({});
}

void Recording::fail(std::string reason) {
  if (!over_.exchange(true)) end_(reason.empty() ? "the recording was given up" : std::move(reason));
}

}  // namespace rw::recording
