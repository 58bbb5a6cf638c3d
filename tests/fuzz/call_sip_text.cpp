// Header values of any octets, from a SIP message to the callbacks that carry them: what an application is sent is JSON
// in UTF-8. The first line is the Request-URI or the reason phrase, the others are header lines.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "call/device_media.h"
#include "call/inbound_call.h"
#include "call/outgoing_leg.h"
#include "sdp/device.h"
#include "sip/header_values.h"
#include "sip/message.h"

namespace {

void must_be_sendable(const boost::json::object& body) {
  const auto text = boost::json::serialize(body);
  boost::system::error_code error;
  (void)boost::json::parse(text, error);
  if (error || !rw::is_utf8(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = text.substr(0, text.find('\n'));
  const auto lines = std::string(text.substr(std::min(text.size(), first.size() + 1))) + "\r\n\r\n";
  const auto request = rw::sip::Message::parse("INVITE " + std::string(first) + " SIP/2.0\r\n" + lines);
  if (request) {
    const auto call = rw::call::InboundCall::read(*request);
    auto members = rw::call::new_call_members(call, *request, {});
    members["traceId"] = call.trace_id;
    must_be_sendable(members);
    for (const auto& [name, value] : call.custom_headers) must_be_sendable({{name, value}});
    must_be_sendable({{"user", rw::call::user_of(request->request_uri())}});
  }
  const auto response = rw::sip::Message::parse("SIP/2.0 480 " + std::string(first) + "\r\n" + lines);
  if (response) {
    must_be_sendable(
        {{"errorDescr", rw::to_utf8(response->reason_phrase())}, {"sipReason", rw::sip::text_of(*response, "Reason")}});
  }
  if (const auto audio = rw::sdp::DeviceNegotiator::read_offer(std::string(text))) {
    boost::json::object body;
    rw::call::add_remote_audio(body, *audio);
    must_be_sendable(body);
  } else {
    must_be_sendable({{"description", audio.error().message}});
  }
  return 0;
}
