#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace rw::call {

/// `dtmf.encryption`: digits leave the server only as lower-case hex of H(salt + digits).
struct DtmfEncryption {
  enum class Type : std::uint8_t { md5, sha256 };
  Type type = Type::md5;
  std::string salt;

  std::string_view type_name() const { return type == Type::md5 ? "md5" : "sha256"; }
  std::string apply(std::string_view digits) const;
};

/// When a collection of digits is complete.
struct DtmfRule {
  std::optional<std::size_t> max_digits;
  std::string termination_keys;  ///< any one of these characters
  /// For how long after one digit the next one belongs to the same collection.
  std::chrono::milliseconds between_timeout{3'000};
};

/// Why a collection ended: `dtmfParams.reason`.
enum class DtmfEnd : std::uint8_t { termination_key, max_digits, first_timeout, between_timeout };
std::string_view to_string(DtmfEnd end);

/// What a collection brought: `dtmfParams`.
struct DtmfResult {
  std::string digits;  ///< without the termination key
  DtmfEnd reason = DtmfEnd::max_digits;
  char termination_key = 0;  ///< for termination_key
};

/// A caller's digits: all since the last flush (`dtmfBuffer`), of which those that were matched do not match again. A
/// termination key that follows a match of `max_digits` in time belongs to it: callers press "1234#" where four digits
/// would do.
class DtmfCollector {
 public:
  /// To be asked of each digit before press(): whether it belongs to the last match, and was not pressed for what comes
  /// now. Then there is no press() for it.
  bool take_trailing(char digit, TimePoint now);
  /// Adds a digit that was pressed; only the last `most` digits are kept.
  void press(char digit, TimePoint now);
  void flush();

  /// The match of the digits that are waiting, which it consumes.
  std::optional<DtmfResult> match(const DtmfRule& rule);
  /// Consumes what is waiting because no more came in time.
  DtmfResult time_out();
  bool waiting() const { return consumed_ < buffer_.size(); }

  /// All digits since the last flush.
  const std::string& buffer() const { return buffer_; }

 private:
  /// After a match of `max_digits`: the key that may still come.
  struct Trailing {
    std::string keys;
    TimePoint until;
    bool flushed = false;  ///< the digits that were matched are in the buffer no more
  };
  bool trails(char digit, TimePoint at) const;

  static constexpr std::size_t most = 256;
  std::string buffer_;
  std::vector<TimePoint> times_;  ///< of each digit in the buffer
  std::size_t consumed_ = 0;
  std::optional<Trailing> trailing_;
};

}  // namespace rw::call
