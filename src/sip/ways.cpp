#include <algorithm>

#include "net/target_policy.h"
#include "sip/dialog_request.h"
#include "sip/header_values.h"
#include "sip/next_hops.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

/// Bound on how many ways are tried for one request in a dialog.
constexpr std::size_t most_ways = 4;

/// Whether a hop that the URI names is the one that a connection of ours leads to. A URI that names no transport does
/// not forbid the one that has been in use.
bool keeps_to(const Flow& flow, const Flow& hop, const Uri& uri) {
  if (!is_stream(flow.transport) || flow.remote.port() == 0 || !flow.remote.same_host(hop.remote)) return false;
  return uri.parameter("transport") == nullptr || (hop.transport == flow.transport && hop.remote == flow.remote);
}

}  // namespace

Course::Course(const Dialog& dialog) : flow(dialog.flow) {
  if (dialog.route_set.empty()) {
    if (auto target = Uri::parse(dialog.remote_target)) uri = std::move(*target);
  } else if (auto route = NameAddress::parse(dialog.route_set.front())) {
    uri = std::move(route->uri);
  }
}

void UserAgent::Impl::find_ways(const Course& course, WaysFound found) {
  if (course.connected()) {
    found({course.flow});
    return;
  }
  auto literal = course.uri ? literal_hops(*course.uri) : Result<std::vector<Flow>>(fail(""));
  if (literal && literal->empty()) {
    look_up_ways(lookup_uri(*course.uri), [this, course, found = std::move(found)](const std::vector<Flow>& hops) {
      found(usable(course, hops));
    });
    return;
  }
  found(usable(course, literal ? *literal : std::vector<Flow>{}));
}

bool UserAgent::Impl::may_reach(const Flow& hop, const Flow& flow) const {
  // Where they have come from themselves, if that can't be forged or gets no connection.
  const bool own_host = flow.remote.port() != 0 && hop.remote.same_host(flow.remote) &&
                        (is_stream(flow.transport) || !is_stream(hop.transport));
  const bool own_port = hop.remote.port() == flow.remote.port() || hop.remote.port() >= net::first_unprivileged_port;
  return (own_host && own_port) || !options.may_reach || options.may_reach(hop.remote);
}

std::vector<Flow> UserAgent::Impl::usable(const Course& course, const std::vector<Flow>& hops) const {
  const auto& flow = course.flow;
  std::vector<Flow> ways;
  for (auto hop : hops) {
    if (ways.size() == most_ways) break;
    if (!may_reach(hop, flow)) continue;
    if (keeps_to(flow, hop, *course.uri)) {
      hop = flow;
    } else if (hop.transport == flow.transport && hop.remote.is_v6() == flow.local.is_v6()) {
      hop.local = flow.local;  // where the dialog has been so far
    } else {
      const auto* listener = listener_for(options.listeners, hop);
      if (listener == nullptr && course.uri->parameter("transport") == nullptr && !is_stream(hop.transport)) {
        hop.transport = Transport::tcp;  // all that there is here
        listener = listener_for(options.listeners, hop);
      }
      if (listener == nullptr) continue;
      hop.local = listener->local;
    }
    ways.push_back(hop);
  }
  // Where the last request came from, or the INVITE went to, if the URI leads nowhere.
  const bool known = std::any_of(ways.begin(), ways.end(), [&flow](const Flow& way) {
    return way.transport == flow.transport && way.remote == flow.remote;
  });
  if (flow.remote.port() != 0 && !known && (ways.empty() || is_stream(flow.transport))) ways.push_back(flow);
  return ways;
}

void UserAgent::Impl::look_up_ways(const std::string& uri, WaysFound found) {
  auto& lookup = way_lookups[uri];
  lookup.waiting.push_back(std::move(found));
  if (lookup.waiting.size() > 1) return;  // under way: what waits for it goes out in its order
  const auto id = ++last_lookup;
  way_lookup_uris.emplace(id, uri);
  lookup.limit = timers.start(now + times.timeout(), [this, id] { resolved(id, {}); });
  lookups.push_back({id, uri});
}

bool UserAgent::Impl::ways_resolved(std::uint64_t lookup, const std::vector<Flow>& hops) {
  const auto known = way_lookup_uris.find(lookup);
  if (known == way_lookup_uris.end()) return false;
  const auto waiting = std::move(way_lookups.at(known->second).waiting);
  way_lookups.erase(known->second);
  way_lookup_uris.erase(known);
  for (const auto& found : waiting) found(hops);
  return true;
}

void UserAgent::Impl::request_in_dialog(Leg& leg, Message request, const std::string& branch,
                                        Transactions::ResponseHandler handler) {
  auto one = std::make_shared<DialogRequest>(DialogRequest{.leg = leg.id,
                                                           .course = Course(leg),
                                                           .request = std::move(request),
                                                           .branch = branch,
                                                           .handler = std::move(handler),
                                                           .digest = leg.digest,
                                                           .tries = {},
                                                           .invite = nullptr,
                                                           .ways = {}});
  if (leg.digest) leg.digest->authorise(one->request, ids);
  begin(one);
}

void UserAgent::Impl::begin(const std::shared_ptr<DialogRequest>& one) {
  one->connected = one->course.connected();
  find_ways(one->course, [this, one](std::vector<Flow> ways) {
    const auto& method = one->request.method();
    const bool last_words = method == "BYE" || method == "NOTIFY";
    if (one->leg != 0 && !last_words && this->leg(one->leg) == nullptr) return;  // it ended while a name was looked up
    one->ways = std::move(ways);
    one->way = 0;
    if (!one->ways.empty()) {
      transmit(one);
      return;
    }
    stranded.push_back(one);  // later, since whoever sends is not ready for it
    stranded_timer = timers.start(now, [this] {
      for (const auto& lost : std::exchange(stranded, {})) lost->handler(Message::response(503));
    });
  });
}

void UserAgent::Impl::transmit(const std::shared_ptr<DialogRequest>& one) {
  const auto& way = one->ways[one->way];
  one->request.set("Via", via_for(way, one->branch));
  if (one->invite) {
    one->invite->request = one->request;
    one->invite->branch = one->branch;
  }
  transactions.send_request(
      way, one->request, one->branch, [this, one](const Message& response) { answered(one, response); }, now);
}

void UserAgent::Impl::answered(const std::shared_ptr<DialogRequest>& one, const Message& response) {
  if (Transactions::made_here(response) && (!one->invite || !one->invite->proceeding)) {
    auto* leg = this->leg(one->leg);
    if (one->way + 1 < one->ways.size()) {
      ++one->way;
      renew(leg, *one);
      transmit(one);
      return;
    }
    if (one->connected) {  // it has gone: now where the URIs lead, or where the other side has come from since
      const auto gone = one->course.flow.connection;
      if (leg != nullptr && leg->flow.connection == gone) lose(leg->flow);
      lose(one->course.flow);
      if (leg != nullptr) one->course.flow = leg->flow;
      renew(leg, *one);
      begin(one);
      return;
    }
  } else if (one->digest &&
             authorise_again(one->leg, one->digest.get(), one->request, one->branch, response, one->tries)) {
    transmit(one);
    return;
  }
  one->handler(response);
}

void UserAgent::Impl::renew(Leg* leg, DialogRequest& one) {
  renew(leg, one.request, one.branch);
  auto* digest = one.digest || leg == nullptr ? one.digest.get() : leg->digest.get();
  if (digest != nullptr) digest->authorise(one.request, ids);  // a nonce count is good for once
}

void UserAgent::Impl::renew(Leg* leg, Message& request, std::string& branch) {
  const auto cseq = leg == nullptr ? cseq_of(request) + 1 : ++leg->local_cseq;
  branch = new_branch();
  request.set("CSeq", std::to_string(cseq) + " " + request.method());
}

bool UserAgent::Impl::authorise_again(LegId id, DigestClient* digest, Message& request, std::string& branch,
                                      const Message& response, DigestClient::Tries& tries) {
  const bool asked = response.status() == 401 || response.status() == 407;
  if (!asked || digest == nullptr || !digest->challenged(response, tries)) return false;
  renew(leg(id), request, branch);
  digest->authorise(request, ids);
  return true;
}

void UserAgent::Impl::send_ack(const SentAck& ack) {
  find_ways(ack.course,
            [this, course = ack.course, message = ack.message, branch = ack.branch](std::vector<Flow> ways) {
              if (ways.empty()) return;  // the 2xx comes again, and in the end a BYE
              auto way = ways.front();
              const auto literal = course.uri ? literal_hops(*course.uri) : Result<std::vector<Flow>>(fail(""));
              // Nobody is told that a connection had gone which an ACK was to go over.
              if (way.connection != 0 && literal && !literal->empty() && literal->front().transport == way.transport &&
                  may_reach(literal->front(), course.flow))
                way.instead = literal->front().remote;
              auto request = message;
              request.set("Via", via_for(way, branch));
              send(way, request.serialise());
            });
}

void UserAgent::Impl::follow(Dialog& dialog, const Flow& flow) {
  // What comes by UDP says nothing about a connection.
  if (is_stream(flow.transport) || !is_stream(dialog.flow.transport)) dialog.flow = flow;
}

void UserAgent::Impl::lose(Flow& flow) {
  flow.connection = 0;
  flow.remote = {};
}

}  // namespace rw::sip
