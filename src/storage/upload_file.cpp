#include "storage/upload_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace rw::storage {
namespace {

tl::unexpected<StoreError> not_written() {
  if (errno == ENOSPC || errno == EDQUOT)
    return refuse(StoreError::Kind::no_room, "no room: the server's disk is full");
  return refuse(StoreError::Kind::storage, std::string("the file can't be written: ") + std::strerror(errno));
}

/// Processor time of a check. Decoding an hour of audio takes some seconds.
constexpr std::chrono::seconds most_computing{60};
constexpr std::chrono::milliseconds in_a_step{50};

std::chrono::nanoseconds time_of_this_thread() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

UploadFile::UploadFile(std::string path, UploadKind kind, int fd, HeldSpace space)
    : path_(std::move(path)),
      kind_(kind),
      fd_(fd),
      space_(std::move(space)),
      hash_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
  EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr);
}

StoreResult<std::unique_ptr<UploadFile>> UploadFile::create(std::string path, UploadKind kind, HeldSpace space) {
  if (auto room = space.grow_to(0); !room) return tl::unexpected(std::move(room.error()));
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0) return not_written();
  return std::unique_ptr<UploadFile>(
      new UploadFile(std::move(path), kind, fd, std::move(space)));  // NOLINT: private constructor
}

UploadFile::~UploadFile() {
  ::close(fd_);
  if (!kept_) ::unlink(path_.c_str());
}

StoreResult<void> UploadFile::write(std::span<const char> bytes) {
  const bool prompt = kind_ == UploadKind::prompt;
  size_ += bytes.size();
  if (size_ > (prompt ? PromptStore::max_bytes : PromptStore::max_recording_bytes))
    return refuse(StoreError::Kind::too_large,
                  prompt ? "the file is larger than 50 MB" : "the file is larger than 4 GB");
  if (auto room = space_.grow_to(size_); !room) return room;
  EVP_DigestUpdate(hash_.get(), bytes.data(), bytes.size());
  while (!bytes.empty()) {
    const auto written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return not_written();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

StoreResult<bool> UploadFile::check_some() {
  if (!content_type_.empty()) return true;
  if (kind_ == UploadKind::opaque) {
    content_type_ = "application/octet-stream";
    return true;
  }
  if (!reader_) reader_.emplace(path_);
  if (kind_ == UploadKind::recording) {
    auto type = reader_->recognise();
    if (!type) return refuse(StoreError::Kind::not_audio, type.error().message);
    content_type_ = std::move(*type);
    return true;
  }
  const auto begun = time_of_this_thread();
  std::array<float, 4096> room;
  std::chrono::nanoseconds taken{0};
  while (!reader_->over() && taken < in_a_step) {
    if (const auto got = reader_->read(room); !got) return refuse(StoreError::Kind::not_audio, got.error().message);
    taken = time_of_this_thread() - begun;
  }
  computed_ += taken;
  if (computed_ > most_computing)
    return refuse(StoreError::Kind::not_audio, "not audio that can be decoded: it takes too long");
  if (reader_->over()) content_type_ = reader_->reader().content_type();
  return reader_->over();
}

StoreResult<UploadFile::Facts> UploadFile::finish() {
  for (StoreResult<bool> all = false; !all.value();) {
    all = check_some();
    if (!all) return tl::unexpected(std::move(all.error()));
  }
  if (::fsync(fd_) != 0) return not_written();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(hash_.get(), digest.data(), &length);
  return Facts{size_, std::move(content_type_), std::string(reinterpret_cast<const char*>(digest.data()), length)};
}

}  // namespace rw::storage
