#include "storage/xml_element.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/utf8.h"

namespace rw::storage {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// What stands between '&' and ';'.
bool append_entity(std::string& text, std::string_view entity) {
  if (entity.starts_with('#')) {
    const bool hex = entity.starts_with("#x");
    entity.remove_prefix(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(entity.data(), entity.data() + entity.size(), code, hex ? 16 : 10);
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (error != std::errc() || end != entity.data() + entity.size() || code == 0 || code > 0x10ffff || surrogate)
      return false;
    append_utf8(text, code);
    return true;
  }
  constexpr std::pair<std::string_view, char> known[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  const auto* found = std::ranges::find(known, entity, &std::pair<std::string_view, char>::first);
  if (found == std::end(known)) return false;
  text += found->second;
  return true;
}

class Parser {
 public:
  explicit Parser(std::string_view document) : rest_(document) {}

  Result<XmlElement> document() {
    if (!skip_to_element()) return malformed();
    XmlElement root;
    if (!element(root, 1) || !skip_to_end()) return malformed();
    return root;
  }

 private:
  static tl::unexpected<Error> malformed() { return fail("not the XML that was expected"); }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  /// What comes before `mark`, which is passed over as well.
  std::optional<std::string_view> until(std::string_view mark) {
    const auto at = rest_.find(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const auto before = rest_.substr(0, at);
    rest_.remove_prefix(at + mark.size());
    return before;
  }

  /// Comments and processing instructions at this place: true if there was one, nothing if one has no end.
  std::optional<bool> aside() {
    if (take("<?")) return until("?>") ? std::optional(true) : std::nullopt;
    if (take("<!--")) return until("-->") ? std::optional(true) : std::nullopt;
    return false;
  }

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  bool skip_to_element() {
    take("\xef\xbb\xbf");
    for (;;) {
      skip_spaces();
      const auto skipped = aside();
      if (!skipped) return false;
      if (!*skipped) return rest_.starts_with('<') && !rest_.starts_with("<!");
    }
  }
  bool skip_to_end() {
    for (;;) {
      skip_spaces();
      if (rest_.empty()) return true;
      const auto skipped = aside();
      if (!skipped || !*skipped) return false;
    }
  }

  /// A start tag from '<' to '>'; quotes in it are honoured. True in `closed`: there is no content.
  bool start_tag(std::string& name, bool& closed) {
    if (!take("<")) return false;
    std::size_t at = 0;
    char quote = '\0';
    while (at < rest_.size() && (quote != '\0' || rest_[at] != '>')) {
      const char c = rest_[at];
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '<') {
        return false;
      }
      ++at;
    }
    if (at == rest_.size()) return false;
    auto tag = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    closed = tag.ends_with('/');
    if (closed) tag.remove_suffix(1);
    const auto* end = std::ranges::find_if(tag, is_space);
    tag = tag.substr(0, static_cast<std::size_t>(end - tag.begin()));
    name = tag;
    return !name.empty();
  }

  bool text(XmlElement& into) {
    const auto end = std::min(rest_.find('<'), rest_.size());
    auto piece = rest_.substr(0, end);
    rest_.remove_prefix(end);
    while (!piece.empty()) {
      const auto at = piece.find('&');
      into.text += piece.substr(0, at);
      if (at == std::string_view::npos) return true;
      const auto stop = piece.find(';', at);
      if (stop == std::string_view::npos || !append_entity(into.text, piece.substr(at + 1, stop - at - 1)))
        return false;
      piece.remove_prefix(stop + 1);
    }
    return true;
  }

  bool element(XmlElement& into, std::size_t depth) {
    if (depth > XmlElement::deepest || ++elements_ > XmlElement::most_elements) return false;
    std::string tag;
    bool closed = false;
    if (!start_tag(tag, closed)) return false;
    const auto colon = tag.rfind(':');
    into.name = colon == std::string::npos ? tag : tag.substr(colon + 1);
    while (!closed) {
      if (!text(into) || rest_.empty()) return false;
      if (take("</")) {
        auto name = until(">");
        if (!name) return false;
        while (!name->empty() && is_space(name->back())) name->remove_suffix(1);
        if (*name != tag) return false;
        closed = true;
      } else if (take("<![CDATA[")) {
        const auto data = until("]]>");
        if (!data) return false;
        into.text += *data;
      } else if (const auto skipped = aside(); !skipped) {
        return false;
      } else if (!*skipped) {
        if (rest_.starts_with("<!") || !element(into.children.emplace_back(), depth + 1)) return false;
      }
    }
    return true;
  }

  std::string_view rest_;
  std::size_t elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  const auto found = std::ranges::find(children, wanted, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::string XmlElement::child_text(std::string_view wanted) const {
  const auto* found = child(wanted);
  return found == nullptr ? "" : found->text;
}

Result<XmlElement> XmlElement::parse(std::string_view document) {
  if (is_utf8(document)) return Parser(document).document();
  const auto readable = to_utf8(std::string(document));
  return Parser(readable).document();
}

}  // namespace rw::storage
