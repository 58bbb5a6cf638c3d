#include "http/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rw::http {

Result<std::shared_ptr<ByteSource>> FileSource::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    const auto reason = std::generic_category().message(errno);
    if (descriptor >= 0) ::close(descriptor);
    return fail(path + ": " + reason);
  }
  return std::make_shared<FileSource>(descriptor, static_cast<std::uint64_t>(status.st_size));
}

FileSource::~FileSource() {
  ::close(descriptor_);
}

Result<std::size_t> FileSource::read(std::uint64_t offset, std::span<char> into) {
  for (;;) {
    const auto got = pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail("reading a file: " + std::generic_category().message(errno));
  }
}

}  // namespace rw::http
