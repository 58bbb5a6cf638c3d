// Datagrams from anybody: RTP, RTCP, telephone events and the jitter buffer take them as they come.
#include <algorithm>
#include <cstdint>
#include <span>

#include "rtp/jitter_buffer.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"
#include "rtp/telephone_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> input(data, size);
  rw::rtp::JitterBuffer buffer;
  rw::rtp::TelephoneEventReceiver events;
  rw::rtp::ReceiverStatistics statistics;
  (void)rw::rtp::parse_rtcp(input);
  while (!input.empty()) {  // a length byte, then a datagram
    const auto length = std::min<std::size_t>(input[0], input.size() - 1);
    const auto datagram = input.subspan(1, length);
    input = input.subspan(1 + length);
    if (const auto packet = rw::rtp::Packet::parse(datagram)) {
      statistics.received(packet->ssrc, packet->sequence, packet->timestamp, 0);
      (void)events.receive(*packet);
      buffer.put(packet->sequence, packet->payload);
    }
    (void)buffer.take();
    (void)statistics.report();
  }
  return 0;
}
