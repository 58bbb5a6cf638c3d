#include "api/deferred_sink.h"

namespace rw::api {

DeferredSink::DeferredSink() : held_(std::make_shared<Held>()) {}

DeferredSink::~DeferredSink() {
  held_->abandoned_ = true;
  held_->real_.reset();
}

void DeferredSink::write(std::string piece, Next next) {
  if (!held_->opened_) {
    held_->piece_.emplace(std::move(piece), std::move(next));
  } else if (held_->real_) {
    held_->real_->write(std::move(piece), std::move(next));
  } else {
    next(false);
  }
}

void DeferredSink::finish() {
  held_->finished_ = true;
  if (held_->real_) held_->real_->finish();
}

void DeferredSink::Held::open(std::unique_ptr<http::BodySink> real) {
  opened_ = true;
  if (abandoned_) return;
  real_ = std::move(real);
  if (auto piece = std::exchange(piece_, std::nullopt)) {
    real_ ? real_->write(std::move(piece->first), std::move(piece->second)) : piece->second(false);
  } else if (finished_ && real_) {
    real_->finish();
  }
}

}  // namespace rw::api
