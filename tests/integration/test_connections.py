"""What the application can do with connections: connect, split, hang up, place, monitor, transfer."""

import pytest
from support.application import Raw
from support.rtp_peer import sine


def hear_each_other(one, other, first=500, second=900):
    for rtp, hertz in ((one.rtp, first), (other.rtp, second)):
        if rtp.speaker is None:
            rtp.keep_speaking(sine(hertz, 1))
    other.rtp.wait_for_tone(first, first=len(other.rtp.packets))
    one.rtp.wait_for_tone(second, first=len(one.rtp.packets))


def place(server, address, **more):
    answer = server.post("placeivrcall", {"destAddr": address, "sipFrom": "300", "mediaserviceId": "main", **more})
    assert answer.status == 200, answer.raw


# ---------------------------------------------------------------------------------------------------------------- placed

@pytest.mark.short
def test_a_placed_call_hears_the_ivr(server, called_phone, application):
    application.replies["getIvrCommand"] = {"phrases": [{"format": "file", "fileName": "a.wav"}], "hangup": True}
    callee = called_phone()
    place(server, callee.uri, sessionReferenceId={"order": 7}, displayName="Shop")
    invite = callee.wait_request("INVITE")
    assert "<sip:300@" in invite.header("From") and "Shop" in invite.header("From")
    callee.rtp.wait_for_tone(500)
    callee.wait_request("BYE")
    answered = application.wait_for("callAnswered").body
    assert answered["remotePartyNumber"] == "bob" and answered["sessionReferenceId"] == {"order": 7}
    assert application.completed("normal")["sessionReferenceId"] == {"order": 7}
    assert not application.events("newCall") and not application.events("callEvent")


@pytest.mark.parametrize("given", [{"traceId": "trace-5"}, {}])
def test_the_trace_of_a_placed_call(server, called_phone, application, given):
    """It is the client's, or one is made; the answer and all callbacks of the call have it."""
    application.replies["getIvrCommand"] = {"phrases": [{"fileName": "nothing"}], "hangup": True}
    callee = called_phone()
    placed = server.post("placeivrcall", {"destAddr": callee.uri, **given}).body
    assert placed["traceId"] == given.get("traceId", placed["traceId"]) != placed["sessionId"]
    callee.wait_request("BYE")
    application.completed("normal")
    application.wait_alarm("phraseError")
    told = {one.event: one.body["traceId"] for one in application.requests if one.event != "getIvrCommand"}
    assert told == dict.fromkeys(("callNotify", "callAnswered", "alarms", "sessionCompleted"), placed["traceId"])


@pytest.mark.parametrize("status, reason", [(486, "busy"), (600, "busy"), (480, "noAnswer"), (503, "failed")])
def test_a_placed_call_that_is_refused(server, called_phone, application, status, reason):
    callee = called_phone(pick_up=False, rings=False)
    place(server, callee.uri)
    callee.wait_request("INVITE")
    callee.refuse(status)
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyFailure" and event["sipResponseCode"] == status
    application.completed(reason)


def test_a_placed_call_that_nobody_answers(server, called_phone, application):
    callee = called_phone(pick_up=False)
    place(server, callee.uri, maxRingTime=0.3)
    callee.wait_request("CANCEL")
    assert application.wait_for("callEvent").body["sipResponseCode"] == 408
    application.completed("noAnswer")


@pytest.mark.parametrize("body, status, names", [
    ({"destAddr": "nowhere"}, 400, "destAddr"), ({}, 400, "destAddr"), ({"destAddr": 5}, 400, "destAddr"),
    ({"destAddr": "sip:a@127.0.0.1", "maxRingTime": "x"}, 400, "maxRingTime"),
    ({"destAddr": "sip:a@127.0.0.1", "xHeaders": {"Via": "x"}}, 400, "xHeaders"),
    ({"destAddr": "sip:a@127.0.0.1", "xHeaders": {"X-A": "1\r\nVia: x"}}, 400, "xHeaders"),
    ({"destAddr": "sip:a@127.0.0.1", "mediaserviceId": "none"}, 404, "mediaserviceId")])
def test_a_call_that_can_not_be_placed(server, body, status, names):
    answer = server.post("placeivrcall", {"mediaserviceId": "main", **body})
    assert answer.status == status and names in answer.raw.decode()


# --------------------------------------------------------------------------------------------------------------- connect

def test_two_callers_in_the_ivr_are_connected(phone, application):
    """The second one asks, through an interrupted command, for the first; they are in two sessions."""
    first, second = phone(), phone()
    first.call()
    application.wait_for("getIvrCommand")
    waiting = application.wait_for("newCall").body
    application.replies["newCall"] = {"action": "connect", "participantId": waiting["participantId"]}
    second.call()
    hear_each_other(first, second)
    answered = [one.body for one in (application.wait_for("callAnswered", 2), application.wait_for("callAnswered", 3))]
    sessions = {one.body["sessionId"] for one in application.events("newCall")}
    assert {one["sessionId"] for one in answered} == sessions
    assert answered[0]["connectionId"] == answered[1]["connectionId"]
    first.hang_up()
    second.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)


def test_connecting_with_somebody_who_is_not_there(phone, application):
    application.replies["newCall"] = {"action": "connect", "participantId": "11111111-1111-1111-1111-111111111111"}
    caller = phone()
    caller.invite()
    answer = caller.wait_final()
    caller.ack() if answer.status == 200 else caller.ack_refusal()
    alarm = application.wait_alarm("newCall request failed")
    assert alarm["errorDetails"]["field"] == "participantId"
    application.completed("error")


def test_the_remaining_party_may_ring_somebody_else(connected, called_phone, application, calls):
    caller, callee = connected()
    other = called_phone()
    application.replies["callEvent"] = [calls(other), {"action": "drop"}]
    hear_each_other(caller, callee)
    callee.hang_up()
    other.wait_request("ACK")
    hear_each_other(caller, other)
    caller.rtp.check_one_stream()
    caller.hang_up()
    other.wait_request("BYE")
    application.completed("normal")
    assert len(application.events("callAnswered")) == 2


def test_the_remaining_callee_may_go_to_the_ivr(connected, application):
    application.replies["getIvrCommand"] = {"phrases": [{"format": "file", "fileName": "c.wav"}], "hangup": True}
    caller, callee = connected()
    application.replies["callEvent"] = {"action": "ivr"}
    caller.hang_up()
    callee.rtp.wait_for_tone(1300)
    callee.wait_request("BYE")
    application.completed("normal")


# ----------------------------------------------------------------------------------------------------------------- split

def test_split_and_connect_again(server, connected, application):
    caller, callee = connected()
    hear_each_other(caller, callee)
    answered = application.wait_for("callAnswered").body
    seen = []

    def after_split(body):
        seen.append(body)
        if body["event"] == "callerConnectionSplit":
            return {"action": "ivr"}
        if body["event"] == "calleeConnectionSplit":
            return {"action": "connect", "participantId": body["remoteParticipantId"]}
        return {"action": "drop"}
    application.replies["callEvent"] = after_split
    assert server.post("splitconnection", {"replyId": answered["replyId"], "connectionId": answered["connectionId"]}).status == 200
    application.wait_for("callEvent", 2)
    assert {one["event"] for one in seen} == {"callerConnectionSplit", "calleeConnectionSplit"}
    application.wait_for("callAnswered", 2)
    hear_each_other(caller, callee)
    caller.rtp.check_one_stream()
    callee.rtp.check_one_stream()
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


def test_what_is_not_connected_can_not_be_split(server, phone, application):
    phone().call()
    command = application.wait_for("getIvrCommand").body
    application.replies["callEvent"] = Raw(hold=20)
    assert server.post("splitconnection", {"replyId": command["replyId"]}).status == 200  # from the IVR
    application.wait_for("callEvent")
    answer = server.post("splitconnection", {"replyId": command["replyId"]})
    assert answer.status == 409, answer.raw


# --------------------------------------------------------------------------------------------------------------- hang up

def test_hang_up_one_participant(server, connected, application):
    caller, callee = connected()
    answered = application.wait_for("callAnswered").body
    assert server.post("hangupparticipant", {"replyId": answered["replyId"], "participantId": answered["calleeParticipantId"]}).status == 200
    callee.wait_request("BYE")
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyDrop" and event["errorDescr"]
    caller.wait_request("BYE")
    application.completed("apiHangup")


def test_hang_up_the_remote_participant(server, connected, application):
    caller, callee = connected()
    answered = application.wait_for("callAnswered").body
    application.replies["callEvent"] = {"action": "ivr"}
    answer = server.post("hangupremoteparticipant", {"replyId": answered["replyId"], "participantId": answered["callerParticipantId"]})
    assert answer.status == 200, answer.raw
    callee.wait_request("BYE")
    application.wait_for("getIvrCommand")
    caller.hang_up()
    application.completed("normal")


def test_hang_up_the_remote_participant_while_it_rings(server, phone, called_phone, application, calls):
    callee = called_phone(pick_up=False)
    application.replies.update(newCall=calls(callee), callEvent={"action": "drop", "dropCode": "busy"})
    caller = phone()
    caller.invite()
    callee.wait_request("INVITE")
    new_call = application.wait_for("newCall").body
    application.wait_for("callNotify")
    assert server.post("hangupremoteparticipant", {"replyId": new_call["replyId"], "participantId": new_call["participantId"]}).status == 200
    callee.wait_request("CANCEL")
    assert application.wait_for("callEvent").body["event"] == "calledPartyFailure"
    assert caller.wait_final().status == 486
    caller.ack_refusal()
    application.wait_for("sessionCompleted")


@pytest.mark.parametrize("command", ["hangupcall", "hangupcalljwt"])
def test_hang_up_the_whole_call(server, connected, application, command):
    caller, callee = connected()
    answered = application.wait_for("callAnswered").body
    assert server.post(command, {"replyId": answered["replyId"]}).status == 200
    caller.wait_request("BYE")
    callee.wait_request("BYE")
    application.completed("apiHangup")
    assert not application.events("callEvent")
    assert server.post(command, {"replyId": answered["replyId"]}).status == 404


def test_hang_up_the_whole_call_while_it_rings(server, phone, called_phone, application, calls):
    callee = called_phone(pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone()
    caller.invite()
    application.wait_for("callNotify")
    assert server.post("hangupcall", {"replyId": application.wait_for("newCall").body["replyId"]}).status == 200
    callee.wait_request("CANCEL")
    assert caller.wait_final().status >= 400
    caller.ack_refusal()
    application.completed("apiHangup")


# --------------------------------------------------------------------------------------------------------------- monitor

def test_a_monitor_hears_both(connected, called_phone, application):
    monitor = called_phone()
    caller, callee = connected(monitorDestAddr=monitor.uri, monitorSipFrom="900", monitorXHeaders={"X-Why": "training"}, xHeaders={"X-Call": "1"})
    invite = monitor.wait_request("INVITE")
    assert "<sip:900@" in invite.header("From")
    assert invite.header("X-Why") == "training" and invite.header("X-Call") == "1"
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.keep_speaking(sine(900, 1))
    monitor.rtp.wait_until(lambda: monitor.rtp.has_tone_pair(500, 900, frames=6), what="the monitor does not hear both")
    monitor.rtp.keep_speaking(sine(1500, 1))
    start = len(caller.rtp.packets), len(callee.rtp.packets)
    monitor.rtp.wait_for_packets(30)
    assert not caller.rtp.has_tone(1500, start[0]) and not callee.rtp.has_tone(1500, start[1])
    answered = application.wait_for("callAnswered", 2).body
    assert answered["monitoringParticipant"] is True
    caller.hang_up()
    callee.wait_request("BYE")
    monitor.wait_request("BYE")
    application.completed("normal")


def test_the_p_headers_of_a_monitor(connected, called_phone, application):
    """They are those of the call to the callee, with the changes that the application wants."""
    monitor = called_phone()
    caller, callee = connected(pHeaders={"P-Kept": "1", "P-Changed": "2", "P-Taken": "3"}, monitorDestAddr=monitor.uri,
                               monitorPHeaders={"P-Changed": ["4", "5"], "P-Taken": None, "P-Added": "6"})
    invite = monitor.wait_request("INVITE")
    names = ("P-Kept", "P-Changed", "P-Taken", "P-Added")
    assert [callee.invite_request.all(name) for name in names] == [["1"], ["2"], ["3"], []]
    assert [invite.all(name) for name in names] == [["1"], ["4", "5"], [], ["6"]]
    application.wait_for("callAnswered", 2)
    caller.hang_up()
    monitor.wait_request("BYE")
    application.completed("normal")


@pytest.mark.parametrize("how", ["refuses", "hangs up"])
def test_the_monitors_end_disturbs_nobody(connected, called_phone, application, how):
    monitor = called_phone(pick_up=how == "hangs up")
    caller, callee = connected(monitorDestAddr=monitor.uri)
    if how == "refuses":
        monitor.wait_request("INVITE")
        monitor.refuse(486)
    else:
        monitor.wait_request("ACK")
        application.wait_for("callAnswered", 2)
        monitor.hang_up()
    hear_each_other(caller, callee)
    assert not application.events("callEvent")
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


# -------------------------------------------------------------------------------------------------------------- transfer

def test_a_transfer_is_refused_unless_it_is_allowed(connected, application):
    caller, callee = connected()
    callee.request("REFER", extra="Refer-To: <sip:carol@127.0.0.1>\r\n")
    assert callee.wait_final("REFER").status == 603
    hear_each_other(caller, callee)
    caller.hang_up()
    application.completed("normal")


def test_a_blind_transfer(own_server, connected, called_phone, application, calls):
    server = own_server(service={"allow_refer": True})
    caller, callee = connected(on=server)
    third = called_phone(server)
    application.replies["callEvent"] = [calls(third), {"action": "drop"}]
    callee.request("REFER", extra=f"Refer-To: <{third.uri}>\r\nReferred-By: <sip:bob@callee.example>\r\n")
    assert callee.wait_final("REFER").status == 202
    event = application.wait_for("callEvent").body
    assert event["event"] == "refer" and third.uri in event["referTo"] and "bob@callee.example" in event["referredBy"]
    third.wait_request("ACK")
    hear_each_other(caller, third)
    while "200" not in callee.wait_request("NOTIFY").body:
        pass
    callee.wait_request("BYE")
    caller.hang_up()
    third.wait_request("BYE")
    application.completed("normal")


def test_an_attended_transfer(own_server, connected, called_phone, phone, application, calls):
    """bob, whom alice has called, calls carol, and then has alice take his place."""
    server = own_server(service={"allow_refer": True})
    alice, bob = connected(on=server)
    carol = called_phone(server)
    application.replies["newCall"] = calls(carol)
    consulting = phone(server)
    consulting.call()
    carol.wait_request("ACK")
    application.wait_for("callAnswered", 2)
    hear_each_other(consulting, carol)

    def take_the_place(body):
        if body["event"] == "refer":
            return {"action": "connect", "participantId": body["replacesParticipantId"]}
        return {"action": "drop"}
    application.replies["callEvent"] = take_the_place
    replaces = f"{consulting.call_id.replace('@', '%40')}%3Bto-tag%3D{consulting.remote_tag}%3Bfrom-tag%3D{consulting.local_tag}"
    bob.request("REFER", extra=f"Refer-To: <{carol.uri}?Replaces={replaces}>\r\n")
    assert bob.wait_final("REFER").status == 202
    event = application.wait_for("callEvent").body
    assert (event["event"], event["replacesParticipantId"]) == ("refer", application.wait_for("newCall", 2).body["participantId"])
    assert event["remoteParticipantId"] == application.wait_for("newCall").body["participantId"]
    consulting.wait_request("BYE")
    hear_each_other(alice, carol)
    while "200" not in bob.wait_request("NOTIFY").body:
        pass
    bob.wait_request("BYE")
    alice.hang_up()
    carol.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)


def test_a_transfer_that_the_application_drops(own_server, connected, application):
    server = own_server(service={"allow_refer": True})
    caller, callee = connected(on=server)
    callee.request("REFER", extra="Refer-To: <sip:carol@127.0.0.1>\r\n")
    assert callee.wait_final("REFER").status == 202
    caller.wait_request("BYE")
    callee.wait_request("BYE")
    application.wait_for("sessionCompleted")
