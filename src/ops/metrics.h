#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rw::ops {

class Bound;

/// The server's metrics, for Prometheus. Counters are counted as things happen; gauges and what the media engine counts
/// are read from the real state when somebody asks. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void call_started();
  /// `reason`: as in sessionCompleted.
  void call_ended(std::string_view reason);
  void call_refused(int status);
  void sip_message(std::string_view transport);
  /// One HTTP request to an application: how long it took, and whether it brought a usable answer.
  void callback(std::string_view event, double seconds, bool success);
  /// A question or notification that failed in the end.
  void callback_failed(std::string_view event, std::string_view kind);
  void alarm(std::string_view type);
  /// A request of the API that was turned away; `limit`: connections, credentials or requestsPerSecond.
  void api_refused(std::string_view limit);
  /// Something was refused, or left undone, because of a bound on what others may make us do.
  void refused(Bound bound, std::size_t times = 1);
  /// The disk has refused what the server has to keep; `what`: outbox or sessions.
  void write_failed(std::string_view what);
  /// The state that a trunk's registration is in now: unregistered, registering, registered or failed.
  void registration(std::string_view domain, std::string_view trunk, std::string_view state);
  /// The trunk does not register any more.
  void registration_gone(std::string_view domain, std::string_view trunk);

  /// What is read from the real state at each text(). Absolute values.
  struct Sample {
    double sessions = 0, participants = 0, sip_transactions = 0, outbox = 0, recordings = 0;
    double rtp_ports_in_use = 0, rtp_ports_resting = 0, media_legs = 0;
    double packets_sent = 0, packets_received = 0, packets_dropped = 0, packets_lost = 0, late_ticks = 0;
    double disk_free = 0, disk_reserve = 0;  ///< bytes
    bool io_uring = false;
  };
  void set_sampler(std::function<Sample()> sampler);

  /// The exposition format, version 0.0.4.
  std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rw::ops
