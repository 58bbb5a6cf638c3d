#include "recording/uploader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <vector>

#include "media/file_descriptor.h"

namespace rw::recording {
namespace {

constexpr std::size_t piece = 256 * 1024;

using Failure = tl::unexpected<UploadFailure>;

Failure failure(const storage::StoreError& error) {
  using Kind = storage::StoreError::Kind;
  const bool is_final =
      error.kind == Kind::not_audio || error.kind == Kind::invalid_name || error.kind == Kind::too_large;
  return Failure({error.message, is_final});
}

}  // namespace

tl::expected<std::uint64_t, UploadFailure> upload(storage::PromptStore& store, const std::string& domain,
                                                  const std::string& name, storage::UploadKind kind,
                                                  const std::string& path, const std::atomic<bool>& stop) try {
  const media::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Failure({"the recording can't be read: " + std::system_category().message(errno), errno == ENOENT});
  auto upload = store.begin(domain, name, kind);
  if (!upload) return failure(upload.error());
  std::vector<char> bytes(piece);
  for (;;) {
    if (stop.load(std::memory_order_relaxed)) return Failure({"the server is stopping", false});
    const auto got = ::read(file.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure({"the recording can't be read: " + std::system_category().message(errno), false});
    if (got == 0) break;
    const auto written = (*upload)->write(std::span(bytes).first(static_cast<std::size_t>(got)));
    if (!written) return failure(written.error());
  }
  const auto stored = (*upload)->commit();
  if (!stored) return failure(stored.error());
  return stored->size;
} catch (const std::exception& problem) {
  return Failure({problem.what(), false});
}

}  // namespace rw::recording
