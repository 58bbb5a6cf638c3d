// Replies from applications: any JSON object is either understood or refused with a sentence.
#include <boost/json/parse.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "call/call_plan.h"
#include "call/info_dtmf.h"
#include "call/ivr_command.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)rw::call::dtmf_of_info("application/dtmf-relay", text);
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error, {}, options);
  if (error || !value.is_object()) return 0;
  const rw::call::PhraseContext context{"demo.example", "eu"};
  const auto command = rw::call::read_ivr_command(rw::callbacks::Reply{value.get_object(), 200}, context, {});
  if (!command && command.error().message.empty()) std::abort();
  const auto plan = rw::call::read_call_plan(value.get_object(), context);
  if (!plan && plan.error().message.empty()) std::abort();
  const auto destination = rw::call::read_destination(value.get_object());
  if (!destination && destination.error().message.empty()) std::abort();
  return 0;
}
