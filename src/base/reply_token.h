#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rw {

/// What a replyId stands for. Members that do not apply are empty.
struct ReplySubject {
  std::string domain;
  std::string node;
  std::string session;
  std::string participant;
  std::string connection;
  std::string command;  ///< one getIvrCommand
};

/// Makes and checks replyIds: compact JWTs signed with HS256, so that any node with the same secret can read them.
/// Thread-safe.
class ReplyTokens {
 public:
  explicit ReplyTokens(std::string secret) : secret_(std::move(secret)) {}

  std::string issue(const ReplySubject& subject) const;
  /// The error says what is wrong with it; never why a signature is.
  Result<ReplySubject> verify(std::string_view token) const;
  /// A key for another purpose, which `purpose` names: 43 characters. The secret can't be told from it.
  std::string derive_key(std::string_view purpose) const;

 private:
  std::string secret_;
};

}  // namespace rw
