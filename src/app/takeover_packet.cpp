#include "app/takeover_packet.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rw::app {

using net::SipTransports;

std::string write_packet(std::string_view kind, boost::json::object head, std::string_view body) {
  head["kind"] = kind;
  auto packet = boost::json::serialize(head) + "\n";
  packet += body;
  return packet;
}

Result<TakeoverPacket> read_packet(std::string_view bytes) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) return fail("no packet");
  boost::system::error_code error;
  auto value = boost::json::parse(bytes.substr(0, end), error);
  if (error || !value.is_object()) return fail("no packet");
  TakeoverPacket packet;
  packet.head = std::move(value.get_object());
  packet.kind = text_of(packet.head, "kind");
  packet.body = bytes.substr(end + 1);
  return packet;
}

void put_hop(boost::json::object& head, const SipTransports::Hop& hop) {
  head["tcp"] = hop.protocol == SipTransports::Protocol::tcp;
  head["local"] = hop.local.to_string();
  head["remote"] = hop.remote.to_string();
  head["connection"] = hop.connection;
}

Result<SipTransports::Hop> hop_of(const boost::json::object& head) {
  const auto local = net::Address::parse(text_of(head, "local"));
  const auto remote = net::Address::parse(text_of(head, "remote"));
  const auto* tcp = head.if_contains("tcp");
  const auto* connection = head.if_contains("connection");
  if (!local || !remote || tcp == nullptr || !tcp->is_bool() || connection == nullptr) return fail("no hop");
  SipTransports::Hop hop{tcp->get_bool() ? SipTransports::Protocol::tcp : SipTransports::Protocol::udp, *local, *remote,
                         0};
  if (connection->is_uint64()) hop.connection = connection->get_uint64();
  if (connection->is_int64()) hop.connection = static_cast<std::uint64_t>(connection->get_int64());
  return hop;
}

std::string text_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string text_of(const boost::json::value& object, std::string_view name) {
  return object.is_object() ? text_of(object.get_object(), name) : std::string();
}

std::vector<std::string> texts_of(const boost::json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const auto& one : value->get_array()) {
    if (one.is_string()) texts.emplace_back(one.get_string());
  }
  return texts;
}

}  // namespace rw::app
