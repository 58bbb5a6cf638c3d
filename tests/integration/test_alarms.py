"""Each alarm of the API, provoked from outside: its exact words, and details by which the operator can find the cause."""

import threading

import pytest
from support.application import Raw
from support.web import File, Web

UNREACHABLE = Raw(status=404)


def alarm(application, kind, error, **details):
    """Waits for it, and checks it. A detail that is a text has to be part of the one that came."""
    body = application.wait_alarm(error)
    assert body["type"] == kind and body["domain"] == "demo.example" and body["sessionId"] and body["httpTransactionId"]
    for name, value in details.items():
        found = body["errorDetails"].get(name)
        assert (value in found) if isinstance(value, str) and isinstance(found, str) else found == value, body
    return body


def in_ivr(phone, application, *commands, on=None):
    application.replies["getIvrCommand"] = [*commands, {"getIVRCommandAfter": 30}]
    caller = phone(on) if on else phone()
    caller.call()
    return caller


# ---- where they go


def test_the_default_url_is_the_domain_below_the_callback_url(own_server, application, phone):
    server = own_server(service={"alarm_url": None})
    application.replies["newCall"] = {}
    phone(server).refused()
    body = application.wait_for("demo.example").body
    assert body["error"] == "newCall response without action"
    assert application.events("demo.example")[0].event == "demo.example"
    application.completed("error")


def test_a_url_that_is_configured(own_server, application, phone):
    server = own_server(service={"alarm_url": application.url + "/over/there/alarms"})
    application.replies["newCall"] = {}
    phone(server).refused()
    assert application.wait_for("alarms").event == "over/there/alarms"
    application.completed("error")


def test_the_trace_of_the_call_is_in_its_alarms(application, phone):
    application.replies["newCall"] = {}
    phone().refused(extra="X-Trace-Id: trace-7\r\n")
    assert alarm(application, "newCallEventError", "newCall response without action")["traceId"] == "trace-7"
    application.completed("error")


# ---- newCallEventError


@pytest.mark.short
@pytest.mark.parametrize("reply,error,details", [
    (Raw(), "newCall response empty", {"url": "/newCall", "status": 200}),
    ({}, "newCall response without action", {"field": "action"}),
    ({"action": "fly"}, "newCall response with unknown action", {"field": "action", "action": "fly"}),
    (UNREACHABLE, "newCall request failed", {"url": "/newCall", "status": 404}),
    (Raw(body=b"<html>"), "newCall request failed", {"url": "/newCall", "description": "JSON"}),
    ({"action": "drop", "dropCode": "x"}, "newCall request failed", {"field": "dropCode"}),
    ({"action": "call", "destAddr": "sip:a@127.0.0.1", "xHeaders": {"X-A": "a\r\nb"}}, "newCall request failed", {"field": "xHeaders"}),
    ({"action": "call", "destAddr": ["http://x"]}, "Invalid sip address: http://x", {"field": "destAddr[0]", "address": "http://x"}),
])
def test_newcall(application, phone, reply, error, details):
    application.replies["newCall"] = reply
    phone().refused()
    alarm(application, "newCallEventError", error, **details)
    application.completed("error")


# ---- callEventError


@pytest.mark.parametrize("reply,error,details", [
    (UNREACHABLE, "No response to callEvent request", {"url": "/callEvent", "status": 404}),
    (Raw(), "No response to callEvent request", {"url": "/callEvent", "description": "no body"}),
    ({}, "No action provided in callEvent response", {"field": "action"}),
    ({"action": "fly"}, "callEvent response with unknown action", {"action": "fly"}),
    ({"action": "call", "destAddr": "nowhere"}, "Invalid sip address: nowhere", {"field": "destAddr"}),
])
def test_callevent(connected, application, reply, error, details):
    caller, callee = connected()
    application.replies["callEvent"] = reply
    callee.hang_up()
    caller.wait_request("BYE")
    alarm(application, "callEventError", error, **details)
    application.completed("error")


# ---- ivrCommandError


@pytest.mark.parametrize("reply,error,details", [
    (UNREACHABLE, "getIvrCommand request error", {"url": "/getIvrCommand", "status": 404}),
    (Raw(), "Empty body in getIvrCommand response", {"url": "/getIvrCommand"}),
    ({"dtmf": {"maxDigits": "many"}}, "getIvrCommand request error", {"description": "dtmf.maxDigits"}),
])
def test_getivrcommand(application, phone, reply, error, details):
    in_ivr(phone, application, reply).wait_request("BYE")
    alarm(application, "ivrCommandError", error, **details)
    application.completed("error")


def test_a_phrase_error_and_a_command_of_which_nothing_could_be_played(application, phone):
    caller = in_ivr(phone, application, {"phrases": [{"fileName": "nothing"}, {"format": "file"}]})
    alarm(application, "ivrCommandError", "phraseError", format="file")
    alarm(application, "ivrCommandError", "IVR command failed", field="phrases", phrases=2)
    application.wait_for("getIvrCommand", 2)
    application.wait_for("alarms", 3)
    told = [one.body["errorDetails"]["description"] for one in application.events("alarms") if one.body["error"] == "phraseError"]
    assert len(told) == 2 and any("nothing" in one for one in told) and any("phrases[1].fileName" in one for one in told)
    caller.hang_up()
    application.completed("normal")


def told_of(application, count):
    """The errors and details of all alarms, when there are so many and the call is over."""
    application.wait_for("sessionCompleted")
    application.wait_for("alarms", count)
    return [(one.body["error"], one.body["errorDetails"]) for one in application.events("alarms")]


@pytest.mark.parametrize("bad, further", [
    ([{"format": "file"}] * 100, True),
    ([{"format": f"nobody knows {number}"} for number in range(100)], True),
    ([{"fileName": f"nothing{number}"} for number in range(100)], True),
    ([{"url": "http://127.0.0.1:1/x.wav"}] * 100, False),
])
def test_a_reply_with_a_hundred_bad_phrases_is_one_alarm_that_counts_them(own_server, application, phone, bad, further):
    server = own_server()
    caller = in_ivr(phone, application, {"phrases": bad}, on=server)
    application.wait_for("getIvrCommand", 2)
    caller.hang_up()
    (first, details), (second, of_all) = told_of(application, 2)
    assert (first, second) == ("phraseError", "IVR command failed")
    assert details["count"] == 100 and ("further" in details) == further, details
    assert len(details.get("further", [])) <= 5 and of_all["phrases"] == 100
    assert len([line for line in server.log_lines() if line["msg"] == "alarm"]) == 2


def test_bad_phrases_between_good_ones_are_two_alarms(own_server, application, phone, tone_file):
    server = own_server()
    tone_file(server, "a.wav", 500, 0.05)
    caller = in_ivr(phone, application, {"phrases": [{"format": "file"}, {"fileName": "a"}] * 20}, on=server)
    application.wait_for("getIvrCommand", 2)
    caller.hang_up()
    told = told_of(application, 2)
    assert [error for error, _ in told] == ["phraseError"] * 2
    assert sum(details.get("count", 1) for _, details in told) == 20


def test_each_kind_of_bad_phrase_is_told(own_server, application, phone):
    server = own_server()
    caller = in_ivr(phone, application, {"phrases": [{"format": "file"}, {"fileName": "nothing"}, {"format": "tts"}] * 5}, on=server)
    application.wait_for("getIvrCommand", 2)
    caller.hang_up()
    *bad, failed = told_of(application, 4)
    assert sorted((details["format"], details["count"]) for _, details in bad) == [("file", 5), ("file", 5), ("tts", 5)]
    assert failed[0] == "IVR command failed"


def test_twenty_addresses_that_are_none_are_one_alarm(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = {"action": "call", "destAddr": [f"nowhere {number}" for number in range(20)]}
    phone(server).refused()
    ((error, details),) = told_of(application, 1)
    assert error == "Invalid sip address: nowhere 0" and details["count"] == 20


def test_a_command_of_which_something_was_heard_has_not_failed(application, phone):
    caller = in_ivr(phone, application, {"phrases": [{"fileName": "nothing"}, {"fileName": "a"}]})
    caller.rtp.wait_for_tone(500)
    application.wait_for("getIvrCommand", 2)
    caller.hang_up()
    application.completed("normal")
    application.wait_for("alarms")
    assert [one.body["error"] for one in application.events("alarms")] == ["phraseError"]


def test_a_phrase_that_takes_too_long(application, phone):
    web, never = Web(), threading.Event()
    web.files["/slow.wav"] = File(never, b"x")
    caller = in_ivr(phone, application, {"phrases": [{"format": "url", "url": web.url + "/slow.wav"}]})
    alarm(application, "ivrCommandError", "phraseRemoteCacheTimeout", format="url", description="10 seconds")
    never.set()
    caller.hang_up()
    web.close()
    application.completed("normal")


def test_no_port_for_media(own_server, application, phone):
    server = own_server({"media": {"ports": [30100, 30101]}})
    first = in_ivr(phone, application, on=server)
    assert phone(server).refused().status == 503
    alarm(application, "ivrCommandError", "mediaServerError", description="port")
    first.hang_up()
    application.wait_for("sessionCompleted", 2)


# ---- callError, sessionError


@pytest.mark.short
def test_an_unusable_description(application, phone):
    assert phone(codecs=(18,)).refused().status == 488
    alarm(application, "callError", "invalidSdp", description="codec")
    application.completed("error")


def test_no_rtp(own_server, application, phone):
    server = own_server({"media": {"rtp_timeout": 0.6}})
    in_ivr(phone, application, on=server).wait_request("BYE")
    body = alarm(application, "callError", "RTP media timeout", user="alice", description="RTP")
    assert body["errorDetails"]["participantId"]
    application.completed("rtpTimeout")


def test_a_session_that_is_not_refreshed(application, phone):
    caller = phone()
    caller.call(extra="Supported: timer\r\nSession-Expires: 3\r\n")
    caller.wait_request("BYE")
    alarm(application, "callError", "sessionExpired", description="refresh")
    application.completed("sessionExpired")


def test_a_cancel_that_is_refused(ringing, application):
    caller, callee = ringing(rings=True)
    callee.auto_answer = False
    callee.state = "listening"
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    callee.respond(callee.wait_request("CANCEL"), 500)
    body = alarm(application, "callError", "cancelFailed", status=500, user="bob")
    assert body["errorDetails"]["callId"] == callee.call_id and body["errorDetails"]["participantId"]
    application.completed("cancelled")


def test_a_refresh_that_is_refused(ringing, application):
    caller, callee = ringing(rings=True)
    callee.auto_answer = False
    callee.answer(extra="Require: timer\r\nSession-Expires: 4;refresher=uac\r\n")
    caller.follow(caller.wait_final())
    caller.ack()
    refresh = callee.wait_request("UPDATE", "INVITE")
    callee.respond(refresh, 403)
    body = alarm(application, "callError", "unexpectedReinviteResponse", description="403")
    assert body["status"] == "403" and body["user"] == "bob" and body["callId"] == callee.call_id and body["participantId"]
    callee.auto_answer = True
    caller.hang_up()
    application.wait_for("sessionCompleted")


def test_a_session_that_is_too_long(own_server, application, phone):
    server = own_server({"limits": {"max_session": 1}})
    in_ivr(phone, application, on=server).wait_request("BYE")
    alarm(application, "sessionError", "maxDuration", seconds=1)
    application.completed("maxDuration")


# ---- emergencyFallback


@pytest.mark.parametrize("mode,error", [("onError", "triggeredByError"), ("always", "triggeredByAlways")])
def test_a_fallback(own_server, application, phone, mode, error):
    server = own_server()
    body = {"mode": mode, "expiration": "DAY", "command": {"action": {"type": "hangup"}}}
    assert server.request("POST", "/cache/demo.example/ivrfallback/100", body).status == 200
    application.replies["newCall"] = UNREACHABLE
    assert phone(server).refused().status == 480
    alarm(application, "emergencyFallback", error, mode=mode, number="100", calledParty="100")
    application.completed("error" if mode == "onError" else "rejected")


# ---- what goes with them


def test_the_set_up_of_the_calling_side_fails(application, phone, called_phone, calls):
    """Its ACK to our late offer has a description that can't be used, when the callee has answered already."""
    callee = called_phone()
    application.replies["newCall"] = calls(callee)
    caller = phone()
    caller.invite(sdp="")
    caller.wait_final()
    callee.wait_request("ACK")
    caller.ack(caller.sdp(codecs=(18,)))
    caller.wait_request("BYE")
    event = application.wait_for("callEvent").body
    assert event["event"] == "callingPartyFailure" and event["sipResponseCode"] == 488 and event["errorDescr"]
    assert event["user"] == "alice" and event["remoteUser"] == "bob"
    alarm(application, "callError", "invalidSdp", description="codec")
    callee.wait_request("BYE")
    application.completed("error")


def test_drop_codes_of_a_mediaservice(own_server, application, phone):
    server = own_server(service={"drop_codes": {"busy": 600, "dropNoMsg": 403}})
    for code, status in (("busy", 600), ("", 403), ("error", 500)):
        application.replies["newCall"] = {"action": "drop", **({"dropCode": code} if code else {})}
        assert phone(server).refused().status == status
    application.wait_for("sessionCompleted", 3)


def test_identify_calls(own_server, application, phone):
    server = own_server(service={"identify_calls": True})
    application.replies["getCallIdentifier"] = {"sessionId": "ignored", "sessionReferenceId": {"foo": [1, None]}}
    caller = in_ivr(phone, application, {"phrases": [{"fileName": "nothing"}]}, on=server)
    asked = application.wait_for("getCallIdentifier")
    first = application.wait_for("getIvrCommand")
    assert asked.at <= first.at and asked.body["sessionId"] == first.body["sessionId"] and asked.body["calledParty"] == "100"
    assert first.body["sessionReferenceId"] == {"foo": [1, None]}
    application.wait_for("getIvrCommand", 2)
    assert len(application.events("getCallIdentifier")) == 1
    caller.hang_up()
    assert application.completed("normal")["sessionReferenceId"] == {"foo": [1, None]}


@pytest.mark.parametrize("reply", [UNREACHABLE, Raw(), Raw(body=b"[]")])
def test_a_call_that_can_not_be_identified_goes_on(own_server, application, phone, reply):
    server = own_server(service={"identify_calls": True})
    application.replies["getCallIdentifier"] = reply
    caller = in_ivr(phone, application, on=server)
    application.wait_for("getIvrCommand")
    alarm(application, "ivrCommandError", "getIvrCommand request error", event="getCallIdentifier", url="/getCallIdentifier")
    caller.hang_up()
    application.completed("normal")
