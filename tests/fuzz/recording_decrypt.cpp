// An encrypted recording from anybody. The input is the body of one that was made for our key, so that it gets past the
// key; where it begins with 'r', it is all of the file.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "recording/decrypt.h"
#include "recording/seal.h"
#include "support/rsa_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rw::recording;
  static const rw::testing_support::RsaKeys keys;
  static const auto seal = *Seal::make(*read_public_key(keys.public_key), Format::mp3);
  const std::span input(data, size);
  std::vector<std::uint8_t> file;
  if (size == 0 || data[0] != 'r') file = seal->header();
  file.insert(file.end(), input.begin() + (file.empty() && size > 0 ? 1 : 0), input.end());
  if (whole_chunks(file) > file.size()) std::abort();
  const auto decrypted = decrypt(file, keys.private_key);
  if (decrypted && decrypted->bytes.size() > file.size()) std::abort();
  return 0;
}
