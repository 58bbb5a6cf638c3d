#include "call/placed_remote_call.h"

#include <utility>

#include "call/participant.h"
#include "call/remote.h"

namespace rw::call {

Result<void> PlacedRemoteCall::describe(const std::string& sdp) {
  auto remote = negotiator_.accept(sdp);
  if (!remote) return tl::unexpected(remote.error());
  remote_ = std::move(*remote);
  return {};
}

bool PlacedRemoteCall::offer_received(const sip::OfferReceived& offer) {  // by UPDATE, in an early dialog
  if (auto answer = negotiator_.answer(offer.sdp)) {
    participant().answer_offer(answer->sdp);
    const auto before = std::exchange(remote_, std::move(answer->remote));
    participant().notify_change("update", {.changed = before != remote_, .hold = remote_->held, .media = &*remote_});
  } else {
    participant().refuse_offer(answer.error());
  }
  return true;
}

void PlacedRemoteCall::taken() {
  participant().change(
      std::make_unique<Remote>(services(), participant(), Remote::Start{std::move(negotiator_), std::move(remote_)}));
}

}  // namespace rw::call
