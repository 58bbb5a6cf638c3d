// Replies of any octets, from the body of an HTTP answer to what a call would do: understood, or refused with a
// sentence; and whatever goes back to the application because of it is JSON in UTF-8.
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "base/utf8.h"
#include "call/action.h"
#include "call/ivr_command.h"
#include "call/known_members.h"
#include "call/session_reference.h"
#include "callbacks/reply.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void must_be_sendable(const std::string& text) {
  boost::system::error_code error;
  (void)boost::json::parse(text, error);
  must(!error && rw::is_utf8(text));
}

void must_come_back(const boost::json::value& reference) {
  boost::json::object body{{rw::call::reference_member, reference}, {"a", 1}};
  const auto sent = rw::write_json(std::move(body), rw::call::reference_member);
  must_be_sendable(sent);
  // Kept on the disk meanwhile, it is still the same.
  const auto stored = rw::read_json(boost::json::serialize(reference));
  must(stored && *stored == reference);
  const auto again = rw::read_json_object(sent, rw::call::reference_member);
  must(again && rw::call::given_reference(*again) == reference);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto reply = rw::callbacks::read_reply(200, body, "http://app.example/newCall");
  if (!reply) {
    must(!reply.error().detail.empty());
    return 0;
  }
  rw::tenant::Domain domain;
  const rw::call::PhraseContext context{"demo.example", "eu"};
  const auto action = rw::call::read_action(reply, context, &domain);
  if (!action) must_be_sendable(boost::json::serialize(action.error().details));
  const auto command = rw::call::read_ivr_command(*reply, context, {&domain});
  if (!command) must_be_sendable(boost::json::serialize(boost::json::value(command.error().message)));
  for (const auto* event : {"newCall", "getIvrCommand", "placeivrcall"}) {
    const auto unknown = rw::call::unknown_members(event, reply->body);
    must(unknown.size() <= 20);
    must_be_sendable(boost::json::serialize(rw::call::warnings_of(unknown, event)));
  }
  if (const auto reference = rw::call::given_reference(reply->body)) must_come_back(*reference);
  return 0;
}
