#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/sip_transports.h"

/// The packets between two processes of which one takes over from the other: a line of JSON, then a SIP message.
///
/// hello → sockets (with the descriptors): what there is; nothing has changed yet.
/// take → transactions …, given: the sockets that were taken are not read any more, and new calls are the later one's.
/// From then on, both ways: message (received by one, for the other), transmit (to be sent by the one that has the
/// connection), closed (a connection has gone that messages have come over).
namespace rw::app {

struct TakeoverPacket {
  std::string kind;
  boost::json::object head;
  std::string_view body;  ///< in what was read
};

std::string write_packet(std::string_view kind, boost::json::object head, std::string_view body = {});
Result<TakeoverPacket> read_packet(std::string_view bytes);

void put_hop(boost::json::object& head, const net::SipTransports::Hop& hop);
Result<net::SipTransports::Hop> hop_of(const boost::json::object& head);

/// A member that is a text, else "".
std::string text_of(const boost::json::value& object, std::string_view name);
std::string text_of(const boost::json::object& object, std::string_view name);
std::vector<std::string> texts_of(const boost::json::object& object, std::string_view name);

}  // namespace rw::app
