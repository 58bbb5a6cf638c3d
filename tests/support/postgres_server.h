#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace rw::testing_support {

/// A PostgreSQL server that support/postgres.py starts, and that ends with the test program.
class PostgresServer {
 public:
  static PostgresServer& shared() {
    static PostgresServer server;
    return server;
  }
  const std::string& url() const { return url_; }

  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

 private:
  PostgresServer() {
    std::array<int, 2> in{}, out{};
    if (pipe(in.data()) != 0 || pipe(out.data()) != 0) throw std::runtime_error("no pipe");
    child_ = fork();
    if (child_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) close(fd);
      if (chdir(RW_TEST_DATA "/..") == 0) execl("/usr/bin/python3", "python3", "-m", "support.postgres", nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    // The whole line, though only its first word is wanted: whoever writes the rest must not find nobody there.
    char byte = 0;
    while (read(out[0], &byte, 1) == 1 && byte != '\n') url_ += byte;
    url_.resize(std::min(url_.size(), url_.find(' ')));
    close(out[0]);
    if (!url_.starts_with("postgresql://")) throw std::runtime_error("PostgreSQL does not start");
  }
  ~PostgresServer() {
    close(input_);
    waitpid(child_, nullptr, 0);
  }

  pid_t child_ = -1;
  int input_ = -1;
  std::string url_;
};

}  // namespace rw::testing_support
