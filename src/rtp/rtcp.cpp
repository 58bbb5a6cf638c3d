#include "rtp/rtcp.h"

#include <algorithm>
#include <cstring>

#include "rtp/wire.h"

namespace rw::rtp {
namespace {

constexpr std::uint8_t sender_report = 200, receiver_report = 201, source_description = 202, bye = 203;
constexpr std::uint16_t max_dropout = 3000;
constexpr std::uint16_t max_misorder = 100;

void write_header(std::uint8_t* at, std::uint8_t count, std::uint8_t type, std::size_t bytes, std::uint32_t ssrc) {
  at[0] = static_cast<std::uint8_t>(0x80U | count);
  at[1] = type;
  write16(at + 2, static_cast<std::uint16_t>(bytes / 4 - 1));
  write32(at + 4, ssrc);
}

}  // namespace

void ReceiverStatistics::received_event(std::uint32_t ssrc, std::uint16_t sequence) {
  const auto step = static_cast<std::uint16_t>(sequence - highest_);
  if (active_ && ssrc == ssrc_ && (step < max_dropout || step > 65535 - max_misorder)) count(sequence, step);
}

void ReceiverStatistics::received(std::uint32_t ssrc, std::uint16_t sequence, std::uint32_t timestamp,
                                  std::uint32_t arrival) {
  const auto step = static_cast<std::uint16_t>(sequence - highest_);
  const bool restart = !active_ || ssrc != ssrc_ || (step >= max_dropout && step <= 65535 - max_misorder);
  const std::uint32_t transit = arrival - timestamp;
  if (restart) {
    *this = {};
    active_ = true;
    ssrc_ = ssrc;
    base_ = highest_ = sequence;
    transit_ = transit;
    received_ = 1;
  } else {
    count(sequence, step);
  }
  const auto change = static_cast<std::int32_t>(transit - transit_);
  transit_ = transit;
  const std::uint32_t size = change < 0 ? 0U - static_cast<std::uint32_t>(change) : static_cast<std::uint32_t>(change);
  jitter_ += size - ((jitter_ + 8) >> 4);
}

void ReceiverStatistics::count(std::uint16_t sequence, std::uint16_t step) {
  if (step < max_dropout) {
    if (sequence < highest_) cycles_ += 65536;
    highest_ = sequence;
  }
  ++received_;
}

std::uint64_t ReceiverStatistics::expected() const {
  return std::uint64_t{cycles_} + highest_ - base_ + 1;
}

std::uint64_t ReceiverStatistics::lost() const {
  if (!active_) return 0;
  return expected() > received_ ? expected() - received_ : 0;
}

std::optional<ReceiverStatistics::Report> ReceiverStatistics::report() {
  if (!active_) return std::nullopt;
  const auto expected_now = expected();
  const auto expected_since = expected_now - expected_before_;
  const auto received_since = received_ - received_before_;
  expected_before_ = expected_now;
  received_before_ = received_;
  Report report;
  report.ssrc = ssrc_;
  if (expected_since > received_since) {
    report.fraction_lost = static_cast<std::uint8_t>(
        std::min<std::uint64_t>(255, ((expected_since - received_since) << 8) / expected_since));
  }
  const auto lost_signed = static_cast<std::int64_t>(expected_now) - static_cast<std::int64_t>(received_);
  report.cumulative_lost = static_cast<std::int32_t>(std::clamp<std::int64_t>(lost_signed, -0x800000, 0x7fffff));
  report.highest_sequence = cycles_ + highest_;
  report.jitter = jitter_ >> 4;
  return report;
}

std::size_t write_report(std::span<std::uint8_t> into, std::uint32_t ssrc, const std::optional<SenderInfo>& sender,
                         const std::optional<ReceiverStatistics::Report>& about, const LastSenderReport& last,
                         std::string_view cname, bool goodbye) {
  cname = cname.substr(0, 255);
  const std::size_t report_bytes = 8U + (sender ? 20U : 0U) + (about ? 24U : 0U);
  const std::size_t item_bytes = 2 + cname.size();
  const std::size_t description_bytes = 8 + (item_bytes / 4 + 1) * 4;  // at least one zero byte ends the list
  const std::size_t bye_bytes = goodbye ? 8 : 0;
  const auto total = report_bytes + description_bytes + bye_bytes;
  if (into.size() < total) return 0;
  std::memset(into.data(), 0, total);
  auto* at = into.data();
  write_header(at, about ? 1 : 0, sender ? sender_report : receiver_report, report_bytes, ssrc);
  at += 8;
  if (sender) {
    write32(at, static_cast<std::uint32_t>(sender->ntp >> 32));
    write32(at + 4, static_cast<std::uint32_t>(sender->ntp));
    write32(at + 8, sender->timestamp);
    write32(at + 12, sender->packets);
    write32(at + 16, sender->octets);
    at += 20;
  }
  if (about) {
    write32(at, about->ssrc);
    write32(at + 4, static_cast<std::uint32_t>(about->cumulative_lost) & 0xffffffU);
    at[4] = about->fraction_lost;
    write32(at + 8, about->highest_sequence);
    write32(at + 12, about->jitter);
    write32(at + 16, last.ntp_middle);
    write32(at + 20, last.ntp_middle == 0 ? 0 : last.delay);
    at += 24;
  }
  write_header(at, 1, source_description, description_bytes, ssrc);
  at[8] = 1;  // CNAME
  at[9] = static_cast<std::uint8_t>(cname.size());
  std::memcpy(at + 10, cname.data(), cname.size());
  at += description_bytes;
  if (goodbye) write_header(at, 1, bye, bye_bytes, ssrc);
  return total;
}

std::optional<RtcpSummary> parse_rtcp(std::span<const std::uint8_t> datagram) {
  RtcpSummary summary;
  bool first = true;
  while (!datagram.empty()) {
    if (datagram.size() < 4 || datagram[0] >> 6 != 2) return std::nullopt;
    const auto type = datagram[1];
    const std::size_t bytes = 4U * (read16(&datagram[2]) + 1U);
    if (bytes > datagram.size()) return std::nullopt;
    if (first && type != sender_report && type != receiver_report) return std::nullopt;
    if (type == sender_report) {
      if (bytes < 28) return std::nullopt;
      summary.sender_ntp_middle = read16(&datagram[10]) * 65536U + read16(&datagram[12]);
    }
    summary.goodbye = summary.goodbye || type == bye;
    first = false;
    datagram = datagram.subspan(bytes);
  }
  return first ? std::nullopt : std::optional(summary);
}

}  // namespace rw::rtp
