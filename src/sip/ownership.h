#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace rw::sip {

/// Tells whose a message is where several processes serve one address, because one has taken over the sockets of an
/// earlier one that still has calls. Each process marks all tags, branches and Call-IDs that it makes: "s0.5f0c." is
/// shard 0 of the process "5f0c". What has no mark yet is told by the server transactions that an earlier process had
/// when it handed over. Not thread-safe.
class Ownership {
 public:
  /// `mark`: of this process.
  explicit Ownership(std::string mark) : mark_(std::move(mark)) {}

  /// Those whose sockets this process has taken over, and UserAgent::server_transactions() of theirs.
  void add_earlier(const std::vector<std::string>& marks, const std::vector<std::string>& transactions);
  /// This process takes no new requests any more: what belongs to these is still its own.
  void set_own(const std::vector<std::string>& transactions);
  const std::unordered_set<std::string>& earlier_transactions() const { return earlier_transactions_; }

  enum class Owner : std::uint8_t {
    us,
    earlier,
    later,   ///< a process that we don't know: one that has taken over from us
    nobody,  ///< a request that begins something new, or what can't be read
  };
  Owner of(std::string_view message) const;

 private:
  Owner of_tag(std::string_view tag) const;

  const std::string mark_;
  std::unordered_set<std::string> earlier_, earlier_transactions_, own_transactions_;
};

}  // namespace rw::sip
