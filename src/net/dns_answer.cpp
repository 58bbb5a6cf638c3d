#include "net/dns_answer.h"

#include <ares.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/ascii.h"

namespace rw::net {
namespace {

using std::chrono::seconds;

std::string lower(const char* text) {
  return lower_case(text == nullptr ? "" : text);
}

struct DataDeleter {
  void operator()(void* data) const { ares_free_data(data); }
};

void read_naptr(std::span<const unsigned char> message, DnsClient::Records& into) {
  ares_naptr_reply* list = nullptr;
  if (ares_parse_naptr_reply(message.data(), static_cast<int>(message.size()), &list) != ARES_SUCCESS) return;
  const std::unique_ptr<ares_naptr_reply, DataDeleter> owner(list);
  for (const auto* one = list; one != nullptr && into.naptr.size() < DnsClient::most_records; one = one->next) {
    into.naptr.push_back({one->order, one->preference, lower(reinterpret_cast<const char*>(one->flags)),
                          lower(reinterpret_cast<const char*>(one->service)), lower(one->replacement)});
  }
}

void read_srv(std::span<const unsigned char> message, DnsClient::Records& into) {
  ares_srv_reply* list = nullptr;
  if (ares_parse_srv_reply(message.data(), static_cast<int>(message.size()), &list) != ARES_SUCCESS) return;
  const std::unique_ptr<ares_srv_reply, DataDeleter> owner(list);
  for (const auto* one = list; one != nullptr && into.srv.size() < DnsClient::most_records; one = one->next) {
    auto target = lower(one->host);
    if (target == ".") target.clear();
    into.srv.push_back({one->priority, one->weight, one->port, std::move(target)});
  }
}

}  // namespace

void read_answer(DnsClient::Type type, std::span<const unsigned char> message, DnsClient::Records& into) {
  if (type == DnsClient::Type::srv) read_srv(message, into);
  if (type == DnsClient::Type::naptr) read_naptr(message, into);
}

std::optional<seconds> answer_ttl(std::span<const unsigned char> message) {
  constexpr std::size_t header = 12;
  if (message.size() < header) return std::nullopt;
  const auto word = [&](std::size_t at) { return static_cast<std::size_t>(message[at]) << 8 | message[at + 1]; };
  std::size_t at = header;
  const auto skip_name = [&] {
    while (at < message.size() && message[at] != 0) {
      if (message[at] >= 0xC0) {  // a pointer ends the name
        at += 2;
        return;
      }
      at += 1U + message[at];
    }
    ++at;
  };
  for (auto left = word(4); left > 0 && at < message.size(); --left) {
    skip_name();
    at += 4;
  }
  std::optional<seconds> shortest;
  for (auto left = word(6); left > 0; --left) {
    skip_name();
    if (at + 10 > message.size()) break;
    const seconds ttl(word(at + 4) << 16 | word(at + 6));
    shortest = std::min(ttl, shortest.value_or(ttl));
    at += 10 + word(at + 8);
  }
  return shortest;
}

}  // namespace rw::net
