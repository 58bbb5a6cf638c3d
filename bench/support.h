// What the load tools share: the clock, loopback sockets, and how a tool gives up.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace rw::bench {

inline constexpr std::int64_t ns_per_second = 1'000'000'000;

/// Nanoseconds of `clock`; CLOCK_MONOTONIC is the same for every process of the machine.
inline std::int64_t nanoseconds(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * ns_per_second + time.tv_nsec;
}

/// Sleeps until CLOCK_MONOTONIC reaches `deadline` (nanoseconds); returns at once if it has passed.
inline void sleep_until(std::int64_t deadline) {
  const timespec time{deadline / ns_per_second, deadline % ns_per_second};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

/// A measuring tool has nothing to fall back to: it says which system call failed and ends.
[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// A loopback address with `port` (host byte order; 0 lets the kernel choose).
inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// A socket of `type` bound to loopback; the caller closes it, or lets the end of the process do so.
inline int bound_socket(int type, std::uint16_t port) {
  const int handle = socket(AF_INET, type, 0);
  if (handle < 0) give_up("socket");
  const int on = 1;
  if (type & SOCK_STREAM) setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("bind");
  return handle;
}

/// The address that the kernel gave to a socket.
inline sockaddr_in address_of(int handle) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(handle, reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

/// Asks for a receive buffer above the system's limit where allowed, so that bursts are not lost in the tool.
inline void widen_receive_buffer(int handle, int bytes) {
  if (setsockopt(handle, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
    setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
}

}  // namespace rw::bench
