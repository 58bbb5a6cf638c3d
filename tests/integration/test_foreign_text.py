"""Text in other encodings, and what cannot be said in JSON: callbacks, logs and what is kept stay UTF-8. (Whole dialogs: tests/field/sip.)"""

import json

import pytest
from support.softphone import Softphone

LATIN1 = "Jos\udce9"  # the octet E9, as Softphone sends it


def check_log(server):
    """Every line is JSON in UTF-8."""
    server.errors.flush()
    for line in (server.folder / "stderr").read_bytes().splitlines():
        if line.startswith(b"{"):
            json.loads(line.decode("utf-8"))


def test_a_call_whose_trace_id_is_no_utf8_is_completed_after_a_crash(own_server, application):
    server = own_server()
    application.replies["newCall"] = {"action": "ivr", "sessionReferenceId": {"order": 1}}
    caller = Softphone(server)
    try:
        caller.call(extra=f"X-Trace-Id: {LATIN1}\r\n", from_header=f'"{LATIN1}" <sip:{LATIN1}@caller.example>')
        application.wait_for("getIvrCommand")
        server.kill()
        caller.abandon()
    finally:
        caller.close()
    server.start()
    completed = application.wait_for("sessionCompleted").body
    assert (completed["reason"], completed["traceId"], completed["sessionReferenceId"]) == ("error", "José", {"order": 1})
    check_log(server)


@pytest.mark.parametrize("level", ["info", "debug"])
def test_log_lines_are_utf8_whatever_a_phone_sends(own_server, application, phone, level):
    server = own_server({"log": {"format": "json", "level": level}})
    application.replies["newCall"] = {"action": "call", "destAddr": "sip:bob@127.0.0.1:1;transport=tcp"}
    application.replies["callEvent"] = {"action": "drop", "dropCode": "é" * 100}
    caller = phone(server)
    caller.call_id += "\udcff"
    caller.refused(extra=f"X-Trace-Id: {LATIN1}\r\nSubject: {LATIN1}\r\n")
    assert application.wait_for("newCall").body["sipCallId"].endswith("ÿ")
    application.completed("error")
    unknown = phone(server, domain="nobody.example")
    unknown.call_id += "\udcff"
    unknown.refused(from_header=f'"{LATIN1}" <sip:{LATIN1}@caller.example>')
    check_log(server)
    # What is quoted and cut is cut between characters.
    description = application.wait_alarm("No response to callEvent request")["errorDetails"]["description"]
    assert set(description.removeprefix("dropCode: unknown code ")) == {"é"}


UNSAFE = [*range(0x00, 0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("trace_id", ["a\x85b", "a\u2028b\u2029c", "a\x9b31mb", "a\x1b[31mb", "\u202egnirts", "\u2066a\u2069\u061c\u200f", "a\udcffb\udc85c\udc9b"])
def test_what_others_write_ends_no_line_of_the_log_and_commands_no_terminal(own_server, application, phone, style, trace_id):
    server = own_server({"log": {"format": style, "level": "info"}})
    application.replies["newCall"] = {"action": "drop", "dropCode": "x" + trace_id}
    phone(server).refused(extra=f"X-Trace-Id: {trace_id}\r\n")
    application.completed("error")
    application.wait_for("alarms")
    server.errors.flush()
    lines = (server.folder / "stderr").read_bytes().decode("utf-8").split("\n")
    unsafe = {f"{ord(one):x}" for line in lines for one in line if ord(one) in UNSAFE}
    assert not unsafe
    marks = {f"\\u{ord(one):04x}" for one in trace_id if ord(one) in UNSAFE}
    assert any(all(mark in line for mark in marks) for line in lines)


def test_an_address_with_escaped_latin1_is_called_as_it_stands_and_told_in_utf8(server, application, phone, called_phone):
    callee = called_phone(pick_up=False)
    application.replies["newCall"] = {"action": "call", "destAddr": callee.uri.replace("bob", "jos%E9")}
    caller = phone()
    caller.invite()
    assert callee.wait_request("INVITE").start.split()[1].startswith("sip:jos%E9@")
    callee.refuse(404)
    event = application.wait_for("callEvent").body
    assert "josé" in (event["user"], event["remoteUser"])
    assert caller.wait_final().status == 603
    caller.ack_refusal()


REQUESTS = [
    (b"POST /demo.example/splitconnection HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n\r\n" + b'{"replyId": "Jos\xe9"}', "POST", "/demo.example/splitconnection", 400),
    (b"POST /demo.example/splitconnection HTTP/1.1\r\nHost: x\r\nIdempotency-Key: \xe9\xff\r\nX-Who: \xe9\r\nContent-Length: 2\r\n\r\n{}", "POST",
     "/demo.example/splitconnection", 400),
    (b"PUT /demo.example/promptfile/caf%E9.wav HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "PUT", "/demo.example/promptfile/x", 400),
    (b"GET /demo.example/promptfile?next=%E9 HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/demo.example/promptfile", 400),
    (b"GET /d%C3%A9mo/promptfile HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/demo.example/promptfile", 404),
    (b"GET /demo.example/promptfile HTTP/1.1\r\nHost: \xe9\r\nAuthorization: Bearer \xe9.\xe9.\xe9\r\n\r\n", "GET", "/demo.example/promptfile", 200),
]


@pytest.mark.parametrize("octets, method, path, status", REQUESTS)
def test_answers_to_requests_in_any_octets_are_utf8(server, octets, method, path, status):
    answer = server.exchange(octets, method, path)
    assert answer.status == status
    json.loads(answer.raw.decode("utf-8"))
    check_log(server)


def test_a_request_with_a_byte_order_mark_and_half_an_emoji_is_understood(server, application):
    body = b'\xef\xbb\xbf{"destAddr": "sip:x@127.0.0.1:1;transport=tcp", "note": null, "traceId": "cut \\ud83d", "sessionReferenceId": 1.50}'
    placed = server.request("POST", "/demo.example/placeivrcall", raw=body, headers={"Content-Type": "application/json"})
    assert placed.status == 200, placed.raw
    assert placed.body["traceId"] == "cut �"
    application.completed("failed")
    assert b'"sessionReferenceId":1.50' in application.wait_for("sessionCompleted").raw


# ---- members that nobody knows


def replies_of(application, schema):
    """A reply with each member that the API's description has for it, and with a value that none of them takes."""
    document = application.description.document

    def members(rule):
        rule = application.description.resolve(rule)
        found = {}
        for name, inner in rule.get("properties", {}).items():
            name = {True: "on", False: "off"}.get(name, name)
            found[name] = members(inner) or False
            if isinstance(inner, dict) and "items" in inner:
                found[name] = [members(inner["items"])] if members(inner["items"]) else False
        for part in [*rule.get("allOf", []), *rule.get("oneOf", []), *rule.get("anyOf", [])]:
            found |= members(part)
        return found

    return members(document["components"]["schemas"][schema])


@pytest.mark.parametrize("event, schema, error", [("newCall", "NewCallReply", "newCall request failed"),
                                                  ("getIvrCommand", "GetIvrCommandReply", "getIvrCommand request error")])
def test_every_member_of_the_description_is_known(own_server, application, phone, event, schema, error):
    server = own_server()
    application.replies[event] = {**replies_of(application, schema), "nobodyKnowsIt": 1}
    caller = phone(server)
    caller.invite()
    if event == "newCall":
        caller.wait_final()
        caller.ack_refusal()
    else:
        assert caller.wait_final().status == 200
        caller.ack()
    assert [one["member"] for one in application.wait_alarm(error)["warnings"]] == ["nobodyKnowsIt"]


def test_a_misspelt_member_is_told_once_in_a_session(own_server, application, phone):
    server = own_server()
    missing = {"phrases": [{"fileName": "missing"}], "barge_in": "all", "getIVRCommandAfter": 0.1}
    application.replies["getIvrCommand"] = [missing, missing, {"getIVRCommandAfter": 30}]
    caller = phone(server)
    caller.call()
    application.wait_for("getIvrCommand", 3)
    caller.hang_up()
    application.wait_for("sessionCompleted")
    application.wait_for("alarms", 2)
    told = [one.body.get("warnings") for one in application.events("alarms")]
    assert [one for one in told if one] == [[{"event": "getIvrCommand", "member": "barge_in", "nearest": "bargeIn"}]]
    assert len([line for line in server.log_lines() if line["msg"] == "unknown member ignored"]) == 1


def test_a_misspelt_member_of_a_request_is_told_in_the_answer(server):
    placed = server.post("placeivrcall", {"destAddress": "sip:x@127.0.0.1"})
    assert placed.status == 400
    assert placed.body["warnings"] == [{"member": "destAddress", "nearest": "destAddr"}]
    found = server.post("splitconnection", {"replyID": "x"}).body
    assert found["warnings"] == [{"member": "replyID", "nearest": "replyId"}]
    assert "warnings" not in server.post("splitconnection", {"replyId": "x"}).body
    kept = server.request("POST", "/cache/demo.example/ivrfallback/77", {"mode": "onError", "expiration": "DAY", "command": {"action": {"type": "hangup", "code": 1}}})
    assert (kept.status, kept.body["warnings"]) == (200, [{"member": "command.action.code", "nearest": "type"}])
    assert server.request("DELETE", "/cache/demo.example/ivrfallback/77").status == 200


def test_a_call_is_placed_though_a_member_is_misspelt(server, application):
    placed = server.post("placeivrcall", {"destAddr": "sip:x@127.0.0.1:1;transport=tcp", "maxRingtime": 5})
    assert (placed.status, placed.body["warnings"]) == (200, [{"member": "maxRingtime", "nearest": "maxRingTime"}])
    application.completed("failed")
