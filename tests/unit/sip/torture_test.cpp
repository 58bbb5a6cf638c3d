#include <algorithm>
#include <fstream>
#include <iterator>

#include "unit/sip/client_fixture.h"

namespace rw::sip {
namespace {

/// One message of RFC 4475 or RFC 5118, and what we make of it.
struct Torture {
  const char* name;  ///< tests/data/torture/<name>.dat; the RFCs' own names
  bool parses;
  int status;  ///< our first response; 0: none
};

std::ostream& operator<<(std::ostream& out, const Torture& torture) {
  return out << torture.name;
}

/// RFC 5118 gives its messages with LF alone, and some without their end or the right length.
std::string on_the_wire(std::string text) {
  if (text.find('\r') != std::string::npos) return text;
  if (text.find("\n\n") == std::string::npos) text += '\n';
  std::string wire;
  for (const char c : text) wire += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto body = wire.find("\r\n\r\n") + 4;
  const auto length = wire.find("Content-Length: ") + 16;
  wire.replace(length, wire.find('\r', length) - length, std::to_string(wire.size() - body));
  return wire;
}

class TortureTest : public testing::TestWithParam<Torture> {};

TEST_P(TortureTest, IsTakenAsExpected) {
  const auto& expected = GetParam();
  std::ifstream file(std::string(RW_TEST_DATA "/torture/") + expected.name + ".dat", std::ios::binary);
  ASSERT_TRUE(file);
  const auto text = on_the_wire({std::istreambuf_iterator<char>(file), {}});
  const auto message = Message::parse(text);
  EXPECT_EQ(message.has_value(), expected.parses) << (message ? "" : message.error().message);

  UserAgent agent{UserAgentOptions{}};
  auto now = Clock::now();
  Flow flow;
  flow.local = *net::Address::parse("192.0.2.1:5060");
  flow.remote = *net::Address::parse("192.0.2.9:5060");
  agent.receive(flow, text, now);
  std::vector<Transmit> out;
  agent.take_transmits(out);
  const auto response = out.empty() ? Result<Message>(fail("none")) : Message::parse(out.front().bytes);
  EXPECT_EQ(response ? response->status() : 0, expected.status) << (out.empty() ? "" : out.front().bytes);
  std::vector<Event> events;
  agent.take_events(events);
  for (const auto& event : events) agent.reject(std::get<IncomingInvite>(event).leg, 480, {}, now);
  for (int at = 0; at < 100; ++at) agent.advance(now += std::chrono::seconds(1));
  EXPECT_EQ(agent.counts().legs + agent.counts().transactions + agent.counts().timers, 0U);
}

const Torture messages[] = {
    // RFC 4475 3.1.1: valid
    {"wsinv", true, 481},  // inside a dialog that there is not
    {"intmeth", true, 501},
    {"esc01", true, 100},
    {"escnull", true, 405},
    {"esc02", true, 501},
    {"lwsdisp", true, 200},
    {"longreq", true, 100},
    {"dblreq", true, 405},  // what follows in the datagram is nobody's
    {"semiuri", true, 200},
    {"transports", true, 200},
    {"mpart01", true, 405},
    {"unreason", true, 0},
    {"noreason", true, 0},
    // 3.1.2: invalid
    {"badinv01", true, 400},
    {"clerr", false, 400},
    {"ncl", false, 400},
    {"scalar02", true, 400},
    {"scalarlg", true, 0},
    {"quotbal", true, 400},
    {"ltgtruri", true, 400},
    {"lwsruri", false, 400},
    {"lwsstart", false, 400},
    {"trws", false, 400},
    {"escruri", true, 100},  // tolerated, and not heeded
    {"baddate", true, 100},
    {"regbadct", true, 405},
    {"badaspec", true, 400},
    {"baddn", false, 400},  // its headers have no end
    {"badvers", false, 505},
    {"mismatch01", true, 400},
    {"mismatch02", true, 501},
    {"bigcode", false, 0},
    // 3.2 and 3.3: transactions, applications
    {"badbranch", true, 200},
    {"insuf", true, 400},
    {"unkscm", true, 416},
    {"novelsc", true, 416},
    {"unksm2", true, 405},
    {"bext01", true, 420},
    {"invut", true, 415},
    {"regaut01", true, 405},
    {"multi01", false, 400},
    {"mcl01", false, 400},
    {"bcast", true, 0},
    {"zeromf", true, 200},
    {"cparam01", true, 405},
    {"cparam02", true, 405},
    {"regescrt", true, 405},
    {"sdp01", true, 406},
    // 3.4: from the days of RFC 2543
    {"inv2543", true, 100},
    // RFC 5118
    {"ipv6-good", true, 405},
    {"ipv6-bad", true, 400},
    {"port-ambiguous", true, 405},
    {"port-unambiguous", true, 405},
    {"via-received-param-with-delim", true, 481},
    {"via-received-param-no-delim", true, 200},
    {"ipv6-in-sdp", true, 100},
    {"mult-ip-in-header", true, 481},
    {"mult-ip-in-sdp", true, 100},
    {"ipv4-mapped-ipv6", true, 100},
    {"ipv6-bug-abnf-3-colons", true, 200},
    {"ipv6-correct-abnf-2-colons", true, 200},
};

INSTANTIATE_TEST_SUITE_P(Rfc4475And5118, TortureTest, testing::ValuesIn(messages), [](const auto& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace rw::sip
