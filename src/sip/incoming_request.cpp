#include "sip/incoming_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/trim.h"
#include "sip/header_lines.h"
#include "sip/methods.h"
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
    const auto name = trimmed(item.substr(0, item.find('=')));
    if (same_letters(name, "received") || same_letters(name, "rport")) continue;
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

/// Whether a Via line has a value that begins with a parameter: the value itself is missing (RFC 4475 3.1.2.1).
bool has_gaps(std::string_view line) {
  if (line.find(',') == std::string_view::npos) return line.starts_with(';');
  const auto values = split_list(line);
  return std::ranges::any_of(values, [](std::string_view value) { return value.starts_with(';'); });
}

}  // namespace

Result<IncomingRequest> IncomingRequest::read(std::shared_ptr<const Message> message, const Flow& flow) {
  for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
    if (message->header(name) == nullptr) return fail(std::string(name) + " missing");
  }
  IncomingRequest request;
  request.flow = flow;
  const auto& via_line = *message->header("Via");
  const auto values = split_list(via_line);
  if (values.empty()) return fail("Via empty");
  if (std::ranges::any_of(message->headers("Via"), has_gaps)) return fail("Via: parameters of nothing");
  auto via = Via::parse(values.front());
  if (!via) return tl::unexpected(via.error());
  request.via = std::move(*via);
  const auto from = NameAddress::parse_any(*message->header("From"));
  if (!from) return fail("From: " + from.error().message);
  const auto to = NameAddress::parse_any(*message->header("To"));
  if (!to) return fail("To: " + to.error().message);
  if (const auto* tag = from->parameter("tag")) request.from_tag = *tag;
  if (const auto* tag = to->parameter("tag")) request.to_tag = *tag;
  request.call_id = *message->header("Call-ID");
  if (request.call_id.empty()) return fail("Call-ID empty");
  const auto& cseq = *message->header("CSeq");
  const auto read = std::from_chars(cseq.data(), cseq.data() + cseq.size(), request.cseq);
  const auto method = std::string_view(read.ptr, static_cast<std::size_t>(cseq.data() + cseq.size() - read.ptr));
  const auto name = method.find_first_not_of(" \t");
  if (read.ec != std::errc{} || name == std::string_view::npos || name == 0 || request.cseq > 0x7fffffffU)
    return fail("bad CSeq");
  // A method that is not known is the worse fault, and the one that is told (RFC 4475 3.1.2.18).
  if (method.substr(name) != message->method() && is_known(message->method()))
    return fail("CSeq is not for this method");
  complete_via(request, via_line);
  request.message = std::move(message);
  return request;
}

std::string IncomingRequest::stateless_tag(const StatelessTags& tags) const {
  return tags.tag(*message->header("Via"), call_id, *message->header("From"), *message->header("CSeq"));
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

std::string bad_request(std::string_view text, const std::string& reason, const StatelessTags& tags) {
  if (begins_with_letters(text, "SIP/2.0") || text.starts_with("ACK ")) return {};
  std::array<std::pair<std::string_view, std::string>, 5> wanted{
      {{"Via", ""}, {"From", ""}, {"To", ""}, {"Call-ID", ""}, {"CSeq", ""}}};
  static constexpr std::string_view compact = "vfti";
  const auto end = std::min(text.find("\r\n\r\n"), std::min<std::size_t>(text.size(), 8192));
  for (auto rest = text.substr(0, end); !rest.empty();) {
    const auto header = take_header(rest);
    const auto name = name_in(header);
    for (std::size_t at = 0; at < wanted.size(); ++at) {
      const bool match = same_letters(name, wanted[at].first) ||
                         (at < compact.size() && name.size() == 1 && to_lower(name[0]) == compact[at]);
      if (!match) continue;
      auto& value = wanted[at].second;
      if (value.empty()) {
        value = value_in(header);
      } else if (at == 0) {
        value += ", " + value_in(header);  // every hop finds its own
      }
    }
  }
  const auto& [via, from, to, call_id, cseq] = wanted;
  if (lower_case(to.second).find(";tag=") == std::string::npos && !to.second.empty())
    wanted[2].second += ";tag=" + tags.tag(via.second, call_id.second, from.second, cseq.second);
  const bool version = reason == "bad SIP version";
  auto response = version ? Message::response(505) : Message::response(400, "Bad Request - " + reason);
  if (via.second.empty() || cseq.second.empty()) return {};  // nothing that the sender could know the answer by
  for (auto& [name, value] : wanted) {
    if (!value.empty()) response.add(std::string(name), std::move(value));
  }
  return response.serialise();
}

}  // namespace rw::sip
