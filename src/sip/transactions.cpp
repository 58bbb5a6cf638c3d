#include "sip/transactions.h"

#include <algorithm>

namespace rw::sip {
namespace {

/// The ACK to a final response that is not 2xx (RFC 3261 17.1.1.3): same branch, Route and Request-URI as the INVITE.
std::string ack_for(const Message& invite, const Message& response) {
  auto ack = Message::request("ACK", invite.request_uri());
  ack.add("Via", *invite.header("Via"));
  ack.add("Max-Forwards", "70");
  for (const auto route : invite.headers("Route")) ack.add("Route", std::string(route));
  ack.add("From", *invite.header("From"));
  if (const auto* to = response.header("To")) ack.add("To", *to);
  ack.add("Call-ID", *invite.header("Call-ID"));
  const auto& cseq = *invite.header("CSeq");
  ack.add("CSeq", cseq.substr(0, cseq.find(' ')) + " ACK");
  return ack.serialise();
}

/// Whether what was sent to `mine` went over the connection that `closed` names.
bool goes_over(const Flow& mine, const Flow& closed) {
  if (!is_stream(mine.transport)) return false;
  if (mine.connection != 0) return mine.connection == closed.connection;
  return mine.transport == closed.transport && mine.remote == closed.remote;
}

}  // namespace

Transactions::Transactions(Timers& timers, TransactionTimes times, Sender send, std::function<void()> forgotten)
    : timers_(timers), times_(times), send_(std::move(send)), forgotten_(std::move(forgotten)) {}

std::string Transactions::server_key(const Message& request, const Via& via, std::string_view method) {
  std::string key = via.branch;
  if (!via.branch.starts_with("z9hG4bK")) {
    // An RFC 2543 client: the fields that make a request what it is stand in for the branch.
    for (const auto* name : {"Call-ID", "From"}) key += *request.header(name) + '\n';
    const auto& cseq = *request.header("CSeq");
    key += cseq.substr(0, cseq.find(' '));
  }
  key.append("\n").append(via.host).append(":").append(std::to_string(via.port)).append("\n").append(method);
  return key;
}

std::vector<std::string> Transactions::server_keys() const {
  std::vector<std::string> keys;
  keys.reserve(servers_.size());
  for (const auto& [key, server] : servers_) keys.push_back(key);
  return keys;
}

bool Transactions::absorb(const std::string& key, bool is_ack, TimePoint now) {
  const auto found = servers_.find(key);
  if (found == servers_.end()) return false;
  Server& server = found->second;
  if (!is_ack) {
    if (!server.last_response.empty() && server.state != ServerState::confirmed)
      send_(server.flow, server.last_response);
    return true;
  }
  if (server.state == ServerState::accepted || server.state == ServerState::proceeding)
    return false;  // the ACK to a 2xx is the dialog's
  if (server.state == ServerState::completed) {
    server.state = ServerState::confirmed;
    server.retransmit.cancel();
    end_server_after(key, server, is_stream(server.flow.transport) ? Duration::zero() : times_.t4, now);
  }
  return true;
}

void Transactions::begin_server(const std::string& key, const Flow& reply_to, bool is_invite, bool repeats) {
  Server& server = servers_[key];
  server.repeats = repeats;
  server.flow = reply_to;
  server.is_invite = is_invite;
}

void Transactions::respond(const std::string& key, int status, std::string bytes, TimePoint now) {
  const auto found = servers_.find(key);
  if (found == servers_.end()) return;
  Server& server = found->second;
  if (server.state != ServerState::proceeding) return;
  server.last_response = std::move(bytes);
  send_(server.flow, server.last_response);
  if (status < 200) return;
  const bool stream = is_stream(server.flow.transport);
  if (!server.is_invite) {
    server.state = ServerState::completed;
    end_server_after(key, server, stream ? Duration::zero() : times_.timeout(), now);
    linger(key, server);
    return;
  }
  server.state = status < 300 ? ServerState::accepted : ServerState::completed;
  end_server_after(key, server, times_.timeout(), now);
  if (server.state == ServerState::accepted) return;
  if (!stream && server.repeats) {
    server.interval = times_.t1;
    server.retransmit = timers_.start(now + server.interval,
                                      [this, key, due = now + server.interval] { retransmit_response(key, due); });
  }
  linger(key, server);
}

void Transactions::linger(const std::string& key, const Server& server) {
  lingering_.emplace_back(key, server.last_response.size());
  lingering_bytes_ += server.last_response.size();
  while (!lingering_.empty()) {  // they mostly end in the order in which they have begun to linger
    const auto& [oldest, bytes] = lingering_.front();
    const auto found = servers_.find(oldest);
    if (found != servers_.end() && found->second.state == ServerState::completed) {
      if (lingering_bytes_ <= most_lingering_bytes) break;
      servers_.erase(found);
      if (forgotten_) forgotten_();
    }
    lingering_bytes_ -= bytes;
    lingering_.pop_front();
  }
}

void Transactions::retransmit_response(const std::string& key, TimePoint now) {
  Server& server = servers_.at(key);
  send_(server.flow, server.last_response);
  server.interval = std::min(2 * server.interval, times_.t2);
  server.retransmit =
      timers_.start(now + server.interval, [this, key, due = now + server.interval] { retransmit_response(key, due); });
}

void Transactions::end_server_after(const std::string& key, Server& server, Duration time, TimePoint now) {
  server.end = timers_.start(now + time, [this, key] { servers_.erase(key); });
}

void Transactions::send_request(const Flow& flow, const Message& request, const std::string& branch,
                                ResponseHandler on_response, TimePoint now) {
  const auto key = client_key(branch, request.method());
  Client& client = clients_[key];
  client.flow = flow;
  client.is_invite = request.method() == "INVITE";
  client.request = request.serialise();
  if (client.is_invite) client.message = std::make_shared<const Message>(request);
  client.on_response = std::move(on_response);
  client.interval = times_.t1;
  send_(flow, client.request);
  if (!is_stream(flow.transport)) {
    client.retransmit =
        timers_.start(now + times_.t1, [this, key, due = now + times_.t1] { retransmit_request(key, due); });
  }
  client.end = timers_.start(now + times_.timeout(), [this, key] { fail_client(key, 408); });
}

void Transactions::retransmit_request(const std::string& key, TimePoint now) {
  Client& client = clients_.at(key);
  send_(client.flow, client.request);
  client.interval = client.is_invite ? 2 * client.interval : std::min(2 * client.interval, times_.t2);
  client.retransmit =
      timers_.start(now + client.interval, [this, key, due = now + client.interval] { retransmit_request(key, due); });
}

bool Transactions::response(const Message& response, const std::string& branch, TimePoint now) {
  const auto* cseq = response.header("CSeq");
  if (cseq == nullptr) return false;
  const auto space = cseq->rfind(' ');
  if (space == std::string::npos) return false;
  const auto key = client_key(branch, cseq->substr(space + 1));
  const auto found = clients_.find(key);
  if (found == clients_.end()) return false;
  Client& client = found->second;
  if (client.completed) {
    if (client.accepted && response.status() / 100 == 2) {
      const auto handler = client.on_response;
      handler(response);
    }
    if (!client.ack.empty()) send_(client.flow, client.ack);
    return true;
  }
  const auto handler = client.on_response;  // it may start and end transactions
  if (response.status() < 200) {
    client.proceeding = true;
    if (client.is_invite) {  // it is being worked on; how long, is the caller's business
      client.retransmit.cancel();
      if (!client.limited) client.end.cancel();
    }
    handler(response);
    return true;
  }
  client.completed = true;
  client.retransmit.cancel();
  Duration linger = is_stream(client.flow.transport) ? Duration::zero() : times_.t4;
  if (client.is_invite && response.status() >= 300) {
    client.ack = ack_for(*client.message, response);
    send_(client.flow, client.ack);
    linger = is_stream(client.flow.transport) ? Duration::zero() : times_.timeout();
  }
  if (client.is_invite && response.status() < 300) {  // each 2xx is the dialog's to acknowledge
    client.accepted = true;
    linger = times_.timeout();
  }
  client.message.reset();
  client.request = {};
  client.end = timers_.start(now + linger, [this, key] { clients_.erase(key); });
  handler(response);
  return true;
}

void Transactions::give_up_after(const std::string& branch, Duration time, TimePoint now) {
  const auto key = client_key(branch, "INVITE");
  const auto found = clients_.find(key);
  if (found == clients_.end() || found->second.completed) return;
  found->second.limited = true;
  found->second.end = timers_.start(now + time, [this, key] { fail_client(key, 408); });
}

void Transactions::fail_client(const std::string& key, int status) {
  const auto found = clients_.find(key);
  if (found == clients_.end()) return;
  if (found->second.completed) return;
  const auto handler = std::move(found->second.on_response);
  clients_.erase(found);
  handler(Message::response(status));
}

void Transactions::connection_closed(const Flow& flow) {
  std::vector<std::string> failed;
  for (const auto& [key, client] : clients_) {
    if (!client.completed && !client.proceeding && goes_over(client.flow, flow)) failed.push_back(key);
  }
  for (const auto& key : failed) fail_client(key, 503);
}

}  // namespace rw::sip
