#include "http/exchange.h"

#include <atomic>

#include "base/ascii.h"

namespace rw::http {

std::optional<std::string_view> IncomingRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_letters(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> IncomingRequest::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

const std::string& IncomingRequest::capture(std::string_view name) const {
  return captures.find(name)->second;
}

class Responder::Once {
 public:
  explicit Once(std::function<void(std::optional<Answer>)> deliver) : deliver_(std::move(deliver)) {}
  ~Once() { deliver(std::nullopt); }
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;
  void deliver(std::optional<Answer> answer) {
    if (!done_.exchange(true)) deliver_(std::move(answer));
  }

 private:
  std::function<void(std::optional<Answer>)> deliver_;
  std::atomic<bool> done_{false};
};

Responder::Responder(std::function<void(std::optional<Answer>)> deliver)
    : once_(std::make_shared<Once>(std::move(deliver))) {}

void Responder::operator()(Answer answer) const {
  once_->deliver(std::move(answer));
}

}  // namespace rw::http
