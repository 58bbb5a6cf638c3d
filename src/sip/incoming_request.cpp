#include "sip/incoming_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "sip/uri.h"

namespace rw::sip {
namespace {

/// Fills `received` and `rport` into the first Via value of a line, and says where responses go.
void complete_via(IncomingRequest& request, std::string_view line) {
  const auto first = split_list(line).front();
  const auto source = request.flow.remote.host();
  std::string value(first.substr(0, first.size() - request.via.rest.size()));
  for (std::string_view rest = request.via.rest; !rest.empty();) {
    rest.remove_prefix(1);
    const auto item = rest.substr(0, rest.find(';'));
    rest.remove_prefix(item.size());
    const auto name = item.substr(0, item.find('='));
    if (name == "received" || name == "rport") continue;
    value.append(";").append(item);
  }
  if (request.via.rport) value += ";rport=" + std::to_string(request.flow.remote.port());
  if (request.via.rport || request.via.host != source) value += ";received=" + source;
  const auto end = static_cast<std::size_t>(first.data() + first.size() - line.data());
  request.via_line = value + std::string(line.substr(end));

  request.reply_to = request.flow;
  const std::uint16_t standard = request.flow.transport == Transport::tls ? 5061 : 5060;
  const auto port = request.via.port != 0 ? request.via.port : standard;
  if (is_stream(request.flow.transport)) {
    request.reply_to.instead = request.flow.remote;  // over another connection, if this one has gone
    request.reply_to.instead.set_port(port);
  } else if (!request.via.rport) {
    request.reply_to.remote.set_port(port);
  }
}

}  // namespace

Result<IncomingRequest> IncomingRequest::read(Message message, const Flow& flow) {
  for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
    if (message.header(name) == nullptr) return fail(std::string(name) + " missing");
  }
  IncomingRequest request;
  request.flow = flow;
  const auto& via_line = *message.header("Via");
  const auto values = split_list(via_line);
  if (values.empty()) return fail("Via empty");
  auto via = Via::parse(values.front());
  if (!via) return tl::unexpected(via.error());
  request.via = std::move(*via);
  const auto from = NameAddress::parse(*message.header("From"));
  if (!from) return fail("From: " + from.error().message);
  const auto to = NameAddress::parse(*message.header("To"));
  if (!to) return fail("To: " + to.error().message);
  if (const auto* tag = from->parameter("tag")) request.from_tag = *tag;
  if (const auto* tag = to->parameter("tag")) request.to_tag = *tag;
  request.call_id = *message.header("Call-ID");
  if (request.call_id.empty()) return fail("Call-ID empty");
  const auto& cseq = *message.header("CSeq");
  const auto read = std::from_chars(cseq.data(), cseq.data() + cseq.size(), request.cseq);
  const auto method = std::string_view(read.ptr, static_cast<std::size_t>(cseq.data() + cseq.size() - read.ptr));
  const auto name = method.find_first_not_of(" \t");
  if (read.ec != std::errc{} || name == std::string_view::npos || name == 0 || request.cseq > 0x7fffffffU)
    return fail("bad CSeq");
  if (method.substr(name) != message.method()) return fail("CSeq is not for this method");
  complete_via(request, via_line);
  request.message = std::make_shared<const Message>(std::move(message));
  return request;
}

Message IncomingRequest::response(int status, const std::string& local_tag) const {
  auto response = Message::response(status);
  bool first = true;
  for (const auto line : message->headers("Via")) {
    response.add("Via", first ? via_line : std::string(line));
    first = false;
  }
  response.add("From", *message->header("From"));
  std::string to = *message->header("To");
  if (to_tag.empty() && !local_tag.empty() && status > 100) to += ";tag=" + local_tag;
  response.add("To", std::move(to));
  response.add("Call-ID", call_id);
  response.add("CSeq", *message->header("CSeq"));
  return response;
}

std::string bad_request(std::string_view text, const std::string& reason) {
  if (text.starts_with("SIP/2.0") || text.starts_with("ACK ")) return {};
  std::array<std::pair<std::string_view, std::string>, 5> wanted{
      {{"Via", ""}, {"From", ""}, {"To", ""}, {"Call-ID", ""}, {"CSeq", ""}}};
  static constexpr std::string_view compact = "vfti";
  const auto end = std::min(text.find("\r\n\r\n"), std::min<std::size_t>(text.size(), 8192));
  for (auto rest = text.substr(0, end); !rest.empty();) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto name = line.substr(0, colon);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ') value.remove_suffix(1);
    for (std::size_t at = 0; at < wanted.size(); ++at) {
      const bool match = same_letters(name, wanted[at].first) ||
                         (at < compact.size() && name.size() == 1 && (name[0] | 0x20) == compact[at]);
      if (match && wanted[at].second.empty()) wanted[at].second = value;
    }
  }
  const bool version = reason == "bad SIP version";
  auto response = version ? Message::response(505) : Message::response(400, "Bad Request - " + reason);
  for (auto& [name, value] : wanted) {
    if (value.empty()) return {};
    response.add(std::string(name), std::move(value));
  }
  return response.serialise();
}

}  // namespace rw::sip
