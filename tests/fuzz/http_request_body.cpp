// A request's body in chunks, in any cut: wherever it is cut, the same body comes out, it ends at the same octet or is
// refused for the same reason, and none of it is kept waiting. The first two octets say how it is cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/request_body.h"

namespace {

struct Got {
  std::string body, problem;
  std::size_t read = 0;
  bool at_end = false;
  bool operator==(const Got&) const = default;
};

Got read(std::string_view octets, std::size_t part, std::size_t most) {
  rw::http::BodyReader reader(rw::http::BodyFraming{.chunked = true});
  Got got;
  while (got.read < octets.size() && !reader.at_end() && reader.problem().empty()) {
    std::string piece;
    const auto given = octets.substr(got.read, part);
    const auto taken = reader.read(given, piece, most);
    if (taken > given.size() || piece.size() > most) std::abort();
    if (taken < given.size() && piece.size() < most && !reader.at_end() && reader.problem().empty()) std::abort();
    got.read += taken;
    got.body += piece;
  }
  got.at_end = reader.at_end();
  got.problem = reader.problem();
  if (got.at_end && !got.problem.empty()) std::abort();
  return got;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Got whole = read(octets, octets.size() + 1, octets.size() + 1);
  const Got cut = read(octets, data[0] % 16 + 1U, data[1] % 16 + 1U);
  if (whole != cut) std::abort();
  return 0;
}
