#include "app/recordings.h"

#include <algorithm>
#include <utility>

namespace rw::app {
namespace {

/// What is kept with a recording: enough to tell its application when the process that began it has gone.
boost::json::object context_of(const call::RecordingOrder& order) {
  const auto& application = order.application;
  return {{"domain", application.service->domain},
          {"mediaservice", application.service->id},
          {"base", application.service->own_base ? application.service->callback_url : ""},
          {"sessionId", application.session_id},
          {"traceId", application.trace_id},
          {"callId", application.call_id},
          {"tell", order.tell},
          {"members", order.members}};
}

std::string text(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::shared_ptr<const tenant::Mediaservice> service_of(const tenant::Directory& directory,
                                                       const boost::json::object& context) {
  const auto domain = directory.domain(text(context, "domain"));
  if (!domain) return nullptr;
  const auto id = text(context, "mediaservice");
  const auto& all = domain->mediaservices;
  const auto found = std::ranges::find(all, id, [](const auto& service) { return service->id; });
  if (found == all.end()) return nullptr;
  auto base = text(context, "base");
  return base.empty() ? *found : tenant::with_base(**found, std::move(base));
}

}  // namespace

Result<void> Recordings::open(recording::Recorder::Options recorder) {
  recorder.report = [this](const recording::Finished& finished) { this->finished(finished); };
  const std::lock_guard lock(mutex_);
  auto opened = recording::Recorder::open(std::move(recorder));
  if (!opened) return tl::unexpected(opened.error());
  recorder_ = std::move(*opened);
  return {};
}

void Recordings::close() {
  std::unique_ptr<recording::Recorder> last;  // goes when the lock has gone: its threads may be about to acknowledge
  const std::lock_guard lock(mutex_);
  last = std::move(recorder_);
}

std::size_t Recordings::pending() const {
  const std::lock_guard lock(mutex_);
  return recorder_ ? recorder_->pending() : 0;
}

void Recordings::acknowledge(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (recorder_) recorder_->acknowledge(id);  // else it is told once more after the next start
}

Result<call::OpenRecording> Recordings::start(call::RecordingOrder wanted) {
  const auto domain = options_.directory()->domain(wanted.application.service->domain);
  recording::Order order;
  order.kind =
      wanted.kind == call::RecordingOrder::Kind::connection ? recording::Kind::connection : recording::Kind::phrase;
  order.domain = wanted.application.service->domain;
  order.file_name = wanted.file_name;
  order.channels = wanted.two_channels ? 2 : 1;
  order.rate = wanted.wideband ? 16000 : 8000;
  if (domain) order.public_key = domain->recording_key;
  order.context = context_of(wanted);
  const std::lock_guard lock(mutex_);
  if (!recorder_) return fail("the server is stopping");
  auto started = recorder_->start(std::move(order));
  if (!started) return tl::unexpected(started.error());
  return call::OpenRecording{*started, [recording = *started] { recording->finish(); }};
}

void Recordings::finished(const recording::Finished& finished) {
  const auto& context = finished.context;
  const auto service = service_of(*options_.directory(), context);
  if (!service) {
    options_.log.error("nobody to be told of a recording: its mediaservice is not served any more",
                       {{"domain", finished.domain}, ops::text("file", finished.file_name)});
    return acknowledge(finished.id);
  }
  const callbacks::Context application{service, text(context, "sessionId"), text(context, "traceId"),
                                       text(context, "callId")};
  const auto raise_alarm = [&](boost::json::object details) {
    options_.tell(application, {},
                  {{"type", "ivrCommandError"},
                   {"error", "mediaServerError"},
                   {"domain", finished.domain},
                   {"sessionId", application.session_id},
                   {"errorDetails", std::move(details)}},
                  {});
  };
  if (!finished.kept.empty()) {
    raise_alarm({{"description", "a recording could not be stored: " + finished.reason},
                 {"fileName", finished.file_name},
                 {"kept", finished.kept}});
  }
  if (!finished.cut_short.empty()) {
    raise_alarm({{"description", "a recording was ended before its time: " + finished.cut_short},
                 {"fileName", finished.file_name}});
  }
  const auto* tell = context.if_contains("tell");
  if (tell == nullptr || !tell->is_bool() || !tell->get_bool()) return acknowledge(finished.id);
  const auto* members = context.if_contains("members");
  const auto kind = finished.kind == recording::Kind::connection ? call::RecordingOrder::Kind::connection
                                                                 : call::RecordingOrder::Kind::phrase;
  auto [event, body] = call::recording_notice(
      kind, members != nullptr && members->is_object() ? members->get_object() : boost::json::object{},
      {finished.file_name, finished.size, finished.duration, finished.success ? "" : finished.reason});
  // Told once more if the process is killed before the acknowledgement: it must be the same to the receiver.
  body["httpTransactionId"] = finished.id;
  options_.tell(application, std::string(event), std::move(body), [this, id = finished.id] { acknowledge(id); });
}

}  // namespace rw::app
