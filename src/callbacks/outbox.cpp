#include "callbacks/outbox.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "http/url_pattern.h"

namespace rw::callbacks {
namespace {

std::int64_t wall_time_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// Where a notice goes: the first and, on every other try, the secondary application.
Sender::Target target_of(const ledger::Notice& notice, const tenant::Mediaservice& service, int tries) {
  if (notice.event == ledger::alarm_event) return {service.alarm_url, service.trusted_urls};
  if (!notice.base.empty()) return {http::with_path(notice.base, "/" + notice.event), false};
  const bool secondary = !service.secondary_callback_url.empty() && tries % 2 == 1;
  return {http::with_path(secondary ? service.secondary_callback_url : service.callback_url, "/" + notice.event),
          service.trusts_callback_url()};
}

Context context_of(const ledger::Notice& notice, std::shared_ptr<const tenant::Mediaservice> service) {
  return {std::move(service), notice.session_id, notice.trace_id, notice.call_id};
}

}  // namespace

Outbox::Outbox(boost::asio::io_context& loop, const Settings& settings, Sender& sender, ledger::NoticeStore& store,
               FindService find_service)
    : loop_(loop),
      settings_(settings),
      sender_(sender),
      store_(store),
      find_service_(std::move(find_service)),
      gate_(loop, most_in_flight) {}

Outbox::Lane& Outbox::lane_of(const std::string& name, const std::string& domain, const std::string& mediaservice) {
  const auto [found, fresh] = lanes_.try_emplace(name, loop_, domain + "/" + mediaservice);
  return found->second;
}

void Outbox::put(ledger::Notice notice, std::shared_ptr<const tenant::Mediaservice> service,
                 std::function<void()> stored) {
  notice.put_at = wall_time_ms();
  const auto kept = std::make_shared<const ledger::Notice>(std::move(notice));
  // The loop outlives the store; what is posted to it when it has been stopped is never run.
  const auto number = store_.put(kept, [this, name = kept->lane](std::int64_t number, bool durable) {
    boost::asio::post(loop_, [this, name, number, durable] { this->stored(name, number, durable); });
  });
  if (number == 0) {
    sender_.log(ops::Level::error, context_of(*kept, nullptr), "notification dropped: too many wait", kept->event, "",
                "");
    sender_.metrics().callback_failed(kept->event, "outboxFull");
    if (stored) stored();
    return;
  }
  auto& lane = lane_of(kept->lane, kept->domain, kept->mediaservice);
  lane.service = std::move(service);
  Entry entry{.number = number, .notice = nullptr, .stored = std::move(stored), .storing = true, .durable = false};
  hold(entry, kept);
  append(lane, std::move(entry));
}

void Outbox::append(Lane& lane, Entry entry) {
  pending_.fetch_add(1, std::memory_order_relaxed);
  lane.entries.push_back(std::move(entry));
  if (lane.entries.size() == 1) change(lane, State::storing);
}

void Outbox::restore(const std::vector<ledger::Waiting>& waiting) {
  for (const auto& one : waiting) {
    auto& lane = lane_of(one.lane, one.domain, one.mediaservice);
    append(lane, Entry{.number = one.number, .notice = nullptr, .stored = {}, .storing = false, .durable = true});
    if (lane.entries.size() == 1) start(one.lane);
  }
}

void Outbox::stored(const std::string& name, std::int64_t number, bool durable) {
  auto& lane = lanes_.at(name);
  const auto entry = std::ranges::lower_bound(lane.entries, number, {}, [](const Entry& one) { return one.number; });
  entry->storing = false;
  entry->durable = durable;
  const auto told = durable ? std::exchange(entry->stored, {}) : std::function<void()>();
  const bool first = entry == lane.entries.begin();
  if (durable && !(first && lane.state == State::storing) && held_ > most_held) hold(*entry, nullptr);
  if (told) told();
  if (first && lane.state == State::storing) start(name);
}

/// Sends the lane's first entry, as soon as its mediaservice has few enough requests under way.
void Outbox::start(const std::string& name) {
  auto& lane = lanes_.at(name);
  change(lane, State::active);
  gate_.enter(lane.gate_key, std::nullopt, [this, name](bool) { deliver(name); });
}

void Outbox::deliver(const std::string& name) {
  const auto& first = lanes_.at(name).entries.front();
  if (first.notice) {
    send(name);
    return;
  }
  store_.load(first.number, [this, name](std::shared_ptr<const ledger::Notice> notice) {
    boost::asio::post(loop_, [this, name, notice = std::move(notice)] { loaded(name, notice); });
  });
}

void Outbox::loaded(const std::string& name, std::shared_ptr<const ledger::Notice> notice) {
  auto& lane = lanes_.at(name);
  if (notice) {
    hold(lane.entries.front(), std::move(notice));
    send(name);
    return;
  }
  gate_.leave(lane.gate_key);
  give_up(name, "unreadable", "", "it can't be read from the disk");
}

void Outbox::send(const std::string& name) {
  auto& lane = lanes_.at(name);
  const auto& notice = *lane.entries.front().notice;
  if (lane.tries > 0 || !lane.service) {
    // What was configured meanwhile counts. A mediaservice that went lives on with its calls.
    if (auto found = find_service_(notice.domain, notice.mediaservice)) lane.service = std::move(found);
  }
  if (!lane.service) {
    gate_.leave(lane.gate_key);
    give_up(name, "noMediaservice", "", "its mediaservice is not served any more");
    return;
  }
  const auto target = target_of(notice, *lane.service, lane.tries++);
  sender_.send(context_of(notice, lane.service), notice.event, target, notice.body,
               settings_.connect_timeout + settings_.answer_timeout,
               [this, name, url = target.url](const Sender::Outcome& outcome) { answered(name, url, outcome); });
}

void Outbox::answered(const std::string& name, const std::string& url, const Sender::Outcome& outcome) {
  auto& lane = lanes_.at(name);
  const auto& notice = *lane.entries.front().notice;
  gate_.leave(lane.gate_key);
  if (outcome.success()) {
    finish_first(name);
    return;
  }
  const auto age = std::chrono::milliseconds(wall_time_ms() - notice.put_at);
  if (!outcome.passing()) {
    give_up(name, "refused", url, outcome.problem);
  } else if (age >= settings_.outbox_age) {
    give_up(name, "tooOld", url, outcome.problem);
  } else {
    if (lane.tries == 1)
      sender_.log(ops::Level::warning, context_of(notice, nullptr), "notification will be repeated", notice.event, url,
                  outcome.problem);
    repeat_later(name);
  }
}

void Outbox::repeat_later(const std::string& name) {
  auto& lane = lanes_.at(name);
  auto& first = lane.entries.front();
  if (first.durable && held_ > most_held) hold(first, nullptr);
  change(lane, State::resting);
  const auto doubled = settings_.outbox_back_off * (1LL << std::min(lane.tries - 1, 20));
  lane.timer.expires_after(std::min<std::chrono::milliseconds>(doubled, settings_.outbox_longest));
  lane.timer.async_wait([this, name](const boost::system::error_code& error) {
    if (!error) start(name);
  });
}

void Outbox::give_up(const std::string& name, std::string_view kind, const std::string& url,
                     const std::string& problem) {
  const auto& first = lanes_.at(name).entries.front();
  const auto notice = first.notice ? first.notice : std::make_shared<const ledger::Notice>();
  sender_.log(ops::Level::error, context_of(*notice, nullptr), "notification given up", notice->event, url, problem);
  sender_.metrics().callback_failed(notice->event, kind);
  finish_first(name);
}

void Outbox::finish_first(const std::string& name) {
  auto& lane = lanes_.at(name);
  Entry over = std::move(lane.entries.front());
  lane.entries.pop_front();
  store_.remove(over.number, over.notice ? *over.notice : ledger::Notice{});
  hold(over, nullptr);
  pending_.fetch_sub(1, std::memory_order_relaxed);
  lane.tries = 0;
  if (lane.entries.empty()) {
    change(lane, State::resting);
    lanes_.erase(name);
  } else if (lane.entries.front().storing) {
    change(lane, State::storing);
  } else {
    start(name);
  }
  if (over.stored) over.stored();
}

void Outbox::change(Lane& lane, State state) {
  const bool was = lane.state != State::resting;
  const bool is = state != State::resting;
  lane.state = state;
  if (is && !was) busy_.fetch_add(1, std::memory_order_relaxed);
  if (was && !is) busy_.fetch_sub(1, std::memory_order_relaxed);
}

/// All changes of an entry's notice, so that they are counted.
void Outbox::hold(Entry& entry, std::shared_ptr<const ledger::Notice> notice) {
  if (entry.notice) --held_;
  if (notice) ++held_;
  entry.notice = std::move(notice);
}

}  // namespace rw::callbacks
