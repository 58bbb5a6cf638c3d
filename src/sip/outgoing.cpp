#include <charconv>

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
  transactions.respond(transaction, response.status(), response.serialise(), now);
}

void UserAgent::Impl::respond(const IncomingRequest& request, const std::string& transaction, int status,
                              const Headers& headers) {
  auto response = request.response(status, request.to_tag.empty() ? options.shard_tag + ids.token(16) : "");
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
         std::to_string(flow.local.port()) + ";rport;branch=" + branch;
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
  request.add("Via", via_for(dialog.flow, branch));
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

void UserAgent::Impl::request_in_dialog(Leg& leg, Message request, const std::string& branch,
                                        Transactions::ResponseHandler handler, DigestClient::Tries tries) {
  const auto hop = next_hop(leg);
  if (!leg.digest) {
    transactions.send_request(hop, request, branch, std::move(handler), now);
    return;
  }
  leg.digest->authorise(request, ids);
  const auto first = request;
  transactions.send_request(
      hop, first, branch,
      [this, id = leg.id, hop, digest = leg.digest, request = std::move(request), handler = std::move(handler),
       tries = std::move(tries)](const Message& response) {
        auto again = request;
        auto next_tries = tries;
        std::string next_branch;
        if (!authorise_again(id, digest.get(), again, next_branch, response, next_tries)) {
          handler(response);
        } else if (auto* found = this->leg(id)) {
          request_in_dialog(*found, std::move(again), next_branch, handler, std::move(next_tries));
        } else {  // the BYE of a leg that has ended
          transactions.send_request(hop, again, next_branch, handler, now);
        }
      },
      now);
}

bool UserAgent::Impl::authorise_again(LegId id, DigestClient* digest, Message& request, std::string& branch,
                                      const Message& response, DigestClient::Tries& tries) {
  const bool asked = response.status() == 401 || response.status() == 407;
  if (!asked || digest == nullptr || !digest->challenged(response, tries)) return false;
  std::uint32_t cseq = 0;
  const auto& old = *request.header("CSeq");
  std::from_chars(old.data(), old.data() + old.size(), cseq);
  auto* leg = this->leg(id);
  cseq = leg == nullptr ? cseq + 1 : ++leg->local_cseq;
  branch = new_branch();
  request.set("CSeq", std::to_string(cseq) + " " + request.method());
  const auto via = *request.header("Via");
  request.set("Via", via.substr(0, via.rfind("branch=")) + "branch=" + branch);
  digest->authorise(request, ids);
  return true;
}

Flow UserAgent::Impl::next_hop(const Dialog& dialog) const {
  Flow flow = dialog.flow;
  if (is_stream(flow.transport)) return flow;
  Result<Uri> uri = fail("");
  if (dialog.route_set.empty()) {
    uri = Uri::parse(dialog.remote_target);
  } else if (const auto route = NameAddress::parse(dialog.route_set.front())) {
    uri = route->uri;
  }
  if (!uri) return flow;
  // A name would take a look-up; the address that the INVITE came from is as good.
  if (const auto address = net::Address::from(uri->host, uri->port != 0 ? uri->port : 5060)) flow.remote = *address;
  return flow;
}

}  // namespace rw::sip
