#include "call/device_media.h"
#include "call/participant.h"
#include "media/codec.h"

/// What a participant tells the application.
namespace rw::call {

namespace {

/// Where a device has to send.
void add_media(boost::json::object& body, const sdp::RemoteAudio& remote) {
  add_remote_audio(body, remote);
  body["remoteRtpPort"] = std::to_string(remote.receive.port());
}

}  // namespace

PhraseContext Participant::phrase_context() const {
  return {session_.domain(), application().service->tone_plan};
}

ReplySubject Participant::reply_subject() const {
  ReplySubject subject;
  subject.domain = session_.domain();
  subject.node = services_.settings.node_id;
  subject.session = session_.id();
  subject.participant = id_;
  subject.connection = connection_id_;
  return subject;
}

RecordingOrder Participant::connection_recording(const std::string& file_name, rtp::Codec peer) {
  RecordingOrder order;
  order.application = application();
  order.file_name = file_name;
  if (file_name.empty()) {
    order.file_name = session_.id() + "-" + connection_id_;
    if (++recordings_ > 1) order.file_name += "-" + std::to_string(recordings_);
  }
  order.file_name = with_extension(std::move(order.file_name));
  order.wideband = media::is_wideband(codec()) || media::is_wideband(peer);
  order.members = {{"sessionId", session_.id()},
                   {"connectionId", connection_id_},
                   {"domain", session_.domain()},
                   {"ivrServer", services_.settings.node_address}};
  return order;
}

RecordingOrder Participant::file_recording(const std::string& file_name, bool tell) {
  RecordingOrder order;
  order.kind = RecordingOrder::Kind::phrase;
  order.application = application();
  order.tell = tell;
  order.file_name = with_extension(file_name);
  order.two_channels = false;
  order.wideband = media::is_wideband(codec());
  order.members = session_.callback_members();
  order.members["replyId"] = services_.tokens.issue(reply_subject());
  order.members["participantId"] = id_;
  order.members["domain"] = session_.domain();
  order.members["ivrServer"] = services_.settings.node_address;
  return order;
}

void Participant::alarm(std::string_view type, std::string_view error, boost::json::object details) {
  session_.alarm(type, error, std::move(details));
}

void Participant::connected_to_ivr(const std::string& ivr) {
  PartyFacts facts_of_ivr;
  facts_of_ivr.address.participant = ivr;
  facts_of_ivr.user = remote_user_;
  set_connection(services_.ids.uuid(), ivr, {});
  // Who wanted to get away from the IVR, and is there again, has not been transferred.
  tell_referrer(refers_itself() ? 603 : 200);
  if (is_inbound()) {
    notify_answered(facts(), facts_of_ivr);
  } else {
    notify_answered(facts_of_ivr, facts());
  }
}

void Participant::notify_answered(const PartyFacts& calling, const PartyFacts& called) {
  auto body = session_.callback_members();
  body["domain"] = session_.domain();
  body["callingPartyNumber"] = calling.user;
  body["remotePartyNumber"] = called.user;
  body["callerParticipantId"] = calling.address.participant;
  body["calleeParticipantId"] = called.address.participant;
  body["connectionId"] = connection_id_;
  body["monitoringParticipant"] = is_monitor();
  if (calling.expires != 0) body["callingPartyExpires"] = calling.expires;
  if (called.expires != 0) body["calledPartyExpires"] = called.expires;
  body["replyId"] = services_.tokens.issue(reply_subject());
  for (const auto* party : {&calling, &called}) {
    if (party->for_device) add_media(body, *party->for_device);
  }
  services_.application.notify(application(), "callAnswered", std::move(body));
  session_.log().info("answered", {{"participantId", id_}, {"codec", rtp::facts(media_.codec()).name}});
}

void Participant::notify_change(std::string_view event, const Change& change) {
  auto body = session_.callback_members();
  body["domain"] = session_.domain();
  body["event"] = event;
  body["monitoringParticipant"] = is_monitor();
  body["participantId"] = id_;
  body["user"] = user_;
  body["remoteUser"] = remote_user_;
  if (!remote_id_.empty()) body["remoteParticipantId"] = remote_id_;
  body["sipCallId"] = call_id_;
  body["ivrServer"] = services_.settings.node_address;
  body["replyId"] = services_.tokens.issue(reply_subject());
  if (change.changed) body["changed"] = *change.changed;
  if (change.hold) body["hold"] = *change.hold;
  if (change.media != nullptr) add_media(body, *change.media);
  services_.application.notify(application(), "callNotify", std::move(body));
}

}  // namespace rw::call
