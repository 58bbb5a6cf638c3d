#include "callbacks/sender.h"

#include <boost/beast/core/detail/base64.hpp>

#include "base/json_text.h"
#include "base/time.h"

namespace rw::callbacks {
namespace {

std::string base64(std::string_view bytes) {
  namespace detail = boost::beast::detail::base64;
  std::string text(detail::encoded_size(bytes.size()), '\0');
  text.resize(detail::encode(text.data(), bytes.data(), bytes.size()));
  return text;
}

}  // namespace

std::string complete(boost::json::object body, const Settings& settings, IdSource& ids) {
  if (!body.contains("httpTransactionId")) body["httpTransactionId"] = ids.uuid();
  if (!settings.site_id.empty()) body["siteId"] = settings.site_id;
  if (!settings.site_base_url.empty()) body["siteBaseUrl"] = settings.site_base_url;
  return write_json(std::move(body), "sessionReferenceId");
}

Sender::Sender(boost::asio::io_context& loop, const Settings& settings, ops::Metrics& metrics, const ops::Log& log)
    : settings_(settings), client_(loop, settings.addresses), metrics_(metrics), log_(log) {}

std::string Sender::authorisation(const tenant::Mediaservice& service, const std::string& body) {
  if (!service.signing_key.empty()) {
    auto& signer = signers_[service.signing_key];
    if (!signer) {
      auto made = Signer::from_pem(service.signing_key);
      if (!made) return {};  // refused when the configuration was read
      signer.emplace(std::move(*made));
    }
    return "Authorization: Bearer " +
           signer->token(service.domain, body, ids_.uuid(), std::chrono::system_clock::now());
  }
  if (!service.bearer.empty()) return "Authorization: Bearer " + service.bearer;
  if (!service.basic.empty()) return "Authorization: Basic " + base64(service.basic);
  return {};
}

http::Client::RequestId Sender::send(const Context& context, const std::string& event, const Target& target,
                                     const std::string& body, std::chrono::milliseconds time, Done done) {
  http::ClientRequest request;
  request.url = target.url;
  request.body = body;
  request.trusted = target.trusted;
  request.connect_timeout = std::min(settings_.connect_timeout, time);
  request.total_timeout = time;
  request.headers.emplace_back("Content-Type: application/json");
  const auto& service = context.service;
  request.tls = {service->client_certificate, service->client_key, service->ca, service};
  if (auto header = authorisation(*context.service, body); !header.empty())
    request.headers.push_back(std::move(header));
  return client_.post(std::move(request), [this, event, begun = Clock::now(), done = std::move(done)](auto response) {
    Outcome outcome;
    if (response) {
      outcome.status = response->status;
      outcome.body = std::move(response->body);
      if (!outcome.success()) outcome.problem = "status " + std::to_string(outcome.status);
    } else {
      outcome.problem = response.error().message;
      outcome.too_large = response.error().kind == http::ClientError::Kind::too_large;
    }
    metrics_.callback(event, std::chrono::duration<double>(Clock::now() - begun).count(), outcome.success());
    done(std::move(outcome));
  });
}

void Sender::log(ops::Level level, const Context& context, std::string_view message, const std::string& event,
                 const std::string& url, const std::string& problem) const {
  log_.write(level, message,
             {{"traceId", context.trace_id},
              {"sessionId", context.session_id},
              {"callId", context.call_id},
              {"event", event},
              ops::text("url", url),
              ops::text("problem", problem)});
}

}  // namespace rw::callbacks
