#pragma once

// Header-only and without exceptions: a wrong file is a value here. Without its assertions, too, and what it has
// compilers assume in their place: some are about what the file says ("[=]"), for which its parser has an error in the
// next line.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ASSERT(expr) static_assert(true)
#pragma push_macro("NDEBUG")
#undef NDEBUG  // else they are assumed
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rw::app {

/// What was wrong with a configuration file, a line for each finding.
class Findings {
 public:
  /// `file`: empty for what came with a request. That is read as it stands: nothing in it leads to this server's files
  /// or environment.
  explicit Findings(std::string file) : file_(std::move(file)) {}
  bool may_refer() const { return !file_.empty(); }
  /// "file:line: key: found …, expected …"; without a file "key: found …, expected …"
  void add(const toml::source_region& where, const std::string& key, const std::string& found,
           std::string_view expected);
  void add(const toml::source_region& where, const std::string& key, const std::string& problem);
  const std::vector<std::string>& all() const { return lines_; }

 private:
  std::string file_;
  std::vector<std::string> lines_;
};

/// A finding is one line, whatever it quotes: with spaces for the control characters.
std::string one_line(std::string text);

/// What "env:NAME" or "file:PATH" stands for; any other text is itself.
Result<std::string> resolve_secret(const std::string& text);

/// Reads one TOML table: each key by its type and range; whatever has not been asked for by finish() is an unknown key.
class TomlReader {
 public:
  TomlReader(const toml::table& table, std::string path, Findings& findings);

  bool has(std::string_view key);
  void text(std::string_view key, std::string& into);
  /// Text that may be "env:NAME" or "file:PATH"; in a request that is refused.
  void secret(std::string_view key, std::string& into);
  void flag(std::string_view key, bool& into);
  /// A whole number within [least, most].
  template <class Number>
  void whole(std::string_view key, Number& into, long long least, long long most) {
    if (const auto value = whole_value(key, least, most)) into = static_cast<Number>(*value);
  }
  /// Seconds, whole or decimal, into any duration.
  template <class Time>
  void seconds(std::string_view key, Time& into, double least, double most) {
    if (const auto value = number(key, least, most)) {
      into = std::chrono::duration_cast<Time>(std::chrono::duration<double>(*value));
    }
  }
  std::optional<double> number(std::string_view key, double least, double most);
  /// Text that is one of `values`: its place among them.
  std::optional<std::size_t> choice(std::string_view key, const std::vector<std::string_view>& values);
  /// The whole numbers of an array, each within [least, most].
  void each_whole(std::string_view key, long long least, long long most, std::vector<long long>& into);
  void texts(std::string_view key, std::vector<std::string>& into);
  /// Each text of an array (or one text) goes to `read`, which returns what it expected instead, or nothing.
  void each_text(std::string_view key, const std::function<std::string(const std::string&)>& read);
  /// Each table of an array of tables.
  void each_table(std::string_view key, const std::function<void(TomlReader&)>& read);
  /// Each item of an array whose items are texts or tables.
  void each_text_or_table(std::string_view key, const std::function<std::string(const std::string&)>& read_text,
                          const std::function<void(TomlReader&)>& read_table);
  void table(std::string_view key, const std::function<void(TomlReader&)>& read);

  /// The table that is read.
  const toml::table& source() const { return table_; }
  /// Whether values may be references to files and the environment.
  bool may_refer() const { return findings_.may_refer(); }
  void wrong(std::string_view key, const std::string& found, std::string_view expected);
  void problem(std::string_view key, const std::string& problem);
  std::string path(std::string_view key) const;
  /// Reports the keys that nobody asked for.
  void finish();

 private:
  const toml::node* find(std::string_view key);
  std::optional<long long> whole_value(std::string_view key, long long least, long long most);
  static std::string found(const toml::node& node);

  const toml::table& table_;
  std::string path_;
  Findings& findings_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace rw::app
