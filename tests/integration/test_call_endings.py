"""Every ending of every state in which two parties may be: one sessionCompleted, nothing left (the fixtures check that)."""

import signal

import pytest
from support.application import Raw
from support.rtp_peer import sine
from support.softphone import Softphone


class Call:
    """A call that has been brought into one of the states."""

    def __init__(self, caller, callee, server, application):
        self.caller, self.callee, self.server, self.application = caller, callee, server, application
        self.new_call = application.wait_for("newCall").body

    def over(self, reason):
        """Both phones have been told, and the application once."""
        for one in (self.caller, self.callee):
            if one is not None and one.state in ("up", "ringing"):
                one.wait_request("CANCEL" if one.state == "ringing" else "BYE")
        if self.caller.state == "calling":
            assert self.caller.wait_final().status >= 300
            self.caller.ack_refusal()
        body = self.application.wait_for("sessionCompleted").body
        assert body["reason"] == reason, body
        self.server.wait_idle()
        assert len(self.application.events("sessionCompleted")) == 1


LONG = {"phrases": [{"format": "file", "fileName": "long.wav"}]}
STATES = ("ringing", "early media", "greeting", "joined", "held", "deciding", "split")


@pytest.fixture
def in_state(own_server, application, phone, called_phone, calls, tone_file):
    def make(state, settings=None, service=None):
        server = own_server(settings, service=service)
        tone_file(server, "long.wav", 700, 20)
        callee = called_phone(server, pick_up=False)
        caller = phone(on=server)
        application.replies["newCall"] = calls(callee, **({"greeting": {"caller": LONG, "callee": LONG}} if state == "greeting" else {}))
        caller.invite()
        callee.wait_request("INVITE")
        call = Call(caller, callee, server, application)
        application.wait_for("callNotify")
        if state == "ringing":
            return call
        if state == "early media":
            callee.progress(183, callee.sdp())
            callee.rtp.keep_speaking(sine(900, 1))
            while (progress := caller.wait_response()).status != 183:
                pass
            caller.follow(progress)
            caller.rtp.wait_for_tone(900)
            return call
        callee.answer()
        caller.follow(caller.wait_final())
        caller.ack()
        callee.wait_request("ACK")
        if state == "greeting":
            caller.rtp.wait_for_tone(700)
            return call
        answered = application.wait_for("callAnswered").body
        if state == "held":
            caller.invite(sdp=caller.sdp("sendonly"))
            caller.wait_final()
            caller.ack()
            application.wait_for("callNotify", 2)
        elif state == "deciding":
            application.replies["callEvent"] = Raw(hold=10)
            callee.hang_up()
            application.wait_for("callEvent")
        elif state == "split":
            application.replies["callEvent"] = Raw(hold=10)
            assert server.post("splitconnection", {"replyId": answered["replyId"], "connectionId": answered["connectionId"]}).status == 200
            application.wait_for("callEvent", 2)
        return call
    return make


@pytest.mark.parametrize("state", STATES)
def test_the_caller_leaves(in_state, application, state):
    call = in_state(state)
    if call.caller.state == "calling":
        call.caller.cancel()
        assert call.caller.wait_final().status == 487
        call.caller.ack_refusal()
        call.over("cancelled")
        return
    call.caller.hang_up()
    application.released.set()
    call.over("error" if state == "split" else "normal")  # the application did not say what to do with the other half


@pytest.mark.parametrize("state", STATES)
def test_the_callee_leaves(in_state, application, state):
    if state == "deciding":
        pytest.skip("it has gone already")
    call = in_state(state)
    if call.callee.state == "ringing":
        call.callee.refuse(480)
        call.over("rejected")
        return
    call.callee.hang_up()
    application.released.set()
    call.over("error" if state == "split" else "normal")


@pytest.mark.parametrize("state", STATES)
def test_the_application_hangs_up(in_state, application, state):
    call = in_state(state)
    assert call.server.post("hangupcall", {"replyId": call.new_call["replyId"]}).status == 200
    call.over("apiHangup")


@pytest.mark.parametrize("state", STATES)
def test_the_session_is_too_long(in_state, application, state):
    call = in_state(state, {"limits": {"max_session": 1.5}})
    call.over("maxDuration")
    application.wait_alarm("maxDuration")


@pytest.mark.parametrize("state", STATES)
def test_the_server_stops(in_state, application, state):
    call = in_state(state, {"server": {"drain_timeout": 0.5}})
    call.server.process.send_signal(signal.SIGTERM)
    application.completed("shutdown")
    assert call.server.process.wait(timeout=40) == 0


@pytest.mark.parametrize("state", ["joined", "greeting"])
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_party_falls_silent(in_state, application, state, who):
    call = in_state(state, {"media": {"rtp_timeout": 0.8}})
    call.caller.rtp.remote = call.caller.rtp.remote or call.callee.rtp.remote
    living = call.callee if who == "caller" else call.caller
    living.rtp.keep_speaking(sine(500, 1))
    event = application.wait_for("callEvent").body
    assert event["event"] == ("callingPartyDrop" if who == "caller" else "calledPartyDrop")
    assert "RTP" in event["errorDescr"]
    alarm = application.wait_alarm("RTP media timeout")
    assert alarm["type"] == "callError"
    call.over("rtpTimeout")


def test_a_held_party_may_be_silent(in_state, application):
    call = in_state("held", {"media": {"rtp_timeout": 0.5}})
    call.callee.rtp.keep_speaking(sine(500, 1))
    call.callee.rtp.wait_for_packets(50)
    assert not application.events("callEvent")
    call.caller.hang_up()
    call.over("normal")


def test_the_application_fails_in_a_call_event(in_state, application):
    call = in_state("joined")
    application.replies["callEvent"] = Raw(status=500)
    call.callee.hang_up()
    application.wait_alarm("No response to callEvent request")
    call.over("error")


def test_a_session_of_the_callee_that_is_not_refreshed(in_state, application, called_phone, phone, calls, own_server):
    server = own_server()
    callee, caller = called_phone(server, pick_up=False), phone(on=server)
    application.replies["newCall"] = calls(callee)
    caller.invite()
    callee.wait_request("INVITE")
    callee.answer(extra="Require: timer\r\nSession-Expires: 2;refresher=uas\r\n")
    caller.follow(caller.wait_final())
    caller.ack()
    assert application.wait_for("callAnswered").body["calledPartyExpires"] == 2
    callee.wait_request("BYE")
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyDrop" and event["errorDescr"]
    application.wait_alarm("sessionExpired")
    caller.wait_request("BYE")
    application.completed("sessionExpired")


def test_both_hang_up_at_once(in_state, application):
    call = in_state("joined")
    call.caller.request("BYE")
    call.callee.request("BYE")
    assert call.caller.wait_final("BYE").status in (200, 481)
    assert call.callee.wait_final("BYE").status in (200, 481)
    call.over("normal")


def test_a_callee_that_is_not_there(own_server, application, phone):
    server = own_server()
    application.replies.update(newCall={"action": "call", "destAddr": "sip:bob@127.0.0.1:9;transport=tcp"}, callEvent={"action": "drop"})
    caller = phone(on=server)
    assert caller.refused().status == 603
    assert application.wait_for("callEvent").body["event"] == "calledPartyFailure"
    application.completed("rejected")


def test_many_calls_that_end_in_every_way_at_once(own_server, application, called_phone, phone, calls):
    """A crowd of callers, each of whom leaves in a way of its own, leaves nothing behind."""
    server = own_server()
    count = 24
    callees = [called_phone(server, pick_up=at % 3 != 0) for at in range(count)]
    application.replies["newCall"] = lambda body: calls(callees[int(body["calledParty"]) - 100])
    callers = [Softphone(server, user=str(100 + at)) for at in range(count)]
    try:
        for caller in callers:
            caller.invite()
        for at, (caller, callee) in enumerate(zip(callers, callees)):
            callee.wait_request("INVITE")
            if at % 3 == 0:
                caller.cancel()
                caller.wait_final()
                caller.ack_refusal()
                continue
            caller.wait_final()
            caller.ack()
            (caller if at % 3 == 1 else callee).hang_up()
        application.wait_for("sessionCompleted", count)
        server.wait_idle()
    finally:
        for caller in callers:
            caller.close()
    reasons = [one.body["reason"] for one in application.events("sessionCompleted")]
    assert reasons.count("cancelled") == count / 3 and reasons.count("normal") == count * 2 / 3
