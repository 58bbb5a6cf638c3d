// invite_latency: places calls one by one at a fixed rate and tells when each INVITE left.
//
//   invite_latency SERVER_PORT RTP_PORT CALLS CALLS_PER_SECOND
//
// Acknowledges answers, accepts the server's BYE, and ends when every call is over or 5 s after the last INVITE. Prints
// one JSON object: the time of each INVITE by Call-ID (CLOCK_MONOTONIC, ns), to be compared with the application's.
#include <poll.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "support.h"

namespace rw::bench {
namespace {

struct Plan {
  std::uint16_t server_port = 0;
  std::uint16_t rtp_port = 0;
  std::size_t calls = 0;
  std::int64_t interval = 0;  // ns
};

/// The header line that starts with `name` (given with its colon), including its CRLF; the first only.
std::string_view header_line(std::string_view message, std::string_view name) {
  const std::size_t line = message.find(std::string("\r\n").append(name));
  if (line == message.npos) return {};
  const std::string_view rest = message.substr(line + 2);
  const std::size_t end = rest.find("\r\n");
  return end == rest.npos ? std::string_view{} : rest.substr(0, end + 2);
}

class Caller {
 public:
  explicit Caller(const Plan& plan) : plan_(plan), handle_(bound_socket(SOCK_DGRAM, 0)) {
    const sockaddr_in server = loopback(plan.server_port);
    if (connect(handle_, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) give_up("connect");
    here_ = "127.0.0.1:" + std::to_string(ntohs(address_of(handle_).sin_port));
    prefix_ = "latency-" + std::to_string(getpid()) + "-";
  }

  void run() {
    const std::int64_t start = nanoseconds();
    while (ended_ < plan_.calls) {
      const std::int64_t now = nanoseconds();
      const std::int64_t due = start + static_cast<std::int64_t>(sent_.size()) * plan_.interval;
      if (sent_.size() < plan_.calls && now >= due) {
        invite();
      } else if (sent_.size() == plan_.calls && now > due + 5 * ns_per_second) {
        break;
      }
      receive();
    }
  }

  void print() const {
    std::printf("{");
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      std::printf("%s\"%s%zu\":%lld", i > 0 ? "," : "", prefix_.c_str(), i, static_cast<long long>(sent_[i]));
    }
    std::printf("}\n");
  }

 private:
  void transmit(const std::string& message) const { send(handle_, message.data(), message.size(), 0); }

  void invite() {
    const std::string number = std::to_string(sent_.size());
    const std::string sdp = "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio " +
                            std::to_string(plan_.rtp_port) + " RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
    const std::string message = "INVITE sip:100@bench.localhost SIP/2.0\r\nVia: SIP/2.0/UDP " + here_ +
                                ";branch=z9hG4bK" + prefix_ + number + "\r\nMax-Forwards: 70\r\nFrom: <sip:latency@" +
                                here_ + ">;tag=" + number + "\r\nTo: <sip:100@bench.localhost>\r\nCall-ID: " + prefix_ +
                                number + "\r\nCSeq: 1 INVITE\r\nContact: <sip:" + here_ +
                                ">\r\nContent-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) +
                                "\r\n\r\n" + sdp;
    sent_.push_back(nanoseconds());
    transmit(message);
  }

  void receive() {
    pollfd source{handle_, POLLIN, 0};
    if (poll(&source, 1, 1) <= 0) return;
    std::array<char, 65536> buffer;
    const ssize_t size = recv(handle_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) take(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
  }

  void take(std::string_view message) {
    const std::string dialog = std::string(header_line(message, "From:"))
                                   .append(header_line(message, "To:"))
                                   .append(header_line(message, "Call-ID:"));
    if (message.starts_with("BYE ")) {
      transmit(std::string("SIP/2.0 200 OK\r\n")
                   .append(header_line(message, "Via:"))
                   .append(dialog)
                   .append(header_line(message, "CSeq:"))
                   .append("Content-Length: 0\r\n\r\n"));
      ++ended_;
    } else if (message.starts_with("SIP/2.0 ") && message.substr(8, 1) != "1") {
      const bool answered = message.substr(8, 1) == "2";
      // RFC 3261, section 17.1.1.3: the ACK of a refusal has the INVITE's branch, that of an answer its own
      transmit("ACK sip:100@127.0.0.1:" + std::to_string(plan_.server_port) + " SIP/2.0\r\n" +
               (answered ? "Via: SIP/2.0/UDP " + here_ + ";branch=z9hG4bKack" + std::to_string(acks_++) + "\r\n"
                         : std::string(header_line(message, "Via:"))) +
               "Max-Forwards: 70\r\n" + dialog + "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n");
      ended_ += answered ? 0 : 1;
    }
  }

  Plan plan_;
  int handle_;
  std::string here_;
  std::string prefix_;
  std::vector<std::int64_t> sent_;
  std::size_t ended_ = 0;
  std::size_t acks_ = 0;
};

}  // namespace
}  // namespace rw::bench

int main(int argc, char** argv) {
  using namespace rw::bench;
  const double rate = argc == 5 ? std::strtod(argv[4], nullptr) : 0;
  if (rate <= 0) {
    std::fprintf(stderr, "usage: invite_latency SERVER_PORT RTP_PORT CALLS CALLS_PER_SECOND\n");
    return 2;
  }
  const auto port = [&](int i) { return static_cast<std::uint16_t>(std::strtoul(argv[i], nullptr, 10)); };
  Caller caller(Plan{port(1), port(2), std::strtoul(argv[3], nullptr, 10),
                     static_cast<std::int64_t>(static_cast<double>(ns_per_second) / rate)});
  caller.run();
  caller.print();
}
