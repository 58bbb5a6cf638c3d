#include "api/access_keys.h"

namespace rw::api {
namespace {

constexpr std::size_t most_tried = 16;  ///< keys of one name
constexpr std::size_t day_length = 8;

}  // namespace

AccessKeys::AccessKeys(const tenant::Directory& directory) {
  for (const auto& domain : directory.domains()) {
    for (const auto& key : domain->access_keys) keys_.emplace(key.id, Key{domain, key.secret, key.region, {}, {}});
  }
}

bool AccessKeys::has_signed(Key& key, const auth::SignedMessage& message) {
  if (message.scope().region != key.region) return false;
  const auto day = auth::amz_date(message.scope().time).substr(0, day_length);
  if (key.day != day) {
    key.derived = auth::signing_key(key.secret, message.scope());
    key.day = day;
  }
  return message.is_signed_with(key.derived);
}

std::shared_ptr<const tenant::Domain> AccessKeys::signer_of(const auth::SignedMessage& message,
                                                            const std::shared_ptr<const tenant::Domain>& preferred) {
  const auto [first, last] = keys_.equal_range(message.access_key_id());
  std::shared_ptr<const tenant::Domain> signer;
  std::size_t tried = 0;
  for (auto at = first; at != last; ++at) {
    const bool own = at->second.domain == preferred;
    if (!own && (signer || ++tried > most_tried)) continue;
    if (!has_signed(at->second, message)) continue;
    signer = at->second.domain;
    if (own) return signer;
  }
  // The work is the same whether there is such a key or not.
  if (first == last) (void)message.is_signed_with({});
  return signer;
}

}  // namespace rw::api
