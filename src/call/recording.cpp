#include "call/recording.h"

#include "call/services.h"
#include "recording/format.h"
#include "storage/prompt_store.h"

namespace rw::call {

std::pair<std::string_view, boost::json::object> recording_notice(RecordingOrder::Kind kind,
                                                                  boost::json::object members,
                                                                  const RecordingEnd& end) {
  const bool is_connection = kind == RecordingOrder::Kind::connection;
  members["event"] = end.failure.empty() ? "recordingSuccessful" : "recordingFailed";
  if (!end.failure.empty()) members["reason"] = end.failure;
  members[is_connection ? "recordingFileName" : "fileName"] = end.file_name;
  members["fileSize"] = end.size;
  if (!is_connection) members["duration"] = static_cast<double>(end.duration.count()) / 1000;
  return {is_connection ? "recordingReady" : "fileRecorded", std::move(members)};
}

Result<void> check_recording_name(std::string_view name) {
  const auto valid = storage::check_name(with_extension(std::string(name)));
  if (valid) return {};
  const auto& why = valid.error().message;
  return fail(why.substr(why.find(": ") + 2));
}

std::string with_extension(std::string name) {
  if (recording::format_of(name)) return recording::stored_name(name, false);
  name += ".mp3";  // it ends with something else
  return name;
}

Result<void> Recording::start(RecordingOrder order, std::initializer_list<RecordedLeg> legs) {
  stop();
  auto open = services_.recordings.start(std::move(order));
  if (!open) return tl::unexpected(open.error());
  for (const auto& one : legs) {
    services_.media.record(one.leg, {open->tap, one.side, one.channel});
    legs_.push_back(one.leg);
  }
  open_ = std::move(*open);
  return {};
}

void Recording::start_or_tell(RecordingOrder order, std::initializer_list<RecordedLeg> legs) {
  const auto kind = order.kind;
  const bool tell = order.tell;
  const auto application = order.application;
  const auto name = order.file_name;
  auto members = order.members;
  const auto started = start(std::move(order), legs);
  if (started || !tell) return;
  auto [event, body] = recording_notice(kind, std::move(members), {name, 0, {}, started.error().message});
  services_.application.notify(application, std::string(event), std::move(body));
}

void Recording::stop() {
  if (!open_) return;
  for (const media::LegId leg : std::exchange(legs_, {})) services_.media.stop_recording(leg, open_->tap);
  open_->finish();
  open_.reset();
}

}  // namespace rw::call
