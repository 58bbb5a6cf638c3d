#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "rtp/codec.h"
#include "rtp/telephone_event.h"
#include "sdp/problem.h"
#include "sdp/session.h"

/// Reading and writing the description of one audio stream, whoever it is negotiated for.
namespace rw::sdp {

enum class Direction : std::uint8_t { send_receive, send_only, receive_only, inactive };

/// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What the payload types of a stream mean: what its rtpmaps say, or else RFC 3551. Points into the stream.
class Encodings {
 public:
  explicit Encodings(const Media& media);
  /// "PCMA/8000", "opus/48000/2"; empty: nothing is known.
  std::string_view text(std::uint8_t payload_type) const;

 private:
  std::array<std::string_view, 128> mapped_;
};

/// What of a remote stream can be used.
struct UsableFormats {
  struct Format {
    std::uint8_t payload_type;
    rtp::Codec codec;
    bool operator==(const Format&) const = default;
  };
  std::vector<Format> codecs;  ///< in the remote side's order of preference, with its numbers
  std::vector<rtp::EventFormat> events;
};
UsableFormats usable_formats(const Media& media, const std::vector<rtp::Codec>& codecs);

/// Which of `events` goes with audio whose RTP clock is `clock` Hz: the one of the same clock (RFC 4733 2.1), else one
/// of 8000, as some browsers have no other beside opus.
std::optional<rtp::EventFormat> events_beside(std::uint32_t clock, const std::vector<rtp::EventFormat>& events);

/// Milliseconds of audio in a packet where nobody says anything else (RFC 3551 4.2), and in ours.
constexpr std::uint32_t default_packet_ms = 20;
/// Milliseconds of the longest packets that the stream's side wants to get: its ptime, but no more than its maxptime
/// (RFC 8866 6.4); at least `default_packet_ms`, at most 200.
std::uint32_t longest_packet_ms(const Media& media);

/// Where the stream's RTP goes: its own c= line, or the session's.
Outcome<net::Address> rtp_address(const Session& session, const Media& media);
/// The same, as `ours` can send there: an address of the same family. What has no address of it is on hold
/// (0.0.0.0, ::).
Outcome<net::Address> reachable_address(const Session& session, const Media& media, const net::Address& ours);

/// An offer without a stream (RFC 3725), or with none that is wanted (port 0): there is nothing to be refused in it.
bool wants_no_stream(const Session& session);
/// The m= line of an answer that declines the stream (RFC 3264 section 6).
Media declined(const Media& offered);

/// What the remote side sends, mirrored: what we may.
Direction answering_direction(const Session& session, const Media& media, const net::Address& remote);
/// The attribute's name: "sendrecv", …
std::string_view name_of(Direction direction);

/// As an rtpmap has it: "PCMA/8000", "opus/48000/2".
std::string encoding_text(rtp::Codec codec);
void describe_codec(Media& media, rtp::Codec codec, std::uint8_t payload_type);
void describe_events(Media& media, rtp::EventFormat events);

/// The sess-version of one side's descriptions: a new one when, and only when, a description has changed.
class Publisher {
 public:
  explicit Publisher(std::uint64_t session_id) : session_id_(session_id) {}
  /// The description as it is sent, from `host`.
  std::string publish(Session session, const std::string& host);

 private:
  std::uint64_t session_id_;
  std::uint64_t version_ = 0;
  std::string last_;  ///< the last description, at version 0, to see whether the next one differs
};

}  // namespace rw::sdp
