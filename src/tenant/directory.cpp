#include "tenant/directory.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/ascii.h"
#include "base/hex.h"
#include "net/address_policy.h"
#include "net/networks.h"

namespace rw::tenant {
namespace {

/// Whether `text` matches `pattern`, in which each `*` stands for any run of characters.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0, in = 0;
  std::size_t star = std::string_view::npos, mark = 0;
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      mark = in;
    } else if (at < pattern.size() && pattern[at] == text[in]) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

constexpr std::string_view any_host = "*";

bool goes_out(const Trunk& trunk) {
  return !trunk.proxy.empty();
}

bool names_host(const Trunk& trunk, std::string_view host) {
  return goes_out(trunk) &&
         std::ranges::any_of(trunk.hosts, [host](const std::string& one) { return same_letters(one, host); });
}

/// The trunk for tel: URIs, which have no host.
const Trunk* trunk_for_numbers(const std::vector<Trunk>& trunks) {
  std::vector<const Trunk*> others;  // that say nothing
  for (const auto& trunk : trunks) {
    if (goes_out(trunk) && trunk.tel.value_or(false)) return &trunk;
    if (goes_out(trunk) && !trunk.tel) others.push_back(&trunk);
  }
  if (others.size() == 1) return others.front();
  const auto found = std::ranges::find_if(others, [](const Trunk* trunk) { return names_host(*trunk, any_host); });
  return found == others.end() ? nullptr : *found;
}

}  // namespace

std::string registration_line(std::string_view domain, const Trunk& trunk) {
  const auto text = lower_case(domain) + '\n' + trunk.name + '\n' + trunk.registration;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return hex(std::span(digest).first<8>());
}

std::shared_ptr<const Mediaservice> with_base(const Mediaservice& service, std::string url) {
  auto changed = std::make_shared<Mediaservice>(service);
  changed->callback_url = std::move(url);
  changed->secondary_callback_url.clear();
  changed->own_base = true;
  return changed;
}

std::shared_ptr<const Mediaservice> Domain::service_for(std::string_view user) const {
  std::shared_ptr<const Mediaservice> best;
  std::size_t longest = 0;
  for (const auto& service : mediaservices) {
    for (const std::string_view number : service->numbers) {
      if (number == user) return service;
      const auto star = number.find('*');
      if (star == std::string_view::npos || !matches(number, user)) continue;
      if (best == nullptr || star > longest) {
        best = service;
        longest = star;
      }
    }
  }
  return best;
}

const Device* Domain::device(std::string_view user) const {
  const auto found = std::find_if(devices.begin(), devices.end(), [user](const auto& one) { return one.id == user; });
  return found == devices.end() ? nullptr : &*found;
}

std::shared_ptr<const Mediaservice> Domain::service(std::string_view id) const {
  const auto found = std::find_if(mediaservices.begin(), mediaservices.end(),
                                  [id](const auto& one) { return id.empty() || one->id == id; });
  return found == mediaservices.end() ? nullptr : *found;
}

const Trunk* Domain::trunk_for(std::string_view scheme, std::string_view host) const {
  if (same_letters(scheme, "tel")) return trunk_for_numbers(trunks);
  const auto address = net::Address::from(host, 0);
  for (const auto& trunk : trunks) {
    if (names_host(trunk, host) || (goes_out(trunk) && address && net::is_in(trunk.host_networks, *address)))
      return &trunk;
  }
  if (address && !net::AddressPolicy({}).allows(*address)) return nullptr;
  const auto found = std::ranges::find_if(trunks, [](const Trunk& trunk) { return names_host(trunk, any_host); });
  return found == trunks.end() ? nullptr : &*found;
}

bool Domain::restricts_callers() const {
  return std::any_of(trunks.begin(), trunks.end(), [](const Trunk& trunk) { return trunk.takes_calls(); });
}

Directory::Directory(std::vector<std::shared_ptr<const Domain>> domains) : domains_(std::move(domains)) {
  for (const auto& domain : domains_) {
    by_name_.try_emplace(lower_case(domain->name), domain);
    for (const auto& alias : domain->aliases) by_alias_.try_emplace(lower_case(alias), domain);
    for (const auto& trunk : domain->trunks) {
      if (!trunk.registration.empty())
        by_line_.try_emplace(registration_line(domain->name, trunk), Called{domain, &trunk});
      if (trunk.takes_calls() && (!trunk.allow.empty() || !trunk.key.empty()))
        telling_trunks_.push_back({domain, &trunk});
    }
    all_open_ = all_open_ && domain->open;
    restricts_callers_ = restricts_callers_ || domain->restricts_callers();
  }
}

std::shared_ptr<const Domain> Directory::domain(std::string_view name) const {
  const auto found = by_name_.find(lower_case(name));
  return found == by_name_.end() ? nullptr : found->second;
}

std::shared_ptr<const Domain> Directory::domain_for_host(std::string_view host) const {
  if (auto by_name = domain(host)) return by_name;
  const auto found = by_alias_.find(lower_case(host));
  return found == by_alias_.end() ? nullptr : found->second;
}

Directory::Called Directory::called(std::string_view host, std::string_view line) const {
  const auto found = line.empty() ? by_line_.end() : by_line_.find(std::string(line));
  return found == by_line_.end() ? Called{domain_for_host(host)} : found->second;
}

std::optional<std::string> Directory::clash(const Domain& domain) const {
  const auto taken = by_alias_.find(lower_case(domain.name));
  if (taken != by_alias_.end() && !same_letters(taken->second->name, domain.name))
    return "name: " + domain.name + " is an alias of " + taken->second->name;
  for (const auto& alias : domain.aliases) {
    const auto owner = domain_for_host(alias);
    if (owner && !same_letters(owner->name, domain.name)) return "aliases: " + alias + " belongs to " + owner->name;
  }
  return std::nullopt;
}

}  // namespace rw::tenant
