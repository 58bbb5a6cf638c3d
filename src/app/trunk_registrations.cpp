#include "app/trunk_registrations.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>
#include <set>

namespace rw::app {

using sip::Registration;

TrunkRegistrations::TrunkRegistrations(boost::asio::io_context& loop, const Shared& shared,
                                       const std::string& shard_tag)
    : shared_(shared), loop_(loop), timer_(loop), shard_tag_(shard_tag) {}

std::map<TrunkRegistrations::Name, TrunkRegistrations::Wish> TrunkRegistrations::wishes_of(
    const tenant::Directory& directory) {
  std::map<Name, Wish> wishes;
  for (const auto& domain : directory.domains()) {
    for (const auto& trunk : domain->trunks) {
      if (trunk.registration.empty()) continue;
      const auto& name = trunk.name.empty() ? trunk.registration : trunk.name;
      wishes[{domain->name, name}] = {trunk.proxy,    trunk.registration,
                                      trunk.realm,    trunk.username,
                                      trunk.password, tenant::registration_line(domain->name, trunk)};
    }
  }
  return wishes;
}

void TrunkRegistrations::follow(const tenant::Directory& directory) {
  if (stopped_) return;
  wanted_ = wishes_of(directory);
  for (auto& [id, entry] : entries_) {
    const auto wish = wanted_.find(entry.name);
    if (entry.leaving || (wish != wanted_.end() && wish->second == entry.wish)) continue;
    entry.leaving = true;
    entry.registration->stop(Clock::now());
  }
  settle_all();
}

void TrunkRegistrations::begin(const Name& name, const Wish& wish) {
  sip::RegistrationOptions options;
  options.registrar = wish.proxy;
  options.address_of_record = wish.address_of_record;
  options.credentials = {wish.realm, wish.username, wish.password};
  options.server_name = shared_.config.sip.server_header;
  options.shard_tag = shard_tag_;
  options.advertise = shared_.config.sip.advertise;
  options.line = wish.line;
  const auto id = ++last_id_;
  auto& entry = entries_[id];
  entry.name = name;
  entry.wish = wish;
  entry.registration = std::make_unique<Registration>(std::move(options));
  shared_.metrics.registration(name.first, name.second, sip::name(Registration::State::unregistered));
  entry.registration->start(Clock::now());
  settle(id);
}

void TrunkRegistrations::reconcile() {
  if (stopped_) return;
  std::set<Name> present;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto& entry = at->second;
    if (!entry.leaving || !entry.registration->over()) {
      present.insert(entry.name);
      ++at;
      continue;
    }
    shared_.metrics.registration_gone(entry.name.first, entry.name.second);
    at = entries_.erase(at);
  }
  for (const auto& [name, wish] : wanted_) {
    if (!present.contains(name)) begin(name, wish);
  }
}

void TrunkRegistrations::stop() {
  stopped_ = true;
  for (auto& [id, entry] : entries_) entry.registration->stop(Clock::now());
  settle_all();
}

void TrunkRegistrations::abandon() {
  stopped_ = true;
  for (const auto& [id, entry] : entries_) shared_.metrics.registration_gone(entry.name.first, entry.name.second);
  entries_.clear();
  remaining_ = 0;
  timer_.cancel();
}

bool TrunkRegistrations::receive(std::string_view message) {
  if (entries_.empty() || !message.starts_with("SIP/2.0 ") || message.find("REGISTER") == std::string_view::npos)
    return false;
  const auto response = sip::Message::parse(message);
  if (!response) return false;
  for (auto& [id, entry] : entries_) {
    if (!entry.registration->receive(*response, Clock::now())) continue;
    settle(id);
    reconcile();
    arm();
    return true;
  }
  return false;
}

void TrunkRegistrations::connection_closed(const sip::Flow& flow) {
  for (auto& [id, entry] : entries_) entry.registration->connection_closed(flow, Clock::now());
  settle_all();
}

void TrunkRegistrations::settle_all() {
  for (auto& [id, entry] : entries_) settle(id);
  reconcile();
  arm();
}

void TrunkRegistrations::settle(Id id) {
  auto& registration = *entries_.at(id).registration;
  std::vector<sip::Lookup> lookups;
  registration.take_lookups(lookups);
  for (const auto& one : lookups) look_up(id, one);
  std::vector<sip::Transmit> transmits;
  registration.take_transmits(transmits);
  for (auto& one : transmits) shared_.transmit(std::move(one));
  tell(entries_.at(id));
}

void TrunkRegistrations::look_up(Id id, const sip::Lookup& lookup) {
  shared_.find_next_hops(lookup.uri, [this, id, lookup_id = lookup.id](std::vector<sip::Flow> hops) {
    boost::asio::post(loop_, [this, id, lookup_id, hops = std::move(hops)] {
      const auto entry = entries_.find(id);
      if (entry == entries_.end()) return;
      entry->second.registration->resolved(lookup_id, hops, Clock::now());
      settle(id);
      reconcile();
      arm();
    });
  });
}

void TrunkRegistrations::tell(Entry& entry) const {
  const auto state = entry.registration->state();
  const auto& problem = entry.registration->problem();
  if (state == entry.said && problem == entry.problem) return;
  const auto text = sip::name(state);
  if (state == Registration::State::failed || (state == Registration::State::unregistered && !problem.empty())) {
    shared_.log.warning(
        "trunk registration",
        {{"domain", entry.name.first}, {"trunk", entry.name.second}, {"state", text}, ops::text("problem", problem)});
  } else if (state != entry.said) {
    const auto expires =
        std::to_string(state == Registration::State::registered ? entry.registration->granted().count() : 0);
    shared_.log.info(
        "trunk registration",
        {{"domain", entry.name.first}, {"trunk", entry.name.second}, {"state", text}, {"expires", expires}});
  }
  shared_.metrics.registration(entry.name.first, entry.name.second, text);
  entry.said = state;
  entry.problem = problem;
}

void TrunkRegistrations::arm() {
  std::optional<TimePoint> next;
  std::size_t remaining = 0;
  for (const auto& [id, entry] : entries_) {
    remaining += entry.registration->over() ? 0 : 1;
    if (const auto due = entry.registration->next_timer()) next = std::min(*due, next.value_or(*due));
  }
  remaining_.store(remaining, std::memory_order_relaxed);
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (auto& [id, entry] : entries_) entry.registration->advance(Clock::now());
    settle_all();
  });
}

}  // namespace rw::app
