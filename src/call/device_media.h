#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/json_fields.h"
#include "sdp/device.h"
#include "tenant/directory.h"

/// What a REST device says of its media, and what it is told of the other side's, as members of JSON objects.
namespace rw::call {

/// Reads `codec`, `receiveIp`, `receivePort`, `telephoneEventPayloadType` and `crypto`. The first three are required,
/// the address has to be one that `domain` allows. The first member that can't be used is left in `fields`; what is
/// returned means nothing then.
sdp::DeviceAudio read_device_audio(JsonFields& fields, const tenant::Domain& domain);

/// Whether `domain` lets its callers name this address for media: one of its networks, or, if it names none, any public
/// one.
bool allows_media(const tenant::Domain& domain, const net::Address& address);

/// Adds `codec`, `remoteRtpIp` and, where there are any, `telephoneEventPayloadType` and `crypto`. `remoteRtpPort` is
/// the caller's to add: a string in callAnswered, a number in newRemoteCall.
void add_remote_audio(boost::json::object& body, const sdp::RemoteAudio& remote);

}  // namespace rw::call
