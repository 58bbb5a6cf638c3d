#include "media/dtmf_detector.h"

#include <spandsp.h>

#include <array>

namespace rw::media {
namespace {

dtmf_rx_state_t* make_state() {
  // The library fills its tables at the first use, without a lock: let that happen once, in the guarded initialisation.
  static const bool tables_filled = [] { return dtmf_rx_free(dtmf_rx_init(nullptr, nullptr, nullptr)) == 0; }();
  return tables_filled ? dtmf_rx_init(nullptr, nullptr, nullptr) : nullptr;
}

}  // namespace

void DtmfDetector::Free::operator()(dtmf_rx_state_s* state) const {
  dtmf_rx_free(state);
}

DtmfDetector::DtmfDetector() : state_(make_state()) {}

std::optional<char> DtmfDetector::put(std::span<const std::int16_t> samples) {
  if (!state_) return std::nullopt;
  dtmf_rx(state_.get(), samples.data(), static_cast<int>(samples.size()));
  std::array<char, 2> digit{};  // the library ends what it hands out with a zero byte
  if (dtmf_rx_get(state_.get(), digit.data(), 1) == 0) return std::nullopt;
  return digit[0];
}

void DtmfDetector::put_gap(std::size_t samples) {
  if (state_) dtmf_rx_fillin(state_.get(), static_cast<int>(samples));
}

}  // namespace rw::media
