#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rw::app {

/// The line, from 1 on, of the first octet that is no ASCII and stands in neither a string nor a comment nor a byte
/// order mark in front; nothing if there is none, or if the text breaks off before it. TOML has no place for one
/// (TOML 1.0, "Spec", "Keys"); the parser takes some of them for white space.
std::optional<std::size_t> line_of_stray_character(std::string_view text);

}  // namespace rw::app
