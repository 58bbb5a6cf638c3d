#include "base/ascii.h"
#include "base/utf8.h"
#include "sip/header_values.h"
#include "sip/status.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

constexpr auto subscription_seconds = "600";

/// The URI of a Refer-To value, as it is written there.
std::string uri_text(std::string_view value) {
  const auto open = value.rfind('<');
  if (open != std::string_view::npos) return std::string(value.substr(open + 1, value.find('>', open) - open - 1));
  const auto start = value.find_first_not_of(" \t");
  return std::string(value.substr(start, value.find_first_of("; \t", start) - start));
}

}  // namespace

Leg* UserAgent::Impl::replaced_by(const Replaces& replaces) {
  const auto found = by_local_tag.find(replaces.to_tag);
  auto* leg = found == by_local_tag.end() ? nullptr : this->leg(found->second);
  const bool same =
      leg != nullptr && leg->established && leg->call_id == replaces.call_id && leg->remote_tag == replaces.from_tag;
  return same ? leg : nullptr;
}

std::pair<LegId, int> UserAgent::Impl::replaced_by(const IncomingRequest& invite) {
  const auto lines = invite.message->headers("Replaces");
  if (lines.empty()) return {0, 0};
  const auto replaces = lines.size() == 1 ? Replaces::parse(lines.front()) : Result<Replaces>(fail("more than one"));
  if (!replaces) return {0, 400};
  const auto* leg = replaced_by(*replaces);
  const bool allowed =
      leg != nullptr && (!options.may_replace || options.may_replace(leg->id, *invite.message, invite.flow));
  if (!allowed) return {0, 481};  // an early dialog is nothing that could be taken over here
  if (leg->leaving) return {0, 603};
  if (replaces->early_only) return {0, 486};
  return {leg->id, 0};
}

void UserAgent::Impl::receive_refer(Leg& leg, IncomingRequest request, const std::string& transaction) {
  if (!leg.established) {
    respond(request, transaction, 403);
    return;
  }
  if (leg.refer || leg.subscription) {  // one at a time
    respond(request, transaction, 491);
    return;
  }
  const auto lines = request.message->headers("Refer-To");
  const auto target = lines.size() == 1 && split_list(lines.front()).size() == 1
                          ? NameAddress::parse_any(lines.front())  // the application sees what it can do with it
                          : Result<NameAddress>(fail("no single Refer-To"));
  if (!target) {
    respond(request, transaction, 400);
    return;
  }
  ReferReceived event{leg.id, to_utf8(uri_text(lines.front())), text_of(*request.message, "Referred-By"), 0};
  if (const auto replaces = Replaces::in_headers_of(target->uri)) {
    if (const auto* other = replaced_by(*replaces)) event.replaces = other->id;
  }
  leg.refer.emplace(Pending{std::move(request), transaction});
  events.emplace_back(std::move(event));
}

bool UserAgent::Impl::accept_refer(Leg& leg) {
  if (!leg.refer) return false;
  const auto pending = std::move(*leg.refer);
  leg.refer.reset();
  const auto wanted = value_of(*pending.request.message, "Refer-Sub");
  const bool quiet = same_letters(wanted.substr(0, wanted.find_first_of("; \t")), "false");  // RFC 4488
  auto response = pending.request.response(202, leg.local_tag);
  describe_us(response, leg);
  if (quiet) response.add("Refer-Sub", "false");
  respond(pending.transaction, response);
  const bool first = leg.referrals++ == 0;
  if (quiet) return true;
  // The id is needed as soon as there is a second one (RFC 3515 2.4.6).
  Leg::Subscription subscription;
  subscription.event = first ? "refer" : "refer;id=" + std::to_string(pending.request.cseq);
  leg.subscription.emplace(std::move(subscription));
  return notify_refer(leg, 100);
}

bool UserAgent::Impl::reject_refer(Leg& leg, int status) {
  if (!leg.refer || status < 300 || status > 699) return false;
  const auto pending = std::move(*leg.refer);
  leg.refer.reset();
  respond(pending.request, pending.transaction, status);
  return true;
}

bool UserAgent::Impl::notify_refer(Leg& leg, int status) {
  if (!leg.subscription || leg.subscription->over || leg.leaving || status < 100 || status > 699) return false;
  leg.subscription->over = status >= 200;
  if (leg.subscription->unanswered) {
    leg.subscription->next = status;  // one at a time, so that none overtakes another
  } else {
    send_notify(leg, *leg.subscription, status);
  }
  return true;
}

void UserAgent::Impl::send_notify(Leg& leg, Leg::Subscription& own, int status) {
  std::string branch;
  auto request = dialog_request(leg, "NOTIFY", branch);
  request.add("Event", own.event);
  request.add("Subscription-State", status >= 200 ? std::string("terminated;reason=noresource")
                                                  : std::string("active;expires=") + subscription_seconds);
  request.set_body("SIP/2.0 " + std::to_string(status) + " " + std::string(reason_phrase(status)) + "\r\n",
                   "message/sipfrag;version=2.0");
  own.unanswered = true;
  request_in_dialog(leg, std::move(request), branch, [this, id = leg.id, status](const Message& response) {
    auto* found = this->leg(id);
    if (found == nullptr || !found->subscription || response.status() < 200) return;
    auto& subscription = *found->subscription;
    subscription.unanswered = false;
    const auto next = std::exchange(subscription.next, std::nullopt);
    if (response.status() >= 300 || (status >= 200 && !next) || found->leaving) {
      found->subscription.reset();  // the other side does not want it, or has all of it
    } else if (next) {
      send_notify(*found, subscription, *next);
    }
  });
}

}  // namespace rw::sip
