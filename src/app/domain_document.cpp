#include "app/domain_document.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/public_url.h"

namespace rw::app {
namespace {

boost::json::value from_node(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    Document document;
    for (const auto& [key, value] : *table) document[key.str()] = from_node(value);
    return document;
  }
  if (const auto* array = node.as_array()) {
    boost::json::array items;
    for (const auto& item : *array) items.push_back(from_node(item));
    return items;
  }
  if (node.is_string()) return boost::json::string(*node.value<std::string>());
  if (node.is_integer()) return *node.value<std::int64_t>();
  if (node.is_floating_point()) return *node.value<double>();
  if (node.is_boolean()) return *node.value<bool>();
  return nullptr;
}

toml::array to_array(const boost::json::array& items);

/// Gives `take` the value as TOML has it; null is left out.
template <class Take>
void with_toml(const boost::json::value& value, Take take) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return;
    case boost::json::kind::bool_:
      return take(value.get_bool());
    case boost::json::kind::int64:
      return take(value.get_int64());
    case boost::json::kind::uint64:
      return take(static_cast<double>(value.get_uint64()));
    case boost::json::kind::double_:
      return take(value.get_double());
    case boost::json::kind::string:
      return take(std::string(value.get_string()));
    case boost::json::kind::array:
      return take(to_array(value.get_array()));
    case boost::json::kind::object:
      return take(to_toml(value.get_object()));
  }
}

toml::array to_array(const boost::json::array& items) {
  toml::array array;
  for (const auto& item : items)
    with_toml(item, [&](auto&& one) { array.push_back(std::forward<decltype(one)>(one)); });
  return array;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// `change`s each text of a member: the text itself, or those of an array.
void each_text(Document& document, std::string_view key, const std::function<std::string(const std::string&)>& change) {
  auto* found = document.if_contains(key);
  if (found == nullptr) return;
  const auto one = [&](boost::json::value& value) {
    if (value.is_string() && !value.get_string().empty()) value = change(std::string(value.get_string()));
  };
  one(*found);
  if (!found->is_array()) return;
  for (auto& item : found->get_array()) one(item);
}

void make_self_contained(Kind kind, Document& document) {
  const auto secret = [](const std::string& text) { return resolve_secret(text).value_or(""); };
  const auto& names = names_of(kind);
  for (const auto key : names.files) each_text(document, key, content_of);
  for (const auto key : names.secrets) {
    if (std::find(names.files.begin(), names.files.end(), key) == names.files.end()) each_text(document, key, secret);
  }
  auto* keys = document.if_contains("access_keys");
  if (keys == nullptr || !keys->is_array()) return;
  for (auto& key : keys->get_array()) {
    if (key.is_object()) each_text(key.get_object(), "secret", secret);
  }
}

/// The secret of the access key with the same id; null if there is none.
const boost::json::value* secret_of(const Document* document, const boost::json::value& id) {
  const auto* keys = document == nullptr ? nullptr : document->if_contains("access_keys");
  if (keys == nullptr || !keys->is_array()) return nullptr;
  for (const auto& key : keys->get_array()) {
    const auto* object = key.if_object();
    const auto* found = object == nullptr ? nullptr : object->if_contains("id");
    if (found != nullptr && *found == id) return object->if_contains("secret");
  }
  return nullptr;
}

bool is_mask(const boost::json::value* value) {
  return value != nullptr && value->is_string() && value->get_string() == mask;
}

/// The URL, if a mask stands in the place of its user and password; else nothing.
std::string url_with_mask(const boost::json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  std::string url(value->get_string());
  const auto masked_at = "://" + std::string(mask) + "@";
  return url.find(masked_at) != std::string::npos && with_hidden_user(url, mask) == url ? url : std::string();
}

}  // namespace

const KindNames& names_of(Kind kind) {
  static const std::array<KindNames, 4> all{{
      {Kind::domain, "domain", "domains", "name", {"jwt_secret"}, {"jwks_url"}, {"jwt_public_keys", "recording_key"}},
      {Kind::trunk, "trunk", "trunks", "name", {"key", "inbound_password", "password"}, {}, {}},
      {Kind::device, "device", "devices", "id", {}, {}, {}},
      {Kind::mediaservice,
       "mediaservice",
       "mediaservices",
       "id",
       {"basic", "bearer", "signing_key", "client_key"},
       {"callback_url", "secondary_callback_url", "alarm_url"},
       {"signing_key", "client_certificate", "client_key", "ca"}},
  }};
  return all.at(static_cast<std::size_t>(kind));
}

Document domain_document(const toml::table& table) {
  return from_node(table).get_object();
}

Document self_contained(Document domain) {
  make_self_contained(Kind::domain, domain);
  for (const auto kind : inner_kinds) {
    auto* list = domain.if_contains(names_of(kind).list);
    if (list == nullptr || !list->is_array()) continue;
    for (auto& item : list->get_array()) {
      if (kind == Kind::device && item.is_string()) item = Document{{"id", item}};
      if (item.is_object()) make_self_contained(kind, item.get_object());
    }
  }
  return domain;
}

toml::table to_toml(const Document& document) {
  toml::table table;
  for (const auto& [key, value] : document) {
    with_toml(value, [&, name = std::string(key)](auto&& one) {
      table.insert_or_assign(name, std::forward<decltype(one)>(one));
    });
  }
  return table;
}

Document masked(Kind kind, Document document) {
  const auto hide = [](const std::string&) { return std::string(mask); };
  for (const auto key : names_of(kind).secrets) each_text(document, key, hide);
  for (const auto key : names_of(kind).urls)
    each_text(document, key, [](const std::string& url) { return with_hidden_user(url, mask); });
  if (auto* keys = document.if_contains("access_keys"); keys != nullptr && keys->is_array()) {
    for (auto& key : keys->get_array()) {
      if (key.is_object()) each_text(key.get_object(), "secret", hide);
    }
  }
  return document;
}

std::string unmask(Kind kind, Document& document, const Document* old) {
  for (const auto key : names_of(kind).secrets) {
    auto* given = document.if_contains(key);
    if (!is_mask(given)) continue;
    const auto* kept = old == nullptr ? nullptr : old->if_contains(key);
    if (kept == nullptr) return std::string(key);
    *given = *kept;
  }
  for (const auto key : names_of(kind).urls) {
    auto* given = document.if_contains(key);
    const auto url = url_with_mask(given);
    if (url.empty()) continue;
    const auto* kept = old == nullptr ? nullptr : old->if_contains(key);
    if (kept == nullptr || !kept->is_string() || with_hidden_user(kept->get_string(), mask) != url)
      return std::string(key);
    *given = *kept;
  }
  auto* keys = document.if_contains("access_keys");
  if (keys == nullptr || !keys->is_array()) return {};
  for (auto& key : keys->get_array()) {
    auto* object = key.if_object();
    if (object == nullptr || !is_mask(object->if_contains("secret")) || object->if_contains("id") == nullptr) continue;
    const auto* kept = secret_of(old, object->at("id"));
    if (kept == nullptr) return "access_keys.secret";
    object->at("secret") = *kept;
  }
  return {};
}

}  // namespace rw::app
