#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>

#include "app/provisioner.h"
#include "base/ascii.h"

/// How a request becomes a change of the database and the directory.
namespace rw::app {
namespace {

using Verb = api::ProvisioningRequest::Verb;

constexpr int most_tries = 5;                        ///< when other servers are quicker
constexpr std::int64_t places_per_change = 100'000;  ///< for what one change adds

api::ProvisioningAnswer refused(int status, std::string reason) {
  return {.status = status, .error = {}, .reason = std::move(reason), .members = {}};
}

tl::unexpected<api::ProvisioningAnswer> refuse(int status, std::string reason) {
  return tl::unexpected(refused(status, std::move(reason)));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

std::string_view method_of(Verb verb) {
  return verb == Verb::create ? "POST" : verb == Verb::replace ? "PUT" : verb == Verb::patch ? "PATCH" : "DELETE";
}

/// The name that the path and the body agree on.
Result<std::string> agreed_name(Kind kind, const std::string& path, const Document& document) {
  const std::string member(names_of(kind).id);
  const auto* given = document.if_contains(member);
  if (given == nullptr || given->is_null()) return path;
  if (!given->is_string()) return fail(member + ": expected a string");
  std::string name(given->get_string());
  const bool same = kind == Kind::domain ? lower_case(name) == path : name == path;
  if (!path.empty() && !same) return fail(member + ": expected \"" + path + "\", as in the path");
  return name;
}

std::string mask_problem(const std::string& member) {
  return member + ": " + std::string(mask) + " stands for a secret that is set: there is none";
}

/// What a merge patch makes of a value (RFC 7396 section 2).
boost::json::value patched(boost::json::value target, const boost::json::value& patch) {
  if (!patch.is_object()) return patch;
  Document changed = target.is_object() ? std::move(target.get_object()) : Document();
  for (const auto& [name, value] : patch.get_object()) {
    if (value.is_null()) {
      changed.erase(name);
    } else {
      auto* there = changed.if_contains(name);
      changed[name] = patched(there == nullptr ? boost::json::value() : std::move(*there), value);
    }
  }
  return changed;
}

Document patched(const Document& target, const Document& patch) {
  return patched(boost::json::value(target), boost::json::value(patch)).get_object();
}

/// null empties a list of a domain: one that is absent would stay.
Document with_empty_lists(Document patch) {
  for (const auto kind : inner_kinds) {
    auto* list = patch.if_contains(names_of(kind).list);
    if (list != nullptr && list->is_null()) *list = boost::json::array();
  }
  return patch;
}

std::string masked_text(Kind kind, const Item* item) {
  return item == nullptr ? "" : boost::json::serialize(masked(kind, item->document));
}

/// Puts secrets where a list of the body has masks, and fills in the lists that it does not have.
std::string complete_lists(Document& domain, const DomainEntry* old) {
  for (const auto kind : inner_kinds) {
    const auto& names = names_of(kind);
    auto* list = domain.if_contains(names.list);
    if (list == nullptr && old != nullptr) {
      boost::json::array kept;
      for (const auto& item : old->items(kind)) kept.push_back(item.document);
      domain[names.list] = std::move(kept);
    }
    if (list == nullptr || !list->is_array()) continue;
    for (auto& one : list->get_array()) {
      if (!one.is_object()) continue;
      const auto* id = one.get_object().if_contains(names.id);
      const auto* before =
          old != nullptr && id != nullptr && id->is_string() ? old->find(kind, id->get_string()) : nullptr;
      const auto member = unmask(kind, one.get_object(), before == nullptr ? nullptr : &before->document);
      if (!member.empty()) return std::string(names.list) + "." + member;
    }
  }
  return {};
}

}  // namespace

Provisioner::Answer Provisioner::change(const Request& request) {
  for (int tries = 0; tries < most_tries; ++tries) {
    if (auto answer = try_change(request)) return std::move(*answer);
    if (const auto done = catch_up(); !done) return away(done.error());
  }
  return refused(503, "other servers change the same database: try again");
}

std::optional<Provisioner::Answer> Provisioner::unmet(const Request& request) const {
  if (!request.if_match) return std::nullopt;
  const auto* entry = entry_of(request.domain);
  const auto* item = entry == nullptr ? nullptr : entry->find(request.kind, request.name);
  if (item == nullptr) return refused(412, "If-Match: there is no such thing");
  const auto tag = tag_of(*item);
  const bool met = std::ranges::any_of(*request.if_match, [&](const auto& one) { return one == "*" || one == tag; });
  if (met) return std::nullopt;
  return refused(412, "If-Match: it has been changed; its ETag is " + tag);
}

std::optional<Provisioner::Answer> Provisioner::try_change(const Request& request) {
  if (auto refusal = unmet(request)) return refusal;
  auto planned = request.verb == Verb::remove ? plan_removal(request) : plan(request);
  if (!planned) return std::move(planned.error());
  const auto known = entries_.find(planned->domain);
  auto entry = known == entries_.end() ? DomainEntry() : known->second;
  AuditEntry audit;
  audit.number = known_change_ + 1;
  entry.apply(planned->writes, audit.number * places_per_change);
  if (auto read = entry.read(options_.exposure); !read)
    return refused(request.verb == Verb::remove ? 409 : 400, read.error().message);
  if (entry.domain()) {
    if (const auto clash = options_.directory.get()->clash(*entry.domain())) return refused(409, *clash);
  }
  audit.time =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  audit.who = request.who;
  audit.address = request.address;
  audit.method = method_of(request.verb);
  audit.kind = request.kind;
  audit.domain = planned->domain;
  audit.name = planned->name;
  audit.old_body = planned->old_body;
  audit.new_body = planned->new_body;
  const auto written = store_.write(entry, planned->writes, planned->all_gone, audit);
  if (!written) return away(written.error());
  if (!*written) return std::nullopt;
  entries_[planned->domain] = std::move(entry);
  known_change_ = audit.number;
  publish();
  options_.log.info("provisioned", {{"method", audit.method},
                                    {"kind", names_of(audit.kind).name},
                                    {"domain", audit.domain},
                                    {"name", audit.name},
                                    {"who", audit.who},
                                    {"address", audit.address},
                                    {"number", std::to_string(audit.number)}});
  Answer answer;
  const auto* now = entry_of(audit.domain);
  if (const auto* item = now == nullptr ? nullptr : now->find(audit.kind, audit.name)) answer.tag = tag_of(*item);
  return answer;
}

Provisioner::Planned<Provisioner::Change> Provisioner::plan_removal(const Request& request) const {
  const auto* entry = entry_of(request.domain);
  if (entry == nullptr) return refuse(404, "domain: there is no such domain");
  const auto* item = entry->find(request.kind, request.name);
  const auto& names = names_of(request.kind);
  if (item == nullptr) return refuse(404, std::string(names.id) + ": there is no such " + std::string(names.name));
  Change change;
  change.domain = request.domain;
  change.name = request.name;
  change.old_body = masked_text(request.kind, item);
  change.all_gone = request.kind == Kind::domain;
  if (change.all_gone) {
    change.writes = entry->removal();
  } else {
    change.writes.push_back(entry->removal(request.kind, request.name));
  }
  return change;
}

Provisioner::Planned<Provisioner::Change> Provisioner::plan(const Request& request) const {
  auto document = request.body;
  const bool of_domain = request.kind == Kind::domain;
  auto name = agreed_name(request.kind, of_domain ? request.domain : request.name, document);
  if (!name) return refuse(400, name.error().message);
  const auto domain = of_domain ? lower_case(*name) : request.domain;
  const auto* entry = entry_of(domain);
  if (entry == nullptr && !of_domain) return refuse(404, "domain: there is no such domain");
  const auto* old = entry == nullptr ? nullptr : entry->find(request.kind, *name);
  if (request.verb == Verb::patch) {
    const auto& names = names_of(request.kind);
    if (old == nullptr) return refuse(404, std::string(names.id) + ": there is no such " + std::string(names.name));
    document = patched(old->document, of_domain ? with_empty_lists(request.body) : request.body);
  }
  if (old == nullptr) {
    if (auto wrong = wrong_name(request.kind, *name)) return refuse(400, std::move(*wrong));
  } else if (request.verb == Verb::create) {
    return tl::unexpected(Answer{.status = 409,
                                 .error = "alreadyExists",
                                 .reason = std::string(names_of(request.kind).id) + ": there is one already: " + *name,
                                 .members = {}});
  }
  if (of_domain && old != nullptr && !document.contains("name"))
    *name = std::string(old->document.at("name").as_string());  // as it was written
  document[names_of(request.kind).id] = *name;
  const auto secret = unmask(request.kind, document, old == nullptr ? nullptr : &old->document);
  if (!secret.empty()) return refuse(400, mask_problem(secret));
  auto planned =
      of_domain ? plan_domain(request, entry, std::move(document)) : plan_item(request, *entry, std::move(document));
  if (!planned) return planned;
  planned->domain = domain;
  planned->name = of_domain ? "" : *name;
  planned->old_body = masked_text(request.kind, old);
  return planned;
}

Provisioner::Planned<Provisioner::Change> Provisioner::plan_item(const Request& request, const DomainEntry& entry,
                                                                 Document document) const {
  const auto domain = std::string(entry.settings()->document.at("name").as_string());
  if (const auto findings = check_document(request.kind, document, domain); !findings.empty())
    return refuse(400, joined(findings));
  Change change;
  change.new_body = boost::json::serialize(masked(request.kind, document));
  const std::string name(document.at(names_of(request.kind).id).as_string());
  change.writes.push_back({request.kind, name, boost::json::serialize(document)});
  return change;
}

Provisioner::Planned<Provisioner::Change> Provisioner::plan_domain(const Request& request, const DomainEntry* entry,
                                                                   Document document) const {
  if (const auto secret = complete_lists(document, entry); !secret.empty()) return refuse(400, mask_problem(secret));
  if (const auto findings = check_document(request.kind, document, request.domain); !findings.empty())
    return refuse(400, joined(findings));
  const auto lists = take_lists(document);
  Change change;
  change.new_body = boost::json::serialize(masked(Kind::domain, document));
  change.writes.push_back({Kind::domain, "", boost::json::serialize(document)});
  for (const auto kind : inner_kinds) {
    if (!request.body.contains(names_of(kind).list)) continue;
    std::set<std::string> named;
    for (const auto& one : lists[static_cast<std::size_t>(kind)]) {
      const auto* id = one.if_contains(names_of(kind).id);
      const std::string name(id != nullptr && id->is_string() ? id->get_string() : "");
      if (const auto wrong = wrong_name(kind, name))
        return refuse(400, std::string(names_of(kind).list) + ": " + *wrong);
      named.insert(name);
      change.writes.push_back({kind, name, boost::json::serialize(one)});
    }
    if (entry == nullptr) continue;
    for (const auto& item : entry->items(kind)) {
      if (!named.contains(item.name)) change.writes.push_back(entry->removal(kind, item.name));
    }
  }
  return change;
}

}  // namespace rw::app
