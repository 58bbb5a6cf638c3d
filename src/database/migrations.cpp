#include "database/migrations.h"

#include <string>
#include <string_view>
#include <vector>

namespace rw::database {
namespace {

/// What leads from one version to the next: a list that only grows.
const std::vector<std::vector<std::string_view>> steps{
    {
        R"(CREATE TABLE documents (kind TEXT NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
           position BIGINT NOT NULL, changed BIGINT NOT NULL, PRIMARY KEY (kind, domain, name)))",
        "CREATE INDEX documents_of_domain ON documents (domain)",
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
        "INSERT INTO counters (name, value) VALUES ('directory', 0)",
        R"(CREATE TABLE audit (number BIGINT PRIMARY KEY, time BIGINT NOT NULL, who TEXT NOT NULL,
           address TEXT NOT NULL, method TEXT NOT NULL, kind TEXT NOT NULL, domain TEXT NOT NULL, name TEXT NOT NULL,
           old_body TEXT, new_body TEXT))",
    },
};

DatabaseResult<void> take_steps(Connection& connection) {
  // Whoever writes the row first has it until its transaction ends: others wait here.
  const auto read = connection.execute("UPDATE migrations SET version = version WHERE id = 1 RETURNING version");
  if (!read) return tl::unexpected(read.error());
  auto version = static_cast<std::size_t>(read->front().number(0));
  if (version > steps.size()) {
    return tl::unexpected(
        DatabaseError{DatabaseError::Kind::refused, "database: its tables are of version " + std::to_string(version) +
                                                        ", this program knows " + std::to_string(steps.size()) +
                                                        ": a newer version has used it"});
  }
  if (version == steps.size()) return {};
  for (; version < steps.size(); ++version) {
    for (const auto sql : steps[version]) {
      if (auto done = connection.execute(sql); !done) return tl::unexpected(std::move(done.error()));
    }
  }
  if (auto kept = connection.execute("UPDATE migrations SET version = $1", {static_cast<std::int64_t>(version)}); !kept)
    return tl::unexpected(std::move(kept.error()));
  return {};
}

}  // namespace

DatabaseResult<void> migrate(Connection& connection) {
  // Of two servers that start at once, one may be told that the table has just been made.
  auto made =
      connection.execute("CREATE TABLE IF NOT EXISTS migrations (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)");
  if (!made && made.error().kind == DatabaseError::Kind::away) return tl::unexpected(std::move(made.error()));
  const auto* first = "INSERT INTO migrations (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";
  if (auto begun = connection.execute(first); !begun) return tl::unexpected(std::move(begun.error()));
  return connection.transaction([&] { return take_steps(connection); });
}

}  // namespace rw::database
