#include "app/catalogue.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cctype>

#include "app/read_trunk.h"

namespace rw::app {
namespace {

constexpr std::int64_t first_of_file = -1'000'000'000;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

std::string name_in(Kind kind, const Document& document) {
  const auto* name = document.if_contains(names_of(kind).id);
  return name != nullptr && name->is_string() ? std::string(name->get_string()) : "";
}

/// What we wrote; anything else counts as nothing.
Document parsed(const std::string& body) {
  boost::system::error_code error;
  auto value = boost::json::parse(body, error);
  return error || !value.is_object() ? Document() : std::move(value.get_object());
}

}  // namespace

struct DomainEntry::FileParts {
  Document settings;
  std::array<std::vector<Item>, 4> items;
  std::shared_ptr<const tenant::Domain> domain;
};

std::array<std::vector<Document>, 4> take_lists(Document& domain) {
  std::array<std::vector<Document>, 4> lists;
  for (const auto kind : inner_kinds) {
    const auto* list = domain.if_contains(names_of(kind).list);
    if (list != nullptr && list->is_array()) {
      for (const auto& item : list->get_array()) {
        if (item.is_object()) lists[static_cast<std::size_t>(kind)].push_back(item.get_object());
        if (kind == Kind::device && item.is_string()) lists[static_cast<std::size_t>(kind)].push_back({{"id", item}});
      }
    }
    domain.erase(names_of(kind).list);
  }
  return lists;
}

DomainEntry DomainEntry::from_file(std::shared_ptr<const tenant::Domain> domain, const Document* document) {
  DomainEntry entry;
  if (document != nullptr) {
    auto parts = std::make_shared<FileParts>();
    parts->settings = *document;
    parts->domain = domain;
    auto lists = take_lists(parts->settings);
    auto position = first_of_file;
    for (const auto kind : inner_kinds) {
      for (auto& one : lists[static_cast<std::size_t>(kind)]) {
        auto name = name_in(kind, one);
        auto& items = parts->items[static_cast<std::size_t>(kind)];
        if (name.empty()) name = "#" + std::to_string(items.size() + 1);  // a trunk without a name
        items.push_back({std::move(name), std::move(one), position++, false});
      }
    }
    entry.file_ = std::move(parts);
  }
  entry.combine();
  entry.domain_ = std::move(domain);
  return entry;
}

DomainEntry DomainEntry::with_file(std::shared_ptr<const tenant::Domain> domain, const Document* document) const {
  auto entry = from_file(std::move(domain), document);
  entry.rows_ = rows_;
  entry.combine();
  return entry;
}

std::shared_ptr<const tenant::Domain> DomainEntry::file_domain() const {
  return file_ == nullptr ? nullptr : file_->domain;
}

bool DomainEntry::uses_file() const {
  return file_ != nullptr && !rows_.contains({Kind::domain, std::string(without_file)});
}

const Item* DomainEntry::find(Kind kind, std::string_view name) const {
  if (kind == Kind::domain) return settings_ ? &*settings_ : nullptr;
  const auto& all = items(kind);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Item& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

void DomainEntry::set_rows(const std::vector<StoredDocument>& rows) {
  rows_.clear();
  for (const auto& row : rows) rows_[{row.kind, row.name}] = row;
  combine();
}

void DomainEntry::apply(const std::vector<DocumentWrite>& writes, std::int64_t position) {
  for (const auto& write : writes) {
    const Row key{write.kind, write.name};
    if (!write.body) {
      rows_.erase(key);
      continue;
    }
    const auto* there = find(write.kind, write.name);
    const auto place = there != nullptr && write.kind != Kind::domain ? there->position : position++;
    rows_[key] = {write.kind, write.name, *write.body, place};
  }
  combine();
}

void DomainEntry::combine() {
  settings_.reset();
  for (auto& items : items_) items.clear();
  if (uses_file()) {
    settings_ = Item{"", file_->settings, 0, false};
    items_ = file_->items;
  }
  for (const auto& [key, row] : rows_) {
    if (row.kind == Kind::domain) {
      if (row.name.empty()) settings_ = Item{"", parsed(row.body), 0, true};
      continue;
    }
    auto& items = items_[static_cast<std::size_t>(row.kind)];
    std::erase_if(items, [&row = row](const Item& one) { return one.name == row.name; });
    if (!row.body.empty()) items.push_back({row.name, parsed(row.body), row.position, true});
  }
  for (auto& items : items_) {
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.position < b.position; });
  }
  if (!settings_) {
    for (auto& items : items_) items.clear();
  }
}

Result<void> DomainEntry::read(Exposure exposure) {
  if (!settings_) {
    domain_ = nullptr;
    return {};
  }
  if (rows_.empty() && file_ != nullptr) {
    domain_ = file_->domain;
    return {};
  }
  auto whole = settings_->document;
  for (const auto kind : inner_kinds) {
    boost::json::array list;
    for (const auto& item : items(kind)) list.push_back(item.document);
    whole[names_of(kind).list] = std::move(list);
  }
  const auto table = to_toml(whole);
  Findings findings("");
  TomlReader reader(table, "", findings);
  // What the file says of a mediaservice is the operator's word; what the database says needs not be.
  const auto trusted = [this](std::string_view id) {
    const auto* item = find(Kind::mediaservice, id);
    return item != nullptr && !item->stored;
  };
  auto domain = read_domain(reader, trusted);
  check_exposure(reader, *domain, exposure);
  reader.finish();
  if (!findings.all().empty()) return fail(joined(findings.all()));
  domain_ = std::move(domain);
  return {};
}

DocumentWrite DomainEntry::removal(Kind kind, const std::string& name) const {
  const auto of_file = [&] {
    const auto& all = file_->items[static_cast<std::size_t>(kind)];
    return std::any_of(all.begin(), all.end(), [&](const Item& one) { return one.name == name; });
  };
  if (uses_file() && of_file()) return {kind, name, std::string()};
  return {kind, name, std::nullopt};
}

std::vector<DocumentWrite> DomainEntry::removal() const {
  std::vector<DocumentWrite> writes;
  writes.reserve(rows_.size() + 1);
  for (const auto& [key, row] : rows_) writes.push_back({row.kind, row.name, std::nullopt});
  if (in_file()) writes.push_back({Kind::domain, std::string(without_file), std::string()});
  return writes;
}

std::optional<std::string> wrong_name(Kind kind, std::string_view name) {
  const std::string member(names_of(kind).id);
  if (name.empty()) return member + ": missing";
  if (name.size() > 250) return member + ": expected at most 250 bytes";
  const auto usable = [kind](unsigned char one) {
    if (kind != Kind::domain) return one > ' ' && one != 0x7f && one != '/';
    return std::isalnum(one) != 0 || one == '-' || one == '.' || one == '_';
  };
  if (std::all_of(name.begin(), name.end(), usable)) return std::nullopt;
  return member + (kind == Kind::domain ? ": expected a host name: letters, digits, - . and _"
                                        : ": expected no spaces, control characters and slashes");
}

std::vector<std::string> check_document(Kind kind, const Document& document, const std::string& domain) {
  const auto table = to_toml(document);
  Findings findings("");
  TomlReader reader(table, "", findings);
  const auto nobody = [](std::string_view /*id*/) { return false; };
  switch (kind) {
    case Kind::domain:
      read_domain(reader, nobody);
      break;
    case Kind::trunk:
      read_trunk(reader);
      break;
    case Kind::device:
      read_device(reader);
      break;
    case Kind::mediaservice:
      read_mediaservice(reader, domain, nobody);
      break;
  }
  reader.finish();
  return findings.all();
}

}  // namespace rw::app
