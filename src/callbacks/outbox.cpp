#include "callbacks/outbox.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace rw::callbacks {

MemoryOutbox::MemoryOutbox(boost::asio::io_context& loop, const Settings& settings, Sender& sender)
    : loop_(loop), settings_(settings), sender_(sender) {}

void MemoryOutbox::put(const std::string& lane, Notice notice) {
  if (pending() >= most_pending) {
    sender_.log(ops::Level::error, notice.context, "notification dropped: the outbox is full", notice.event, notice.url,
                "");
    sender_.metrics().callback_failed(notice.event, "outboxFull");
    if (notice.over) notice.over();
    return;
  }
  auto& found = lanes_.try_emplace(lane, loop_).first->second;
  found.notices.push_back(std::move(notice));
  pending_.fetch_add(1, std::memory_order_relaxed);
  if (found.notices.size() > 1) return;  // the one before it is on its way
  found.since = Clock::now();
  found.tries = 0;
  deliver(lane);
}

void MemoryOutbox::deliver(const std::string& lane) {
  Lane& found = lanes_.at(lane);
  const Notice& notice = found.notices.front();
  const bool secondary = !notice.secondary_url.empty() && found.tries % 2 == 1;
  ++found.tries;
  sender_.send(notice.context, notice.event, secondary ? notice.secondary_url : notice.url, notice.body,
               settings_.connect_timeout + settings_.answer_timeout,
               [this, lane](const Sender::Outcome& outcome) { delivered(lane, outcome); });
}

void MemoryOutbox::delivered(const std::string& lane, const Sender::Outcome& outcome) {
  Lane& found = lanes_.at(lane);
  const Notice& notice = found.notices.front();
  if (outcome.success()) {
    finish_first(lane);
    return;
  }
  const bool too_old = Clock::now() - found.since >= settings_.outbox_age;
  if (!outcome.passing() || too_old) {
    sender_.log(ops::Level::error, notice.context, "notification given up", notice.event, notice.url, outcome.problem);
    sender_.metrics().callback_failed(notice.event, too_old ? "tooOld" : "refused");
    finish_first(lane);
    return;
  }
  if (found.tries == 1)
    sender_.log(ops::Level::warning, notice.context, "notification will be repeated", notice.event, notice.url,
                outcome.problem);
  const auto doubled = settings_.outbox_back_off * (1LL << std::min(found.tries - 1, 20));
  found.timer.expires_after(std::min<std::chrono::milliseconds>(doubled, settings_.outbox_longest));
  found.timer.async_wait([this, lane](const boost::system::error_code& error) {
    if (!error) deliver(lane);
  });
}

void MemoryOutbox::finish_first(const std::string& lane) {
  Lane& found = lanes_.at(lane);
  const auto over = std::move(found.notices.front().over);
  found.notices.pop_front();
  pending_.fetch_sub(1, std::memory_order_relaxed);
  if (found.notices.empty()) {
    lanes_.erase(lane);
  } else {
    found.since = Clock::now();
    found.tries = 0;
    deliver(lane);
  }
  if (over) over();
}

}  // namespace rw::callbacks
