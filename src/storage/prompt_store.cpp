#include "storage/prompt_store.h"

#include <algorithm>

namespace rw::storage {

StoreResult<void> check_name(std::string_view name) {
  const auto refuse = [](std::string why) {
    return tl::unexpected(StoreError{StoreError::Kind::invalid_name, "filename: " + std::move(why)});
  };
  if (name.empty() || name.size() > 255) return refuse("expected 1 to 255 characters");
  if (name == "." || name == "..") return refuse("not a name");
  if (name.find_first_of("/\\") != std::string_view::npos) return refuse("has a path separator");
  const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (control) return refuse("has a control character");
  return {};
}

}  // namespace rw::storage
