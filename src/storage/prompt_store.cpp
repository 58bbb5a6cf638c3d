#include "storage/prompt_store.h"

namespace rw::storage {
namespace {

/// Takes the first character off `text`, which is not empty. Nothing if it isn't UTF-8 (RFC 3629).
std::optional<std::uint32_t> take_character(std::string_view& text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length == 0 || first > 0xf4 || text.size() < length) return std::nullopt;
  std::uint32_t code = length == 1 ? first : first & (0xffU >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte(at) & 0x3fU);
  }
  const bool longer_than_needed = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (longer_than_needed || surrogate || code > 0x10ffff) return std::nullopt;
  text.remove_prefix(length);
  return code;
}

}  // namespace

StoreResult<PromptStore::Link> PromptStore::link(const std::string& domain, const std::string& name,
                                                 std::chrono::seconds) {
  auto found = find(domain, name);
  if (!found) return tl::unexpected(std::move(found.error()));
  return Link{std::move(found->name), {}};
}

StoreResult<void> PromptStore::move(const std::string&, const std::string&, const MoveDestination&) {
  return storage::refuse(StoreError::Kind::not_configured, "no S3 credentials are configured");
}

StoreResult<void> check_name(std::string_view name) {
  const auto refuse = [](std::string why) {
    return storage::refuse(StoreError::Kind::invalid_name, "filename: " + std::move(why));
  };
  if (name == "." || name == "..") return refuse("not a name");
  if (name.find_first_of("/\\") != std::string_view::npos) return refuse("has a path separator");
  std::size_t characters = 0;
  while (!name.empty() && characters <= longest_name) {
    const auto character = take_character(name);
    if (!character) return refuse("is not UTF-8");
    if (*character < 0x20 || (*character >= 0x7f && *character < 0xa0)) return refuse("has a control character");
    ++characters;
  }
  if (characters == 0 || characters > longest_name) return refuse("expected 1 to 255 characters");
  return {};
}

}  // namespace rw::storage
