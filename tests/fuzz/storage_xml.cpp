// Answers of S3: any text is either read or refused.
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/s3_answers.h"
#include "storage/xml_element.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)rw::storage::XmlElement::parse(text);
  (void)rw::storage::read_listing(text);
  std::string etag;
  (void)rw::storage::read_result(text, "CopyObjectResult", etag);
  return 0;
}
