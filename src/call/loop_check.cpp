#include "call/loop_check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "base/hex.h"
#include "base/utf8.h"
#include "call/caller_check.h"
#include "sip/uri.h"

namespace rw::call {
namespace {

constexpr std::size_t mark_bytes = 8;

/// The marks that came; what can't be one is none.
std::vector<std::string_view> marks_in(const sip::Message& invite) {
  std::vector<std::string_view> found;
  for (const auto line : invite.headers(LoopCheck::header)) {
    for (const auto one : sip::split_list(line)) {
      const bool usable = one.size() == 2 * mark_bytes && one.find_first_not_of("0123456789abcdef") == one.npos;
      if (usable && found.size() < static_cast<std::size_t>(LoopCheck::usual_hops)) found.push_back(one);
    }
  }
  return found;
}

}  // namespace

sip::Admission LoopCheck::decide(const tenant::Directory& directory, const sip::Message& invite,
                                 const net::Address& source) const {
  if (hops_left(invite) == 0)
    return {.status = 483, .why = "Max-Forwards is 0: it has been to too many servers, or goes round"};
  const auto been_to = marks_in(invite);
  if (been_to.empty()) return {};
  const auto called = sip::Uri::parse(invite.request_uri());
  const auto domain = called ? called_domain(directory, *called, invite, source).domain : nullptr;
  if (!domain || std::ranges::find(been_to, mark(domain->name, to_utf8(called->user))) == been_to.end()) return {};
  return {.status = 482, .why = "the call has been to this number before: it goes round"};
}

std::string LoopCheck::marks(const sip::Message& invite, std::string_view domain, std::string_view number) const {
  std::string all;
  for (const auto one : marks_in(invite)) all.append(one).append(", ");
  return all + mark(domain, number);
}

int LoopCheck::hops_left(const sip::Message& invite) {
  const auto* text = invite.header("Max-Forwards");
  if (text == nullptr) return usual_hops;
  unsigned hops = 0;
  const auto* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, hops);
  if (read.ec != std::errc{} || read.ptr != end) return usual_hops;
  return static_cast<int>(std::min<unsigned>(hops, usual_hops));
}

std::string LoopCheck::mark(std::string_view domain, std::string_view number) const {
  const auto place = std::string(domain) + "\n" + std::string(number);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(place.data()),
       place.size(), digest.data(), &length);
  return hex(std::span(digest).first<mark_bytes>());
}

}  // namespace rw::call
