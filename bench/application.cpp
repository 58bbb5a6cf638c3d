// application: the customer's side of the benchmark, cheap enough to leave the machine to the server.
//
//   application PORT play|hangup|call:CALLEES_PORT[:EXTENSION]
//
// Answers newCall with the IVR or with a call to sip:callee@127.0.0.1:CALLEES_PORT, recorded into a file of its own if
// there is an EXTENSION; getIvrCommand with a prompt (play)
// or with hangup, callEvent with drop, every other callback with {}. For the benchmark itself: GET /counts tells how
// often each event came, GET /arrivals when newCall came for each SIP Call-ID that starts with "latency"
// (CLOCK_MONOTONIC, ns). One thread, keep-alive connections, HTTP/1.1 with Content-Length.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "support.h"

namespace rw::bench {
namespace {

constexpr std::size_t most_buffered = 1 << 20;  // per connection; a callback is far smaller
constexpr std::size_t most_arrivals = 100'000;

struct Request {
  std::string_view target;
  std::string_view body;
  std::size_t size = 0;  // of the whole request in the buffer
};

/// The value of header `name` (given in lower case, with its colon) within `head`, ignoring case.
std::string_view header_value(std::string_view head, std::string_view name) {
  for (std::size_t line = head.find("\r\n"); line != head.npos; line = head.find("\r\n", line + 2)) {
    const std::string_view rest = head.substr(line + 2);
    if (rest.size() < name.size()) return {};
    bool same = true;
    for (std::size_t i = 0; same && i < name.size(); ++i) {
      const char c = rest[i];
      same = (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) == name[i];
    }
    if (same) return rest.substr(name.size(), rest.find("\r\n") - name.size());
  }
  return {};
}

/// The first request in `data`, if it is all there.
std::optional<Request> parse_request(std::string_view data) {
  const std::size_t end = data.find("\r\n\r\n");
  if (end == data.npos) return std::nullopt;
  const std::string_view head = data.substr(0, end + 2);
  const std::string_view length = header_value(head, "content-length:");
  const std::size_t body_size = length.empty() ? 0 : std::strtoul(length.data(), nullptr, 10);
  const std::size_t size = end + 4 + body_size;
  if (body_size > most_buffered || data.size() < size) return std::nullopt;
  const std::size_t target = head.find(' ') + 1;
  return Request{head.substr(target, head.find(' ', target) - target), data.substr(end + 4, body_size), size};
}

/// The string member `name` (given with its quotes) of a JSON object, read as text; good enough for Call-IDs.
std::string_view json_string(std::string_view json, std::string_view name) {
  std::size_t at = json.find(name);
  if (at == json.npos) return {};
  at = json.find('"', at + name.size());
  if (at == json.npos) return {};
  return json.substr(at + 1, json.find('"', at + 1) - at - 1);
}

template <class Map>
std::string as_json(const Map& map) {
  std::string text = "{";
  for (const auto& [name, value] : map) {
    if (text.size() > 1) text += ',';
    text.append("\"").append(name).append("\":").append(std::to_string(value));
  }
  return text + "}";
}

/// Decides what each callback is answered, and counts.
class Script {
 public:
  explicit Script(std::string_view mode)
      : command_(mode == "play" ? R"({"phrases":[{"format":"file","fileName":"bench.wav"}]})" : R"({"hangup":true})"),
        decision_(R"({"action":"ivr"})") {
    if (!mode.starts_with("call:")) return;
    const std::string_view port = mode.substr(5, mode.find(':', 5) - 5);
    if (port.size() + 5 < mode.size()) extension_ = mode.substr(port.size() + 6);
    decision_ = R"({"action":"call","destAddr":"sip:callee@127.0.0.1:)" + std::string(port) + "\"}";
  }

  std::string answer(const Request& request) {
    const std::string_view event = request.target.substr(request.target.rfind('/') + 1);
    if (event == "counts") return as_json(counts_);
    if (event == "arrivals") return as_json(arrivals_);
    ++counts_[std::string(event.substr(0, 64))];
    if (event == "getIvrCommand") return command_;
    if (event == "callEvent") return R"({"action":"drop"})";
    if (event != "newCall") return "{}";
    const std::string_view call_id = json_string(request.body, "\"sipCallId\"");
    if (call_id.starts_with("latency") && arrivals_.size() < most_arrivals) {
      arrivals_.try_emplace(std::string(call_id), nanoseconds());
    }
    if (extension_.empty()) return decision_;
    return decision_.substr(0, decision_.size() - 1) + R"(,"callRecording":true,"recordingFileName":")" +
           std::to_string(counts_["newCall"]) + "." + extension_ + "\"}";
  }

 private:
  std::string command_, decision_, extension_;
  std::map<std::string, std::int64_t> counts_;
  std::unordered_map<std::string, std::int64_t> arrivals_;
};

class Server {
 public:
  Server(std::uint16_t port, std::string_view mode)
      : listener_(bound_socket(SOCK_STREAM | SOCK_NONBLOCK, port)), poller_(epoll_create1(0)), script_(mode) {
    if (listen(listener_, 4096) != 0) give_up("listen");
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int count = epoll_wait(poller_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int handle = events[static_cast<std::size_t>(i)].data.fd;
        handle == listener_ ? accept_all() : serve(handle);
      }
    }
  }

 private:
  void watch(int handle) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = handle;
    epoll_ctl(poller_, EPOLL_CTL_ADD, handle, &event);
  }

  void accept_all() {
    for (int handle; (handle = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int on = 1;
      setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      buffers_[handle].clear();
      watch(handle);
    }
  }

  void serve(int handle) {
    std::array<char, 65536> chunk;
    const ssize_t size = recv(handle, chunk.data(), chunk.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    std::string& buffer = buffers_[handle];
    if (size > 0) buffer.append(chunk.data(), static_cast<std::size_t>(size));
    if (size <= 0 || buffer.size() > most_buffered || !answer_all(handle, buffer)) {
      close(handle);
      buffers_.erase(handle);
    }
  }

  /// Answers every whole request in `buffer` with one write; false if the connection is of no more use.
  bool answer_all(int handle, std::string& buffer) {
    std::string out;
    std::size_t used = 0;
    while (const std::optional<Request> request = parse_request(std::string_view(buffer).substr(used))) {
      const std::string body = script_.answer(*request);
      out.append("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ")
          .append(std::to_string(body.size()))
          .append("\r\n\r\n")
          .append(body);
      used += request->size;
    }
    buffer.erase(0, used);
    while (!out.empty()) {
      const ssize_t sent = send(handle, out.data(), out.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent < 0) sleep_until(nanoseconds() + 1'000'000);  // only the long GET /arrivals fills a socket
      if (sent > 0) out.erase(0, static_cast<std::size_t>(sent));
    }
    return true;
  }

  int listener_;
  int poller_;
  Script script_;
  std::unordered_map<int, std::string> buffers_;
};

}  // namespace
}  // namespace rw::bench

int main(int argc, char** argv) {
  const std::string_view mode = argc == 3 ? argv[2] : "";
  if (mode != "play" && mode != "hangup" && !mode.starts_with("call:")) {
    std::fprintf(stderr, "usage: application PORT play|hangup|call:CALLEES_PORT[:EXTENSION]\n");
    return 2;
  }
  rw::bench::Server(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)), mode).run();
}
