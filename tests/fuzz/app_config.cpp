// A configuration file: any text is either taken or refused, with a line for each finding that says where it is.
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "app/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find("/dev") != std::string::npos) return 0;  // files without an end are the operator's own affair
  const auto config = rw::app::Config::parse(text, "fuzz.toml");
  if (config) return 0;
  std::istringstream lines(config.error().message);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const std::string place = "fuzz.toml:";
    if (!line.starts_with(place)) std::abort();
    const auto behind = line.find_first_not_of("0123456789", place.size());
    if (behind == std::string::npos || behind == place.size() || !line.substr(behind).starts_with(": ")) std::abort();
    if (line.size() < behind + 4) std::abort();
  }
  if (count == 0) std::abort();
  return 0;
}
