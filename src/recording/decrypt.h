#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "recording/format.h"

namespace rw::recording {

/// What was in an encrypted recording.
struct Decrypted {
  Format format = Format::wav;
  std::vector<std::uint8_t> bytes;  ///< a whole file of that format
  /// Empty if it is all there and as it was recorded. Otherwise what is wrong: it ends early, or is not what was
  /// recorded from some point on; `bytes` has what is before that.
  std::string problem;
};

/// `file`: an encrypted recording, anybody's bytes. `private_key`: RSA, PEM, without a pass phrase. An error if nothing
/// of it can be read.
Result<Decrypted> decrypt(std::span<const std::uint8_t> file, const std::string& private_key);

/// From one file to another, which must not be there. The sentence for the operator: empty if all is well, otherwise
/// Decrypted::problem.
Result<std::string> decrypt_file(const std::string& key_file, const std::string& in, const std::string& out);

/// How long an encrypted file is up to its last whole chunk; less than its size if it ends early. Needs no key.
std::size_t whole_chunks(std::span<const std::uint8_t> file);

}  // namespace rw::recording
