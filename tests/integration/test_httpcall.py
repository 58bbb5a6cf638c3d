"""The action `httpcall`: a SIP party and a device that only does RTP, media directly between them, or through the server."""

import re

import pytest
from conftest import tone_wav
from support.rtp_peer import RtpPeer, sine


@pytest.fixture
def device():
    """A device without SIP: what it receives and sends is RTP."""
    peer = RtpPeer()
    yield peer
    peer.close()


@pytest.fixture
def lab(own_server):
    """A server that lets devices be on this host."""
    return own_server(domain_keys={"allow_media": ["127.0.0.0/8"]})


def httpcall(device, **more):
    return {"action": "httpcall", "codec": "PCMA", "receiveIp": "127.0.0.1", "receivePort": str(device.port), **more}


def media_port(body):
    return int(re.search(r"m=audio (\d+)", body).group(1))


def origin(body):
    """Everything of o= but the version, and the version."""
    words = re.search(r"o=(.*)", body).group(1).split()
    return words[:2] + words[3:], int(words[2])


def told(device, answered):
    """The device sends where callAnswered says."""
    assert answered.body["codec"] == "PCMA"
    device.remote = (answered.body["remoteRtpIp"], int(answered.body["remoteRtpPort"]))


def hear_each_other(phone, device):
    phone.rtp.keep_speaking(sine(500, 1))
    device.keep_speaking(sine(900, 1))
    device.wait_for_tone(500)
    phone.rtp.wait_for_tone(900)


@pytest.fixture
def left_alone(lab, application, phone, called_phone):
    """A caller whose callee has left, so that the application decides what is next; its media is the server's."""

    def make(decision):
        application.replies["callEvent"] = decision
        callee = called_phone(lab)
        application.replies["newCall"] = {"action": "call", "destAddr": callee.uri}
        caller = phone(lab)
        answer = caller.call()
        caller.auto_answer = False
        callee.wait_request("ACK")
        application.wait_for("callAnswered")
        callee.hang_up()
        return caller, answer

    return make


def answer_reinvite(phone, request, status=200):
    if status == 200:
        phone.respond(request, 200, phone.sdp(), extra=f"Contact: {phone.contact}\r\n")
        phone.follow(request)
    else:
        phone.respond(request, status)
    phone.wait_request("ACK")


@pytest.mark.short
def test_an_unanswered_caller_speaks_directly_with_the_device(lab, application, phone, device):
    application.replies["newCall"] = httpcall(device)
    caller = phone(lab)
    answer = caller.call()
    assert media_port(answer.body) == device.port
    answered = application.wait_for("callAnswered")
    assert int(answered.body["remoteRtpPort"]) == caller.rtp.port
    assert answered.body["remoteRtpIp"] == "127.0.0.1"
    told(device, answered)
    hear_each_other(caller, device)
    assert lab.metrics()["ringwright_rtp_ports_in_use"] == 0
    caller.hang_up()
    event = application.wait_for("callEvent")
    assert event.body["event"] == "callingPartyDrop"
    assert event.body["remoteParticipantId"] == answered.body["calleeParticipantId"]
    application.completed("normal")
    lab.wait_idle()


@pytest.mark.parametrize("type_of_device", [None, 110, "111"])
def test_telephone_events_of_a_device(lab, application, phone, device, type_of_device):
    """The party is told the device's payload type, and the device the party's; without one of its own the device gets none."""
    application.replies["newCall"] = httpcall(device, telephoneEventPayloadType=type_of_device)
    caller = phone(lab)
    answer = caller.call()
    told(device, application.wait_for("callAnswered"))
    if type_of_device is None:
        assert "telephone-event" not in answer.body
    else:
        assert re.search(r"a=rtpmap:(\d+) telephone-event/8000", answer.body).group(1) == str(type_of_device)
        assert application.wait_for("callAnswered").body["telephoneEventPayloadType"] == 101
        caller.rtp.telephone_event = int(type_of_device)
        caller.rtp.press("5")
        device.press("9")
        for peer, payload_type, digit in ((device, int(type_of_device), 5), (caller.rtp, 101, 9)):
            peer.wait_until(lambda: any(one.payload_type == payload_type and one.payload[0] == digit for one in peer.packets))
    caller.hang_up()
    application.completed("normal")


@pytest.mark.short
def test_an_answered_party_is_reinvited(lab, application, left_alone, device):
    caller, answer = left_alone(httpcall(device))
    reinvite = caller.wait_request("INVITE")
    assert media_port(reinvite.body) == device.port
    assert origin(reinvite.body) == (origin(answer.body)[0], origin(answer.body)[1] + 1)
    answer_reinvite(caller, reinvite)
    told(device, application.wait_for("callAnswered", 2))
    hear_each_other(caller, device)
    assert lab.metrics()["ringwright_rtp_ports_in_use"] == 0
    caller.auto_answer = True
    caller.hang_up()
    application.completed("normal")
    lab.wait_idle()


@pytest.mark.short
def test_a_refused_reinvite_leads_through_the_server(lab, application, left_alone, device):
    caller, answer = left_alone(httpcall(device))
    answer_reinvite(caller, caller.wait_request("INVITE"), 488)
    answered = application.wait_for("callAnswered", 2)
    assert int(answered.body["remoteRtpPort"]) not in (caller.rtp.port, media_port(answer.body))
    told(device, answered)
    hear_each_other(caller, device)
    assert application.events("alarms") == []
    caller.auto_answer = True
    caller.hang_up()
    application.completed("normal")
    lab.wait_idle()  # all ports are free


def test_an_unexpected_refusal_raises_an_alarm_too(lab, application, left_alone, device):
    caller, _ = left_alone(httpcall(device))
    answer_reinvite(caller, caller.wait_request("INVITE"), 500)
    alarm = application.wait_alarm("unexpectedReinviteResponse")
    assert alarm["status"] == "500"
    assert alarm["callId"] == caller.call_id
    application.wait_for("callAnswered", 2)
    caller.auto_answer = True
    caller.hang_up()
    application.completed("normal")


def test_glare_is_waited_out(lab, application, left_alone, device):
    caller, _ = left_alone(httpcall(device))
    answer_reinvite(caller, caller.wait_request("INVITE"), 491)
    answer_reinvite(caller, caller.wait_request("INVITE"))
    told(device, application.wait_for("callAnswered", 2))
    hear_each_other(caller, device)
    caller.auto_answer = True
    caller.hang_up()
    application.completed("normal")


def test_when_the_device_hangs_up_the_party_goes_on_to_the_ivr(lab, application, phone, device):
    application.replies["newCall"] = httpcall(device)
    application.replies["callEvent"] = {"action": "ivr"}
    lab.upload("b.wav", tone_wav(1300))
    application.replies["getIvrCommand"] = {"phrases": [{"format": "file", "fileName": "b"}], "getIVRCommandAfter": 30}
    caller = phone(lab)
    caller.call()
    caller.auto_answer = False
    answered = application.wait_for("callAnswered")
    hung_up = lab.post("hangupparticipant", {"replyId": answered.body["replyId"], "participantId": answered.body["calleeParticipantId"]})
    assert hung_up.status == 200
    reinvite = caller.wait_request("INVITE")
    assert media_port(reinvite.body) != device.port
    answer_reinvite(caller, reinvite)
    event = application.wait_for("callEvent")
    assert event.body["event"] == "calledPartyDrop"
    caller.rtp.wait_for_tone(1300)
    caller.auto_answer = True
    caller.hang_up()
    application.completed("normal")
    lab.wait_idle()


def test_hold_reaches_the_application(lab, application, phone, device):
    application.replies["newCall"] = httpcall(device)
    caller = phone(lab)
    caller.call()
    application.wait_for("callAnswered")
    caller.invite(sdp=caller.sdp("sendonly"))
    answer = caller.wait_final()
    caller.ack()
    assert media_port(answer.body) == device.port
    assert "a=recvonly" in answer.body
    note = application.wait_for("callNotify")
    assert note.body["event"] == "reInvite"
    assert note.body["hold"] is True
    assert int(note.body["remoteRtpPort"]) == caller.rtp.port
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("change, field", [
    ({"codec": "G729"}, "codec"),
    ({"codec": None}, "codec"),
    ({"receiveIp": "host.example"}, "receiveIp"),
    ({"receiveIp": "10.0.0.1"}, "receiveIp"),
    ({"receivePort": "0"}, "receivePort"),
    ({"receivePort": "x"}, "receivePort"),
])
def test_a_member_that_can_not_be_used(lab, application, phone, device, change, field):
    application.replies["newCall"] = httpcall(device, **change)
    assert phone(lab).refused().status == 480
    alarm = application.wait_alarm("newCall request failed")
    assert alarm["errorDetails"]["field"] == field
    application.completed("error")


def test_by_default_a_device_has_to_be_at_a_public_address(server, application, phone, device):
    application.replies["newCall"] = httpcall(device)
    assert phone().refused().status == 480
    alarm = application.wait_alarm("newCall request failed")
    assert alarm["errorDetails"]["field"] == "receiveIp"
    application.completed("error")
