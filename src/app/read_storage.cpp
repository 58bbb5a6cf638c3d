#include "app/read_storage.h"

#include <algorithm>

#include "storage/s3_location.h"

namespace rw::app {
namespace {

constexpr std::size_t longest_prefix = 256;

/// What goes into a header, or into a key's name.
bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

void read_location(TomlReader& table, Config::Storage& storage) {
  table.text("endpoint", storage.endpoint);
  if (!storage.endpoint.empty()) {
    if (const auto endpoint = storage::S3Endpoint::parse(storage.endpoint); !endpoint)
      table.wrong("endpoint", "\"" + storage.endpoint + "\"", endpoint.error().message);
  }
  table.text("region", storage.region);
  if (!storage.region.empty() && !storage::is_region_name(storage.region))
    table.wrong("region", "\"" + storage.region + "\"", "the name of a region, as \"eu-north-1\"");
  table.text("bucket", storage.bucket);
  if (!storage.bucket.empty() && !storage::is_bucket_name(storage.bucket))
    table.wrong("bucket", "\"" + storage.bucket + "\"", "the name of an S3 bucket, 3 to 63 characters");
  table.text("prefix", storage.prefix);
  if (storage.prefix.size() > longest_prefix || storage.prefix.starts_with('/') || !is_visible(storage.prefix))
    table.wrong("prefix", "\"" + storage.prefix + "\"",
                "at most 256 visible ASCII characters, no slash at the beginning");
  table.flag("path_style", storage.path_style);
}

void read_credentials(TomlReader& table, auth::AwsCredentials& credentials) {
  table.secret("access_key_id", credentials.access_key_id);
  table.secret("secret_access_key", credentials.secret_access_key);
  table.secret("session_token", credentials.session_token);
  if (!is_visible(credentials.access_key_id)) table.problem("access_key_id", "expected visible ASCII characters");
  if (!is_visible(credentials.session_token)) table.problem("session_token", "expected visible ASCII characters");
  if (credentials.access_key_id.empty() && !credentials.secret_access_key.empty())
    table.problem("access_key_id", "missing: there is a secret_access_key");
  if (credentials.secret_access_key.empty() && !credentials.access_key_id.empty())
    table.problem("secret_access_key", "missing: there is an access_key_id");
}

}  // namespace

void read_storage(TomlReader& table, Config::Storage& storage) {
  storage.s3 = table.choice("kind", {"files", "s3"}) == 1;
  read_location(table, storage);
  read_credentials(table, storage.credentials);
  table.whole("cache_mb", storage.cache_mb, 1, 1'000'000);
  table.whole("reserve_mb", storage.reserve_mb, 0, 1'000'000);
  if (!storage.s3) return;
  if (storage.region.empty()) table.problem("region", "missing: kind is \"s3\"");
  if (storage.bucket.empty()) table.problem("bucket", "missing: kind is \"s3\"");
  if (storage.credentials.access_key_id.empty() && storage.credentials.secret_access_key.empty())
    table.problem("access_key_id", "missing: kind is \"s3\"");
}

}  // namespace rw::app
