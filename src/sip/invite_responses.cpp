#include <algorithm>
#include <cstdlib>

#include "base/utf8.h"
#include "sip/header_values.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

/// Bounds on what a fork, a redirecting server and a registrar of session timers can make us do.
constexpr std::size_t max_branches = 32;
constexpr std::size_t max_targets = 6;  ///< the first, and five redirects
constexpr int max_refusals_of_session = 3;

/// The q of a Contact (RFC 3261 20.10) in thousandths; what can't be read comes last.
int preference(const NameAddress& contact) {
  const auto* q = contact.parameter("q");
  if (q == nullptr) return 1000;
  const double value = std::strtod(q->c_str(), nullptr);
  return value > 0 && value <= 1 ? static_cast<int>(value * 1000) : 0;
}

}  // namespace

void UserAgent::Impl::invite_response(LegId id, const std::shared_ptr<SentInvite>& sent, const Message& response) {
  auto* leg = this->leg(id);
  const bool waited_for = leg != nullptr && leg->call && leg->call->sent == sent;
  if (response.status() / 100 == 2) {
    const auto known = sent->acks.find(to_tag(response));
    if (known != sent->acks.end()) {
      acknowledge_again(*sent, leg, known->first);
    } else if (waited_for) {
      invite_answered(*leg, sent, response);
    } else if (sent->acks.size() < max_branches) {
      turn_away(*sent, response);
    }
  } else if (waited_for && response.status() < 200) {
    invite_progress(*leg, response);
  } else if (waited_for) {
    invite_failed(*leg, response);
  }
}

bool UserAgent::Impl::speak_with(Leg& leg, const std::string& remote_tag, const Message& response) {
  if (leg.remote_tag == remote_tag && !remote_tag.empty()) return true;
  auto& early = leg.call->early;
  const auto known = early.find(remote_tag);
  if (known == early.end() && early.size() >= max_branches) return false;
  Dialog next;
  if (known != early.end()) {
    next = std::move(known->second);
    early.erase(known);
  } else {
    next = leg.call->sent->dialog;
    learn_dialog(next, response);
  }
  if (!leg.remote_tag.empty()) early.emplace(leg.remote_tag, static_cast<Dialog&>(leg));
  static_cast<Dialog&>(leg) = std::move(next);
  return true;
}

void UserAgent::Impl::invite_progress(Leg& leg, const Message& response) {
  auto& call = *leg.call;
  call.provisional = true;
  if (call.cancel == OutgoingCall::Cancel::wanted) send_cancel(leg);
  if (response.status() == 100) return;
  const auto tag = to_tag(response);
  if (!tag.empty()) {
    if (!speak_with(leg, tag, response)) return;
    if (lists(response, "Require", "100rel") && !take_reliable(leg, response)) return;
  }
  if (call.cancel != OutgoingCall::Cancel::no) return;
  leg.peer_allows_update = leg.peer_allows_update || lists(response, "Allow", "UPDATE");
  auto sdp = sdp_of(response);
  if (!sdp.empty()) leg.remote_sdp = sdp;
  events.emplace_back(Progress{leg.id, response.status(), std::move(sdp), std::make_shared<const Message>(response)});
}

bool UserAgent::Impl::take_reliable(Leg& leg, const Message& response) {
  const auto rseq = number_of(response, "RSeq");
  if (rseq == 0) return false;
  if (leg.rseq == rseq) return false;                       // the PRACK is under way (RFC 3262 section 4)
  if (leg.rseq != 0 && rseq != leg.rseq + 1) return false;  // in order only; a missing one is going to be repeated
  leg.rseq = rseq;
  if (!sdp_of(response).empty()) leg.answered = true;
  std::string branch;
  auto request = dialog_request(leg, "PRACK", branch);
  request.add("RAck", std::to_string(rseq) + " " + std::to_string(cseq_of(leg.call->sent->request)) + " INVITE");
  request_in_dialog(leg, std::move(request), branch, [](const Message&) {});
  return true;
}

void UserAgent::Impl::acknowledge(SentInvite& sent, Dialog& dialog) {
  std::string branch;
  auto ack = dialog_request(dialog, "ACK", branch);
  --dialog.local_cseq;
  ack.set("CSeq", std::to_string(cseq_of(sent.request)) + " ACK");
  for (const auto* name : {"Authorization", "Proxy-Authorization"}) {  // RFC 3261 22.1
    for (const auto value : sent.request.headers(name)) ack.add(name, std::string(value));
  }
  auto one = std::make_shared<SentAck>(SentAck{Course(dialog), std::move(ack), branch});
  send_ack(*one);
  sent.acks.emplace(dialog.remote_tag, std::move(one));
}

void UserAgent::Impl::acknowledge_again(SentInvite& sent, const Leg* leg, const std::string& remote_tag) {
  auto& ack = *sent.acks.at(remote_tag);
  if (leg != nullptr && leg->remote_tag == remote_tag) ack.course.flow = leg->flow;
  send_ack(ack);
}

void UserAgent::Impl::turn_away(SentInvite& sent, const Message& response) {
  auto dialog = sent.dialog;
  learn_dialog(dialog, response);
  acknowledge(sent, dialog);
  std::string branch;
  auto bye = dialog_request(dialog, "BYE", branch);
  begin(std::make_shared<DialogRequest>(DialogRequest{.leg = 0,
                                                      .course = Course(dialog),
                                                      .request = std::move(bye),
                                                      .branch = branch,
                                                      .handler = [](const Message&) {},
                                                      .digest = nullptr,
                                                      .tries = {},
                                                      .invite = nullptr,
                                                      .ways = {}}));
}

void UserAgent::Impl::invite_answered(Leg& leg, const std::shared_ptr<SentInvite>& sent, const Message& response) {
  const bool other_branch = !leg.remote_tag.empty() && leg.remote_tag != to_tag(response);
  if (!speak_with(leg, to_tag(response), response)) static_cast<Dialog&>(leg) = sent->dialog;
  learn_dialog(leg, response);  // the 2xx has the last word on target and route set (RFC 3261 13.2.2.4)
  acknowledge(*sent, leg);
  const auto call = std::move(leg.call);
  leg.established = true;
  if (call->cancel != OutgoingCall::Cancel::no) {
    bye(leg, call->cancel_reason, EndCause::cancelled);
    return;
  }
  auto sdp = sdp_of(response);
  if (sdp.empty() && other_branch) sdp = leg.remote_sdp;  // the call layer may have heard another branch last
  if (sdp.empty() && leg.remote_sdp.empty()) {
    bye(leg, "SIP;cause=488;text=\"No session description\"", EndCause::failed, 488, "No answer in the 2xx");
    return;
  }
  if (leg.last_sdp.empty()) leg.last_sdp = call->wanted.sdp;  // unless an UPDATE has changed it since
  leg.peer_allows_update = leg.peer_allows_update || lists(response, "Allow", "UPDATE");
  leg.session = session_timer_of(response, options.min_session_expires);
  watch_session(leg);
  events.emplace_back(Answered{leg.id, std::move(sdp), std::make_shared<const Message>(response)});
}

void UserAgent::Impl::invite_failed(Leg& leg, const Message& response) {
  auto& call = *leg.call;
  const bool silent = Transactions::made_here(response);
  static_cast<Dialog&>(leg) = call.sent->dialog;
  call.sent.reset();
  call.early.clear();
  leg.last_sdp.clear();
  if (leg.update) {  // it came in an early dialog that is no more
    respond(leg.update->request, leg.update->transaction, 481);
    leg.update.reset();
  }
  if (call.cancel != OutgoingCall::Cancel::no) {
    const bool failed = silent && call.cancel == OutgoingCall::Cancel::sent;
    end(leg, failed ? EndCause::cancel_failed : EndCause::cancelled, response.status(), text_of(response, "Reason"),
        to_utf8(response.reason_phrase()));
    return;
  }
  call.status = response.status();
  call.reason = text_of(response, "Reason");
  call.phrase = to_utf8(response.reason_phrase());
  if ((silent || call.status == 503) && try_next_hop(leg, silent)) return;
  if (try_again(leg, response)) return;
  if (call.status >= 600) call.next_target = call.targets.size();
  try_next_target(leg);
}

bool UserAgent::Impl::try_again(Leg& leg, const Message& response) {
  auto& call = *leg.call;
  switch (response.status()) {
    case 300:
    case 301:
    case 302:
      return follow_redirect(leg, response);
    case 401:
    case 407:
      if (!leg.digest || !leg.digest->challenged(response, call.tries)) return false;
      break;
    case 422: {  // RFC 4028 7.4
      const auto least = number_of(response, "Min-SE");
      if (least <= call.min_session_expires || ++call.refusals_of_session > max_refusals_of_session) return false;
      call.min_session_expires = least;
      call.session_expires = std::max(call.session_expires, least);
      break;
    }
    default:
      return false;
  }
  ++leg.local_cseq;
  const auto flow = leg.flow;
  send_invite(leg, flow);
  return true;
}

bool UserAgent::Impl::follow_redirect(Leg& leg, const Message& response) {
  auto& call = *leg.call;
  if (!call.wanted.follow_redirects) return false;
  std::vector<std::pair<int, std::string>> found;  // thousandths of q
  for (const auto line : response.headers("Contact")) {
    for (const auto item : split_list(line)) {
      const auto address = NameAddress::parse(item);
      if (!address || (address->uri.scheme == "tel" && leg.route_set.empty())) continue;
      found.emplace_back(preference(*address), address->uri.to_string());
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  auto at = call.next_target;
  for (auto& [q, target] : found) {
    const bool tried = std::find(call.targets.begin(), call.targets.end(), target) != call.targets.end();
    if (tried || call.targets.size() >= max_targets) continue;
    call.targets.insert(call.targets.begin() + static_cast<std::ptrdiff_t>(at++), std::move(target));
  }
  if (call.next_target == call.targets.size()) return false;
  try_next_target(leg);
  return true;
}

}  // namespace rw::sip
