#include "app/trunk_registrations.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <optional>

namespace rw::app {

using sip::Registration;

TrunkRegistrations::TrunkRegistrations(boost::asio::io_context& loop, const Shared& shared,
                                       const std::string& shard_tag)
    : shared_(shared), loop_(loop), timer_(loop) {
  for (const auto& domain : shared.config.domains) {
    for (const auto& trunk : domain->trunks) {
      if (trunk.registration.empty()) continue;
      sip::RegistrationOptions options;
      options.registrar = trunk.proxy;
      options.address_of_record = trunk.registration;
      options.credentials = {trunk.realm, trunk.username, trunk.password};
      options.server_name = "Ringwright/" RINGWRIGHT_VERSION;
      options.shard_tag = shard_tag;
      options.advertise = shared.config.sip.advertise;
      const auto& name = trunk.name.empty() ? trunk.registration : trunk.name;
      entries_.push_back({domain->name, name, std::make_unique<Registration>(std::move(options)), {}, {}});
      shared.metrics.registration(domain->name, name, sip::name(Registration::State::unregistered));
    }
  }
  remaining_ = entries_.size();
}

void TrunkRegistrations::start() {
  for (auto& entry : entries_) entry.registration->start(Clock::now());
  settle_all();
}

void TrunkRegistrations::stop() {
  for (auto& entry : entries_) entry.registration->stop(Clock::now());
  settle_all();
}

bool TrunkRegistrations::receive(std::string_view message) {
  if (entries_.empty() || !message.starts_with("SIP/2.0 ") || message.find("REGISTER") == std::string_view::npos)
    return false;
  const auto response = sip::Message::parse(message);
  if (!response) return false;
  for (std::size_t at = 0; at < entries_.size(); ++at) {
    if (!entries_[at].registration->receive(*response, Clock::now())) continue;
    settle(at);
    arm();
    return true;
  }
  return false;
}

void TrunkRegistrations::connection_closed(const sip::Flow& flow) {
  for (auto& entry : entries_) entry.registration->connection_closed(flow, Clock::now());
  settle_all();
}

void TrunkRegistrations::settle_all() {
  for (std::size_t at = 0; at < entries_.size(); ++at) settle(at);
  arm();
}

void TrunkRegistrations::settle(std::size_t index) {
  auto& registration = *entries_[index].registration;
  std::vector<sip::Lookup> lookups;
  registration.take_lookups(lookups);
  for (const auto& one : lookups) look_up(index, one);
  std::vector<sip::Transmit> transmits;
  registration.take_transmits(transmits);
  for (auto& one : transmits) shared_.transmit(std::move(one));
  tell(entries_[index]);
}

void TrunkRegistrations::look_up(std::size_t index, const sip::Lookup& lookup) {
  shared_.find_next_hops(lookup.uri, [this, index, id = lookup.id](std::vector<sip::Flow> hops) {
    boost::asio::post(loop_, [this, index, id, hops = std::move(hops)] {
      entries_[index].registration->resolved(id, hops, Clock::now());
      settle(index);
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
        {{"domain", entry.domain}, {"trunk", entry.trunk}, {"state", text}, ops::text("problem", problem)});
  } else if (state != entry.said) {
    const auto expires =
        std::to_string(state == Registration::State::registered ? entry.registration->granted().count() : 0);
    shared_.log.info("trunk registration",
                     {{"domain", entry.domain}, {"trunk", entry.trunk}, {"state", text}, {"expires", expires}});
  }
  shared_.metrics.registration(entry.domain, entry.trunk, text);
  entry.said = state;
  entry.problem = problem;
}

void TrunkRegistrations::arm() {
  std::optional<TimePoint> next;
  std::size_t remaining = 0;
  for (const auto& entry : entries_) {
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
    for (auto& entry : entries_) entry.registration->advance(Clock::now());
    settle_all();
  });
}

}  // namespace rw::app
