#include "sip/methods.h"
#include "sip/uri.h"
#include "sip/user_agent_impl.h"

namespace rw::sip {
namespace {

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string_view via_transport(Transport transport) {
  return transport == Transport::udp ? "UDP" : transport == Transport::tcp ? "TCP" : "TLS";
}

}  // namespace

void UserAgent::Impl::respond(const std::string& transaction, const Message& response) {
  transactions.respond(transaction, response.status(), response.serialise(), now);
}

void UserAgent::Impl::respond(const IncomingRequest& request, const std::string& transaction, int status,
                              const Headers& headers) {
  auto response = request.response(status, request.to_tag.empty() ? options.shard_tag + ids.token(16) : "");
  for (const auto& [name, value] : headers) response.add(name, value);
  respond(transaction, response);
}

void UserAgent::Impl::describe_us(Message& response, const Leg& leg) const {
  response.add("Contact", leg.contact);
  response.add("Allow", std::string(allowed_methods));
  response.add("Supported", std::string(supported_options));
  if (!options.server_name.empty()) response.add("Server", options.server_name);
}

std::string UserAgent::Impl::contact_for(const Flow& flow, const std::string& user) const {
  Uri uri;
  uri.scheme = "sip";
  uri.user = user;
  uri.host = options.advertise.empty() ? flow.local.host() : options.advertise;
  uri.port = flow.local.port();
  if (flow.transport == Transport::tcp) uri.parameters.emplace_back("transport", "tcp");
  if (flow.transport == Transport::tls) uri.parameters.emplace_back("transport", "tls");
  return "<" + uri.to_string() + ">";
}

Message UserAgent::Impl::dialog_request(Leg& leg, const std::string& method, std::string& branch) {
  auto target = leg.remote_target;
  auto route = leg.route_set;
  const auto first = route.empty() ? Result<NameAddress>(fail("")) : NameAddress::parse(route.front());
  if (first && first->uri.parameter("lr") == nullptr) {  // a strict router (RFC 3261 12.2.1.1)
    route.erase(route.begin());
    route.push_back("<" + target + ">");
    target = first->uri.to_string();
  }
  branch = "z9hG4bK" + options.shard_tag + ids.token(20);
  auto request = Message::request(method, std::move(target));
  const auto host = options.advertise.empty() ? leg.flow.local.host() : options.advertise;
  request.add("Via", "SIP/2.0/" + std::string(via_transport(leg.flow.transport)) + " " + bracketed(host) + ":" +
                         std::to_string(leg.flow.local.port()) + ";rport;branch=" + branch);
  request.add("Max-Forwards", "70");
  for (auto& one : route) request.add("Route", std::move(one));
  request.add("From", leg.local);
  request.add("To", leg.remote);
  request.add("Call-ID", leg.call_id);
  request.add("CSeq", std::to_string(++leg.local_cseq) + " " + method);
  request.add("Contact", leg.contact);
  if (!options.server_name.empty()) request.add("User-Agent", options.server_name);
  return request;
}

Flow UserAgent::Impl::next_hop(const Leg& leg) const {
  Flow flow = leg.flow;
  if (is_stream(flow.transport)) return flow;
  Result<Uri> uri = fail("");
  if (leg.route_set.empty()) {
    uri = Uri::parse(leg.remote_target);
  } else if (const auto route = NameAddress::parse(leg.route_set.front())) {
    uri = route->uri;
  }
  if (!uri) return flow;
  // A name would take a look-up; the address that the INVITE came from is as good.
  if (const auto address = net::Address::from(uri->host, uri->port != 0 ? uri->port : 5060)) flow.remote = *address;
  return flow;
}

}  // namespace rw::sip
