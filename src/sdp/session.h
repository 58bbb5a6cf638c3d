#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdp/problem.h"

/// Session descriptions (RFC 8866), as offered and answered in SIP.
namespace rw::sdp {

/// Bound on what is read from the network: as much as a SIP message may bring. How many lines, attributes and formats
/// that are is up to the other side: browsers have many.
inline constexpr std::size_t max_bytes = 64 * 1024;

/// a=name or a=name:value.
struct Attribute {
  std::string name;
  std::string value;
};

/// One m= line with what follows it.
struct Media {
  std::string type;  ///< "audio", "video", …
  std::uint16_t port = 0;
  std::string protocol;              ///< "RTP/AVP", …
  std::vector<std::string> formats;  ///< payload type numbers, for RTP
  std::string host;                  ///< of its own c= line, or empty
  std::string problem;               ///< why its m= or c= line can't be used, or empty: it can only be declined
  std::vector<Attribute> attributes;

  /// The value of the first attribute of that name, or null.
  const std::string* attribute(std::string_view name) const;
};

struct Session {
  std::string user = "-";
  std::uint64_t id = 0;       ///< sess-id; what is not a number counts as 0
  std::uint64_t version = 0;  ///< sess-version
  std::string origin_host;
  std::string host;  ///< of the session's c= line, or empty; an address, or a name (RFC 8866 5.7)
  std::vector<Attribute> attributes;
  std::vector<Media> media;

  /// Lenient in what practice is lenient about (line ends, order, unknown lines, zero bytes at the end); the error says
  /// what can't be read. A stream that can't be used leaves the others as they are.
  static Outcome<Session> parse(std::string_view text);
  std::string to_string() const;
  const std::string* attribute(std::string_view name) const;
};

}  // namespace rw::sdp
