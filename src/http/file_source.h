#pragma once

#include <memory>
#include <string>

#include "http/exchange.h"

namespace rw::http {

/// A file of the local file system as the content of an answer. Opened at once, so that a file which is replaced or
/// removed while it is being sent is still sent as it was.
class FileSource final : public ByteSource {
 public:
  static Result<std::shared_ptr<ByteSource>> open(const std::string& path);
  /// Takes over an open descriptor.
  FileSource(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override;

 private:
  int descriptor_;
  std::uint64_t size_;
};

}  // namespace rw::http
