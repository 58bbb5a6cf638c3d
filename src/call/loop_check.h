#pragma once

#include <string>
#include <string_view>

#include "base/reply_token.h"
#include "net/address.h"
#include "sip/message.h"
#include "sip/user_agent.h"
#include "tenant/directory.h"

namespace rw::call {

/// Keeps a call from going round: what we place for a caller has one hop less than the caller had (RFC 7332), and a
/// mark for each number of ours that the call has been to. Immutable.
class LoopCheck {
 public:
  static constexpr std::string_view header = "Loop-Mark";
  static constexpr int usual_hops = 70;  ///< RFC 3261 8.1.1.6; also the most that are believed

  /// Marks that are made from the same secret know each other, on whichever node they were made.
  explicit LoopCheck(const ReplyTokens& tokens) : key_(tokens.derive_key("marks of calls")) {}

  /// 483 if no hop is left; 482 if the call has been to the number that it calls. A number that it has not been to is
  /// none: that is a spiral (RFC 3261 16.3). `source`: where the INVITE comes from.
  sip::Admission decide(const tenant::Directory& directory, const sip::Message& invite,
                        const net::Address& source) const;
  /// The value of the header for what is placed for the caller: the marks that came, and one of this number.
  std::string marks(const sip::Message& invite, std::string_view domain, std::string_view number) const;

  /// How many hops are left to an INVITE; without Max-Forwards, or with one that is no number, the usual ones.
  static int hops_left(const sip::Message& invite);

 private:
  std::string mark(std::string_view domain, std::string_view number) const;

  std::string key_;
};

}  // namespace rw::call
