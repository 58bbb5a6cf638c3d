#include "speech/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

namespace rw::speech {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto look_up = milliseconds(200);  ///< how often the wish to cancel is looked at
constexpr std::size_t most_errors = 2000;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

struct Pipe {
  Descriptor reads, writes;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// For the child's input: what is written to a socket that nobody reads any more is an error, and no signal.
std::optional<Pipe> make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return std::nullopt;
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// posix_spawn's two descriptions of what the child is like.
class SpawnRecipe {
 public:
  SpawnRecipe() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnRecipe() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnRecipe(const SpawnRecipe&) = delete;
  SpawnRecipe& operator=(const SpawnRecipe&) = delete;

  int spawn(pid_t& pid, const std::vector<std::string>& command, int input, int output, int errors) {
    // The descriptors are above 2: the server has its own standard ones open.
    ::posix_spawn_file_actions_adddup2(&actions_, input, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 1);
    ::posix_spawn_file_actions_adddup2(&actions_, errors, 2);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::vector<std::string> words = command;
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const char* path = std::getenv("PATH");
    std::string path_setting = std::string("PATH=") + (path == nullptr ? "/usr/bin:/bin" : path);
    std::string language_setting = "LC_ALL=C.UTF-8";
    std::array<char*, 3> environment{path_setting.data(), language_setting.data(), nullptr};
    return ::posix_spawnp(&pid, words.front().c_str(), &actions_, &attributes_, arguments.data(), environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

class Child {
 public:
  explicit Child(const ChildRequest& request)
      : request_(request), left_(request.input), deadline_(steady_clock::now() + request.timeout) {}
  ~Child() {
    if (pid_ > 0) end();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<ChildExit> run() {
    if (auto started = start(); !started) return tl::unexpected(started.error());
    while (output_.get() >= 0 || errors_.get() >= 0) {
      if (auto moved = move(); !moved) return tl::unexpected(moved.error());
      if (!result_.complete) {
        end();
        return std::move(result_);
      }
    }
    return wait();
  }

 private:
  Result<void> start() {
    auto input = make_socket_pair(), output = make_pipe(), errors = make_pipe();
    if (!input || !output || !errors) return fail("no pipe: " + std::string(std::strerror(errno)));
    SpawnRecipe recipe;
    const int problem =
        recipe.spawn(pid_, request_.command, input->reads.get(), output->writes.get(), errors->writes.get());
    if (problem != 0) {
      pid_ = 0;
      return fail(request_.command.front() + " can't be started: " + std::strerror(problem));
    }
    input_ = std::move(input->writes);
    output_ = std::move(output->reads);
    errors_ = std::move(errors->reads);
    for (const auto* one : {&input_, &output_, &errors_}) ::fcntl(one->get(), F_SETFL, O_NONBLOCK);
    if (left_.empty()) input_.close();
    return {};
  }

  /// Waits until something can be read or written, and does it.
  Result<void> move() {
    const auto now = steady_clock::now();
    if (now >= deadline_) return fail(name() + " took longer than " + std::to_string(request_.timeout.count()) + " ms");
    if (request_.cancel != nullptr && request_.cancel->load(std::memory_order_relaxed))
      return fail(name() + " was given up");
    std::array<pollfd, 3> all{pollfd{input_.get(), POLLOUT, 0}, pollfd{output_.get(), POLLIN, 0},
                              pollfd{errors_.get(), POLLIN, 0}};
    const auto patience = std::min(look_up, std::chrono::ceil<milliseconds>(deadline_ - now));
    if (::poll(all.data(), all.size(), static_cast<int>(patience.count())) < 0 && errno != EINTR)
      return fail("poll: " + std::string(std::strerror(errno)));
    if (all[0].revents != 0) write();
    if (all[2].revents != 0) read_errors();
    return all[1].revents != 0 ? read() : Result<void>{};
  }

  /// A child that stops reading is no error: it may have enough.
  void write() {
    const auto written = ::send(input_.get(), left_.data(), left_.size(), MSG_NOSIGNAL);
    if (written > 0) left_.remove_prefix(static_cast<std::size_t>(written));
    if (left_.empty() || (written < 0 && errno != EAGAIN && errno != EINTR)) input_.close();
  }

  Result<void> read() {
    std::array<char, 32 * 1024> buffer;
    const auto got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got <= 0) {
      output_.close();
      return {};
    }
    received_ += static_cast<std::uint64_t>(got);
    if (received_ > request_.most_output)
      return fail(name() + " wrote more than " + std::to_string(request_.most_output) + " bytes");
    result_.complete = request_.take(std::span<const char>(buffer).first(static_cast<std::size_t>(got)));
    return {};
  }

  void read_errors() {
    std::array<char, 1024> buffer;
    const auto got = ::read(errors_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      errors_.close();
      return;
    }
    const auto room = most_errors - std::min(most_errors, result_.errors.size());
    result_.errors.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
  }

  /// It has closed its outputs, so it is about to end.
  Result<ChildExit> wait() {
    for (;;) {
      int status = 0;
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        pid_ = 0;
        result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return std::move(result_);
      }
      if (ended < 0 && errno != EINTR) return fail("waitpid: " + std::string(std::strerror(errno)));
      if (steady_clock::now() >= deadline_) return fail(name() + " does not end");
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  void end() {
    ::kill(-pid_, SIGKILL);  // its group
    ::kill(pid_, SIGKILL);   // in case it has no group yet
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }

  const std::string& name() const { return request_.command.front(); }

  const ChildRequest& request_;
  std::string_view left_;
  steady_clock::time_point deadline_;
  pid_t pid_ = 0;
  Descriptor input_, output_, errors_;
  std::uint64_t received_ = 0;
  ChildExit result_;
};

}  // namespace

Result<ChildExit> run_child(const ChildRequest& request) {
  return Child(request).run();
}

bool is_installed(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "/usr/bin:/bin" : path;
  while (!folders.empty()) {
    const auto end = std::min(folders.find(':'), folders.size());
    if (end > 0 && ::access((std::string(folders.substr(0, end)) + "/" + program).c_str(), X_OK) == 0) return true;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return false;
}

}  // namespace rw::speech
