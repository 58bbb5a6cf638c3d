#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "sip/digest.h"
#include "sip/message.h"

namespace rw::sip {

/// What is offered if nothing else is wanted, the stronger one first (RFC 8760 section 2.4).
inline constexpr std::array usual_digests{DigestAlgorithm::sha256, DigestAlgorithm::md5};

/// The server's side of digest authentication (RFC 3261 section 22, RFC 8760), without state for those who have not
/// proved anything: a nonce tells by itself when it was made here, and for which realm. A nonce that has been used
/// rightly is remembered with its last nc, so that no request is taken twice. One per user agent: a nonce of another
/// one counts as stale.
class DigestServer {
 public:
  static constexpr Duration nonce_lifetime = std::chrono::seconds(300);
  static constexpr std::size_t most_nonces = 10'000;  ///< that are remembered; of the oldest none is taken any more

  /// `most`: see most_nonces. `algorithms`: that are offered, in this order, and taken.
  explicit DigestServer(std::size_t most = most_nonces,
                        std::vector<DigestAlgorithm> algorithms = {usual_digests.begin(), usual_digests.end()});

  enum class Verdict : std::uint8_t {
    absent,  ///< no credentials for this realm
    wrong,   ///< another user, another password, for another request, without qop, or by an algorithm that is not
             ///< offered
    stale,   ///< the right password, for a nonce that is too old, or with an nc that has been used
    granted,
  };
  /// `realm`, `username`: as they stand between quotes. Only the first few Authorization headers are looked at.
  Verdict check(const Message& request, std::string_view realm, std::string_view username, std::string_view password,
                TimePoint now);

  /// The values of WWW-Authenticate, one for each algorithm, with one nonce.
  std::vector<std::string> challenges(const std::string& realm, bool stale, TimePoint now);

 private:
  /// When a nonce was made, in ms, and what tells it from others.
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  std::string nonce(std::string_view realm, const Key& key) const;
  bool take(const DigestAnswer& answer, TimePoint now);

  const std::size_t most_;
  const std::vector<DigestAlgorithm> algorithms_;
  IdSource ids_;
  const std::string secret_;
  std::map<Key, std::uint32_t> used_;  ///< nonce → its last nc
  Key forgotten_{};                    ///< nonces up to this one are not taken any more
};

}  // namespace rw::sip
