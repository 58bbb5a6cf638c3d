#include "call/switchboard.h"

#include <utility>

#include "call/alerting.h"
#include "call/caller_check.h"
#include "call/fallback.h"
#include "ops/bound.h"

namespace rw::call {
namespace {

constexpr Refusal stopping{503, "Server is stopping"};

}  // namespace

Switchboard::Switchboard(Services& services) : services_(services), loops_(services.tokens) {}

Switchboard::~Switchboard() = default;

void Switchboard::sip_event(const sip::Event& event, TimePoint now) {
  services_.now = now;
  dispatch(event);
  settle();
}

void Switchboard::media_event(const media::Event& event, TimePoint now) {
  services_.now = now;
  const auto leg = std::visit([](const auto& one) { return one.leg; }, event);
  if (const auto found = services_.media_legs.find(leg); found != services_.media_legs.end())
    found->second->media_event(event);
  settle();
}

void Switchboard::receive(Letter letter, TimePoint now) {
  services_.now = now;
  services_.letters.push_back(std::move(letter));
  settle();
}

void Switchboard::advance(TimePoint now) {
  services_.now = now;
  services_.timers.advance(now);
  settle();
}

void Switchboard::run(const std::function<void()>& answer, TimePoint now) {
  services_.now = now;
  answer();
  settle();
}

void Switchboard::dispatch(const sip::Event& event) {
  if (const auto* invite = std::get_if<sip::IncomingInvite>(&event)) {
    new_call(*invite);
    return;
  }
  const auto leg = std::visit([](const auto& one) { return one.leg; }, event);
  const auto found = services_.sip_legs.find(leg);
  if (found == services_.sip_legs.end()) {
    leg_of_nobody(event);
    return;
  }
  struct Visitor {
    Participant& participant;
    void operator()(const sip::IncomingInvite&) const {}
    void operator()(const sip::InviteCancelled& cancel) const { participant.cancelled(cancel.reason); }
    void operator()(const sip::Progress& progress) const { participant.progress(progress); }
    void operator()(const sip::Answered& answer) const { participant.answered_by(answer); }
    void operator()(const sip::Acknowledged& ack) const { participant.acknowledged(ack); }
    void operator()(const sip::ProvisionalAcknowledged& prack) const { participant.provisional_acknowledged(prack); }
    void operator()(const sip::OfferReceived& offer) const { participant.offer_received(offer); }
    void operator()(const sip::OfferAnswered& offer) const { participant.offer_answered(offer.status, offer.sdp); }
    void operator()(const sip::Refreshed& refreshed) const { participant.refreshed(refreshed.by_invite); }
    void operator()(const sip::RefreshRefused& refused) const { participant.refresh_refused(refused.status); }
    void operator()(const sip::InformationReceived& info) const {
      participant.information_received(info.content_type, info.body);
    }
    void operator()(const sip::ReferReceived& refer) const { participant.refer_received(refer); }
    void operator()(const sip::Ended& end) const { participant.ended(end); }
  };
  std::visit(Visitor{*found->second}, event);
}

/// The participant has been finished; the user agent is only tidying up. One thing may still have to be told.
void Switchboard::leg_of_nobody(const sip::Event& event) {
  const auto* end = std::get_if<sip::Ended>(&event);
  if (end == nullptr) return;
  const auto found = services_.cancelled_legs.find(end->leg);
  if (found == services_.cancelled_legs.end()) return;
  const auto leg = std::move(found->second);
  services_.cancelled_legs.erase(found);
  if (end->cause != sip::EndCause::cancel_failed) return;
  boost::json::object alarm{{"type", "callError"}, {"error", "cancelFailed"}};
  alarm["domain"] = leg.application.service->domain;
  alarm["sessionId"] = leg.application.session_id;
  alarm["errorDetails"] = {{"description", end->phrase},
                           {"status", end->status},
                           {"participantId", leg.participant},
                           {"user", leg.user},
                           {"callId", leg.call_id}};
  services_.application.alarm(leg.application, std::move(alarm));
}

void Switchboard::new_call(const sip::IncomingInvite& invite) {
  auto call = InboundCall::read(*invite.request);
  const auto directory = services_.directory();
  const auto uri = sip::Uri::parse(invite.request->request_uri());  // the user agent has refused what is none
  const auto [domain, registered] =
      uri ? called_domain(*directory, *uri, *invite.request, invite.flow.remote) : tenant::Directory::Called{};
  if (domain == nullptr) {
    const bool tel = uri && uri->scheme == "tel";
    refuse(invite.leg, tel ? 416 : 404,
           tel ? "a tel: URI whose domain neither its phone-context nor one trunk tells" : "no such domain", call);
    return;
  }
  const auto* trunk = registered != nullptr ? registered : trunk_of(*domain, *invite.request, invite.flow.remote);
  const auto* device = domain->device(call.called_party);
  auto service = device != nullptr ? domain->service(device->mediaservice) : domain->service_for(call.called_party);
  if (service == nullptr) {
    refuse(invite.leg, 404, "no mediaservice has this number", call);
    return;
  }
  auto unconfirmed =
      services_.unconfirmed->enter(invite.flow.remote, domain->name, trunk != nullptr ? trunk->name : "");
  if (!unconfirmed.taken()) {
    services_.metrics.call_refused(503);
    services_.metrics.refused("unconfirmedCalls");
    refuse(invite.leg, 503, "its source or trunk has as many calls without ACK or PRACK as it may have", call, 10);
    return;
  }
  auto places = enter(*domain, trunk, invite.flow.remote);
  if (!places) {
    services_.metrics.call_refused(503);
    refuse(invite.leg, 503, places.error().what, call, places.error().retry_after);
    return;
  }
  call.loop_marks = loops_.marks(*invite.request, domain->name, call.called_party);
  const auto inbound = std::make_shared<const InboundCall>(std::move(call));
  SessionHolder& holder = *this;
  Session& session = open(std::make_unique<Session>(services_, holder, std::move(service), inbound->trace_id, inbound));
  auto& participant = session.add(std::make_unique<Participant>(services_, session, invite.leg, inbound));
  session.hold(std::move(places->of_domain));
  participant.hold(std::move(places->of_trunk));
  participant.hold(std::move(unconfirmed), proof_of(trunk, invite.flow));
  session.log().info("call received", {{"from", invite.flow.remote.to_string()},
                                       {"participantId", participant.id()},
                                       {"domain", domain->name},
                                       ops::personal("number", inbound->called_party),
                                       ops::personal("caller", inbound->calling_party),
                                       ops::if_any("trunk", trunk != nullptr ? trunk->name : "")});
  if (!invite.ignored.empty())
    session.log().info("body parts ignored", {{"participantId", participant.id()}, ops::text("types", invite.ignored)});
  if (const auto usable = participant.check_offer(invite.sdp, device != nullptr); !usable) {
    participant.refuse_call(usable.error());
    return;
  }
  if (fall_back_always(services_, participant)) return;
  if (device != nullptr) {
    participant.change(std::make_unique<Alerting>(services_, participant, invite.request->request_uri()));
  } else {
    participant.ask_new_call(*invite.request, invite.flow);
  }
}

bool Switchboard::may_replace(sip::LegId leg, const sip::Message& invite, const sip::Flow& flow) const {
  const auto found = services_.sip_legs.find(leg);
  if (found == services_.sip_legs.end()) return false;
  const auto uri = sip::Uri::parse(invite.request_uri());
  const auto domain = uri ? called_domain(*services_.directory(), *uri, invite, flow.remote).domain : nullptr;
  return domain && domain->name == found->second->session().domain();
}

tl::expected<Switchboard::Places, CallLimits::Full> Switchboard::enter(const tenant::Domain& domain,
                                                                       const tenant::Trunk* trunk,
                                                                       const net::Address& from) {
  Places places;
  if (trunk != nullptr) {
    auto place = services_.limits->enter(domain, trunk, services_.now);
    if (!place) return tl::unexpected(place.error());
    places.of_trunk = std::move(*place);
  }
  auto place = enter(domain, trunk != nullptr ? std::string() : from.site());
  if (!place) return tl::unexpected(place.error());
  places.of_domain = std::move(*place);
  return places;
}

tl::expected<CallLimits::Place, CallLimits::Full> Switchboard::enter(const tenant::Domain& domain,
                                                                     const std::string& source) {
  const auto full = [this](CallLimits::Full why) {
    if (why.share) services_.metrics.refused("callShare");
    return tl::unexpected(std::move(why));
  };
  auto place = services_.limits->enter(domain, nullptr, services_.now, source);
  if (!place) return full(std::move(place.error()));
  if (services_.admission == nullptr) return place;
  if (const auto over = services_.admission->enter(domain.name, source, services_.now))
    return full({over->retry_after, std::string(over->what), over->share, true});
  return place;
}

Verdict Switchboard::refused(const CallLimits::Full& full) {
  if (!full.server) return {429, "rateLimited", full.what, full.retry_after};
  return {503, "unavailable", "the server takes no more calls now: " + full.what, full.retry_after};
}

Session& Switchboard::open(std::unique_ptr<Session> session) {
  services_.metrics.call_started();
  auto& opened = *session;
  sessions_.emplace(opened.id(), std::move(session));
  return opened;
}

void Switchboard::refuse(sip::LegId leg, int status, std::string_view why, const InboundCall& call, int retry_after) {
  if (const auto left_out = refusals_.take(services_.now)) {
    services_.log.info("call refused", {{"callId", call.call_id},
                                        {"status", std::to_string(status)},
                                        ops::text("domain", call.called_host),
                                        ops::personal("number", call.called_party),
                                        ops::personal("caller", call.calling_party),
                                        ops::text("why", why),
                                        ops::if_any("leftOut", *left_out)});
  } else {
    services_.metrics.refused("logLines");
  }
  sip::Headers headers;
  if (retry_after > 0) headers.emplace_back("Retry-After", std::to_string(retry_after));
  services_.sip.refuse(leg, status, headers, services_.now);
}

void Switchboard::end_all(TimePoint now) {
  services_.now = now;
  while (!sessions_.empty())
    sessions_.begin()->second->end_all(End{EndReason::shutdown, 503, std::string(stopping.text), {}}, stopping);
  settle();
}

void Switchboard::to_be_swept(Session& session) {
  touched_.push_back(&session);
}

void Switchboard::session_over(const std::string& session_id) {
  const auto found = sessions_.find(session_id);
  over_.push_back(std::move(found->second));
  sessions_.erase(found);
}

void Switchboard::settle() {
  while (!services_.letters.empty()) {
    for (auto& letter : std::exchange(services_.letters, {})) deliver(std::move(letter));
  }
  services_.past_activities.clear();
  for (auto* session : touched_) session->sweep();
  touched_.clear();
  over_.clear();
}

void Switchboard::deliver(Letter letter) {
  const bool anywhere = letter.to.shard == any_shard;
  if (anywhere || letter.to.shard == services_.shard) {
    const auto found = services_.participants.find(letter.to.participant);
    if (found != services_.participants.end()) {
      found->second->receive(letter);
    } else if (anywhere && ++letter.tried < services_.shards) {
      services_.carry((services_.shard + 1) % services_.shards, std::move(letter));
    } else {
      return_to_sender(letter);
    }
  } else {
    const auto shard = letter.to.shard;
    services_.carry(shard, std::move(letter));
  }
}

void Switchboard::return_to_sender(const Letter& letter) {
  static constexpr std::string_view gone = "no such participant, or it has gone";
  const auto answer = [&](const PartyAddress& to, PartyMessage message) {
    services_.letters.push_back({letter.to, to, std::move(message)});
  };
  if (const auto* request = std::get_if<JoinRequest>(&letter.message)) {
    answer(request->from.address, JoinRefused{std::string(gone)});
  } else if (std::holds_alternative<JoinAccepted>(letter.message)) {
    answer(letter.from, Left{End{EndReason::normal, 0, std::string(gone), {}}});
  } else if (const auto* replaced = std::get_if<Replaced>(&letter.message)) {
    // It knows of the one whose place it wanted, and waits for its answer.
    services_.letters.push_back({letter.from, replaced->by.from.address, JoinRefused{std::string(gone)}});
  }
}

}  // namespace rw::call
