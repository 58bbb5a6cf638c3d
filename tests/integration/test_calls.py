"""Calls that ring somebody: what the callee, the caller and the application see of it."""

import pytest
from support.rtp_peer import sine


def test_two_phones_hear_each_other(connected, application):
    caller, callee = connected()
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.keep_speaking(sine(900, 1))
    callee.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)
    answered = application.wait_for("callAnswered").body
    session = application.wait_for("newCall").body
    assert answered["callingPartyNumber"] == "alice" and answered["remotePartyNumber"] == "bob"
    assert answered["callerParticipantId"] == session["participantId"]
    assert answered["sessionId"] == session["sessionId"]
    ringing = application.wait_for("callNotify").body
    assert ringing["event"] == "ringing" and ringing["participantId"] == answered["calleeParticipantId"]
    caller.hang_up()
    event = application.wait_for("callEvent").body
    assert event["event"] == "callingPartyDrop"
    assert event["participantId"] == answered["callerParticipantId"]
    assert event["remoteParticipantId"] == answered["calleeParticipantId"]
    assert event["connectionId"] == answered["connectionId"]
    callee.wait_request("BYE")
    application.completed("normal")
    assert len(application.events("callAnswered")) == len(application.events("callEvent")) == 1


def test_the_callee_hangs_up(connected, application):
    caller, callee = connected()
    callee.hang_up()
    assert application.wait_for("callEvent").body["event"] == "calledPartyDrop"
    caller.wait_request("BYE")
    application.completed("normal")


@pytest.mark.parametrize("reply, rings", [({}, True), ({"ringbackTone": "silent"}, False)])
def test_the_caller_hears_that_it_rings(phone, called_phone, application, reply, rings, calls):
    callee = called_phone(pick_up=False)
    application.replies["newCall"] = calls(callee, **reply)
    caller = phone()
    caller.invite()
    while (progress := caller.wait_response()).status != 183:
        assert progress.status < 200
    caller.follow(progress)
    if rings:
        caller.rtp.wait_for_tone(425)
    else:
        caller.rtp.wait_for_silence()
    callee.wait_request("INVITE")
    callee.answer()
    assert caller.wait_final().status == 200
    caller.ack()
    application.wait_for("callAnswered")
    caller.rtp.wait_for_silence()
    caller.rtp.check_continuity()
    caller.hang_up()
    application.completed("normal")


def test_the_other_side_makes_the_tone(phone, called_phone, application, calls):
    callee = called_phone(pick_up=False)
    application.replies["newCall"] = calls(callee, ringbackTone="remoteGenerated")
    caller = phone()
    caller.invite()
    while (progress := caller.wait_response()).status == 100:
        pass
    assert progress.status == 180 and not progress.body
    callee.wait_request("INVITE")
    callee.answer()
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


def test_early_media_replaces_the_tone(phone, called_phone, application, calls):
    callee = called_phone(pick_up=False, rings=False)
    application.replies["newCall"] = calls(callee)
    caller = phone()
    caller.invite()
    while (progress := caller.wait_response()).status != 183:
        assert progress.status < 200
    caller.follow(progress)
    callee.wait_request("INVITE")
    callee.progress(183, callee.sdp())
    callee.rtp.keep_speaking(sine(900, 1))
    caller.rtp.wait_for_tone(900)
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    callee.wait_request("CANCEL")
    application.completed("cancelled")


def test_the_caller_gives_up_while_it_rings(ringing, application):
    caller, callee = ringing(rings=True)
    application.wait_for("callNotify")
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    callee.wait_request("CANCEL")
    application.completed("cancelled")
    assert not application.events("callEvent")


@pytest.mark.parametrize("status, reply, seen", [(486, {"action": "drop", "dropCode": "busy"}, 486), (503, {"action": "drop"}, 603),
                                                 (404, {"action": "drop", "dropCode": "numberNotFound"}, 404)])
def test_a_callee_that_refuses(ringing, application, status, reply, seen):
    application.replies.update(callEvent=reply)
    caller, callee = ringing()
    callee.refuse(status, extra='Reason: Q.850;cause=17;text="User busy"\r\n')
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyFailure" and event["sipResponseCode"] == status
    assert event["sipReason"].startswith("Q.850;cause=17")
    assert caller.wait_final().status == seen
    caller.ack_refusal()
    application.completed("rejected")


def test_nobody_answers_in_time(phone, called_phone, application, calls):
    callee = called_phone(pick_up=False)
    application.replies.update(newCall=calls(callee, maxRingTime=0.3), callEvent={"action": "drop", "dropCode": "temporarilyUnavailable"})
    caller = phone()
    assert caller.refused().status == 480
    callee.wait_request("CANCEL")
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyFailure" and event["sipResponseCode"] == 408
    application.completed("rejected")


def test_a_failed_call_may_go_to_the_ivr_instead(ringing, application):
    application.replies.update(callEvent={"action": "ivr"},
                               getIvrCommand={"phrases": [{"format": "file", "fileName": "a.wav"}], "hangup": True})
    caller, callee = ringing()
    callee.refuse(486)
    caller.follow(caller.wait_final())
    caller.ack()
    caller.rtp.wait_for_tone(500)
    caller.wait_request("BYE")
    application.completed("normal")


def test_hunting_tries_one_after_the_other(phone, called_phone, application, calls):
    first, second, third = (called_phone(pick_up=False, rings=False) for _ in range(3))
    application.replies["newCall"] = calls(first, second, third)
    caller = phone()
    caller.invite()
    first.wait_request("INVITE")
    first.refuse(503)
    second.wait_request("INVITE")
    assert third.invite_request is None
    second.answer()
    caller.follow(caller.wait_final())
    caller.ack()
    second.wait_request("ACK")
    application.wait_for("callAnswered")
    caller.hang_up()
    second.wait_request("BYE")
    application.completed("normal")
    assert third.invite_request is None


def test_busy_ends_the_hunt(phone, called_phone, application, calls):
    first, second = called_phone(pick_up=False), called_phone(pick_up=False)
    application.replies["newCall"] = calls(first, second)
    caller = phone()
    caller.invite()
    first.wait_request("INVITE")
    first.refuse(486)
    assert application.wait_for("callEvent").body["sipResponseCode"] == 486
    assert caller.wait_final().status == 603
    caller.ack_refusal()
    application.completed("rejected")
    assert second.invite_request is None


@pytest.mark.short
@pytest.mark.parametrize("status, reason", [(486, "busy"), (600, "declined"), (603, "declined")])
def test_first_this_phone_then_that_one_though_the_first_is_busy(phone, called_phone, application, calls, status, reason):
    first, second = called_phone(pick_up=False, rings=False), called_phone()
    application.replies["newCall"] = calls(first, second, continueOn=[reason])
    caller = phone()
    caller.invite()
    first.wait_request("INVITE")
    first.refuse(status)
    caller.follow(caller.wait_final())
    caller.ack()
    caller.rtp.keep_speaking(sine(500, 1))
    second.rtp.wait_for_tone(500)
    caller.hang_up()
    second.wait_request("BYE")
    application.completed("normal")


def test_what_a_hunt_does_not_go_on_past_is_told(phone, called_phone, application, calls):
    first, second = called_phone(pick_up=False, rings=False), called_phone()
    application.replies["newCall"] = calls(first, second, continueOn=["declined"])
    caller = phone()
    caller.invite()
    first.wait_request("INVITE")
    first.refuse(486)
    assert application.wait_for("callEvent").body["sipResponseCode"] == 486
    assert caller.wait_final().status == 603
    caller.ack_refusal()
    application.completed("rejected")
    assert second.invite_request is None


def test_in_parallel_the_first_to_answer_is_kept(phone, called_phone, application, calls):
    first, second = called_phone(pick_up=False), called_phone(pick_up=False)
    application.replies["newCall"] = calls(first, second, strategy="parallel")
    caller = phone()
    caller.invite()
    first.wait_request("INVITE")
    second.wait_request("INVITE")
    second.answer()
    first.wait_request("CANCEL")
    caller.follow(caller.wait_final())
    caller.ack()
    caller.rtp.keep_speaking(sine(500, 1))
    second.rtp.wait_for_tone(500)
    caller.hang_up()
    second.wait_request("BYE")
    application.completed("normal")
    assert len(application.events("callAnswered")) == 1


def test_members_of_one_destination_go_before_those_of_all(phone, called_phone, application, calls):
    first, second = called_phone(pick_up=False, rings=False), called_phone()
    reply = calls(first, displayName="All", xHeaders={"X-All": "1"})
    reply["destAddr"] = [{"uri": first.uri, "displayName": "One"}, {"destAddr": second.uri, "sipFrom": "777", "xHeaders": {"X-All": ["2", "3"]}}]
    application.replies["newCall"] = reply
    caller = phone()
    caller.invite()
    invite = first.wait_request("INVITE")
    assert '"One"' in invite.header("From") or invite.header("From").startswith("One ")
    assert invite.all("X-All") == ["1"]
    first.refuse(404)
    invite = second.wait_request("INVITE")
    assert "<sip:777@" in invite.header("From") and invite.all("X-All") == ["2", "3"]
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("name", ["destAddr", "uri", "address"])
def test_an_address_has_three_names(phone, called_phone, application, name):
    callee = called_phone()
    application.replies["newCall"] = {"action": "call", "destAddr": [{name: callee.uri, "displayName": "Front Desk"}]}
    caller = phone()
    caller.call()
    assert "Front Desk" in callee.wait_request("INVITE").header("From")
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


def test_identities_of_the_new_leg(phone, called_phone, application, calls):
    callee = called_phone()
    application.replies["newCall"] = calls(callee, sipTo="reception", sipPAI="sip:+4685010@carrier.example", sipRPID="200", copyHeaders=["P-Asserted-Identity"])
    caller = phone()
    caller.call(extra="P-Asserted-Identity: <sip:999@caller.example>\r\n")
    invite = callee.wait_request("INVITE")
    assert invite.header("To").partition(">;tag=")[0].rstrip(">") == f"<sip:reception@127.0.0.1:{callee.port}"
    assert invite.start.split()[1].startswith(callee.uri)
    assert invite.all("P-Asserted-Identity") == ["<sip:+4685010@carrier.example>"]
    assert invite.header("Remote-Party-ID") == "<sip:200@demo.example>"
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("trusted", [False, True])
def test_who_wants_to_stay_unknown_is_known_to_a_trusted_trunk(own_server, called_phone, application, trusted):
    application.replies["getIvrCommand"] = {"hangup": True}
    server = own_server(trunks=[{"name": "out", "proxy": "sip:127.0.0.1:9;transport=udp", "hosts": ["carrier.example"], "trusted": trusted}])
    callee = called_phone(server)
    server.stop_and_change(lambda text: text.replace("127.0.0.1:9;", f"127.0.0.1:{callee.port};"))
    callee.server_address = server.sip_udp
    placed = server.post("placeivrcall", {"destAddr": "sip:bob@carrier.example", "sipPAI": "300", "sipRPID": "400", "callerPrivacy": True})
    assert placed.status == 200
    invite = callee.wait_request("INVITE")
    assert "anonymous.invalid" in invite.header("From")
    assert invite.all("P-Asserted-Identity") == (["<sip:300@demo.example>"] if trusted else [])
    assert invite.all("Remote-Party-ID") == (["<sip:400@demo.example>"] if trusted else [])
    callee.wait_request("BYE")
    application.completed("normal")


def test_headers_of_the_new_leg(phone, called_phone, application, calls):
    callee = called_phone()
    application.replies["newCall"] = calls(callee, sipFrom="123", displayName="Front Desk", sipDiversion="555", sipDiversionParameters={"reason": "no-answer"},
                                           pHeaders={"P-Charge": "me"}, copyHeaders=["X-Copied"], contactParameters={"line": "7"},
                                           contactUserParameters={"tgrp": "a"})
    caller = phone()
    caller.invite(extra="X-Copied: yes\r\nX-Kept: no\r\n")
    invite = callee.wait_request("INVITE")
    assert "Front Desk" in invite.header("From") and "<sip:123@" in invite.header("From")
    assert "555" in invite.header("Diversion") and "reason=no-answer" in invite.header("Diversion")
    assert invite.header("P-Charge") == "me"
    assert invite.header("X-Copied") == "yes" and invite.header("X-Kept") is None
    assert ";line=7" in invite.header("Contact") and ";tgrp=a@" in invite.header("Contact")
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


def test_a_caller_who_wants_to_stay_unknown(phone, called_phone, application, calls):
    callee = called_phone()
    application.replies["newCall"] = calls(callee, callerPrivacy=True)
    caller = phone()
    caller.invite()
    invite = callee.wait_request("INVITE")
    assert "sip:anonymous@anonymous.invalid" in invite.header("From")
    assert invite.header("Privacy") == "id"
    assert "alice" not in "".join(value for _, value in invite.headers)
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("mode", ["calleeFirst", "callerFirst", "simultaneous"])
def test_a_greeting_before_the_two_are_joined(phone, called_phone, application, calls, mode):
    callee = called_phone()
    greeting = {"playMode": mode, "caller": {"phrases": [{"format": "file", "fileName": "a.wav"}]},
                "callee": {"phrases": [{"format": "file", "fileName": "b.wav"}]}}
    application.replies["newCall"] = calls(callee, greeting=greeting)
    caller = phone()
    caller.invite()
    caller.follow(caller.wait_final())
    caller.ack()
    caller.rtp.keep_speaking(sine(700, 1))
    callee.rtp.wait_for_tone(700)
    own, other = caller.rtp.packets_with_tone(500), callee.rtp.packets_with_tone(900)
    assert len(own) == len(other) == 30, "0.6 s each"
    if mode == "calleeFirst":
        assert other[-1].at < own[0].at
    elif mode == "callerFirst":
        assert own[-1].at < other[0].at
    else:
        assert own[0].at < other[-1].at and other[0].at < own[-1].at
    joined = callee.rtp.packets_with_tone(700)[0].at
    assert joined > own[-1].at and joined > other[-1].at
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


def test_an_address_that_is_none(phone, application):
    application.replies["newCall"] = {"action": "call", "destAddr": "http://nowhere"}
    phone().refused()
    application.wait_alarm("Invalid sip address: http://nowhere")
    application.completed("error")


def test_a_callee_with_an_unusable_description(ringing, application):
    caller, callee = ringing(rings=True)
    callee.answer(sdp=callee.sdp(codecs=(18,)))
    callee.wait_request("BYE")
    application.wait_alarm("invalidSdp")
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyFailure" and event["sipResponseCode"] == 488
    assert caller.wait_final().status == 603
    caller.ack_refusal()
    application.completed("rejected")


def test_cancel_crosses_the_answer(ringing, application):
    """The callee answers although a CANCEL has been sent: its call is ended with BYE."""
    caller, callee = ringing(rings=True)
    callee.state = "answering"  # so that it does not answer the CANCEL by itself
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    cancel = callee.wait_request("CANCEL")
    callee.respond(cancel, 200)
    callee.answer()
    callee.wait_request("ACK")
    callee.wait_request("BYE")
    application.completed("cancelled")
