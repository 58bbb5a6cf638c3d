#include "call/dtmf_collector.h"

#include <openssl/evp.h>

#include <array>
#include <span>
#include <stdexcept>

#include "base/hex.h"

namespace rw::call {

std::string DtmfEncryption::apply(std::string_view digits) const {
  const std::string input = salt + std::string(digits);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const EVP_MD* hash = type == Type::md5 ? EVP_md5() : EVP_sha256();
  if (EVP_Digest(input.data(), input.size(), digest.data(), &length, hash, nullptr) != 1) {
    throw std::runtime_error("the hash for DTMF encryption is not available");
  }
  return hex(std::span(digest).first(length));
}

std::string_view to_string(DtmfEnd end) {
  switch (end) {
    case DtmfEnd::termination_key:
      return "terminationKey";
    case DtmfEnd::max_digits:
      return "maxDigits";
    case DtmfEnd::first_timeout:
      return "firstTimeout";
    case DtmfEnd::between_timeout:
      return "betweenTimeout";
  }
  return "firstTimeout";
}

bool DtmfCollector::trails(char digit, TimePoint at) const {
  return trailing_ && at <= trailing_->until && trailing_->keys.find(digit) != std::string::npos;
}

bool DtmfCollector::take_trailing(char digit, TimePoint now) {
  if (!trailing_) return false;
  const bool belongs = trails(digit, now);
  const bool flushed = trailing_->flushed;
  trailing_.reset();
  if (!belongs) return false;
  if (flushed) return true;  // dtmfBuffer has what was pressed since
  press(digit, now);
  consumed_ = buffer_.size();
  return true;
}

void DtmfCollector::press(char digit, TimePoint now) {
  if (buffer_.size() == most) {
    buffer_.erase(0, 1);
    times_.erase(times_.begin());
    if (consumed_ > 0) --consumed_;
  }
  buffer_ += digit;
  times_.push_back(now);
}

void DtmfCollector::flush() {
  buffer_.clear();
  times_.clear();
  consumed_ = 0;
  if (trailing_) trailing_->flushed = true;
}

std::optional<DtmfResult> DtmfCollector::match(const DtmfRule& rule) {
  DtmfResult result;
  for (std::size_t at = consumed_; at < buffer_.size(); ++at) {
    if (rule.termination_keys.find(buffer_[at]) != std::string::npos) {
      result.reason = DtmfEnd::termination_key;
      result.termination_key = buffer_[at];
      consumed_ = at + 1;
      return result;
    }
    result.digits += buffer_[at];
    if (rule.max_digits && result.digits.size() >= *rule.max_digits) {
      result.reason = DtmfEnd::max_digits;
      consumed_ = at + 1;
      trailing_ = Trailing{rule.termination_keys, times_[at] + rule.between_timeout};
      if (!waiting()) return result;
      if (trails(buffer_[consumed_], times_[consumed_])) ++consumed_;  // pressed ahead, like the digits
      trailing_.reset();
      return result;
    }
  }
  return std::nullopt;
}

DtmfResult DtmfCollector::time_out() {
  DtmfResult result;
  result.digits = buffer_.substr(consumed_);
  result.reason = result.digits.empty() ? DtmfEnd::first_timeout : DtmfEnd::between_timeout;
  consumed_ = buffer_.size();
  return result;
}

}  // namespace rw::call
