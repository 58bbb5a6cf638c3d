#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rw::storage {

/// An element of an XML document, as far as answers of S3 need it: its local name, the text directly in it, and the
/// elements in it. Attributes, comments and processing instructions are passed over.
struct XmlElement {
  static constexpr std::size_t deepest = 16;
  static constexpr std::size_t most_elements = 50'000;

  std::string name;  ///< without a namespace prefix
  std::string text;  ///< entities resolved
  std::vector<XmlElement> children;

  /// The first child of that name; null if there is none.
  const XmlElement* child(std::string_view wanted) const;
  /// The text of the first child of that name; empty if there is none.
  std::string child_text(std::string_view wanted) const;

  /// Reads a document. Refused: what isn't well-formed, a document type declaration (there are no entities but the five
  /// of XML and numeric ones), more depth or elements than above.
  static Result<XmlElement> parse(std::string_view document);
};

}  // namespace rw::storage
