#pragma once

#include <openssl/evp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "audio/decode.h"
#include "storage/disk_shares.h"
#include "storage/prompt_store.h"

namespace rw::storage {

/// A file that an upload is written to and checked in. It is removed with this object, unless it was kept.
class UploadFile {
 public:
  /// The file must not be there yet. `space`: what it takes, asked for before it is written.
  static StoreResult<std::unique_ptr<UploadFile>> create(std::string path, UploadKind kind,
                                                         HeldSpace space = {nullptr, {}});
  ~UploadFile();
  UploadFile(const UploadFile&) = delete;
  UploadFile& operator=(const UploadFile&) = delete;

  StoreResult<void> write(std::span<const char> bytes);
  struct Facts {
    std::uint64_t size = 0;
    std::string content_type;
    std::string sha256;  ///< 32 bytes
  };
  /// Looks at some more of what has come, for about 50 ms of computing. True: all of it has been looked at.
  StoreResult<bool> check_some();
  /// Checks what hasn't been checked yet; once. What was written is on the disk then, the file's name in its folder
  /// perhaps not yet.
  StoreResult<Facts> finish();

  const std::string& path() const { return path_; }
  /// Can be read, too.
  int fd() const { return fd_; }
  void keep() { kept_ = true; }
  /// It counts elsewhere from now on.
  void release_space() { space_.release(); }

 private:
  UploadFile(std::string path, UploadKind kind, int fd, HeldSpace space);

  const std::string path_;
  const UploadKind kind_;
  const int fd_;
  HeldSpace space_;
  std::uint64_t size_ = 0;
  bool kept_ = false;
  std::optional<audio::FileReader> reader_;
  std::chrono::nanoseconds computed_{0};  ///< for the check
  std::string content_type_;              ///< once it has been checked
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash_;
};

}  // namespace rw::storage
