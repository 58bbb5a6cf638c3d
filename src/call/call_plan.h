#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fields.h"
#include "base/result.h"
#include "call/phrase.h"
#include "call/recording.h"
#include "tenant/directory.h"

/// What the application wants of a call that is to be placed: the members of `call` replies and of placeivrcall, read
/// and checked, nothing done yet (section 4 of the behaviour).
namespace rw::call {

/// Names with values, in the order given. An empty value is a flag.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// Headers to be added or replaced; no values: to be removed.
struct HeaderChange {
  std::string name;
  std::vector<std::string> values;
};
using HeaderChanges = std::vector<HeaderChange>;

/// The headers of one leg. What is absent has the default of section 4.
struct LegHeaders {
  std::optional<std::string> sip_from, display_name, sip_to, sip_pai, sip_rpid, sip_diversion;
  Parameters diversion_parameters, contact_parameters, contact_user_parameters;
  bool caller_privacy = false;
  HeaderChanges x_headers, p_headers;
  std::vector<std::string> copy_headers;  ///< names of X- and P- headers that are copied from the inbound leg
};

/// One destination of a call.
struct Destination {
  std::string address;  ///< a usable sip:, sips: or tel: URI
  LegHeaders headers;
  std::chrono::milliseconds max_ring_time{60'000};
};

enum class Ringback : std::uint8_t { tone, silent, remote_generated };

/// Phrases that are played after the callee has answered and before the parties are joined.
struct Greeting {
  enum class Mode : std::uint8_t { simultaneous, callee_first, caller_first };
  Mode mode = Mode::simultaneous;
  Phrases caller, callee;
};

/// A leg that listens to the call.
struct MonitorPlan {
  std::string address;
  std::optional<std::string> sip_from;
  HeaderChanges x_headers, p_headers;  ///< on top of what the monitored leg carried
};

/// The action `call`.
struct CallPlan {
  std::vector<Destination> destinations;  ///< in the order in which they are tried; may be empty if none is usable
  bool parallel = false;                  ///< all at once; the first to answer is kept
  bool continue_on_busy = false;          ///< 486 does not end a hunt in sequence
  bool continue_on_declined = false;      ///< nor do 600 and 603
  struct Unusable {
    std::string field;  ///< destAddr, with its place in an array, or monitorDestAddr
    std::string address;
    bool operator==(const Unusable&) const = default;
  };
  std::vector<Unusable> unusable;  ///< addresses that are none: one alarm tells of all
  Ringback ringback = Ringback::tone;
  Greeting greeting;
  std::optional<MonitorPlan> monitor;
  std::optional<RecordingWish> recording;
};

/// Reads the members of the action `call`. The error names a member that can't be used.
Result<CallPlan> read_call_plan(const boost::json::object& reply, const PhraseContext& context);

/// The URI of a destination; empty: it is none. One in angle brackets counts too.
std::string usable_address(std::string_view text);
/// `maxRingTime`; what is absent or can't be used leaves `destination` as it is.
void read_ring_time(JsonFields& fields, Destination& destination);

/// What placeivrcall wants.
struct PlacedCallOrder {
  std::shared_ptr<const tenant::Mediaservice> service;
  Destination destination;
  std::string trace_id;  ///< as given, or empty
  std::optional<boost::json::value> session_reference;
};
/// Reads one destination with its headers for placeivrcall; the error names the member. An unusable destAddr is one.
Result<Destination> read_destination(const boost::json::object& body);

}  // namespace rw::call
