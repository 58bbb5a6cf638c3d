#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// RTCP (RFC 3550 section 6): sender and receiver reports, the source's name, goodbye.
namespace rw::rtp {

/// What has been received from one source, for the reports about it (RFC 3550 A.1, A.3, A.8). Times are in units of the
/// RTP clock.
class ReceiverStatistics {
 public:
  /// One packet that came at `arrival`.
  void received(std::uint32_t ssrc, std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t arrival);
  /// A telephone-event: counted if it is of the same source as the audio. Its timestamp, which stays the same for the
  /// length of a press, says nothing about jitter; a source of its own is not reported on.
  void received_event(std::uint32_t ssrc, std::uint16_t sequence);

  struct Report {
    std::uint32_t ssrc = 0;
    std::uint8_t fraction_lost = 0;  ///< since the last report, in 256ths
    std::int32_t cumulative_lost = 0;
    std::uint32_t highest_sequence = 0;
    std::uint32_t jitter = 0;
  };
  /// Nothing if nothing came yet. Begins a new interval.
  std::optional<Report> report();
  std::uint64_t lost() const;
  std::uint64_t packets() const { return received_; }

 private:
  bool active_ = false;
  std::uint32_t ssrc_ = 0;
  std::uint16_t highest_ = 0;
  std::uint32_t cycles_ = 0;
  std::uint32_t base_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t expected_before_ = 0, received_before_ = 0;
  std::uint32_t transit_ = 0;
  std::uint32_t jitter_ = 0;  ///< in 16ths
  void count(std::uint16_t sequence, std::uint16_t step);
  std::uint64_t expected() const;
};

struct SenderInfo {
  std::uint64_t ntp = 0;  ///< NTP time stamp
  std::uint32_t timestamp = 0;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
};

/// The last sender report of the other side, for LSR and DLSR.
struct LastSenderReport {
  std::uint32_t ntp_middle = 0;  ///< middle 32 bits of its NTP time stamp; 0: none came
  std::uint32_t delay = 0;       ///< since then, in 1/65536 s
};

/// Writes a compound packet into `into` and returns its length: SR (or RR without `sender`), SDES with `cname`, BYE if
/// `goodbye`. 0 if it does not fit.
std::size_t write_report(std::span<std::uint8_t> into, std::uint32_t ssrc, const std::optional<SenderInfo>& sender,
                         const std::optional<ReceiverStatistics::Report>& about, const LastSenderReport& last,
                         std::string_view cname, bool goodbye);

/// What we read of a compound packet.
struct RtcpSummary {
  std::optional<std::uint32_t> sender_ntp_middle;  ///< of a sender report
  bool goodbye = false;
};
/// Nothing if `datagram` is not a valid compound packet (RFC 3550 A.2).
std::optional<RtcpSummary> parse_rtcp(std::span<const std::uint8_t> datagram);

}  // namespace rw::rtp
