#include "sip/body.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/ascii.h"
#include "base/base64url.h"

namespace rw::sip {
namespace {

constexpr std::string_view blanks = " \t\r\n";
/// Of `SessionBody::ignored`, about.
constexpr std::size_t max_ignored_bytes = 200;

std::string_view bare(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// A header's value up to its parameters.
std::string_view main_value(std::string_view value) {
  return bare(value.substr(0, value.find(';')));
}

/// Where the parameter that begins at `at` ends: at the next semicolon outside quotes.
std::size_t end_of_parameter(std::string_view value, std::size_t at) {
  bool quoted = false;
  for (; at < value.size(); ++at) {
    if (quoted && value[at] == '\\') {
      ++at;
    } else if (value[at] == '"') {
      quoted = !quoted;
    } else if (value[at] == ';' && !quoted) {
      break;
    }
  }
  return std::min(at, value.size());
}

/// A parameter of a header's value, without quotes and escapes; empty if there is none.
std::string parameter(std::string_view value, std::string_view name) {
  for (auto at = end_of_parameter(value, 0); at < value.size();) {
    const auto end = end_of_parameter(value, at + 1);
    const auto one = value.substr(at + 1, end - at - 1);
    at = end;
    const auto equals = one.find('=');
    if (equals == std::string_view::npos || !same_letters(bare(one.substr(0, equals)), name)) continue;
    auto text = bare(one.substr(equals + 1));
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
    std::string plain;
    for (text = text.substr(1, text.size() - 2); !text.empty(); text.remove_prefix(1)) {
      if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
      plain += text.front();
    }
    return plain;
  }
  return {};
}

/// The headers that say how a body, or a part of one, is to be read.
struct Description {
  std::string_view content_type, disposition, encoding, transfer_encoding, id;

  void set(std::string_view name, std::string_view value) {
    for (auto [known, compact, field] : {std::tuple{"Content-Type", "c", &Description::content_type},
                                         std::tuple{"Content-Disposition", "", &Description::disposition},
                                         std::tuple{"Content-Encoding", "e", &Description::encoding},
                                         std::tuple{"Content-Transfer-Encoding", "", &Description::transfer_encoding},
                                         std::tuple{"Content-ID", "", &Description::id}}) {
      if (same_letters(name, known) || same_letters(name, compact)) this->*field = value;
    }
  }
  bool is_multipart() const {
    return same_letters(content_type.substr(0, 10), "multipart/") && !parameter(content_type, "boundary").empty();
  }
  bool is_multipart(std::string_view subtype) const {
    return is_multipart() && same_letters(main_value(content_type).substr(10), subtype);
  }
};

/// Where the next line begins.
std::size_t line_end(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size() - 1) + 1;
}

/// Takes the headers of a part off its front. A line that begins with a blank belongs to the one before it.
Description take_description(std::string_view& part) {
  Description description;
  while (!part.empty()) {
    auto end = line_end(part, 0);
    if (bare(part.substr(0, end)).empty()) {
      part.remove_prefix(end);
      break;
    }
    while (end < part.size() && (part[end] == ' ' || part[end] == '\t')) end = line_end(part, end);
    const auto line = part.substr(0, end);
    part.remove_prefix(end);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) description.set(bare(line.substr(0, colon)), bare(line.substr(colon + 1)));
  }
  return description;
}

/// The parts between a multipart's delimiters (RFC 2046 5.1.1); one that is never closed ends with the text.
std::vector<std::string_view> split(std::string_view text, const std::string& boundary) {
  const auto delimiter = "--" + boundary;
  std::vector<std::string_view> parts;
  std::size_t begin = std::string_view::npos;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = line_end(text, at);
    auto line = text.substr(at, end - at);
    if (line.starts_with(delimiter)) {
      line.remove_prefix(delimiter.size());
      const bool last = line.starts_with("--");
      if (last || bare(line).empty()) {
        if (begin != std::string_view::npos) {
          auto part = text.substr(begin, at - begin);
          if (part.ends_with('\n')) part.remove_suffix(1);
          if (part.ends_with('\r')) part.remove_suffix(1);
          parts.push_back(part);
        }
        begin = end;
        if (last) return parts;
      }
    }
    at = end;
  }
  if (begin != std::string_view::npos) parts.push_back(text.substr(begin));
  return parts;
}

/// Walks through a body. What a container says of its handling goes for all that is in it.
class Walk {
 public:
  explicit Walk(const std::function<bool(const BodyPart&)>& understood) : understood_(understood) {}

  std::vector<BodyPart> parts;

  void take(const Description& description, std::string_view bytes, bool required, int depth) {
    const auto handling = parameter(description.disposition, "handling");
    if (!handling.empty()) required = same_letters(handling, "required");
    const bool plain = description.encoding.empty() || same_letters(description.encoding, "identity");
    if (depth < max_body_depth && description.is_multipart() && plain) {
      take_container(description, bytes, required, depth);
    } else {
      parts.push_back({description.content_type, main_value(description.disposition), description.encoding,
                       description.transfer_encoding, bytes, required});
    }
  }

 private:
  void take_container(const Description& container, std::string_view bytes, bool required, int depth) {
    const auto first = parts.size();
    const auto start = container.is_multipart("related") ? parameter(container.content_type, "start") : std::string();
    for (auto part : split(bytes, parameter(container.content_type, "boundary"))) {
      const auto before = parts.size();
      const auto description = take_description(part);
      take(description, part, false, depth + 1);
      if (!start.empty() && description.id == start)  // what the others are related to
        std::rotate(parts.begin() + static_cast<std::ptrdiff_t>(first),
                    parts.begin() + static_cast<std::ptrdiff_t>(before), parts.end());
    }
    if (container.is_multipart("alternative")) keep_best(first);
    const bool says = !parameter(container.disposition, "handling").empty();
    const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(first);
    if (!required && says) std::for_each(begin, parts.end(), [](BodyPart& part) { part.required = false; });
    // One that may not be left aside is refused if nothing of it is understood.
    if (required && std::none_of(begin, parts.end(), understood_)) {
      if (begin == parts.end()) parts.push_back({container.content_type, {}, {}, {}, bytes, true});
      parts.back().required = true;
    }
  }

  /// Of the versions from `first` on, which become better and better (RFC 2046 5.1.4).
  void keep_best(std::size_t first) {
    if (parts.size() - first < 2) return;
    const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(first);
    const auto found = std::find_if(parts.rbegin(), std::make_reverse_iterator(begin), understood_);
    const auto best = found == std::make_reverse_iterator(begin) ? parts.back() : *found;
    parts.resize(first);
    parts.push_back(best);
  }

  const std::function<bool(const BodyPart&)>& understood_;
};

std::string from_quoted_printable(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    std::size_t taken = 1;
    if (text.front() != '=') {
      plain += text.front();
    } else if (const auto end = text.find_first_not_of(" \t\r", 1); end < text.size() && text[end] == '\n') {
      taken = end + 1;  // a soft line break
    } else {
      unsigned char code = 0;
      const auto digits = text.substr(1, 2);
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      if (digits.size() == 2 && read.ptr == digits.data() + 2) taken = 3;
      plain += taken == 3 ? static_cast<char>(code) : '=';
    }
    text.remove_prefix(taken);
  }
  return plain;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (c == '+')
      letters += '-';
    else if (c == '/')
      letters += '_';
    else if (c != '=' && blanks.find(c) == std::string_view::npos)
      letters += c;
  }
  return from_base64url(letters);
}

}  // namespace

bool BodyPart::is(std::string_view type) const {
  return same_letters(main_value(content_type), type);
}

bool BodyPart::is_session_description() const {
  return is("application/sdp") && (disposition.empty() || same_letters(disposition, "session"));
}

std::optional<std::string> BodyPart::content() const {
  const auto one_of = [](std::string_view value, auto... names) { return (same_letters(value, names) || ...); };
  if (!one_of(encoding, "", "identity")) return std::nullopt;
  if (one_of(transfer_encoding, "", "7bit", "8bit", "binary")) return std::string(bytes);
  if (one_of(transfer_encoding, "base64")) return from_base64(bytes);
  if (one_of(transfer_encoding, "quoted-printable")) return from_quoted_printable(bytes);
  return std::nullopt;
}

std::vector<BodyPart> parts_of(const Message& message, const std::function<bool(const BodyPart&)>& understood) {
  if (message.body().empty()) return {};
  Description description;
  for (const auto& [name, value] : message.all_headers()) description.set(name, value);
  Walk walk(understood);
  walk.take(description, message.body(), true, 0);
  return std::move(walk.parts);
}

SessionBody SessionBody::read(const Message& message) {
  SessionBody body;
  const auto understood = [](const BodyPart& part) { return part.is_session_description() && part.content(); };
  for (const auto& part : parts_of(message, understood)) {
    const bool usable = understood(part);
    if (usable && body.sdp.empty()) {
      body.sdp = *part.content();
      continue;
    }
    body.refused = body.refused || (part.required && !usable);
    if (body.ignored.size() > max_ignored_bytes) continue;
    const auto type = main_value(part.content_type).substr(0, 64);
    if (!body.ignored.empty()) body.ignored += ", ";
    body.ignored += type.empty() ? "no type" : type;
  }
  return body;
}

}  // namespace rw::sip
