#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "call/services.h"
#include "sdp/device.h"
#include "sdp/negotiator.h"

namespace rw::call {

/// The media of one leg: keeps the media engine's leg in step with what offer and answer settle (RFC 3264).
class LegMedia {
 public:
  /// Events of the media leg are for `owner`.
  LegMedia(Services& services, Participant& owner) : services_(services), owner_(owner) {}
  ~LegMedia() { release(); }
  LegMedia(const LegMedia&) = delete;
  LegMedia& operator=(const LegMedia&) = delete;

  /// Whether `offer` can be served; the error says why not. Takes nothing.
  sdp::Outcome<void> check(const std::string& offer) const;
  /// Descriptions of somebody else's media are exchanged in the leg's dialog: what numbers they use is remembered.
  void learn(const std::string& offer);

  /// Our answer to `offer`, in force from start() on; with an empty one our own offer, to be settled by complete().
  /// Opens the engine's leg when it is first needed. An error changes nothing.
  sdp::Outcome<std::string> prepare(const std::string& offer);
  /// What has been settled is in force: the stream begins.
  void start();
  /// prepare() and start().
  sdp::Outcome<std::string> respond(const std::string& offer);

  /// Our offer for a leg that is to be placed. Prefers the codec of `like`, and the worker of its leg, because the two
  /// will be joined; null: there is none such.
  Result<std::string> offer(const LegMedia* like);
  /// The answer to our offer: in force at once.
  sdp::Outcome<void> complete(const std::string& answer);

  /// Media for a device that has said where it receives: in force at once. No session description is exchanged. The
  /// error says why it can't be.
  Result<void> connect(const sdp::DeviceAudio& device, const LegMedia* like);
  /// Where we receive, once it is open.
  const net::Address& address() const { return address_; }

  /// Sound goes there for `time` from now on, unless something shows that the other side is there: confirm(), or RTP.
  void expect_confirmation(std::chrono::milliseconds time);
  void confirm();
  /// The call is answered: the absence of RTP counts from now on.
  void start_timeout_watch();
  void release();

  bool is_open() const { return leg_ != 0; }
  media::LegId leg() const { return leg_; }
  rtp::Codec codec() const { return codec_; }
  /// The other side wants to hear nothing.
  bool held() const { return held_; }
  /// The last offer and answer have settled something else than those before.
  bool changed() const { return changed_; }

 private:
  Result<void> open(const LegMedia* like);
  /// Whether sound may be sent to an address that the other side has named. One where nobody listens is none.
  bool may_send_to(const net::Address& named) const;
  void refused(const net::Address& target);
  /// `allowed`: it may be sent to the agreement's address. If not, only whom the media engine latches gets any.
  void apply(const sdp::Agreement& agreement, bool allowed);

  Services& services_;
  Participant& owner_;
  media::LegId leg_ = 0;
  std::shared_ptr<sdp::PayloadTypes> payload_types_ = std::make_shared<sdp::PayloadTypes>();  ///< of the dialog
  std::optional<sdp::Negotiator> negotiator_;
  std::optional<sdp::Agreement> settled_;  ///< not in force yet
  std::optional<sdp::Agreement> in_force_;
  bool changed_ = false;
  bool told_of_target_ = false;
  net::Address address_;
  rtp::Codec codec_ = rtp::Codec::pcma;
  bool held_ = false;
};

}  // namespace rw::call
