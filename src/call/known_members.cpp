#include "call/known_members.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <numeric>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "base/json_fields.h"
#include "base/utf8.h"

namespace rw::call {
namespace {

struct Shape;

struct Member {
  std::string_view name;
  const Shape* inner = nullptr;  ///< of the object, or of the objects in the array, that stands there; null: anything
};

/// The members of one object. Those that several objects have in common stand in `also`.
struct Shape {
  std::span<const Member> members;
  const Shape* also = nullptr;
};

// ---- what is played and collected
constexpr Member phrase_members[] = {{"format"},
                                     {"fileName"},
                                     {"url"},
                                     {"text"},
                                     {"ssml"},
                                     {"voice"},
                                     {"language"},
                                     {"awsTTSParameters"},
                                     {"region"},
                                     {"cacheTimeToLive"},
                                     {"googleTTSParameters"},
                                     {"refreshCache"},
                                     {"name"},
                                     {"frequencies"},
                                     {"on"},
                                     {"off"},
                                     {"seconds"},
                                     {"digits"},
                                     {"maxDuration"},
                                     {"silenceTimeout"},
                                     {"beep"},
                                     {"terminationKey"}};
constexpr Shape phrase{phrase_members};
constexpr Member background_members[] = {{"repeatPause"}, {"stop"}};
constexpr Shape background{background_members, &phrase};
constexpr Member encryption_members[] = {{"type"}, {"salt"}};
constexpr Shape encryption{encryption_members};
constexpr Member dtmf_members[] = {{"flush"},        {"maxDigits"},      {"terminationKey"},
                                   {"firstTimeout"}, {"betweenTimeout"}, {"encryption", &encryption}};
constexpr Shape dtmf{dtmf_members};

// ---- legs
constexpr Member leg_members[] = {{"sipFrom"},
                                  {"displayName"},
                                  {"sipTo"},
                                  {"sipPAI"},
                                  {"sipRPID"},
                                  {"sipDiversion"},
                                  {"sipDiversionParameters"},
                                  {"callerPrivacy"},
                                  {"xHeaders"},
                                  {"pHeaders"},
                                  {"copyHeaders"},
                                  {"contactParameters"},
                                  {"contactUserParameters"},
                                  {"maxRingTime"}};
constexpr Shape leg{leg_members};
constexpr Member destination_members[] = {{"destAddr"}, {"uri"}, {"address"}};
constexpr Shape destination{destination_members, &leg};
constexpr Member crypto_members[] = {{"id"}, {"suite"}, {"config"}};
constexpr Shape crypto{crypto_members};
constexpr Member device_members[] = {
    {"codec"}, {"receiveIp"}, {"receivePort"}, {"telephoneEventPayloadType"}, {"crypto", &crypto}};
constexpr Shape device{device_members};
constexpr Member side_members[] = {{"phrases", &phrase}};
constexpr Shape side{side_members};
constexpr Member greeting_members[] = {{"playMode"}, {"caller", &side}, {"callee", &side}};
constexpr Shape greeting{greeting_members};
constexpr Member call_members[] = {
    {"destAddr", &destination}, {"strategy"},       {"continueOn"},      {"ringbackTone"},   {"greeting", &greeting},
    {"monitorDestAddr"},        {"monitorSipFrom"}, {"monitorXHeaders"}, {"monitorPHeaders"}};
constexpr Shape call{call_members, &leg};

// ---- replies. Each may bring back what it was asked with.
constexpr Member reference_members[] = {{"sessionId"}, {"replyId"}, {"sessionReferenceId"}};
constexpr Shape reference{reference_members};
constexpr Member action_members[] = {
    {"action"}, {"dropCode"}, {"participantId"}, {"callRecording"}, {"recordingFileName"}};
constexpr Shape action{action_members, &call};
constexpr Member command_members[] = {{"phrases", &phrase},
                                      {"dtmf", &dtmf},
                                      {"backgroundPrompt", &background},
                                      {"bargeIn"},
                                      {"bargeInOn"},
                                      {"hangup"},
                                      {"getIVRCommandAfter"},
                                      {"recordedCallback"}};
constexpr Shape command{command_members, &reference};

// ---- commands of the API
constexpr Member place_ivr_call_members[] = {{"destAddr"}, {"mediaserviceId"}, {"sessionReferenceId"}, {"traceId"}};
constexpr Shape place_ivr_call{place_ivr_call_members, &leg};
constexpr Member place_remote_call_members[] = {{"destinationUri"},    {"sourceUser"}, {"maxRingTime"},
                                                {"mediaserviceId"},    {"traceId"},    {"callbackBaseUrl"},
                                                {"sessionReferenceId"}};
constexpr Shape place_remote_call{place_remote_call_members, &device};
constexpr Member answer_members[] = {{"replyId"}, {"sessionReferenceId"}};
constexpr Shape answer_remote_call{answer_members, &device};
constexpr Member reply_members[] = {{"replyId"}};
constexpr Shape reply_alone{reply_members};
constexpr Member participant_members[] = {{"replyId"}, {"participantId"}, {"sessionId"}};
constexpr Shape participant{participant_members};
constexpr Member connection_members[] = {{"replyId"}, {"connectionId"}, {"recordingFileName"}};
constexpr Shape connection{connection_members};
constexpr Shape connection_alone{std::span(connection_members).first<2>()};
constexpr Shape interruption{reference_members};
constexpr Member move_members[] = {{"type"}, {"bucketRegion"}, {"bucketName"}, {"kmsKey"}, {"objectKey"}};
constexpr Shape move_file{move_members};
constexpr Member fallback_action_members[] = {{"type"}};
constexpr Shape fallback_action{fallback_action_members, &call};
constexpr Member fallback_command_members[] = {{"action", &fallback_action}, {"phrases", &phrase}};
constexpr Shape fallback_command{fallback_command_members};
constexpr Member fallback_members[] = {{"mode"}, {"expiration"}, {"command", &fallback_command}, {"number"}};
constexpr Shape fallback{fallback_members};

const Shape* const decision_shapes[] = {&action, &device, &reference};
const Shape* const command_shapes[] = {&command, &action, &device};

/// A body may have the members of several shapes.
struct Known {
  std::string_view name;
  std::span<const Shape* const> shapes;
};

template <const Shape& only>
constexpr const Shape* alone[] = {&only};

const Known bodies[] = {
    {"newCall", decision_shapes},
    {"callEvent", decision_shapes},
    {"getIvrCommand", command_shapes},
    {"getCallIdentifier", alone<reference>},
    {"newRemoteCall", alone<reference>},
    {"placeivrcall", alone<place_ivr_call>},
    {"placeremotecall", alone<place_remote_call>},
    {"answerremotecall", alone<answer_remote_call>},
    {"sendremotecallringback", alone<reply_alone>},
    {"hangupcall", alone<reply_alone>},
    {"hangupparticipant", alone<participant>},
    {"hangupremoteparticipant", alone<participant>},
    {"splitconnection", alone<connection_alone>},
    {"startrecording", alone<connection>},
    {"stoprecording", alone<connection_alone>},
    {"interruptivrcommand", alone<interruption>},
    {"promptfile/move", alone<move_file>},
    {"ivrfallback", alone<fallback>},
};

using Shapes = std::span<const Shape* const>;

/// Calls `see` with each member until it returns true; whether it did.
template <class See>
bool any_member(Shapes shapes, See see) {
  for (const auto* shape : shapes) {
    for (; shape != nullptr; shape = shape->also) {
      if (std::ranges::any_of(shape->members, see)) return true;
    }
  }
  return false;
}

/// How many letters have to be put in, left out or changed to make one name of the other, whatever their case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto changed = diagonal + (to_lower(a[i]) == to_lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

class Search {
 public:
  std::vector<UnknownMember> found;

  void look(Shapes shapes, const boost::json::object& object, const std::string& path, const std::string& kind) {
    for (const auto& one : object) {
      if (found.size() == most) return;
      if (is_nothing(one.value())) continue;
      const std::string name(utf8_prefix(one.key(), longest_name));
      const auto prefix = [&name](std::string owner) {
        if (!owner.empty()) owner += '.';
        owner += name;
        return owner;
      };
      const Shape* inner = nullptr;
      const bool known = any_member(shapes, [&](const Member& member) {
        if (member.name != std::string_view(one.key())) return false;
        inner = member.inner;
        return true;
      });
      if (!known) {
        found.push_back({prefix(path), prefix(kind), nearest(shapes, name)});
      } else if (inner != nullptr) {
        look_inside(*inner, one.value(), prefix(path), prefix(kind));
      }
    }
  }

 private:
  static constexpr std::size_t most = 20;
  static constexpr std::size_t longest_name = 100;

  void look_inside(const Shape& shape, const boost::json::value& value, const std::string& path,
                   const std::string& kind) {
    const Shape* const shapes[] = {&shape};
    if (const auto* object = value.if_object()) look(shapes, *object, path, kind);
    const auto* array = value.if_array();
    for (std::size_t at = 0; array != nullptr && at < array->size(); ++at) {
      if (const auto* item = (*array)[at].if_object()) look(shapes, *item, path + "[" + std::to_string(at) + "]", kind);
    }
  }

  static std::string nearest(Shapes shapes, std::string_view name) {
    std::string_view best;
    std::size_t least = std::string_view::npos;
    any_member(shapes, [&](const Member& member) {
      if (const auto far = distance(name, member.name); far < least) {
        least = far;
        best = member.name;
      }
      return false;
    });
    return std::string(best);
  }
};

}  // namespace

std::vector<UnknownMember> unknown_members(std::string_view name, const boost::json::object& body) {
  if (name.ends_with("jwt")) name.remove_suffix(3);
  const auto* known = std::ranges::find(bodies, name, &Known::name);
  if (known == std::end(bodies)) return {};
  Search search;
  search.look(known->shapes, body, {}, {});
  return std::move(search.found);
}

boost::json::array warnings_of(const std::vector<UnknownMember>& unknown, std::string_view event) {
  boost::json::array warnings;
  for (const auto& one : unknown) {
    boost::json::object warning{{"member", one.path}, {"nearest", one.nearest}};
    if (!event.empty()) warning["event"] = event;
    warnings.emplace_back(std::move(warning));
  }
  return warnings;
}

}  // namespace rw::call
