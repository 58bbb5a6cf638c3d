"""From the menu to somebody else, and back: `action` in a command, splitconnection, the IVR as a participant."""

import re

import pytest
from support.rtp_peer import RtpPeer, sine

MENU = {"phrases": [{"fileName": "a"}], "dtmf": {"maxDigits": 1}, "bargeIn": "all"}
WAIT = {"getIVRCommandAfter": 30}


def hear_each_other(one, other, first=500, second=900):
    for rtp, hertz in ((one.rtp, first), (other.rtp, second)):
        if rtp.speaker is None:
            rtp.keep_speaking(sine(hertz, 1))
    other.rtp.wait_for_tone(first, first=len(other.rtp.packets))
    one.rtp.wait_for_tone(second, first=len(one.rtp.packets))


def menu(choices, first=MENU):
    """The application of a menu: what each digit leads to, else the menu."""
    def reply(body):
        return choices.get(body.get("dtmfParams", {}).get("dtmfMatch"), first)
    return reply


def in_the_ivr(application, phone, commands=WAIT, on=None):
    """A caller in the IVR, and its callAnswered."""
    application.replies["getIvrCommand"] = commands
    caller = phone(on)
    caller.call()
    return caller, application.wait_for("callAnswered").body


def place(server, address):
    answer = server.post("placeivrcall", {"destAddr": address, "sipFrom": "300", "mediaserviceId": "main"})
    assert answer.status == 200, answer.raw
    return answer.body


# ------------------------------------------------------------------------------------------------------ `action` in a command

@pytest.mark.short
def test_press_one_for_sales(server, application, phone, called_phone, calls):
    sales = called_phone()
    caller, _ = in_the_ivr(application, phone, menu({"1": {"phrases": [{"fileName": "b"}], **calls(sales)}}))
    caller.rtp.wait_for_tone(500)
    caller.rtp.press("1")
    caller.rtp.wait_for_tone(900)  # the phrase first
    sales.wait_request("ACK")
    hear_each_other(caller, sales, second=1300)
    caller.rtp.check_one_stream()
    caller.hang_up()
    sales.wait_request("BYE")
    application.completed("normal")
    answered = application.wait_for("callAnswered", 2).body
    assert answered["remotePartyNumber"] == "bob" and len({one.body["sessionId"] for one in application.requests}) == 1


def test_sales_is_busy_and_the_menu_is_heard_again(server, application, phone, called_phone, calls):
    sales = called_phone(pick_up=False, rings=False)
    application.replies["callEvent"] = {"action": "ivr"}
    caller, _ = in_the_ivr(application, phone, menu({"1": calls(sales), "2": {"phrases": [{"fileName": "c"}], "hangup": True}}))
    caller.rtp.press("1")
    sales.wait_request("INVITE")
    sales.refuse(486)
    event = application.wait_for("callEvent").body
    assert (event["event"], event["sipResponseCode"]) == ("calledPartyFailure", 486)
    application.wait_for("callAnswered", 2)
    caller.rtp.wait_for_tone(500, first=len(caller.rtp.packets))
    caller.rtp.press("2")
    caller.rtp.wait_for_tone(1300)
    caller.wait_request("BYE")
    application.completed("normal")


def test_after_sales_has_hung_up_the_menu_takes_digits_again(server, application, phone, called_phone, calls):
    sales = called_phone()
    application.replies["callEvent"] = {"action": "ivr"}
    caller, _ = in_the_ivr(application, phone, menu({"1": calls(sales), "2": {"phrases": [{"fileName": "c"}], "hangup": True}}))
    caller.rtp.press("1")
    sales.wait_request("ACK")
    hear_each_other(caller, sales)
    sales.hang_up()
    assert application.wait_for("callEvent").body["event"] == "calledPartyDrop"
    caller.rtp.wait_for_tone(500, first=len(caller.rtp.packets))
    caller.rtp.stop_speaking.set()
    caller.rtp.speaker.join()
    caller.rtp.press("2")
    caller.rtp.wait_for_tone(1300)
    caller.wait_request("BYE")
    application.completed("normal")


def test_a_menu_that_drops_the_caller(server, application, phone):
    caller, _ = in_the_ivr(application, phone, {"phrases": [{"fileName": "c"}], "action": "drop", "dropCode": "busy"})
    caller.rtp.wait_for_tone(1300)
    bye = caller.wait_request("BYE")
    assert "cause=486" in bye.header("Reason")
    application.completed("rejected")


def test_a_menu_leads_to_a_device_and_back(own_server, application, phone):
    server = own_server(domain_keys={"allow_media": ["127.0.0.0/8"]})
    assert server.upload("c.wav", tone(1300)).status == 200
    device = RtpPeer()
    released = application.released

    def first_command(body):
        released.wait(20)  # until the phone is ready for a re-INVITE
        application.replies["getIvrCommand"] = {"phrases": [{"fileName": "c"}], "hangup": True}
        return {"action": "httpcall", "codec": "PCMA", "receiveIp": "127.0.0.1", "receivePort": str(device.port)}
    try:
        application.replies["callEvent"] = {"action": "ivr"}
        caller, _ = in_the_ivr(application, phone, first_command, on=server)
        caller.auto_answer = False
        released.set()
        follow_reinvite(caller)
        answered = application.wait_for("callAnswered", 2).body
        device.remote = (answered["remoteRtpIp"], int(answered["remoteRtpPort"]))
        caller.rtp.keep_speaking(sine(500, 1))
        device.keep_speaking(sine(900, 1))
        device.wait_for_tone(500)
        caller.rtp.wait_for_tone(900)
        device.stop_speaking.set()
        device.speaker.join()
        end = server.post("hangupparticipant", {"replyId": answered["replyId"], "participantId": answered["calleeParticipantId"]})
        assert end.status == 200, end.raw
        follow_reinvite(caller)
        caller.rtp.wait_for_tone(1300)
        caller.wait_request("BYE")
        application.completed("normal")
    finally:
        device.close()


def follow_reinvite(phone):
    """The phone sends from now on where the re-INVITE says."""
    request = phone.wait_request("INVITE")
    phone.respond(request, 200, phone.sdp(), extra=f"Contact: {phone.contact}\r\n")
    phone.follow(request)
    phone.wait_request("ACK")


def tone(hertz):
    from conftest import tone_wav
    return tone_wav(hertz)


def test_a_call_from_the_menu_is_recorded_and_listened_to(server, application, phone, called_phone, calls):
    sales, listener = called_phone(), called_phone()
    application.replies["newCall"] = {"action": "ivr", "callRecording": True, "recordingFileName": "menu.wav"}
    caller, _ = in_the_ivr(application, phone, [
        {"phrases": [{"fileName": "a"}], **calls(sales, callRecording=True, recordingFileName="sales.wav", monitorDestAddr=listener.uri)}])
    listener.wait_request("ACK")
    hear_each_other(caller, sales)
    listener.rtp.wait_until(lambda: listener.rtp.has_tone_pair(500, 900, frames=6), what="the listener does not hear both")
    caller.hang_up()
    listener.wait_request("BYE")
    application.wait_for("recordingReady", 2, 30)
    told = {one.body["recordingFileName"]: one.body for one in application.events("recordingReady")}
    assert set(told) == {"menu.wav", "sales.wav"}
    assert {one["event"] for one in told.values()} == {"recordingSuccessful"}
    assert len({one["connectionId"] for one in told.values()}) == 2


@pytest.mark.parametrize("reply, field", [
    ({"action": "call", "destAddr": "sip:a@127.0.0.1", "dtmf": {"maxDigits": 1}}, "dtmf"),
    ({"action": "drop", "hangup": True}, "hangup"), ({"action": "jump"}, "action"),
    ({"action": "call", "destAddr": []}, "destAddr"), ({"action": "connect"}, "participantId")])
def test_a_command_that_can_not_be_is_named(server, application, phone, reply, field):
    caller, _ = in_the_ivr(application, phone, reply)
    alarm = application.wait_alarm("getIvrCommand request error")
    assert alarm["type"] == "ivrCommandError" and alarm["errorDetails"]["field"] == field
    caller.wait_request("BYE")
    application.completed("error")


# ------------------------------------------------------------------------------------------------------------- click to call

@pytest.mark.short
def test_click_to_call(server, application, called_phone):
    """Two phones are rung, and the menu of the second one connects them."""
    one, other = called_phone(), called_phone()
    placed = place(server, one.uri)
    application.wait_for("getIvrCommand")
    application.replies["getIvrCommand"] = {"phrases": [{"fileName": "b"}], "action": "connect", "participantId": placed["participantId"]}
    place(server, other.uri)
    other.rtp.wait_for_tone(900)
    hear_each_other(one, other, second=1300)
    one.hang_up()
    other.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)


def test_click_to_call_by_splitting(server, application, called_phone):
    """Both wait in the IVR; a web page has them connected."""
    one, other = called_phone(), called_phone()
    placed = place(server, one.uri)
    application.wait_for("callAnswered")
    second = place(server, other.uri)
    application.wait_for("callAnswered", 2)
    application.replies["callEvent"] = lambda body: (
        {"action": "connect", "participantId": placed["participantId"]} if body["event"] == "calleeConnectionSplit" else {"action": "drop"})
    assert server.post("splitconnection", {"replyId": next(
        request.body["replyId"] for request in application.events("callAnswered") if request.body["sessionId"] == second["sessionId"])}).status == 200
    hear_each_other(one, other)
    other.hang_up()
    one.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)


def test_the_second_phone_is_rung_from_the_menu_of_the_first(server, application, called_phone, calls):
    one, other = called_phone(), called_phone()
    application.replies["getIvrCommand"] = calls(other)
    place(server, one.uri)
    other.wait_request("ACK")
    hear_each_other(one, other)
    one.hang_up()
    other.wait_request("BYE")
    application.completed("normal")


# ------------------------------------------------------------------------------------------------------------------- split

@pytest.mark.short
@pytest.mark.parametrize("command", [
    {"phrases": [{"fileName": "long"}]}, {"dtmf": {"maxDigits": 1}}, WAIT, {"phrases": [{"format": "record", "fileName": "left.wav"}], "recordedCallback": True}],
    ids=["while a phrase plays", "while digits are collected", "while nothing happens", "while it is recorded"])
def test_a_caller_is_taken_out_of_the_menu(server, application, phone, called_phone, calls, command):
    sales = called_phone()
    application.replies["callEvent"] = [calls(sales), {"action": "drop"}]
    caller, answered = in_the_ivr(application, phone, command)
    application.wait_for("getIvrCommand")
    if "phrases" in command:
        caller.rtp.wait_until(lambda: caller.rtp.packets and max(abs(caller.rtp.audio())) > 2000, what="nothing was heard")
    if "recordedCallback" in command:  # it begins after the beep
        caller.rtp.wait_for_silence(first=len(caller.rtp.packets))
        caller.rtp.speak(sine(500, 0.5))
    assert server.post("splitconnection", {"replyId": answered["replyId"], "connectionId": answered["connectionId"]}).status == 200
    event = application.wait_for("callEvent").body
    assert event["event"] == "callerConnectionSplit" and event["connectionId"] == answered["connectionId"]
    assert event["participantId"] == answered["callerParticipantId"] and event["remoteParticipantId"] == answered["calleeParticipantId"]
    sales.wait_request("ACK")
    hear_each_other(caller, sales)
    caller.hang_up()
    sales.wait_request("BYE")
    application.completed("normal")
    if "recordedCallback" in command:
        assert application.wait_for("fileRecorded", 1, 30).body["event"] == "recordingSuccessful"


def test_a_command_that_comes_after_the_split_is_ignored(server, application, phone, called_phone, calls):
    sales = called_phone()
    application.replies["callEvent"] = [calls(sales), {"action": "drop"}]
    released = application.released

    def late(body):
        released.wait(20)
        return {"hangup": True}
    caller, answered = in_the_ivr(application, phone, late)
    application.wait_for("getIvrCommand")
    assert server.post("splitconnection", {"replyId": answered["replyId"]}).status == 200
    assert server.post("splitconnection", {"replyId": answered["replyId"]}).status in (404, 409)
    sales.wait_request("ACK")
    released.set()
    hear_each_other(caller, sales)
    caller.hang_up()
    sales.wait_request("BYE")
    application.completed("normal")


# ------------------------------------------------------------------------------------------------------- the IVR hangs up

@pytest.mark.parametrize("command", ["hangupparticipant", "hangupremoteparticipant"])
def test_the_ivr_is_hung_up_and_the_caller_stays(server, application, phone, command):
    application.replies["callEvent"] = {"action": "ivr"}
    caller, answered = in_the_ivr(application, phone)
    who = answered["calleeParticipantId"] if command == "hangupparticipant" else answered["callerParticipantId"]
    assert server.post(command, {"replyId": answered["replyId"], "participantId": who}).status == 200
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyDrop" and event["participantId"] == answered["calleeParticipantId"]
    application.wait_for("getIvrCommand", 2)
    assert server.post("hangupparticipant", {"replyId": answered["replyId"], "participantId": answered["calleeParticipantId"]}).status == 404
    caller.hang_up()
    application.completed("normal")


def test_the_ivr_of_a_placed_call_is_hung_up(server, application, called_phone):
    callee = called_phone()
    place(server, callee.uri)
    answered = application.wait_for("callAnswered").body
    assert server.post("hangupparticipant", {"replyId": answered["replyId"], "participantId": answered["callerParticipantId"]}).status == 200
    assert application.wait_for("callEvent").body["event"] == "callingPartyDrop"
    callee.wait_request("BYE")
    application.completed("apiHangup")


# --------------------------------------------------------------------------------------------------------------- transfer

def notified(phone):
    """The statuses of the NOTIFY requests up to the last one."""
    seen = []
    while not seen or seen[-1] < 200:
        seen.append(int(re.match(r"SIP/2.0 (\d+)", phone.wait_request("NOTIFY").body).group(1)))
    return seen


def test_a_transfer_key_in_the_ivr(own_server, application, phone, called_phone, calls):
    server = own_server(service={"allow_refer": True})
    target = called_phone(server)
    application.replies["callEvent"] = [calls(target), {"action": "drop"}]
    caller, answered = in_the_ivr(application, phone, on=server)
    caller.request("REFER", extra=f"Refer-To: <{target.uri}>\r\nReferred-By: <sip:ann@caller.example>\r\n")
    assert caller.wait_final("REFER").status == 202
    event = application.wait_for("callEvent").body
    assert event["event"] == "refer" and target.uri in event["referTo"] and "ann@caller.example" in event["referredBy"]
    assert event["participantId"] == answered["callerParticipantId"] and event["remoteParticipantId"] == answered["calleeParticipantId"]
    target.wait_request("ACK")
    assert notified(caller) == [100, 200]
    hear_each_other(caller, target)
    caller.hang_up()
    target.wait_request("BYE")
    application.completed("normal")
