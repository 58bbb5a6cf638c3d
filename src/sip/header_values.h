#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sip/message.h"

/// Single values that are read from headers; nothing is an error, only absent.
namespace rw::sip {

/// The first header of that name, or empty.
std::string value_of(const Message& message, std::string_view name);
/// The same as text for the application: UTF-8. Octets that are none are read as Latin-1.
std::string text_of(const Message& message, std::string_view name);
/// The number that the header begins with, or 0.
std::uint32_t number_of(const Message& message, std::string_view name);
/// The number in CSeq, or 0.
std::uint32_t cseq_of(const Message& message);
/// A parameter of a header's value, such as refresher of Session-Expires, without regard to the case of its name or to
/// white space; empty if there is none.
std::string_view parameter_of(std::string_view value, std::string_view name);
/// The tag in To, or empty.
std::string to_tag(const Message& message);
/// The session description in the body, or empty.
std::string sdp_of(const Message& message);
/// Whether the list header `name` (Supported, Require, Allow) has `token`, without regard to case.
bool lists(const Message& message, std::string_view name, std::string_view token);

}  // namespace rw::sip
