#pragma once

#include <string>
#include <string_view>

#include "call/activity.h"
#include "call/services.h"

namespace rw::call {

class Participant;

/// The participant waits to be joined with another one, which the application has named (`connect`). If that can't be,
/// there is an alarm, and the call ends.
class Connecting final : public Activity {
 public:
  struct Order {
    std::string target;                           ///< participant
    bool takes_place = false;                     ///< of the target in its connection, rather than being joined with it
    std::string_view alarm_type, alarm_error;     ///< in the words of the question that this is the answer to
    std::optional<RecordingWish> recording = {};  ///< of the connection
  };
  Connecting(Services& services, Participant& participant, Order order);

  std::string_view name() const override { return "Connecting"; }
  void begin() override;
  void stop(const End* end) override;
  void message(const Letter& letter) override;
  bool awaits(const Letter& letter) const override;
  bool may_be_connected(const PartyAddress& by) const override { return by.participant == order_.target; }

 private:
  void failed(const std::string& why);

  Services& services_;
  Participant& participant_;
  const Order order_;
  const std::string connection_;
  bool held_ = false;  ///< as the other party has been told
  Timer patience_;
};

}  // namespace rw::call
