#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/ids.h"
#include "callbacks/channel.h"
#include "callbacks/signature.h"
#include "http/client.h"
#include "ops/log.h"
#include "ops/metrics.h"

namespace rw::callbacks {

/// `[callbacks]` of the configuration, and what every body carries.
struct Settings {
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds answer_timeout{5000};
  int retries = 2;
  std::chrono::milliseconds total_timeout{15000};
  std::chrono::milliseconds back_off{200};          ///< before the first repetition of a question; doubles
  std::chrono::milliseconds outbox_back_off{1000};  ///< before the first repetition of a notification; doubles
  std::chrono::milliseconds outbox_longest{300'000};
  std::chrono::hours outbox_age{24};
  std::string site_id, site_base_url;
  net::AddressPolicy addresses{{}};  ///< where URLs may lead to that the operator hasn't named
};

/// A body as it is sent: with an httpTransactionId, unless it has one, siteId and siteBaseUrl.
std::string complete(boost::json::object body, const Settings& settings, IdSource& ids);

/// Sends one request to an application: builds its headers, measures and logs it. What to do about a failure is for its
/// users, the questions and the outbox, to say.
class Sender {
 public:
  Sender(boost::asio::io_context& loop, const Settings& settings, ops::Metrics& metrics, const ops::Log& log);

  struct Outcome {
    int status = 0;  ///< 0: no response
    std::string body;
    std::string problem;  ///< a sentence, if there was no response
    bool too_large = false;
    bool success() const { return status >= 200 && status < 300; }
    /// Worth another try: no response, 408, 429 or 5xx.
    bool passing() const {
      return !success() && !too_large && (status == 0 || status == 408 || status == 429 || status >= 500);
    }
  };
  using Done = std::function<void(Outcome)>;

  std::string complete(boost::json::object body) { return callbacks::complete(std::move(body), settings_, ids_); }
  /// Where a request goes, and whether the operator has named it: then any address will do.
  struct Target {
    std::string url;
    bool trusted = false;
  };
  http::Client::RequestId send(const Context& context, const std::string& event, const Target& target,
                               const std::string& body, std::chrono::milliseconds time, Done done);
  ops::Metrics& metrics() { return metrics_; }
  void log(ops::Level level, const Context& context, std::string_view message, const std::string& event,
           const std::string& url, const std::string& problem) const;

 private:
  std::string authorisation(const tenant::Mediaservice& service, const std::string& body);

  const Settings& settings_;
  http::Client client_;
  ops::Metrics& metrics_;
  ops::Log log_;
  IdSource ids_;
  std::map<std::string, std::optional<Signer>> signers_;  ///< by the key's PEM text
};

}  // namespace rw::callbacks
