#include "recording/format.h"

#include <algorithm>
#include <array>

namespace rw::recording {
namespace {

constexpr std::array<std::string_view, 3> extensions{"wav", "mp3", "ogg"};

/// What stands behind the last dot, unless that is the first character.
std::string_view extension_in(std::string_view file_name) {
  const auto dot = file_name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : file_name.substr(dot + 1);
}

}  // namespace

Result<Format> format_of(std::string_view file_name) {
  std::string wanted(extension_in(file_name));
  if (wanted.empty()) return Format::mp3;
  for (char& letter : wanted) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  const auto* const found = std::find(extensions.begin(), extensions.end(), wanted);
  if (found == extensions.end()) return fail("the file name ends in ." + wanted + " (expected .mp3, .wav or .ogg)");
  return static_cast<Format>(found - extensions.begin());
}

std::string_view extension(Format format) {
  return extensions[static_cast<std::size_t>(format)];
}

std::string stored_name(std::string_view file_name, bool encrypted) {
  std::string name(file_name);
  if (extension_in(name).empty()) name += name.ends_with('.') ? "mp3" : ".mp3";
  if (encrypted) name += ".enc";
  return name;
}

}  // namespace rw::recording
