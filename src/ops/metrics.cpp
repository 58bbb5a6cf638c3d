#include "ops/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "ops/bound.h"

namespace rw::ops {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Labels = std::map<std::string, std::string>;

constexpr std::array<std::string_view, 12> end_reasons{"normal",     "cancelled",      "rejected",  "busy",
                                                       "noAnswer",   "failed",         "apiHangup", "maxDuration",
                                                       "rtpTimeout", "sessionExpired", "error",     "shutdown"};

constexpr std::array<std::string_view, 4> registration_states{"unregistered", "registering", "registered", "failed"};

prometheus::MetricFamily plain(std::string name, std::string help, prometheus::MetricType type, double value) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  family.metric.resize(1);
  (type == prometheus::MetricType::Gauge ? family.metric[0].gauge.value : family.metric[0].counter.value) = value;
  return family;
}

}  // namespace

class Metrics::Impl {
 public:
  Impl() {
    for (const auto reason : end_reasons) ended.Add({{"outcome", std::string(reason)}});
    for (const auto* what : {"outbox", "sessions"}) failed_writes.Add({{"what", what}});
    for (std::size_t at = 0; at < bound_names.size(); ++at)
      bounds[at] = &over_bound.Add({{"bound", std::string(bound_names[at])}});
  }

  prometheus::Registry registry;
  Counter& started = prometheus::BuildCounter()
                         .Name("ringwright_calls_started_total")
                         .Help("Calls that were put to an application")
                         .Register(registry)
                         .Add({});
  Family<Counter>& ended = prometheus::BuildCounter()
                               .Name("ringwright_calls_total")
                               .Help("Sessions that have ended, by reason")
                               .Register(registry);
  Family<Counter>& refused = prometheus::BuildCounter()
                                 .Name("ringwright_calls_refused_total")
                                 .Help("Calls refused without a session, by status")
                                 .Register(registry);
  Family<Counter>& messages = prometheus::BuildCounter()
                                  .Name("ringwright_sip_messages_total")
                                  .Help("SIP messages received, by transport")
                                  .Register(registry);
  Family<Histogram>& callbacks = prometheus::BuildHistogram()
                                     .Name("ringwright_callback_seconds")
                                     .Help("HTTP requests to applications, by event")
                                     .Register(registry);
  Family<Counter>& callback_errors = prometheus::BuildCounter()
                                         .Name("ringwright_callback_failures_total")
                                         .Help("Questions and notifications that failed in the end, by event and kind")
                                         .Register(registry);
  Family<Counter>& alarms =
      prometheus::BuildCounter().Name("ringwright_alarms_total").Help("Alarms sent, by type").Register(registry);
  Family<Counter>& api_refused = prometheus::BuildCounter()
                                     .Name("ringwright_api_refused_total")
                                     .Help("Requests and connections of the API that were turned away, by limit")
                                     .Register(registry);
  Family<Gauge>& registrations = prometheus::BuildGauge()
                                     .Name("ringwright_registrations")
                                     .Help("1 for the state that the registration of a trunk is in")
                                     .Register(registry);
  Family<Counter>& over_bound = prometheus::BuildCounter()
                                    .Name("ringwright_refused_total")
                                    .Help("What was refused, or left undone, because of a bound")
                                    .Register(registry);
  Family<Counter>& failed_writes = prometheus::BuildCounter()
                                       .Name("ringwright_write_failures_total")
                                       .Help("What the disk has refused to keep, by what it was")
                                       .Register(registry);
  std::array<Counter*, bound_names.size()> bounds{};
  mutable std::mutex mutex;
  std::function<Sample()> sampler;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::call_started() {
  impl_->started.Increment();
}
void Metrics::call_ended(std::string_view reason) {
  impl_->ended.Add({{"outcome", std::string(reason)}}).Increment();
}
void Metrics::call_refused(int status) {
  impl_->refused.Add({{"status", std::to_string(status)}}).Increment();
}
void Metrics::sip_message(std::string_view transport) {
  impl_->messages.Add({{"transport", std::string(transport)}}).Increment();
}

void Metrics::callback(std::string_view event, double seconds, bool success) {
  static const Histogram::BucketBoundaries bounds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15};
  const Labels labels{{"event", std::string(event)}, {"result", success ? "ok" : "failed"}};
  impl_->callbacks.Add(labels, bounds).Observe(seconds);
}

void Metrics::callback_failed(std::string_view event, std::string_view kind) {
  impl_->callback_errors.Add({{"event", std::string(event)}, {"kind", std::string(kind)}}).Increment();
}

void Metrics::alarm(std::string_view type) {
  impl_->alarms.Add({{"type", std::string(type)}}).Increment();
}

void Metrics::api_refused(std::string_view limit) {
  impl_->api_refused.Add({{"limit", std::string(limit)}}).Increment();
}

void Metrics::refused(Bound bound, std::size_t times) {
  impl_->bounds[bound.index()]->Increment(static_cast<double>(times));
}

void Metrics::write_failed(std::string_view what) {
  impl_->failed_writes.Add({{"what", std::string(what)}}).Increment();
}

void Metrics::registration(std::string_view domain, std::string_view trunk, std::string_view state) {
  for (const auto one : registration_states) {
    const Labels labels{{"domain", std::string(domain)}, {"trunk", std::string(trunk)}, {"state", std::string(one)}};
    impl_->registrations.Add(labels).Set(one == state ? 1 : 0);
  }
}

void Metrics::registration_gone(std::string_view domain, std::string_view trunk) {
  for (const auto one : registration_states) {
    const Labels labels{{"domain", std::string(domain)}, {"trunk", std::string(trunk)}, {"state", std::string(one)}};
    impl_->registrations.Remove(&impl_->registrations.Add(labels));
  }
}

void Metrics::set_sampler(std::function<Sample()> sampler) {
  const std::lock_guard lock(impl_->mutex);
  impl_->sampler = std::move(sampler);
}

std::string Metrics::text() const {
  using prometheus::MetricType;
  Sample sample;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->sampler) sample = impl_->sampler();
  }
  auto families = impl_->registry.Collect();
  const auto gauge = [&](std::string name, std::string help, double value) {
    families.push_back(plain(std::move(name), std::move(help), MetricType::Gauge, value));
  };
  const auto counter = [&](std::string name, std::string help, double value) {
    families.push_back(plain(std::move(name), std::move(help), MetricType::Counter, value));
  };
  gauge("ringwright_sessions", "Sessions that have not ended", sample.sessions);
  gauge("ringwright_participants", "Participants that have not left", sample.participants);
  gauge("ringwright_sip_transactions", "SIP transactions, including those that only linger", sample.sip_transactions);
  gauge("ringwright_outbox_pending", "Notifications that have not been delivered", sample.outbox);
  gauge("ringwright_recordings_pending", "Recordings that are under way or not stored yet", sample.recordings);
  gauge("ringwright_rtp_ports_in_use", "RTP ports in use", sample.rtp_ports_in_use);
  gauge("ringwright_rtp_ports_resting", "RTP ports that rest before they are used again", sample.rtp_ports_resting);
  gauge("ringwright_media_legs", "Media legs", sample.media_legs);
  gauge("ringwright_disk_free_bytes", "What is free on the disk of data_dir", sample.disk_free);
  gauge("ringwright_disk_reserve_bytes", "What is kept free there for the server's own data", sample.disk_reserve);
  gauge("ringwright_io_uring", "1 if the media workers use io_uring", sample.io_uring ? 1 : 0);
  counter("ringwright_rtp_packets_sent_total", "RTP packets sent", sample.packets_sent);
  counter("ringwright_rtp_packets_received_total", "RTP packets received", sample.packets_received);
  counter("ringwright_rtp_packets_dropped_total", "Packets dropped: wrong source, or not RTP", sample.packets_dropped);
  counter("ringwright_rtp_packets_lost_total", "RTP packets that never came", sample.packets_lost);
  counter("ringwright_late_ticks_total", "1 ms slots of the media clock that were served over 5 ms late",
          sample.late_ticks);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace rw::ops
