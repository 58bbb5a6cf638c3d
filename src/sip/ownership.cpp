#include "sip/ownership.h"

#include <algorithm>

#include "sip/incoming_request.h"
#include "sip/transactions.h"
#include "sip/uri.h"

namespace rw::sip {
namespace {

constexpr std::string_view cookie = "z9hG4bK";

/// The mark in "s0.5f0c.…": what stands between the first two dots; empty: it is not one that any of us has made.
std::string_view mark_in(std::string_view tag) {
  if (!tag.starts_with('s')) return {};
  const auto dot = tag.find('.');
  if (dot == std::string_view::npos || dot < 2) return {};
  const auto digits = tag.substr(1, dot - 1);
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return {};
  const auto rest = tag.substr(dot + 1);
  const auto end = rest.find('.');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

}  // namespace

void Ownership::add_earlier(const std::vector<std::string>& marks, const std::vector<std::string>& transactions) {
  earlier_.insert(marks.begin(), marks.end());
  earlier_transactions_.insert(transactions.begin(), transactions.end());
}

void Ownership::set_own(const std::vector<std::string>& transactions) {
  own_transactions_ = {transactions.begin(), transactions.end()};
}

Ownership::Owner Ownership::of_tag(std::string_view tag) const {
  const auto mark = mark_in(tag);
  if (mark.empty()) return Owner::nobody;
  if (mark == mark_) return Owner::us;
  return earlier_.contains(std::string(mark)) ? Owner::earlier : Owner::later;
}

Ownership::Owner Ownership::of(std::string_view text) const {
  std::string_view body;
  auto message = Message::parse_head(text, body);
  if (!message) return Owner::nobody;
  if (!message->is_request()) {
    const auto* line = message->header("Via");
    const auto values = line == nullptr ? std::vector<std::string_view>{} : split_list(*line);
    const auto via = values.empty() ? Result<Via>(fail("no Via")) : Via::parse(values.front());
    if (!via || !via->branch.starts_with(cookie)) return Owner::nobody;
    return of_tag(std::string_view(via->branch).substr(cookie.size()));
  }
  const auto request = IncomingRequest::read(std::make_shared<const Message>(std::move(*message)), {});
  if (!request) return Owner::nobody;
  if (const auto owner = of_tag(request->to_tag); owner != Owner::nobody) return owner;
  const bool of_invite = request->method() == "ACK" || request->method() == "CANCEL";
  const auto key = Transactions::server_key(*request->message, request->via, of_invite ? "INVITE" : request->method());
  if (own_transactions_.contains(key)) return Owner::us;
  return earlier_transactions_.contains(key) ? Owner::earlier : Owner::nobody;
}

}  // namespace rw::sip
