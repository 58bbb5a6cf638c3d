#include "app/toml_reader.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace rw::app {

void Findings::add(const toml::source_region& where, const std::string& key, const std::string& found,
                   std::string_view expected) {
  add(where, key, "found " + found + ", expected " + std::string(expected));
}

void Findings::add(const toml::source_region& where, const std::string& key, const std::string& problem) {
  const auto place = file_.empty() ? "" : file_ + ":" + std::to_string(where.begin.line) + ": ";
  lines_.push_back(one_line(place + key + ": " + problem));
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return text;
}

Result<std::string> resolve_secret(const std::string& text) {
  if (text.starts_with("env:")) {
    const auto name = text.substr(4);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return fail("the environment has no variable " + name);
    return std::string(value);
  }
  if (!text.starts_with("file:")) return text;
  std::ifstream file(text.substr(5));
  if (!file) return fail("can't read the file " + text.substr(5));
  std::ostringstream content;
  content << file.rdbuf();
  auto secret = content.str();
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

TomlReader::TomlReader(const toml::table& table, std::string path, Findings& findings)
    : table_(table), path_(std::move(path)), findings_(findings) {}

std::string TomlReader::path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const toml::node* TomlReader::find(std::string_view key) {
  known_.emplace(key);
  return table_.get(key);
}

bool TomlReader::has(std::string_view key) {
  return find(key) != nullptr;
}
std::string TomlReader::found(const toml::node& node) {
  std::ostringstream text;
  node.visit([&text](const auto& value) { text << value; });
  auto shown = text.str().substr(0, 60);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  std::ostringstream type;
  type << node.type();
  return type.str() + " " + shown;
}

void TomlReader::wrong(std::string_view key, const std::string& found, std::string_view expected) {
  const auto* node = table_.get(key);
  findings_.add(node != nullptr ? node->source() : table_.source(), path(key), found, expected);
}

void TomlReader::problem(std::string_view key, const std::string& problem) {
  const auto* node = table_.get(key);
  findings_.add(node != nullptr ? node->source() : table_.source(), path(key), problem);
}

void TomlReader::text(std::string_view key, std::string& into) {
  const auto* node = find(key);
  if (node == nullptr) return;
  if (const auto value = node->value<std::string>(); value && node->is_string()) {
    into = *value;
  } else {
    wrong(key, found(*node), "a string");
  }
}

void TomlReader::secret(std::string_view key, std::string& into) {
  text(key, into);
  if (!may_refer()) {
    if (into.starts_with("env:") || into.starts_with("file:"))
      problem(key, "expected the secret itself: env: and file: are for the configuration file");
    return;
  }
  if (auto secret = resolve_secret(into)) {
    into = std::move(*secret);
  } else {
    problem(key, secret.error().message);
  }
}

void TomlReader::flag(std::string_view key, bool& into) {
  const auto* node = find(key);
  if (node == nullptr) return;
  if (node->is_boolean()) {
    into = *node->value<bool>();
  } else {
    wrong(key, found(*node), "true or false");
  }
}

std::optional<long long> TomlReader::whole_value(std::string_view key, long long least, long long most) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
  if (value && *value >= least && *value <= most) return *value;
  wrong(key, found(*node), "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<double> TomlReader::number(std::string_view key, double least, double most) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (value && *value >= least && *value <= most) return *value;
  std::ostringstream expected;
  expected << "a number from " << least << " to " << most;
  wrong(key, found(*node), expected.str());
  return std::nullopt;
}

std::optional<std::size_t> TomlReader::choice(std::string_view key, const std::vector<std::string_view>& values) {
  const auto* node = find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->is_string() ? node->value<std::string>() : std::nullopt;
  if (value) {
    if (const auto at = std::find(values.begin(), values.end(), *value); at != values.end())
      return static_cast<std::size_t>(at - values.begin());
  }
  std::string expected;
  for (const auto one : values) expected += (expected.empty() ? "\"" : " | \"") + std::string(one) + "\"";
  wrong(key, found(*node), expected);
  return std::nullopt;
}

void TomlReader::each_text(std::string_view key, const std::function<std::string(const std::string&)>& read) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  if (array == nullptr) {
    wrong(key, found(*node), "an array of strings");
    return;
  }
  for (const auto& item : *array) {
    const auto value = item.is_string() ? item.value<std::string>() : std::nullopt;
    const auto expected = value ? read(*value) : std::string("a string");
    if (!expected.empty()) findings_.add(item.source(), path(key), found(item), expected);
  }
}

void TomlReader::each_whole(std::string_view key, long long least, long long most, std::vector<long long>& into) {
  const auto* node = find(key);
  const auto* array = node == nullptr ? nullptr : node->as_array();
  if (array == nullptr) return;
  for (const auto& item : *array) {
    const auto value = item.is_integer() ? item.value<std::int64_t>() : std::nullopt;
    if (value && *value >= least && *value <= most) into.push_back(*value);
  }
}

void TomlReader::texts(std::string_view key, std::vector<std::string>& into) {
  if (has(key)) into.clear();
  each_text(key, [&into](const std::string& value) {
    into.push_back(value);
    return std::string();
  });
}

void TomlReader::each_table(std::string_view key, const std::function<void(TomlReader&)>& read) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  if (array == nullptr) {
    wrong(key, found(*node), "an array of tables");
    return;
  }
  for (std::size_t at = 0; at < array->size(); ++at) {
    const auto* table = (*array)[at].as_table();
    const auto name = path(key) + "[" + std::to_string(at) + "]";
    if (table == nullptr) {
      findings_.add((*array)[at].source(), name, found((*array)[at]), "a table");
      continue;
    }
    TomlReader reader(*table, name, findings_);
    read(reader);
    reader.finish();
  }
}

void TomlReader::each_text_or_table(std::string_view key,
                                    const std::function<std::string(const std::string&)>& read_text,
                                    const std::function<void(TomlReader&)>& read_table) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  if (array == nullptr) {
    wrong(key, found(*node), "an array of strings or tables");
    return;
  }
  for (std::size_t at = 0; at < array->size(); ++at) {
    const auto& item = (*array)[at];
    if (const auto* table = item.as_table()) {
      TomlReader reader(*table, path(key) + "[" + std::to_string(at) + "]", findings_);
      read_table(reader);
      reader.finish();
      continue;
    }
    const auto value = item.is_string() ? item.value<std::string>() : std::nullopt;
    const auto expected = value ? read_text(*value) : std::string("a string or a table");
    if (!expected.empty()) findings_.add(item.source(), path(key), found(item), expected);
  }
}

void TomlReader::table(std::string_view key, const std::function<void(TomlReader&)>& read) {
  const auto* node = find(key);
  if (node == nullptr) return;
  if (!node->is_table()) {
    wrong(key, found(*node), "a table");
    return;
  }
  TomlReader reader(*node->as_table(), path(key), findings_);
  read(reader);
  reader.finish();
}

void TomlReader::finish() {
  for (const auto& [key, value] : table_) {
    if (!known_.contains(key.str())) findings_.add(value.source(), path(key.str()), "unknown key");
  }
}

}  // namespace rw::app
