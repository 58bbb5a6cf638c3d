"""Every way in which a call ends: one sessionCompleted each, nothing left (the fixtures check that)."""

import signal

import pytest
from support.application import Raw
from support.rtp_peer import sine


@pytest.mark.short
def test_the_caller_hangs_up(server, application, phone):
    caller = phone()
    caller.call()
    application.wait_for("getIvrCommand")
    caller.hang_up()
    application.completed("normal")


@pytest.mark.short
def test_the_caller_cancels_while_the_application_is_asked(server, application, phone):
    application.replies["newCall"] = Raw(hold=5)
    caller = phone()
    caller.invite()
    application.wait_for("newCall")
    caller.cancel()
    assert caller.wait_final("CANCEL").status == 200
    assert caller.wait_final("INVITE").status == 487
    caller.ack_refusal()
    application.completed("cancelled")
    assert application.events("callEvent") == []


def test_the_caller_cancels_at_once(server, application, phone):
    application.replies["newCall"] = Raw(hold=5)
    caller = phone()
    caller.invite()
    assert caller.wait_response().status == 100
    caller.cancel()
    assert caller.wait_final("INVITE").status == 487
    caller.ack_refusal()
    application.completed("cancelled")


def test_the_application_hangs_up_by_the_api(server, application, phone):
    caller = phone()
    caller.call()
    asked = application.wait_for("getIvrCommand").body
    answer = server.post("hangupparticipant", {"replyId": asked["replyId"]})
    assert (answer.status, answer.body) == (200, {"success": True})
    assert "cause=" in caller.wait_request("BYE").header("Reason")
    application.completed("apiHangup")
    assert server.post("hangupparticipant", {"replyId": asked["replyId"]}).status == 404


def test_the_api_hangs_up_while_the_application_is_asked(server, application, phone):
    application.replies["newCall"] = Raw(hold=5)
    caller = phone()
    caller.invite()
    asked = application.wait_for("newCall").body
    assert server.post("hangupparticipant", {"replyId": asked["replyId"], "participantId": asked["participantId"]}).status == 200
    assert caller.wait_final().status == 480
    caller.ack_refusal()
    application.completed("apiHangup")


def test_the_application_fails_in_the_ivr(server, application, phone):
    application.replies["getIvrCommand"] = Raw(status=403)
    caller = phone()
    caller.call()
    caller.wait_request("BYE")
    assert application.wait_alarm("getIvrCommand request error")["errorDetails"]["status"] == 403
    application.completed("error")


def test_an_empty_ivr_answer_has_its_own_alarm(server, application, phone):
    application.replies["getIvrCommand"] = Raw()
    caller = phone()
    caller.call()
    caller.wait_request("BYE")
    application.wait_alarm("Empty body in getIvrCommand response")
    application.completed("error")


def test_a_lost_ack_ends_the_call(own_server, application, phone):
    # 64 * T1 is 32 s on the wire: too long to wait for here; the server is told to stop while it waits.
    server = own_server()
    caller = phone(on=server)
    caller.invite()
    assert caller.wait_final().status == 200
    assert caller.wait_final().status == 200, "the 200 is repeated until the ACK comes"
    server.process.send_signal(signal.SIGTERM)
    application.completed("shutdown", timeout=15)


@pytest.mark.short
def test_silence_on_the_line(own_server, application, phone):
    server = own_server({"media": {"rtp_timeout": 1}})
    caller = phone(on=server)
    caller.call()
    caller.wait_request("BYE")
    assert application.wait_alarm("RTP media timeout")["type"] == "callError"
    application.completed("rtpTimeout")
    server.wait_idle()


def test_a_line_that_is_not_silent_lives_on(own_server, application, phone):
    server = own_server({"media": {"rtp_timeout": 1}})
    caller = phone(on=server)
    caller.call()
    caller.rtp.speak(sine(400, 1.6))
    assert application.events("sessionCompleted") == []
    caller.hang_up()
    application.completed("normal")


def test_the_longest_duration(own_server, application, phone):
    server = own_server({"limits": {"max_session": 0.7}})
    caller = phone(on=server)
    caller.call()
    caller.wait_request("BYE")
    alarm = application.wait_alarm("maxDuration")
    assert alarm["type"] == "sessionError"
    application.completed("maxDuration")


@pytest.mark.short
def test_a_session_that_is_not_refreshed(server, application, phone):
    caller = phone()
    answer = caller.call(extra="Supported: timer\r\nSession-Expires: 3\r\n")
    assert answer.header("Session-Expires") == "3;refresher=uac"
    assert application.wait_for("callAnswered").body["callingPartyExpires"] == 3
    caller.wait_request("BYE")
    application.wait_alarm("sessionExpired")
    application.completed("sessionExpired")


@pytest.mark.short
def test_a_drain_lets_calls_end_and_takes_no_new_ones(own_server, application, phone):
    server = own_server({"server": {"drain_timeout": 20}})
    caller = phone(on=server)
    caller.call()
    application.wait_for("getIvrCommand")
    server.drain()
    late = phone(on=server)
    answer = late.refused()
    assert answer.status == 503 and answer.header("Retry-After")
    late.request("OPTIONS", to_tag=False)
    assert late.wait_final("OPTIONS").status == 503
    assert server.request("GET", "/readyz").status == 503
    assert server.request("GET", "/healthz").status == 200
    caller.hang_up()
    application.completed("normal")
    assert server.process.wait(timeout=40) == 0


def test_a_drain_has_an_end(own_server, application, phone):
    server = own_server({"server": {"drain_timeout": 1}})
    caller = phone(on=server)
    caller.call()
    application.wait_for("getIvrCommand")
    server.process.send_signal(signal.SIGTERM)
    caller.wait_request("BYE")
    application.completed("shutdown")
    assert server.process.wait(timeout=40) == 0


@pytest.mark.short
def test_a_second_signal_stops_at_once(own_server, application, phone):
    server = own_server({"server": {"drain_timeout": 600}})
    caller = phone(on=server)
    caller.call()
    application.wait_for("getIvrCommand")
    server.drain()
    late = phone(on=server)
    assert late.refused().status == 503
    server.process.send_signal(signal.SIGTERM)
    caller.wait_request("BYE")
    application.completed("shutdown")
    assert server.process.wait(timeout=40) == 0
