"""SIP signalling by SIPp: each file of sipp/ is one dialog, as its first lines say."""

import pathlib
import socket
import subprocess

import pytest
from support.application import Raw
from support.free_port import free_port

SCENARIOS = pathlib.Path(__file__).parent / "sipp"


@pytest.fixture
def sipp(tmp_path):
    def run(server, scenario, transport="udp", calls=1):
        port = (server.sip_tcp if transport == "tcp" else server.sip_udp)[1]
        errors = tmp_path / f"{scenario}.errors"
        done = subprocess.run(["sipp", f"127.0.0.1:{port}", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-s", "100", "-i", "127.0.0.1", "-p", str(free_port()), "-t", transport[0] + "1",
                               "-m", str(calls), "-l", str(calls), "-r", "20", "-nostdin", "-timeout", "60s", "-timeout_error", "-recv_timeout", "20000",
                               "-trace_err", "-error_file", str(errors)], cwd=tmp_path, capture_output=True, text=True, timeout=90)
        said = errors.read_text(errors="replace") if errors.exists() else ""
        assert done.returncode == 0, f"{scenario} over {transport}: {said[-3000:] or done.stderr[-2000:]}"
    return run


def changes(application, count):
    application.wait_for("callNotify", count)
    return [(one.body["event"], one.body.get("hold")) for one in application.events("callNotify")]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("scenario", ["call", "reliable_required", "caller_refreshes", "server_refreshes", "server_refreshes_by_invite", "late_offer",
                                      "options_in_dialog", "reinvite_refused"])
def test_a_call(server, application, sipp, scenario, transport):
    sipp(server, scenario, transport)
    application.completed("normal")


@pytest.mark.short
def test_many_calls_at_once(server, application, sipp):
    sipp(server, "call", calls=20)
    application.wait_for("sessionCompleted", 20, timeout=60)


@pytest.mark.short
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_hold_and_resume_by_reinvite(server, application, sipp, transport):
    sipp(server, "hold_and_resume", transport)
    application.completed("normal")
    assert changes(application, 3) == [("reInvite", True), ("reInvite", None), ("reInvite", False)]


def test_hold_and_resume_by_update(server, application, sipp):
    sipp(server, "update")
    application.completed("normal")
    assert changes(application, 2) == [("update", True), ("update", False)]
    application.wait_alarm("invalidSdp")


def test_refreshes_are_told(server, application, sipp):
    sipp(server, "caller_refreshes")
    application.completed("normal")
    assert application.wait_for("callAnswered").body["callingPartyExpires"] == 4
    assert changes(application, 2) == [("update", None), ("reInvite", None)]
    assert [one.body["changed"] for one in application.events("callNotify")] == [False, False]


def test_an_interval_that_is_too_small(own_server, application, sipp):
    server = own_server({"sip": {"listen": ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"], "min_session_expires": 90}})
    sipp(server, "interval_too_small")
    application.completed("normal")
    assert len(application.events("newCall")) == 1


@pytest.mark.short
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_cancel(server, application, sipp, transport):
    application.replies["newCall"] = Raw(hold=10)
    sipp(server, "cancel", transport)
    application.completed("cancelled")
    assert application.events("callEvent") == []


@pytest.mark.parametrize("scenario", ["options", "unknown_dialog", "unknown_extension"])
def test_requests_that_make_no_call(server, application, sipp, scenario):
    sipp(server, scenario)
    assert application.requests == []


def test_a_repeated_invite_is_one_call(server, application, phone):
    application.replies["newCall"] = Raw(body=b'{"action":"ivr"}', hold=10)
    caller = phone()
    caller.invite()
    for _ in range(3):
        assert caller.wait_response().status == 100
        caller.send_text(caller.invite_text)
    application.wait_for("newCall")
    application.released.set()
    answer = caller.wait_final()
    assert answer.status == 200
    caller.send_text(caller.invite_text)
    assert caller.wait_final().body == answer.body, "the same answer again"
    caller.ack()
    caller.ack()
    application.wait_for("getIvrCommand")
    caller.hang_up()
    application.completed("normal")
    assert len(application.events("newCall")) == len(application.events("callAnswered")) == 1


def test_the_answer_is_repeated_until_the_ack(server, application, phone):
    caller = phone()
    caller.invite()
    answers = [caller.wait_final() for _ in range(3)]
    assert [one.status for one in answers] == [200] * 3
    assert application.events("callAnswered") == []
    caller.ack()
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


def test_a_refusal_is_repeated_until_the_ack(own_server, application, phone):
    application.replies["newCall"] = {"action": "drop", "dropCode": "busy"}
    caller = phone(own_server(trunks=[{"name": "carrier", "allow": ["127.0.0.0/8"]}]))
    caller.invite()
    assert [caller.wait_final().status for _ in range(2)] == [486] * 2
    caller.ack_refusal()
    application.completed("rejected")


def test_a_repeated_bye_is_answered_again(server, application, phone):
    caller = phone()
    caller.call()
    caller.cseq += 1
    caller.state = "over"
    bye = caller.request_text("BYE")
    for _ in range(3):
        caller.send_text(bye)
        assert caller.wait_final("BYE").status == 200
    application.completed("normal")


def test_a_bye_without_an_answer_is_repeated(server, application, phone):
    application.replies["getIvrCommand"] = {"hangup": True}
    caller = phone()
    caller.auto_answer = False
    caller.call()
    first, second = caller.wait_request("BYE"), caller.wait_request("BYE")
    assert first.header("CSeq") == second.header("CSeq")
    caller.respond(second, 200)
    application.completed("normal")


def test_too_many_calls_get_503_and_nobody_is_asked(own_server, application, phone):
    server = own_server({"limits": {"max_calls": 1}})
    first, second = phone(on=server), phone(on=server)
    first.call()
    answer = second.refused()
    assert answer.status == 503 and answer.header("Retry-After")
    assert len(application.events("newCall")) == 1
    first.hang_up()
    application.completed("normal")
    server.wait_idle()
    third = phone(on=server)
    third.call()
    third.hang_up()


def test_too_many_calls_a_second_get_503(own_server, application, phone):
    server = own_server({"limits": {"calls_per_second": 0.01}})
    application.replies["newCall"] = {"action": "drop"}
    statuses = [phone(on=server).refused().status for _ in range(3)]
    assert statuses[0] == 603 and statuses[-1] == 503


@pytest.mark.short
def test_what_is_not_sip_does_no_harm(server, application, phone):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        for junk in (b"", b"\r\n\r\n", b"\0" * 2000, b"INVITE\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"INVITE sip:100@demo.example SIP/2.0\r\n" + b"Via: x\r\n" * 300 + b"\r\n"):
            wire.sendto(junk, server.sip_udp)
    with socket.create_connection(server.sip_tcp) as wire:
        wire.sendall(b"INVITE sip:x SIP/2.0\r\nContent-Length: 99999999\r\n\r\n")
    with socket.create_connection(server.sip_tcp) as wire:
        wire.sendall(b"A" * 200000)
    application.replies["getIvrCommand"] = {"hangup": True}
    for transport in ("udp", "tcp"):
        caller = phone(transport=transport)
        caller.call()
        caller.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)


@pytest.mark.parametrize("settings, name", [({}, "Ringwright"), ({"server_header": "Acme PBX"}, "Acme PBX"), ({"server_header": ""}, None)])
def test_strangers_and_phones_are_told_the_name_that_the_operator_wants(own_server, application, phone, called_phone, calls, settings, name):
    server = own_server({"sip": settings})
    application.replies["newCall"] = {"action": "drop", "dropCode": "busy"}
    assert phone(server).refused().header("Server") == name
    callee = called_phone(server)
    application.replies["newCall"] = calls(callee)
    caller = phone(server)
    assert caller.call().header("Server") == name
    assert callee.invite_request.header("User-Agent") == name
    caller.hang_up()
    assert callee.wait_request("BYE").header("User-Agent") == name
    application.wait_for("sessionCompleted", 2)
