#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/domain_document.h"
#include "app/read_domain.h"
#include "base/result.h"
#include "tenant/directory.h"

namespace rw::app {

/// A row of the database: what is not, or not any more, as in the file.
struct StoredDocument {
  Kind kind = Kind::domain;
  std::string name;  ///< of the thing in its domain; of a domain: empty, or see `without_file`
  std::string body;  ///< JSON; empty: the file's thing of that name is not used
  std::int64_t position = 0;
};
/// The name of the row that tells that nothing of the file's domain is used any more.
inline constexpr std::string_view without_file = "file";

/// One change of the rows of a domain.
struct DocumentWrite {
  Kind kind = Kind::domain;
  std::string name;
  std::optional<std::string> body;  ///< nothing: the row goes
};

/// A thing in a domain, and where it comes from.
struct Item {
  std::string name;
  Document document;
  std::int64_t position = 0;  ///< orders them; the file's are negative
  bool stored = false;        ///< in the database
};

/// One domain: what the file says of it, what the database says, and what comes of both.
class DomainEntry {
 public:
  using Row = std::pair<Kind, std::string>;

  /// `document`: of the file; null: it has no such domain.
  static DomainEntry from_file(std::shared_ptr<const tenant::Domain> domain, const Document* document);

  /// The same with what the file says now; `document` null: nothing any more. read() has to follow.
  DomainEntry with_file(std::shared_ptr<const tenant::Domain> domain, const Document* document) const;

  bool exists() const { return settings_.has_value(); }
  bool in_file() const { return file_ != nullptr; }
  /// As the file alone has it; null: it doesn't.
  std::shared_ptr<const tenant::Domain> file_domain() const;
  /// The domain alone, without what is in it.
  const std::optional<Item>& settings() const { return settings_; }
  /// In order; not for Kind::domain.
  const std::vector<Item>& items(Kind kind) const { return items_[static_cast<std::size_t>(kind)]; }
  const Item* find(Kind kind, std::string_view name) const;
  const std::map<Row, StoredDocument>& rows() const { return rows_; }
  const std::shared_ptr<const tenant::Domain>& domain() const { return domain_; }

  /// Puts the database's rows in the place of those that were known.
  void set_rows(const std::vector<StoredDocument>& rows);
  /// `position`: of what is new; the next ones follow.
  void apply(const std::vector<DocumentWrite>& writes, std::int64_t position);
  /// Makes domain() anew, by the rules of the file. The error has a line for each finding.
  Result<void> read(Exposure exposure);

  /// What has to be written to remove a thing, or the domain with all that is in it.
  DocumentWrite removal(Kind kind, const std::string& name) const;
  std::vector<DocumentWrite> removal() const;

 private:
  struct FileParts;
  void combine();
  bool uses_file() const;

  std::shared_ptr<const FileParts> file_;
  std::map<Row, StoredDocument> rows_;
  std::optional<Item> settings_;
  std::array<std::vector<Item>, 4> items_;
  std::shared_ptr<const tenant::Domain> domain_;
};

/// Takes the lists of trunks, devices and mediaservices out of a domain.
std::array<std::vector<Document>, 4> take_lists(Document& domain);

/// Why the name of a thing can't be used; nothing if it can.
std::optional<std::string> wrong_name(Kind kind, std::string_view name);

/// What is wrong with one thing, by the rules of the file: a line for each finding.
std::vector<std::string> check_document(Kind kind, const Document& document, const std::string& domain);

}  // namespace rw::app
