#include "sip/stateless_tags.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <span>

#include "base/hex.h"

namespace rw::sip {

StatelessTags::StatelessTags(std::string prefix) : prefix_(std::move(prefix)), key_(IdSource().token(40)) {}

std::string StatelessTags::tag(std::string_view via, std::string_view call_id, std::string_view from,
                               std::string_view cseq) const {
  std::string request;
  for (const auto part : {via, call_id, from, cseq}) request.append(part).append("\n");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(request.data()),
       request.size(), digest.data(), &length);
  return prefix_ + hex(std::span(digest).first<10>());
}

}  // namespace rw::sip
