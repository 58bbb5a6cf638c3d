"""What else SIP is used for (messages, presence, registration), and requests of calls that are not here: each is answered at once and costs nothing."""

import re

import pytest
from support.rtp_peer import sine
from support.waiting import wait_until

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER"
LONG = "x" * 60_000
PARTS = "".join(f"--b\r\nContent-Type: multipart/mixed;boundary=c{at}\r\n\r\n--c{at}\r\n\r\nx\r\n" for at in range(500)) + "--b--\r\n"

# Method, status outside of any dialog, status with the tag of a dialog that is not here
METHODS = [("MESSAGE", 405, 405), ("SUBSCRIBE", 405, 405), ("NOTIFY", 405, 405), ("PUBLISH", 405, 405), ("REGISTER", 405, 405),
           ("REFER", 403, 481), ("INFO", 481, 481), ("UPDATE", 481, 481), ("PRACK", 481, 481), ("BYE", 481, 481), ("OPTIONS", 200, 481),
           ("NOTHING", 501, 501), ("message", 501, 501)]
BODIES = {"no body": ("", "", "text/plain"), "a long body": ("", LONG, "text/plain"), "nested parts": ("", PARTS, "multipart/mixed;boundary=b"),
          "rubbish": ("Event: no-such-package;id=\"a\r\nAllow-Events: , ,\r\nAccept: ,,;\r\nExpires: -1\r\nReferred-By: ,\r\n", "v=0\r\n\0\0", ", text/plain;;, */*"),
          "compact forms": ("o: presence\r\nu: a, b\r\nk: nothing-known\r\n", "{}", "application/json, application/sdp")}


def answer_to(stranger, method, tag, extra, body, kind):
    stranger.cseq += 1
    text = stranger.request_text(method, body, extra, content_type=kind)
    if tag:
        text = re.sub(r"(?m)^(To: .*?)\r$", r"\1;tag=of-nobody\r", text)
    stranger.send_text(text)
    return stranger.wait_final(method)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_call_is_answered_at_once_and_leaves_nothing(own_server, application, phone, transport, body):
    server = own_server()
    stranger = phone(server, transport=transport)
    extra, text, kind = BODIES[body]
    for method, outside, of_nobody in METHODS:
        for tag, status in ((False, outside), (True, of_nobody)):
            for _ in range(2):  # and the same once more
                answer = answer_to(stranger, method, tag, extra, text, kind)
                assert answer.status == status, (method, tag, answer.start)
                assert ";tag=" in answer.header("To")
                if status in (405, 501):
                    assert answer.header("Allow") == ALLOW
    assert server.metrics()["ringwright_sip_transactions"] == 0
    assert application.requests == []


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "PUBLISH", "INFO"])
def test_a_flood_of_what_is_no_call_takes_no_memory(own_server, phone, method):
    server = own_server()
    stranger = phone(server, transport="tcp")

    def resident():
        with open(f"/proc/{server.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))

    answer_to(stranger, method, True, "", LONG, "text/plain")
    before = resident()
    for _ in range(500):
        stranger.send_text(stranger.request_text(method, LONG, content_type="text/plain"))
    for _ in range(500):
        assert stranger.wait_final(method).status in (405, 481)
    assert resident() - before < 8 * 1024
    assert server.metrics()["ringwright_sip_transactions"] == 0
    written = [one for one in server.log_lines() if one["msg"] == "request refused"]
    left_out = server.metrics()['ringwright_refused_total{bound="logLines"}']
    assert len(written) + left_out == 501


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_what_is_no_call_leaves_the_call_alone(server, application, phone, transport):
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"phrases": [{"format": "file", "fileName": "long.wav"}]}
    caller = phone(transport=transport)
    caller.call()
    caller.rtp.wait_for_tone(700)
    wait_until(lambda: server.metrics()["ringwright_sip_transactions"] <= 1, "of those before", timeout=60)
    for extra, body, kind in BODIES.values():
        for method, status in (("MESSAGE", 405), ("SUBSCRIBE", 405), ("NOTIFY", 405), ("PUBLISH", 405), ("REGISTER", 405), ("NOTHING", 501)):
            caller.request(method, body, extra, content_type=kind)
            answer = caller.wait_final(method)
            assert (answer.status, answer.header("Allow")) == (status, ALLOW)
    assert server.metrics()["ringwright_sip_transactions"] <= 1, "of what was refused something is kept"
    caller.rtp.wait_for_tone(700, first=len(caller.rtp.packets))
    caller.invite()  # the session can be changed as before
    assert caller.wait_final().status == 200
    caller.ack()
    caller.hang_up()
    assert application.wait_for("sessionCompleted").body["reason"] == "normal"
    assert application.events("alarms") == []


@pytest.mark.parametrize("method, extra, body, kind", [("UPDATE", "", "", ""), ("INFO", "", "Signal=5\r\nDuration=100\r\n", "application/dtmf-relay"), ("OPTIONS", "", "", ""),
                                                       ("REFER", "Refer-To: <sip:x@127.0.0.1:9>\r\n", "", "")])
def test_a_flood_within_a_call_is_not_passed_on(own_server, application, phone, called_phone, calls, method, extra, body, kind):
    """A person, and whatever a phone does by itself, is slower; and the call goes on."""
    server = own_server()
    callee = called_phone(server)
    application.replies["newCall"] = calls(callee)
    caller = phone(server, transport="tcp")  # so that nothing is lost
    caller.call()
    callee.wait_request("ACK")
    application.wait_for("callAnswered")
    for _ in range(500):
        caller.request(method, body, extra, content_type=kind)
    answers = [caller.wait_final(method) for _ in range(500)]
    over = [one for one in answers if one.status == 500 and one.header("Retry-After")]
    assert len(over) >= 250
    assert server.metrics()['ringwright_refused_total{bound="dialogRequests"}'] == len(over)
    assert len(application.events("callNotify")) + len(application.events("callEvent")) <= 250
    callee.rtp.keep_speaking(sine(700, 1))
    caller.rtp.wait_for_tone(700, first=len(caller.rtp.packets))
    caller.hang_up()
    callee.wait_request("BYE")
    application.wait_for("sessionCompleted")
