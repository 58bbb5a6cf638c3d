#pragma once

#include "call/ringing.h"

namespace rw::call {

/// The activity of a leg that the API has placed (placeivrcall): when it is answered it talks to the IVR; if it is not,
/// the application is told (calledPartyFailure), whose answer changes nothing.
class PlacedCall : public Ringing {
 public:
  using Ringing::Ringing;

 private:
  void taken() override;
  void failed(const End& end) override;
};

}  // namespace rw::call
