#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/catalogue.h"
#include "database/connection.h"

namespace rw::app {

/// One entry of the audit trail. Secrets are masked in it.
struct AuditEntry {
  std::int64_t number = 0;  ///< counts the changes, of all servers of this database
  std::int64_t time = 0;    ///< Unix, milliseconds
  std::string who, address, method;
  Kind kind = Kind::domain;
  std::string domain, name;
  std::string old_body, new_body;  ///< JSON, or empty
};

/// What the database knows of domains. Blocks; used on one thread.
class ProvisioningStore {
 public:
  template <class T>
  using Answer = database::DatabaseResult<T>;

  explicit ProvisioningStore(std::unique_ptr<database::Connection> connection) : connection_(std::move(connection)) {}

  /// The number of the last change.
  Answer<std::int64_t> last_change();
  /// All domains of which there is something.
  Answer<std::set<std::string>> domains();
  /// Those that were changed after that change.
  Answer<std::set<std::string>> changed_since(std::int64_t number);
  Answer<std::vector<StoredDocument>> documents(const std::string& domain);
  /// Writes what `entry` has become by `writes`, and the audit entry, whose number has to be the next one: false if
  /// another server was first, and nothing has been done. `all_gone`: the domain was removed, and whatever else is kept
  /// for it goes too.
  Answer<bool> write(const DomainEntry& entry, const std::vector<DocumentWrite>& writes, bool all_gone,
                     const AuditEntry& audit);
  /// Newest first, those before `before` (0: all), of one domain or (empty) of all.
  Answer<std::vector<AuditEntry>> audit(const std::string& domain, std::int64_t before, std::int64_t most);

 private:
  Answer<void> write_one(const DomainEntry& entry, const DocumentWrite& write, const AuditEntry& audit);
  Answer<std::set<std::string>> domains_of(std::string_view sql, const std::vector<database::Value>& parameters);

  std::unique_ptr<database::Connection> connection_;
};

}  // namespace rw::app
