"""An operator reads in the log, at its default level, where a call went and why it did not get there, or why it was not let in."""

from types import SimpleNamespace

import pytest
from support.waiting import wait_until

CARRIER = "sip:127.0.0.1:{port};transport=udp"
NOT_YET = SimpleNamespace(sip_udp=None, domain="demo.example")  # the server of a phone whose port has to be known first


def lines(server, message, **fields):
    return [line for line in server.log_lines() if line["msg"] == message and fields.items() <= line.items()]


def the_line(server, message, **fields):
    found = lines(server, message, **fields)
    assert len(found) == 1, (message, server.log())
    return found[0]


def test_a_refused_leg_says_where_it_went_and_what_came_back(own_server, application, phone, called_phone):
    carrier = called_phone(NOT_YET, pick_up=False)
    server = own_server(trunks=[{"name": "in", "allow": ["127.0.0.0/8"]},
                                {"name": "carrier-a", "proxy": CARRIER.format(port=carrier.port), "hosts": ["carrier.example"]}])
    carrier.server_address = server.sip_udp
    application.replies["newCall"] = {"action": "call", "destAddr": "sip:+46701234567@carrier.example"}
    caller = phone(server)
    caller.invite()
    leg = carrier.wait_request("INVITE")
    carrier.refuse(503, extra='Reason: Q.850;cause=34;text="No circuit"\r\n')
    caller.wait_final()
    caller.ack_refusal()
    application.wait_for("sessionCompleted")
    session = application.events("newCall")[0].body["sessionId"]
    for message in ("leg placed", "leg failed"):
        line = the_line(server, message)
        assert line["level"] == "info"
        assert (line["sessionId"], line["callId"], line["legCallId"]) == (session, caller.call_id, leg.header("Call-ID"))
        assert (line["domain"], line["trunk"]) == (server.domain, "carrier-a")
        assert (line["number"], line["destination"]) == ("***67", "***67@carrier.example")
    failed = the_line(server, "leg failed")
    assert (failed["status"], failed["reason"]) == ("503", "failed")
    assert "No circuit" in failed["sipReason"]
    received = the_line(server, "call received")
    assert (received["domain"], received["number"], received["trunk"]) == (server.domain, "***", "in")


@pytest.mark.parametrize("status, reason", [(486, "busy"), (404, "failed")])
def test_each_leg_of_a_hunt_has_a_line(own_server, application, phone, called_phone, calls, status, reason):
    server = own_server()
    phones = [called_phone(server, pick_up=False) for _ in range(3)]
    application.replies["newCall"] = calls(*phones, strategy="parallel")
    caller = phone(server)
    caller.invite()
    placed = {one.wait_request("INVITE").header("Call-ID") for one in phones}
    phones[0].refuse(status)
    phones[0].wait_request("ACK")
    phones[1].answer()
    assert caller.wait_final().status == 200
    caller.ack()
    phones[2].wait_request("CANCEL")
    caller.hang_up()
    application.wait_for("sessionCompleted")
    assert {line["legCallId"] for line in lines(server, "leg placed")} == placed
    failed, cancelled = the_line(server, "leg failed"), the_line(server, "leg cancelled")
    assert (failed["legCallId"], failed["status"], failed["reason"]) == (phones[0].call_id, str(status), reason)
    assert (cancelled["legCallId"], cancelled["why"]) == (phones[2].call_id, "Call completed elsewhere")


def test_a_leg_that_nobody_answers_in_time_says_so(own_server, application, phone, called_phone, calls):
    server = own_server()
    callee = called_phone(server, pick_up=False)
    application.replies["newCall"] = calls(callee, maxRingTime=1)
    phone(server).refused()
    application.wait_for("sessionCompleted")
    failed = the_line(server, "leg failed")
    assert (failed["legCallId"], failed["status"], failed["reason"], failed["why"]) == (callee.call_id, "408", "noAnswer", "Not answered within maxRingTime")


def test_a_leg_that_can_not_be_placed_says_why(own_server, application, phone):
    server = own_server(trunks=[{"name": "in", "allow": ["127.0.0.0/8"]},
                                {"name": "full", "proxy": "sip:127.0.0.1:9", "hosts": ["full.example"], "calls_per_second": 0.01}])
    assert server.post("placeivrcall", {"destAddr": "sip:a@full.example"}).status == 200
    application.replies["newCall"] = {"action": "call", "destAddr": ["sip:b@full.example"]}
    phone(server).refused()
    full = server.post("placeivrcall", {"destAddr": "sip:c@full.example"})
    assert full.status == 503
    application.wait_for("sessionCompleted")
    failed = [line for line in lines(server, "leg failed", trunk="full") if "calls_per_second" in line["why"]]
    assert [line["destination"] for line in failed] == ["***@full.example"] * 2
    assert all(line["sessionId"] for line in failed)


def test_a_refused_command_says_why_and_for_which_session(own_server, application, phone):
    server = own_server()
    caller = phone(server)
    caller.call()
    asked = application.wait_for("getIvrCommand").body
    assert server.post("stoprecording", {"replyId": asked["replyId"]}).status == 409
    caller.hang_up()
    application.wait_for("sessionCompleted")
    assert server.post("hangupcall" + "jwt", {"replyId": asked["replyId"]}).status == 404
    assert server.post("placeivrcall", {"destAddr": "sip:+46701234567@bad host"}).status == 400
    refused = the_line(server, "api command", command="stoprecording")
    assert (refused["status"], refused["sessionId"], refused["domain"]) == ("409", asked["sessionId"], server.domain)
    assert refused["reason"] == "connectionId: the connection is not being recorded"
    gone = the_line(server, "api command", command="hangupcalljwt")
    assert (gone["status"], gone["sessionId"], gone["reason"]) == ("404", asked["sessionId"], "replyId: the session has ended")
    bad = the_line(server, "api command", command="placeivrcall")
    assert bad["reason"].startswith("destAddr: ") and "4670123" not in bad["reason"]


def test_a_placed_call_has_its_session_in_the_line_of_the_command(own_server, application, called_phone):
    server = own_server()
    application.replies["getIvrCommand"] = {"hangup": True}
    callee = called_phone(server)
    answer = server.post("placeivrcall", {"destAddr": callee.uri})
    callee.wait_request("BYE")
    application.wait_for("sessionCompleted")
    assert the_line(server, "api command")["sessionId"] == answer.body["sessionId"]
    assert the_line(server, "leg placed")["callId"] == callee.call_id


@pytest.mark.parametrize("method, path, status", [("GET", "/nowhere", 404), ("GET", "/demo.example/placeivrcall", 405),
                                                  ("GET", "/demo.example/promptfile/none.wav", 404), ("PUT", "/demo.example/promptfile/none", 400),
                                                  ("POST", "/closed.example/placeivrcall?token=secret", 401), ("DELETE", "/cache/demo.example/ivrfallback/1", 404)])
def test_any_refused_request_of_the_api_says_why(own_server, method, path, status):
    server = own_server(more='[[domains]]\nname = "closed.example"\njwt_secret = "jwt-secret-of-at-least-32-characters"\n')
    body = {"raw": b"x"} if method == "PUT" else {"body": {}} if method == "POST" else {}
    answer = server.request(method, path, **body)
    status = answer.status if method == "PUT" else status
    assert answer.status == status >= 400
    line = the_line(server, "api request refused")
    assert (line["method"], line["path"], line["status"], line["client"]) == (method, path.split("?")[0], str(status), "127.0.0.1")
    assert line["reason"] == answer.body["reason"]


def test_a_call_that_is_not_let_in_says_who_and_why(own_server, phone):
    server = own_server(trunks=[{"name": "elsewhere", "allow": ["192.0.2.0/24"]}])
    caller = phone(server, user="+46701234567")
    assert caller.refused().status == 403
    line = the_line(server, "call refused")
    assert (line["callId"], line["status"], line["domain"], line["number"]) == (caller.call_id, "403", server.domain, "***67")
    assert "trunk" in line["why"]


def test_a_call_without_a_mediaservice_or_over_the_limit_says_why(own_server, application, phone):
    server = own_server({"limits": {"calls_per_second": 0.01}})
    nobody = phone(server, user="999")
    assert nobody.refused().status == 404
    application.replies["newCall"] = {"action": "drop"}
    phone(server).refused()
    assert (late := phone(server)).refused().status == 503
    assert the_line(server, "call refused", callId=nobody.call_id)["why"] == "no mediaservice has this number"
    over = the_line(server, "call refused", callId=late.call_id)
    assert (over["domain"], over["why"]) == (server.domain, "limits.calls_per_second")


def test_a_call_that_the_application_drops_says_why(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = {"action": "drop", "dropCode": "busy"}
    caller = phone(server)
    assert caller.refused().status == 486
    application.wait_for("sessionCompleted")
    line = the_line(server, "call rejected")
    assert (line["callId"], line["status"], line["reason"]) == (caller.call_id, "486", "rejected")


@pytest.mark.parametrize("method, extra, status, why", [
    ("INFO", "", 481, "no such call"), ("INVITE", "Require: sec-agree\r\n", 420, "sec-agree"), ("PUBLISH", "", 405, "not allowed"),
    ("INVITE", "Session-Expires: 1\r\nSupported: timer\r\n", 422, "Session-Expires")])
def test_a_refused_sip_request_says_why(own_server, phone, method, extra, status, why):
    server = own_server()
    stranger = phone(server)
    stranger.cseq = 1
    stranger.send_text(stranger.request_text(method, extra=extra))
    assert stranger.wait_final(method).status == status
    if method == "INVITE":
        stranger.invite_cseq = 1
    line = the_line(server, "request refused", callId=stranger.call_id)
    assert (line["method"], line["status"]) == (method, str(status))
    assert why in line["why"]


def test_a_flood_of_refused_requests_is_no_flood_of_lines(own_server, phone):
    server = own_server()
    stranger = phone(server)
    for at in range(2000):
        stranger.cseq = at + 1
        stranger.send_text(stranger.request_text("INFO"))
    wait_until(lambda: server.metrics()['ringwright_sip_messages_total{transport="udp"}'] == 2000, "not all of them have come")
    written = lines(server, "request refused")
    assert 50 <= len(written) < 1000
    assert server.metrics()['ringwright_refused_total{bound="logLines"}'] == 2000 - len(written)
