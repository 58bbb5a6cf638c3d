#include <random>

#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two user agents and a wire between them that loses, doubles and reorders.
class WireTest : public testing::TestWithParam<unsigned> {
 protected:
  struct Side {
    Flow flow;
    std::unique_ptr<UserAgent> agent;
    std::vector<Event> events;

    template <class Event>
    std::size_t count() const {
      return static_cast<std::size_t>(std::count_if(
          events.begin(), events.end(), [](const auto& one) { return std::holds_alternative<Event>(one); }));
    }
    template <class Event>
    const Event* find() const {
      for (const auto& event : events) {
        if (const auto* found = std::get_if<Event>(&event)) return found;
      }
      return nullptr;
    }
  };
  struct Datagram {
    TimePoint due;
    Side* to;
    std::string bytes;
  };

  WireTest() {
    prepare(ann, bob, "192.0.2.1:5060", "192.0.2.2:5060", "s1");
    prepare(bob, ann, "192.0.2.2:5060", "192.0.2.1:5060", "s2");
  }
  static void prepare(Side& side, Side&, std::string_view own, std::string_view other, const std::string& tag) {
    side.flow.local = *net::Address::parse(own);
    side.flow.remote = *net::Address::parse(other);
    UserAgentOptions options;
    options.shard_tag = tag;
    options.session_expires = 90;
    options.listeners.push_back(side.flow);
    side.agent = std::make_unique<UserAgent>(options);
  }

  void exchange(Side& from, Side& to) {
    from.agent->take_events(from.events);
    std::vector<Transmit> out;
    from.agent->take_transmits(out);
    for (auto& one : out) {
      for (int copies = chance(loss) ? 0 : chance(doubling) ? 2 : 1; copies > 0; --copies)
        wire.push_back(
            {now + milliseconds(1 + static_cast<int>(random() % static_cast<unsigned>(delay))), &to, one.bytes});
    }
  }
  bool chance(unsigned percent) { return random() % 100 < percent; }
  void step() {
    now += milliseconds(10);
    for (auto* side : {&ann, &bob}) side->agent->advance(now);
    exchange(ann, bob);
    exchange(bob, ann);
    std::stable_sort(wire.begin(), wire.end(), [](const auto& a, const auto& b) { return a.due < b.due; });
    while (!wire.empty() && wire.front().due <= now) {
      const auto one = std::move(wire.front());
      wire.erase(wire.begin());
      one.to->agent->receive(one.to->flow, one.bytes, now);
    }
    exchange(ann, bob);
    exchange(bob, ann);
  }
  void pass(Duration time) {
    for (const auto end = now + time; now < end;) step();
  }
  template <class Done>
  bool wait(Done done, Duration limit = seconds(40)) {
    for (const auto end = now + limit; now < end && !done();) step();
    return done();
  }
  LegId call() {
    OutgoingInvite wanted;
    wanted.target = "sip:bob@192.0.2.2";
    wanted.from = "<sip:ann@192.0.2.1>";
    wanted.to = "<sip:bob@192.0.2.2>";
    wanted.sdp = offer_sdp;
    return *ann.agent->invite(wanted, now);
  }
  void check_all_gone() {
    loss = 0;
    pass(seconds(300));
    for (auto* side : {&ann, &bob}) {
      EXPECT_EQ(side->agent->counts().legs, 0U);
      EXPECT_EQ(side->agent->counts().transactions, 0U);
      EXPECT_EQ(side->agent->counts().timers, 0U);
      EXPECT_LE(side->count<Ended>(), 1U);
    }
    EXPECT_EQ(ann.count<Ended>(), 1U);
    EXPECT_EQ(bob.count<Ended>(), bob.count<IncomingInvite>());
  }

  std::mt19937 random{GetParam()};
  unsigned loss = 25, doubling = 20;
  int delay = 60;
  TimePoint now = Clock::now();
  Side ann, bob;
  std::vector<Datagram> wire;
};

TEST_P(WireTest, AWholeCall) {
  const auto leg = call();
  if (!wait([&] { return bob.count<IncomingInvite>() == 1; })) return check_all_gone();
  const auto other = bob.find<IncomingInvite>()->leg;
  EXPECT_TRUE(bob.agent->provisional(other, 183, std::string(answer_sdp), {}, now));  // reliable
  if (!wait([&] { return bob.count<ProvisionalAcknowledged>() == 1; })) return check_all_gone();
  EXPECT_EQ(ann.count<Progress>(), 1U);
  EXPECT_TRUE(bob.agent->answer(other, std::string(answer_sdp), {}, now));
  if (!wait([&] { return ann.count<Answered>() == 1 && bob.count<Acknowledged>() == 1; })) return check_all_gone();
  // Both sides offer at the same time: glare is sorted out.
  EXPECT_TRUE(ann.agent->offer(leg, "v=0\r\na=one\r\n", now));
  EXPECT_TRUE(bob.agent->offer(other, "v=0\r\na=two\r\n", now));
  std::size_t answered_by_ann = 0;
  std::size_t answered_by_bob = 0;
  const bool settled = wait(
      [&] {
        for (; answered_by_ann < ann.count<OfferReceived>(); ++answered_by_ann)
          ann.agent->answer_offer(leg, "v=0\r\na=three\r\n", now);
        for (; answered_by_bob < bob.count<OfferReceived>(); ++answered_by_bob)
          bob.agent->answer_offer(other, "v=0\r\na=four\r\n", now);
        return ann.count<OfferAnswered>() + ann.count<Ended>() > 0 &&
               bob.count<OfferAnswered>() + bob.count<Ended>() > 0;
      },
      seconds(80));
  EXPECT_TRUE(settled);
  pass(seconds(200));  // refreshes
  ann.agent->bye(leg, "", now);
  wait([&] { return ann.count<Ended>() == 1; }, seconds(80));
  check_all_gone();
}

TEST_P(WireTest, AnAnswerAndACancelCross) {
  const auto leg = call();
  if (!wait([&] { return bob.count<IncomingInvite>() == 1; })) return check_all_gone();
  const auto other = bob.find<IncomingInvite>()->leg;
  bob.agent->provisional(other, 180, {}, {}, now);
  pass(milliseconds(static_cast<int>(random() % 200)));
  bob.agent->answer(other, std::string(answer_sdp), {}, now);
  pass(milliseconds(static_cast<int>(random() % 100)));
  if (!ann.agent->cancel(leg, "", now)) ann.agent->bye(leg, "", now);
  pass(seconds(100));
  check_all_gone();
}

TEST_P(WireTest, BothHangUpAtOnce) {
  const auto leg = call();
  if (!wait([&] { return bob.count<IncomingInvite>() == 1; })) return check_all_gone();
  const auto other = bob.find<IncomingInvite>()->leg;
  bob.agent->answer(other, std::string(answer_sdp), {}, now);
  bob.agent->bye(other, "", now);  // at once: waits for the ACK
  if (wait([&] { return ann.count<Answered>() == 1; })) ann.agent->bye(leg, "", now);
  pass(seconds(100));
  if (ann.count<Ended>() == 0) ann.agent->cancel(leg, "", now);
  check_all_gone();
}

TEST_P(WireTest, ARefusal) {
  const auto leg = call();
  if (!wait([&] { return bob.count<IncomingInvite>() == 1; })) return check_all_gone();
  bob.agent->reject(bob.find<IncomingInvite>()->leg, 486, {}, now);
  EXPECT_TRUE(wait([&] { return ann.count<Ended>() == 1; }));
  EXPECT_FALSE(ann.agent->cancel(leg, "", now));
  check_all_gone();
}

INSTANTIATE_TEST_SUITE_P(Seeds, WireTest, testing::Range(1U, 41U));

}  // namespace
}  // namespace rw::sip
