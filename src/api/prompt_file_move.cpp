#include "api/prompt_file_move.h"

#include <algorithm>

#include "base/json_fields.h"
#include "storage/s3_client.h"
#include "storage/s3_location.h"

namespace rw::api {
namespace {

constexpr std::size_t longest_kms_key = 2048;

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_object_key(const std::string& key) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (key.empty() || key.size() > storage::S3Client::longest_key || std::ranges::any_of(key, is_control)) return false;
  // Whole segments of dots would be taken for folders by some servers, and are of no use to anybody.
  const auto slashed = "/" + key + "/";
  return slashed.find("/./") == std::string::npos && slashed.find("/../") == std::string::npos;
}

}  // namespace

Result<storage::MoveDestination> read_move(const boost::json::object& body, const std::string& name) {
  JsonFields fields(body);
  storage::MoveDestination to;
  if (!fields.choice("type", {"s3"}) && !fields.error()) fields.reject("type", "\"s3\"");
  to.region = fields.text("bucketRegion").value_or("");
  if (!storage::is_region_name(to.region)) fields.reject("bucketRegion", "the name of a region, as eu-north-1");
  to.bucket = fields.text("bucketName").value_or("");
  if (!storage::is_bucket_name(to.bucket)) fields.reject("bucketName", "the name of an S3 bucket, 3 to 63 characters");
  to.kms_key = fields.text("kmsKey").value_or("");
  if (to.kms_key.size() > longest_kms_key || !is_visible_ascii(to.kms_key))
    fields.reject("kmsKey", "the id or ARN of a key");
  to.key = fields.text("objectKey").value_or(name);
  if (!is_object_key(to.key)) fields.reject("objectKey", "1 to 1024 bytes, no control characters, no dot segments");
  if (fields.error()) return tl::unexpected(*fields.error());
  return to;
}

}  // namespace rw::api
