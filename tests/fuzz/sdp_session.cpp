// An offer from anybody: parsing and answering it never crashes, and what we answer can be parsed again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sdp/negotiator.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  rw::sdp::Capabilities ours;
  ours.codecs = {rw::rtp::Codec::pcma, rw::rtp::Codec::pcmu, rw::rtp::Codec::gsm};
  ours.address = *rw::net::Address::from("127.0.0.1", 16384);
  rw::sdp::Negotiator negotiator(ours);
  const auto answer = negotiator.answer(text);
  if (answer && !rw::sdp::Session::parse(answer->sdp)) std::abort();
  negotiator.offer();
  (void)negotiator.accept(text);
  return 0;
}
