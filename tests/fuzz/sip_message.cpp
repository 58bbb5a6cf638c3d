// Bytes from anybody: the parser and the stream framer take them as they come, and what the parser takes it also
// writes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sip/incoming_request.h"
#include "sip/message.h"
#include "sip/stream_framer.h"
#include "sip/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto length = rw::sip::first_message(text); length && *length > size) std::abort();
  (void)rw::sip::bad_request(text, "fuzz", rw::sip::StatelessTags("s0."));
  (void)rw::sip::NameAddress::parse(text);
  if (const auto uri = rw::sip::Uri::parse(text)) {
    if (!rw::sip::Uri::parse(uri->to_string())) std::abort();
  }
  auto message = rw::sip::Message::parse(text);
  if (!message) return 0;
  if (!rw::sip::Message::parse(message->serialise())) std::abort();
  if (!message->is_request()) return 0;
  if (const auto request =
          rw::sip::IncomingRequest::read(std::make_shared<const rw::sip::Message>(std::move(*message)), {}))
    (void)request->response(200, "tag").serialise();
  return 0;
}
