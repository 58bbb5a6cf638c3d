#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/exchange.h"

namespace rw::api {

/// Takes an upload whose route can't be asked yet: holds its first piece until the real sink is there. On the server's
/// thread.
class DeferredSink final : public http::BodySink {
 public:
  DeferredSink();
  ~DeferredSink() override;

  void write(std::string piece, Next next) override;
  void finish() override;

  /// What outlives the sink, if the connection goes first.
  class Held;
  std::shared_ptr<Held> held() const { return held_; }

 private:
  std::shared_ptr<Held> held_;
};

class DeferredSink::Held {
 public:
  /// `real`: null if the request has been refused, and answered.
  void open(std::unique_ptr<http::BodySink> real);

 private:
  friend class DeferredSink;
  bool opened_ = false, finished_ = false, abandoned_ = false;
  std::unique_ptr<http::BodySink> real_;
  std::optional<std::pair<std::string, http::BodySink::Next>> piece_;
};

}  // namespace rw::api
