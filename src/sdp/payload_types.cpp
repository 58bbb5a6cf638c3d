#include "sdp/payload_types.h"

#include <algorithm>

#include "base/ascii.h"
#include "sdp/audio_stream.h"

namespace rw::sdp {
namespace {

/// Of an rtpmap; what is longer is none of our formats.
constexpr std::size_t max_format_bytes = 64;
constexpr std::size_t first_dynamic = 96;

}  // namespace

void PayloadTypes::learn(const Media& media, bool is_offer) {
  const Encodings encodings(media);
  for (const auto& format : media.formats) {
    const auto payload_type = number<std::uint8_t>(format);
    if (!payload_type || *payload_type >= count) continue;
    const auto text = encodings.text(*payload_type);
    auto& known = formats_[*payload_type];
    if (!is_offer && !known.empty()) continue;
    known = text.empty() ? "?" : lower_case(text.substr(0, max_format_bytes));
    if (!is_offer) continue;
    std::erase(ours_, *payload_type);
    ours_.push_back(*payload_type);
  }
}

std::uint8_t PayloadTypes::number_for(std::string_view format, std::uint8_t usual) {
  const auto wanted = lower_case(format);
  const auto known = std::find_if(ours_.rbegin(), ours_.rend(), [&](auto one) { return formats_[one] == wanted; });
  if (known != ours_.rend()) return *known;
  auto number = usual;
  if (!formats_[usual].empty() && formats_[usual] != wanted) {
    const auto dynamic = formats_.begin() + first_dynamic;
    const auto free = std::find(dynamic, formats_.end(), std::string());
    if (free != formats_.end()) number = static_cast<std::uint8_t>(free - formats_.begin());
  }
  formats_[number] = wanted;
  ours_.push_back(number);
  return number;
}

}  // namespace rw::sdp
