#include "app/provisioning_store.h"

#include "app/database_fallback_store.h"

namespace rw::app {
namespace {

using database::DatabaseError;
using database::Value;

/// `documents` holds other kinds too, which are not ours.
constexpr std::string_view our_kinds = "kind IN ('domain', 'trunk', 'device', 'mediaservice')";

Kind kind_named(std::string_view name) {
  for (const auto kind : inner_kinds) {
    if (names_of(kind).name == name) return kind;
  }
  return Kind::domain;
}

Value text(std::string_view value) {
  return std::string(value);
}

Value text_or_null(const std::string& value) {
  return value.empty() ? Value{} : Value{value};
}

}  // namespace

ProvisioningStore::Answer<std::int64_t> ProvisioningStore::last_change() {
  const auto rows = connection_->execute("SELECT value FROM counters WHERE name = 'directory'");
  if (!rows) return tl::unexpected(rows.error());
  if (rows->empty()) return tl::unexpected(DatabaseError{DatabaseError::Kind::refused, "database: no counter"});
  return rows->front().number(0);
}

ProvisioningStore::Answer<std::set<std::string>> ProvisioningStore::domains_of(std::string_view sql,
                                                                               const std::vector<Value>& parameters) {
  const auto rows = connection_->execute(sql, parameters);
  if (!rows) return tl::unexpected(rows.error());
  std::set<std::string> names;
  for (const auto& row : *rows) names.insert(row.text(0));
  return names;
}

ProvisioningStore::Answer<std::set<std::string>> ProvisioningStore::domains() {
  return domains_of("SELECT DISTINCT domain FROM documents WHERE " + std::string(our_kinds), {});
}

ProvisioningStore::Answer<std::set<std::string>> ProvisioningStore::changed_since(std::int64_t number) {
  return domains_of("SELECT DISTINCT domain FROM audit WHERE number > $1", {number});
}

ProvisioningStore::Answer<std::vector<StoredDocument>> ProvisioningStore::documents(const std::string& domain) {
  const auto rows = connection_->execute(
      "SELECT kind, name, body, position FROM documents WHERE domain = $1 AND " + std::string(our_kinds), {domain});
  if (!rows) return tl::unexpected(rows.error());
  std::vector<StoredDocument> documents;
  for (const auto& row : *rows) documents.push_back({kind_named(row.text(0)), row.text(1), row.text(2), row.number(3)});
  return documents;
}

ProvisioningStore::Answer<void> ProvisioningStore::write_one(const DomainEntry& entry, const DocumentWrite& write,
                                                             const AuditEntry& audit) {
  const auto kind = text(names_of(write.kind).name);
  auto done = connection_->execute("DELETE FROM documents WHERE kind = $1 AND domain = $2 AND name = $3",
                                   {kind, audit.domain, write.name});
  const auto row = entry.rows().find({write.kind, write.name});
  if (done && row != entry.rows().end()) {
    done = connection_->execute(
        "INSERT INTO documents (kind, domain, name, body, position, changed) VALUES ($1, $2, $3, $4, $5, $6)",
        {kind, audit.domain, write.name, row->second.body, row->second.position, audit.time});
  }
  if (!done) return tl::unexpected(std::move(done.error()));
  return {};
}

ProvisioningStore::Answer<bool> ProvisioningStore::write(const DomainEntry& entry,
                                                         const std::vector<DocumentWrite>& writes, bool all_gone,
                                                         const AuditEntry& audit) {
  bool first = true;
  auto done = connection_->transaction([&]() -> Answer<void> {
    // Whoever counts on has the row until the end of its transaction; who comes second finds another number.
    auto counted = connection_->execute(
        "UPDATE counters SET value = value + 1 WHERE name = 'directory' AND value = $1 RETURNING value",
        {audit.number - 1});
    if (!counted) return tl::unexpected(std::move(counted.error()));
    first = !counted->empty();
    if (!first) return {};
    if (all_gone) {
      // Its fallback entries too; who keeps them in memory sees that by their counter.
      auto gone = connection_->execute("DELETE FROM documents WHERE domain = $1", {audit.domain});
      if (gone) gone = connection_->execute(DatabaseFallbackStore::count_change);
      if (!gone) return tl::unexpected(std::move(gone.error()));
    }
    for (const auto& one : writes) {
      if (auto written = write_one(entry, one, audit); !written) return written;
    }
    auto told = connection_->execute(
        "INSERT INTO audit (number, time, who, address, method, kind, domain, name, old_body, new_body)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        {audit.number, audit.time, audit.who, audit.address, audit.method, text(names_of(audit.kind).name),
         audit.domain, audit.name, text_or_null(audit.old_body), text_or_null(audit.new_body)});
    if (!told) return tl::unexpected(std::move(told.error()));
    return {};
  });
  if (!done) return tl::unexpected(std::move(done.error()));
  return first;
}

ProvisioningStore::Answer<std::vector<AuditEntry>> ProvisioningStore::audit(const std::string& domain,
                                                                            std::int64_t before, std::int64_t most) {
  const auto rows = connection_->execute(
      "SELECT number, time, who, address, method, kind, domain, name, old_body, new_body FROM audit"
      " WHERE ($1 = '' OR domain = $1) AND (CAST($2 AS BIGINT) = 0 OR number < CAST($2 AS BIGINT)) ORDER BY number "
      "DESC LIMIT $3",
      {domain, before, most});
  if (!rows) return tl::unexpected(rows.error());
  std::vector<AuditEntry> entries;
  for (const auto& row : *rows) {
    entries.push_back({row.number(0), row.number(1), row.text(2), row.text(3), row.text(4), kind_named(row.text(5)),
                       row.text(6), row.text(7), row.text(8), row.text(9)});
  }
  return entries;
}

}  // namespace rw::app
