#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <variant>

#include "base/reply_token.h"
#include "call/remote_call_order.h"

/// What the REST resources ask of running calls. The resources have checked the caller's rights, the replyId's
/// signature and domain, and the types of the members; whether the thing exists and is in the right state is for the
/// call layer to say.
namespace rw::api {

struct InterruptIvrCommand {
  ReplySubject subject;
  std::string session_id;  ///< as given in the body, or empty
};
struct HangUpParticipant {
  ReplySubject subject;
  std::string participant_id;  ///< as given in the body; empty: the subject's
  std::string session_id;
};
struct HangUpRemoteParticipant {
  ReplySubject subject;
  std::string participant_id;  ///< whose remote party; empty: the subject's
};
/// Ends the whole session.
struct HangUpCall {
  ReplySubject subject;
};
struct SplitConnection {
  ReplySubject subject;
  std::string connection_id;  ///< empty: the subject's
};
struct StartRecording {
  ReplySubject subject;
  std::string connection_id;  ///< empty: the subject's
  std::string file_name;      ///< a usable one, or empty: one is made
};
struct StopRecording {
  ReplySubject subject;
  std::string connection_id;  ///< empty: the subject's
};
struct PlaceIvrCall {
  call::PlacedCallOrder order;
};
struct PlaceRemoteCall {
  call::RemoteCallOrder order;
};
struct AnswerRemoteCall {
  ReplySubject subject;
  sdp::DeviceAudio audio;
  std::optional<boost::json::value> session_reference;
};
struct SendRemoteCallRingback {
  ReplySubject subject;
};
using CallCommand = std::variant<InterruptIvrCommand, HangUpParticipant, HangUpRemoteParticipant, HangUpCall,
                                 SplitConnection, StartRecording, StopRecording, PlaceIvrCall, PlaceRemoteCall,
                                 AnswerRemoteCall, SendRemoteCallRingback>;

/// `status` 200: done, `extra` are members beside `success`. Otherwise the error body's code and sentence.
struct CommandResult {
  int status = 200;
  std::string error;
  std::string reason;
  int retry_after = 0;  ///< seconds, for 429 and 503; 0: the usual ones
  boost::json::object extra = {};
};

class CallControl {
 public:
  virtual ~CallControl() = default;
  using Done = std::function<void(CommandResult)>;
  /// Called on the HTTP server's thread, which it must not block. `done` is called exactly once, on any thread.
  virtual void execute(CallCommand command, Done done) = 0;
};

}  // namespace rw::api
