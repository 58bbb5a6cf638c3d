#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sip/uri.h"
#include "support/call_test.h"

namespace rw::call {

/// The action `call`: a caller, and those who are called for it.
class CallFlowTest : public CallTest {
 protected:
  /// Answers newCall with a call to phones of these users, one after the other, or all at once.
  sip::LegId hunt(const std::string& users, const std::string& more = {}) {
    std::string list;
    for (std::size_t at = 0; at < users.size(); ++at) {
      list += (at == 0 ? "\"sip:" : ",\"sip:") + std::string(1, users[at]) + "@127.0.0.1:5070\"";
    }
    return dial(R"({"action":"call","destAddr":[)" + list + "]" + more + "}");
  }
  std::string called_user(std::size_t n) const {
    return sip::Uri::parse(world.incoming().at(n).request->request_uri())->user;
  }
  /// Whoever is in a connection now is dropped.
  void drop_the_rest() {
    ASSERT_TRUE(world.asked());
    world.answer(drop);
  }
  /// The phrase at the head of the queue has been heard by its leg.
  media::LegId greeting_heard() {
    const auto item = world.media.queue.front();
    world.media.queue.erase(world.media.queue.begin());
    world.shards[0]->calls.media_event(media::PlayEnded{item.leg, item.id, true}, world.now);
    world.deliver();
    return item.leg;
  }
};

}  // namespace rw::call
