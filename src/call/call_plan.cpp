#include "call/call_plan.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>

#include "call/read_leg_headers.h"
#include "sip/uri.h"

namespace rw::call {
namespace {

constexpr std::size_t most_destinations = 20;
constexpr double longest_ring_seconds = 3600;
constexpr std::string_view an_address = "a sip:, sips: or tel: URI";

/// All that is said about one destination but its address; what is absent stays as it is.
void read_leg(JsonFields& fields, Destination& destination) {
  read_leg_headers(fields, destination.headers);
  read_ring_time(fields, destination);
}

/// The address that an object with a destination has, under any of its names.
std::optional<std::string> named_address(JsonFields& fields) {
  for (const auto* name : {"destAddr", "uri", "address"}) {
    if (fields.has(name)) return header_text(fields, name);
  }
  fields.reject("destAddr", an_address);
  return std::nullopt;
}

class DestinationList {
 public:
  DestinationList(CallPlan& plan, Destination defaults) : plan_(plan), defaults_(std::move(defaults)) {}

  void read(JsonFields& fields, const boost::json::value* value) {
    if (value == nullptr || is_nothing(*value)) {
      fields.reject("destAddr", std::string(an_address) + " or an array of them");
    } else if (const auto* array = value->if_array()) {
      const bool nothing = std::ranges::all_of(*array, is_nothing);
      if (nothing || array->size() > most_destinations) {
        fields.reject("destAddr", "1 to 20 destinations");
        return;
      }
      for (std::size_t at = 0; at < array->size(); ++at)
        if (!is_nothing((*array)[at])) read_item(fields, "destAddr[" + std::to_string(at) + "]", (*array)[at]);
    } else {
      read_item(fields, "destAddr", *value);
    }
  }

 private:
  void read_item(JsonFields& fields, const std::string& path, const boost::json::value& item) {
    auto destination = defaults_;
    std::optional<std::string> address;
    if (const auto* object = item.if_object()) {
      JsonFields of(*object, path);
      address = named_address(of);
      read_leg(of, destination);
      if (of.error()) fields.reject(*of.error());
    } else {
      const boost::json::object one{{path, item}};
      JsonFields of(one);
      if (item.is_null()) of.reject(path, an_address);
      address = header_text(of, path);
      if (of.error()) fields.reject(*of.error());
    }
    if (!address) return;
    destination.address = usable_address(*address);
    if (destination.address.empty()) {
      plan_.unusable.push_back({path, std::move(*address)});
    } else {
      plan_.destinations.push_back(std::move(destination));
    }
  }

  CallPlan& plan_;
  const Destination defaults_;
};

void read_continue_on(JsonFields& fields, CallPlan& plan) {
  const auto* array = fields.array("continueOn");
  if (array == nullptr) return;
  for (const auto& value : *array) {
    const auto* text = value.if_string();
    if (text != nullptr && *text == "busy") {
      plan.continue_on_busy = true;
    } else if (text != nullptr && *text == "declined") {
      plan.continue_on_declined = true;
    } else {
      fields.reject("continueOn", "\"busy\" and \"declined\"");
    }
  }
}

Phrases read_side(JsonFields& greeting, std::string_view name, const PhraseContext& context) {
  const auto* side = greeting.object(name);
  if (side == nullptr) return {};
  JsonFields fields(*side, greeting.path(name));
  Result<Phrases> phrases;
  if (const auto* array = fields.array("phrases")) phrases = read_phrases(*array, fields.path("phrases"), context);
  if (fields.error()) greeting.reject(*fields.error());
  if (!phrases) {
    greeting.reject(phrases.error());
    return {};
  }
  return std::move(*phrases);
}

Greeting read_greeting(JsonFields& parent, const PhraseContext& context) {
  Greeting greeting;
  const auto* object = parent.object("greeting");
  if (object == nullptr) return greeting;
  JsonFields fields(*object, "greeting");
  const auto mode = fields.choice("playMode", {"simultaneous", "calleeFirst", "callerFirst"});
  if (mode == "calleeFirst") greeting.mode = Greeting::Mode::callee_first;
  if (mode == "callerFirst") greeting.mode = Greeting::Mode::caller_first;
  greeting.caller = read_side(fields, "caller", context);
  greeting.callee = read_side(fields, "callee", context);
  if (fields.error()) parent.reject(*fields.error());
  return greeting;
}

void read_monitor(JsonFields& fields, CallPlan& plan) {
  auto address = header_text(fields, "monitorDestAddr");
  if (!address || address->empty()) return;
  MonitorPlan monitor;
  monitor.sip_from = identity_text(fields, "monitorSipFrom");
  if (monitor.sip_from && monitor.sip_from->empty()) monitor.sip_from.reset();
  monitor.x_headers = header_changes(fields, "monitorXHeaders", "X-");
  monitor.p_headers = header_changes(fields, "monitorPHeaders", "P-");
  monitor.address = usable_address(*address);
  if (monitor.address.empty()) {
    plan.unusable.push_back({"monitorDestAddr", std::move(*address)});
  } else {
    plan.monitor = std::move(monitor);
  }
}

}  // namespace

std::string usable_address(std::string_view text) {
  auto uri = sip::Uri::parse(text);
  if (!uri && text.find('<') != std::string_view::npos) {
    if (auto address = sip::NameAddress::parse(text)) uri = std::move(address->uri);
  }
  if (!uri) return {};
  uri->headers.clear();  // what a URI adds to the request has not been checked
  return uri->to_string();
}

void read_ring_time(JsonFields& fields, Destination& destination) {
  const auto seconds = fields.number("maxRingTime", 0, longest_ring_seconds);
  if (!seconds) return;
  destination.max_ring_time = std::chrono::milliseconds(std::lround(*seconds * 1000));
  if (destination.max_ring_time.count() == 0) fields.reject("maxRingTime", "more than 0 seconds");
}

Result<CallPlan> read_call_plan(const boost::json::object& reply, const PhraseContext& context) {
  JsonFields fields(reply);
  CallPlan plan;
  Destination defaults;
  read_leg(fields, defaults);
  DestinationList(plan, std::move(defaults)).read(fields, reply.if_contains("destAddr"));
  plan.parallel = fields.choice("strategy", {"sequential", "parallel"}) == "parallel";
  read_continue_on(fields, plan);
  const auto ringback = fields.choice("ringbackTone", {"default", "silent", "remoteGenerated"});
  if (ringback == "silent") plan.ringback = Ringback::silent;
  if (ringback == "remoteGenerated") plan.ringback = Ringback::remote_generated;
  plan.greeting = read_greeting(fields, context);
  read_monitor(fields, plan);
  if (fields.error()) return tl::unexpected(*fields.error());
  return plan;
}

Result<Destination> read_destination(const boost::json::object& body) {
  JsonFields fields(body);
  Destination destination;
  destination.address = usable_address(header_text(fields, "destAddr").value_or(""));
  if (destination.address.empty()) fields.reject("destAddr", an_address);
  read_leg(fields, destination);
  if (fields.error()) return tl::unexpected(*fields.error());
  return destination;
}

}  // namespace rw::call
