// What strangers send to be let in: tokens, key sets, and signatures of requests. Any text is either read or refused.
#include <cstdint>
#include <string_view>

#include "api/fetch_jwks.h"
#include "api/jwks.h"
#include "auth/signed_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto keys = rw::api::read_jwks(text)) {
    const rw::api::JwtKeys all(std::move(*keys));
    (void)all.knows("1");
  }
  if (const auto token = rw::api::Jwt::parse(text)) {
    (void)token->check_time(std::chrono::system_clock::from_time_t(1000));
    (void)token->is_for("customer.example.com");
    int tries = 4;
    (void)rw::api::JwtKeys({}, "secret").has_signed(*token, tries);
  }
  (void)rw::api::jwks_lifetime(text);
  (void)rw::auth::read_amz_date(text);
  const std::vector<rw::auth::NameValue> headers{
      {"Host", "h"}, {"X-Amz-Date", "20150830T123600Z"}, {"Authorization", std::string(text)}};
  if (const auto message = rw::auth::SignedMessage::read({"POST", "/", {}, headers, ""}, "service", 1440938160))
    (void)message->is_signed_with(rw::auth::signing_key("secret", message->scope()));
  return 0;
}
