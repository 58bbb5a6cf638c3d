#include "app/named_media.h"

#include <utility>

#include "sdp/host_name.h"

namespace rw::app {
namespace {

sip::LegId leg_of(const sip::Event& event) {
  return std::visit([](const auto& one) { return one.leg; }, event);
}

/// The description that an event brings, or null.
std::string* description_of(sip::Event& event) {
  return std::visit(
      [](auto& one) -> std::string* {
        if constexpr (requires { one.sdp; }) {
          return &one.sdp;
        } else {
          return nullptr;
        }
      },
      event);
}

}  // namespace

void NamedMedia::pass(sip::Event event) {
  const auto leg = leg_of(event);
  if (const auto found = waiting_.find(leg); found != waiting_.end()) {
    if (found->second.size() >= most_waiting && std::holds_alternative<sip::Progress>(event)) return;
    found->second.push_back(std::move(event));
  } else if (auto* sdp = description_of(event); sdp == nullptr || !sdp::host_name(*sdp)) {
    take_(event);
  } else {
    auto& queue = waiting_[leg];
    queue.push_back(std::move(event));
    is_ready(queue.front(), 0);
  }
}

bool NamedMedia::is_ready(sip::Event& event, int names) {
  auto* sdp = description_of(event);
  const auto name = sdp == nullptr || names == most_names ? std::nullopt : sdp::host_name(*sdp);
  if (!name) return true;
  find_(*name, [this, leg = leg_of(event), name = *name, names](const std::string& address) {
    found(leg, name, address, names + 1);
  });
  return false;
}

void NamedMedia::found(sip::LegId leg, const std::string& name, const std::string& address, int names) {
  const auto waiting = waiting_.find(leg);
  if (waiting == waiting_.end()) return;
  auto& queue = waiting->second;
  auto* sdp = description_of(queue.front());
  // One that leads nowhere stays: the calls say so to the other side.
  if (!address.empty()) *sdp = sdp::with_address(*sdp, name, address);
  if (address.empty()) names = most_names;
  while (!queue.empty() && is_ready(queue.front(), names)) {
    const auto event = std::move(queue.front());
    queue.pop_front();
    names = 0;
    take_(event);
  }
  if (queue.empty()) waiting_.erase(leg);
}

}  // namespace rw::app
