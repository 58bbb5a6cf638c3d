#include "sip/methods.h"
#include "sip/refusal.h"
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
  if (stateless && stateless->transaction == transaction) {
    send(stateless->reply_to, response.serialise());
  } else {
    transactions.respond(transaction, response.status(), response.serialise(), now);
  }
}

void UserAgent::Impl::respond(const IncomingRequest& request, const std::string& transaction, int status,
                              const Headers& headers) {
  auto response = request.response(status, request.stateless_tag(tags));
  for (const auto& [name, value] : headers) response.add(name, value);
  tell_refused(request, response);
  respond(transaction, response);
}

void UserAgent::Impl::tell_refused(const IncomingRequest& request, const Message& response) const {
  const auto status = response.status();
  if (!options.refused || status < 400 || status == 487) return;
  options.refused({request.method(), request.call_id, status, why_refused(response), request.flow});
}

void UserAgent::Impl::describe_us(Message& response, const Leg& leg) const {
  response.add("Contact", leg.contact);
  response.add("Allow", std::string(allowed_methods));
  response.add("Supported", std::string(supported_options));
  if (!options.server_name.empty()) response.add("Server", options.server_name);
}

std::string UserAgent::Impl::contact_for(const Flow& flow, Uri uri) const {
  uri.host = options.advertise.empty() ? flow.local.host() : options.advertise;
  uri.port = flow.local.port();
  if (flow.transport == Transport::tcp) uri.parameters.emplace_back("transport", "tcp");
  if (flow.transport == Transport::tls && uri.scheme == "sip") uri.parameters.emplace_back("transport", "tls");
  return "<" + uri.to_string() + ">";
}

std::string UserAgent::Impl::via_for(const Flow& flow, const std::string& branch) const {
  const auto host = options.advertise.empty() ? flow.local.host() : options.advertise;
  return "SIP/2.0/" + std::string(via_transport(flow.transport)) + " " + bracketed(host) + ":" +
         std::to_string(flow.local.port()) + (is_stream(flow.transport) ? ";branch=" : ";rport;branch=") + branch;
}

Message UserAgent::Impl::dialog_request(Dialog& dialog, const std::string& method, std::string& branch) {
  auto target = dialog.remote_target;
  auto route = dialog.route_set;
  const auto first = route.empty() ? Result<NameAddress>(fail("")) : NameAddress::parse(route.front());
  if (first && first->uri.parameter("lr") == nullptr) {  // a strict router (RFC 3261 12.2.1.1)
    route.erase(route.begin());
    route.push_back("<" + target + ">");
    target = first->uri.to_string();
  }
  branch = new_branch();
  auto request = Message::request(method, std::move(target));
  request.add("Via", via_for(dialog.flow, branch));  // another one, if it goes another way
  request.add("Max-Forwards", "70");
  for (auto& one : route) request.add("Route", std::move(one));
  request.add("From", dialog.local);
  request.add("To", dialog.remote);
  request.add("Call-ID", dialog.call_id);
  request.add("CSeq", std::to_string(++dialog.local_cseq) + " " + method);
  request.add("Contact", dialog.contact);
  if (!options.server_name.empty()) request.add("User-Agent", options.server_name);
  return request;
}

}  // namespace rw::sip
