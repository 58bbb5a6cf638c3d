// A body from anybody: the first line is its Content-Type, the second its Content-Disposition. Whatever it is, taking
// it apart ends, and what is found in it stands in it. Bytes that don't begin with a letter choose parts that are put
// into containers.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sip/body.h"

namespace {

constexpr std::array<std::string_view, 16> pieces{
    "Content-Type: application/sdp\r\n\r\nv=0\r\n",
    "Content-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\n\r\nx",
    "Content-Type: application/isup\r\nContent-Disposition: signal;handling=required\r\n\r\nx",
    "c: application/sdp\r\nContent-Transfer-Encoding: base64\r\n\r\ndj0wDQo=",
    "c: application/sdp\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nv=3D0=\r\n",
    "Content-Type:\r\n application/sdp\r\ne: identity\r\n\r\nv=0",
    "Content-Disposition: early-session\r\nContent-Type: application/sdp\r\n\r\nv=0 early",
    "\r\nplain",
    "Content-Type: text/plain",
    "",
    "Content-ID: <1>\r\nContent-Type: application/sdp\r\n\r\nv=0 root",
    "Content-Type: multipart/mixed\r\n\r\nno boundary",
    "Content-Type: multipart/mixed;boundary=\"\r\n\r\n--\"\r\n",
    "\r\n--b0\r\n\r\n--b0--",
    "Content-Type: application/sdp;x=\"multipart\\\"\"\r\n\r\nv=0",
    "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n\r\nx"};
constexpr std::array<std::string_view, 4> containers{"mixed", "alternative", "related;start=\"<1>\"", "x-unknown"};

/// Each byte adds a piece, or puts all that there is into one more container.
void build(std::string_view bytes, std::string& type, std::string& body) {
  int depth = 0;
  type = "application/sdp";
  body = "v=0\r\n";
  for (const char c : bytes.substr(0, 64)) {
    const auto byte = static_cast<unsigned char>(c);
    const auto boundary = "b" + std::to_string(++depth);
    auto inside = "--" + boundary + "\r\nContent-Type: " + type + "\r\n\r\n" + body + "\r\n";
    const auto piece = "--" + boundary + "\r\n" + std::string(pieces[byte % pieces.size()]) + "\r\n";
    inside = (byte & 0x10) != 0 ? piece + inside : inside + piece;
    body = inside + ((byte & 0x20) != 0 ? "" : "--" + boundary + "--");
    type = "multipart/" + std::string(containers[byte >> 6]) + ";boundary=" + boundary;
  }
}

std::string take_line(std::string_view& rest) {
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return std::string(line);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string type, disposition, body;
  const bool as_it_came = !bytes.empty() && (bytes[0] | 0x20) >= 'a' && (bytes[0] | 0x20) <= 'z';
  if (as_it_came) {
    type = take_line(bytes);
    disposition = take_line(bytes);
    body = bytes;
  } else {
    build(bytes, type, body);
  }
  auto message = rw::sip::Message::request("INVITE", "sip:a@b");
  message.set_body(body, type);
  if (!disposition.empty()) message.add("Content-Disposition", disposition);
  const auto read = rw::sip::SessionBody::read(message);
  if (read.sdp.size() > body.size() || read.ignored.size() > 400) std::abort();
  const auto from = message.body().data(), to = from + message.body().size();
  for (const auto& part : rw::sip::parts_of(message, [](const rw::sip::BodyPart& one) { return one.required; })) {
    const bool inside =
        part.bytes.empty() || (part.bytes.data() >= from && part.bytes.data() + part.bytes.size() <= to);
    if (!inside) std::abort();
    (void)part.content();
  }
  return 0;
}
