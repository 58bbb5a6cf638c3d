#include "storage/upload_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "audio/decode.h"

namespace rw::storage {
namespace {

tl::unexpected<StoreError> not_written() {
  if (errno == ENOSPC || errno == EDQUOT)
    return refuse(StoreError::Kind::no_room, "no room: the server's disk is full");
  return refuse(StoreError::Kind::storage, std::string("the file can't be written: ") + std::strerror(errno));
}

Result<std::string> content_type_of(const std::string& path, UploadKind kind) {
  if (kind == UploadKind::opaque) return "application/octet-stream";
  if (kind == UploadKind::recording) return audio::recognise(path);
  return audio::probe(path).map([](const audio::AudioFacts& facts) { return facts.content_type; });
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

StoreResult<UploadFile::Facts> UploadFile::finish() {
  auto content_type = content_type_of(path_, kind_);
  if (!content_type) return refuse(StoreError::Kind::not_audio, content_type.error().message);
  if (::fsync(fd_) != 0) return not_written();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(hash_.get(), digest.data(), &length);
  return Facts{size_, std::move(*content_type), std::string(reinterpret_cast<const char*>(digest.data()), length)};
}

}  // namespace rw::storage
