#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <variant>

/// What the REST resources ask of running calls. The resources have checked the caller's rights, the replyId's
/// signature and domain, and the types of the members; whether the thing exists and is in the right state is for the
/// call layer to say.
namespace rw::api {

/// The claims of a replyId (see reply_token.h) that say what a command is about.
struct Subject {
  std::string domain;
  std::string node;
  std::string session;
  std::string participant;  ///< or empty
  std::string connection;   ///< or empty
  std::string command;      ///< the IVR command, or empty
};

struct InterruptIvrCommand {
  Subject subject;
  std::string session_id;  ///< as given in the body, or empty
};
struct HangUpParticipant {
  Subject subject;
  std::string participant_id;  ///< as given in the body; empty: the subject's
  std::string session_id;
};
using CallCommand = std::variant<InterruptIvrCommand, HangUpParticipant>;

/// `status` 200: done, `extra` are members beside `success`. Otherwise the error body's code and sentence.
struct CommandResult {
  int status = 200;
  std::string error;
  std::string reason;
  boost::json::object extra;
};

class CallControl {
 public:
  virtual ~CallControl() = default;
  using Done = std::function<void(CommandResult)>;
  /// `done` is called exactly once, on any thread.
  virtual void execute(CallCommand command, Done done) = 0;
};

}  // namespace rw::api
