#include "storage/xml_element.h"

#include <gtest/gtest.h>

namespace rw::storage {
namespace {

TEST(XmlElement, ReadsElementsAndText) {
  const auto read = XmlElement::parse(
      "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x --><s3:List xmlns:s3='a>b' other=\"'\">"
      "<Key>a &lt;b&gt; &amp; &quot;c&apos; &#229;&#x1F600;</Key><Empty/><Key >second</Key "
      "><Data><![CDATA[<&>]]></Data>"
      "<!-- <Key>no</Key> --></s3:List> \n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "List");
  EXPECT_EQ(read->child_text("Key"), "a <b> & \"c' å😀");
  EXPECT_EQ(read->children.size(), 4U);
  EXPECT_EQ(read->child_text("Data"), "<&>");
  EXPECT_EQ(read->child_text("Missing"), "");
  EXPECT_EQ(read->child("Missing"), nullptr);
}

TEST(XmlElement, RefusesWhatIsNotWellFormed) {
  for (const auto* text : {"",
                           "text",
                           "<",
                           "<a",
                           "<a>",
                           "<a></b>",
                           "<a></a",
                           "<a/><b/>",
                           "<a/>text",
                           "<a>&unknown;</a>",
                           "<a>&#0;</a>",
                           "<a>&#xd800;</a>",
                           "<a>&#x110000;</a>",
                           "<a>&amp</a>",
                           "<a><!-- </a>",
                           "<a><![CDATA[ </a>",
                           "<a b='></a>",
                           "<a <b/></a>",
                           "<></>",
                           "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
                           "<a><!DOCTYPE b></a>",
                           "<?xml"})
    EXPECT_FALSE(XmlElement::parse(text)) << text;
}

TEST(XmlElement, IsBounded) {
  const auto nested = [](std::size_t depth) {
    std::string text;
    for (std::size_t at = 0; at < depth; ++at) text += "<a>";
    for (std::size_t at = 0; at < depth; ++at) text += "</a>";
    return text;
  };
  EXPECT_TRUE(XmlElement::parse(nested(XmlElement::deepest)));
  EXPECT_FALSE(XmlElement::parse(nested(XmlElement::deepest + 1)));
  EXPECT_FALSE(XmlElement::parse(nested(1'000'000)));
  std::string wide = "<a>";
  for (std::size_t at = 0; at < XmlElement::most_elements; ++at) wide += "<b/>";
  EXPECT_FALSE(XmlElement::parse(wide + "</a>"));
}

}  // namespace
}  // namespace rw::storage
