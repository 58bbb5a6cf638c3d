"""What becomes of calls while the application is away: the fallback that the domain has set."""

import time

import pytest
from support.application import Raw
from support.server import Server

AWAY = Raw(status=500)
TONE = {"format": "file", "fileName": "a.wav"}
HANGUP = {"action": {"type": "hangup"}}


def command(phone=None, phrases=(TONE,), **more):
    action = {"type": "call", "destAddr": phone.uri, **more} if phone else {"type": "hangup"}
    return {"action": action, "phrases": list(phrases)}


@pytest.fixture
def fallback(server):
    """Sets the shared server's fallbacks; they are removed at the end."""
    used = set()

    def path(number, domain):
        return f"/cache/{domain}/ivrfallback" + (f"/{number}" if number else "")

    def make(what, number="100", mode="onError", expiration="DAY", domain=server.domain):
        used.add((number, domain))
        answer = server.request("POST", path(number, domain), {"mode": mode, "expiration": expiration, "command": what})
        assert answer.status == 200, answer.raw
        return answer.body

    yield make
    for number, domain in used:
        assert server.request("DELETE", path(number, domain)).status in (200, 404)


@pytest.mark.short
@pytest.mark.parametrize("reply, error", [(AWAY, "newCall request failed"), (Raw(body=b""), "newCall response empty"),
                                          ({"action": "sing"}, "newCall response with unknown action"), ({}, "newCall response without action")])
def test_a_caller_hears_the_phrases_and_is_connected(application, fallback, phone, called_phone, reply, error):
    callee = called_phone()
    fallback(command(callee, sipFrom="900", displayName="Shop", xHeaders={"X-Why": "fallback"}))
    application.replies["newCall"] = reply
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)
    invite = callee.wait_request("INVITE")
    assert "<sip:900@" in invite.header("From") and invite.header("X-Why") == "fallback"
    callee.wait_request("ACK")
    application.wait_for("callAnswered")
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")
    application.wait_alarm(error)
    alarm = application.wait_alarm("triggeredByError")
    assert alarm["type"] == "emergencyFallback" and alarm["errorDetails"]


def test_without_phrases_an_unanswered_caller_hears_the_callee_ring(application, fallback, phone, called_phone):
    callee = called_phone(pick_up=False)
    fallback(command(callee, phrases=()))
    application.replies["newCall"] = AWAY
    caller = phone()
    caller.invite()
    callee.wait_request("INVITE")
    callee.answer()
    caller.follow(caller.wait_final())
    application.wait_for("callAnswered")
    caller.hang_up()
    application.completed("normal")


@pytest.mark.short
def test_always_does_not_ask_the_application(application, fallback, phone, called_phone):
    callee = called_phone()
    fallback(command(callee), mode="always")
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)
    callee.wait_request("ACK")
    callee.hang_up()
    caller.wait_request("BYE")
    application.completed("normal")
    assert application.wait_alarm("triggeredByAlways")["type"] == "emergencyFallback"
    assert not application.events("newCall") and not application.events("getIvrCommand")
    assert [one.body["event"] for one in application.events("callEvent")] == ["calledPartyDrop"], "it is told, and not waited for"


def test_a_fallback_that_hangs_up_after_its_phrases(application, fallback, phone):
    fallback(command())
    application.replies["newCall"] = AWAY
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)
    caller.wait_request("BYE")
    application.completed("error")


def test_a_fallback_that_only_hangs_up_refuses(application, fallback, phone):
    fallback(HANGUP)
    application.replies["newCall"] = AWAY
    assert phone().refused().status == 480
    application.completed("error")
    application.wait_alarm("triggeredByError")


def test_in_the_ivr(application, fallback, phone, called_phone):
    callee = called_phone()
    fallback(command(callee))
    application.replies["getIvrCommand"] = AWAY
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)
    callee.wait_request("ACK")
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")
    application.wait_alarm("getIvrCommand request error")
    application.wait_alarm("triggeredByError")


def test_after_the_callee_has_left(application, fallback, connected, called_phone):
    second = called_phone()
    fallback(command(second, phrases=()))
    caller, callee = connected()
    application.replies["callEvent"] = AWAY
    callee.hang_up()
    second.wait_request("ACK")
    caller.hang_up()
    second.wait_request("BYE")
    application.completed("normal")
    application.wait_alarm("No response to callEvent request")


def test_it_is_used_once(application, fallback, phone, called_phone):
    """The callee is busy, and the application, asked about that, still is away: the call ends."""
    callee = called_phone(pick_up=False, rings=False)
    fallback(command(callee))
    application.replies["newCall"] = application.replies["callEvent"] = AWAY
    caller = phone()
    caller.call()
    callee.wait_request("INVITE")
    callee.refuse(486)
    caller.wait_request("BYE")
    application.completed("error")
    assert len([one for one in application.events("alarms") if one.body["type"] == "emergencyFallback"]) == 1


def test_a_phrase_that_is_missing_is_passed_over(application, fallback, phone):
    fallback(command(phrases=[{"format": "file", "fileName": "missing.wav"}, TONE]))
    application.replies["newCall"] = AWAY
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)
    caller.wait_request("BYE")
    application.wait_alarm("phraseError")
    application.completed("error")


def test_the_caller_may_hang_up_meanwhile(application, fallback, phone):
    fallback(command(phrases=[{"format": "file", "fileName": "long.wav"}]))
    application.replies["newCall"] = AWAY
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(700)
    caller.hang_up()
    application.completed("normal")


def test_the_numbers_own_one_goes_before_the_domains(application, server, fallback, phone):
    fallback(command(phrases=[{"format": "file", "fileName": "b.wav"}]), number="")
    fallback(command(), number="100")
    application.replies["newCall"] = AWAY
    for number, hertz in (("100", 500), ("101", 900)):
        caller = phone(user=number)
        caller.call()
        caller.rtp.wait_for_tone(hertz)
        caller.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)


def test_many_callers_at_once(application, fallback, phone):
    fallback(command())
    application.replies["newCall"] = AWAY
    callers = [phone() for _ in range(20)]
    for caller in callers:
        caller.invite()
    for caller in callers:
        caller.follow(caller.wait_final())
    for caller in callers:
        caller.rtp.wait_for_tone(500)
        caller.wait_request("BYE")
    application.wait_for("sessionCompleted", 20)


# ------------------------------------------------------------------------------------------------------------- the resource

def test_what_was_set_is_told(server, fallback):
    given = command(phrases=[TONE])
    assert fallback(given)["data"]["command"] == given
    data = server.request("GET", f"/cache/{server.domain}/ivrfallback/100").body["data"]
    assert data["mode"] == "onError" and data["command"] == given
    assert 86400 - 60 < data["expiration"] - time.time() <= 86400
    assert server.request("GET", f"/cache/{server.domain}/ivrfallback/101").status == 404
    assert server.request("GET", "/cache/other.example/ivrfallback/100").status == 404
    assert server.request("DELETE", "/cache/other.example/ivrfallback/100").status == 404
    assert server.request("DELETE", f"/cache/{server.domain}/ivrfallback/100").body == {"success": True}
    assert server.request("GET", f"/cache/{server.domain}/ivrfallback/100").status == 404


@pytest.mark.parametrize("expiration, seconds", [("WEEK", 7), ("MONTH", 30), ("QUARTER", 91), ("HALF-YEAR", 182)])
def test_expirations(fallback, expiration, seconds):
    data = fallback(HANGUP, expiration=expiration)["data"]
    assert abs(data["expiration"] - time.time() - seconds * 86400) < 60


def test_an_expired_one_is_gone(server, application, fallback, phone):
    until = int(time.time()) + 1
    fallback(command(), expiration=until)
    while server.request("GET", f"/cache/{server.domain}/ivrfallback/100").status == 200:
        assert time.time() < until + 20
        time.sleep(0.05)
    application.replies["newCall"] = AWAY
    assert phone().refused().status == 480
    application.completed("error")


@pytest.mark.parametrize("change, names", [
    ({"mode": "never"}, "mode"), ({"mode": None}, "mode"), ({"expiration": "CENTURY"}, "expiration"), ({"expiration": 1000}, "expiration"),
    ({"expiration": None}, "expiration"), ({"command": None}, "command"), ({"command": 5}, "command"), ({"command": {}}, "command.action"),
    ({"command": {"action": {"type": "sing"}}}, "command.action.type"),
    ({"command": {"action": {"type": "call"}}}, "command.action.destAddr"),
    ({"command": {"action": {"type": "call", "destAddr": "nowhere"}}}, "command.action.destAddr"),
    ({"command": {"action": {"type": "call", "destAddr": "sip:a@b", "xHeaders": {"X-A": "1\r\nVia: x"}}}}, "command.action.xHeaders"),
    ({"command": {**HANGUP, "phrases": "x"}}, "command.phrases"),
    ({"command": {**HANGUP, "phrases": [{"format": "file"}]}}, "command.phrases[0]")])
def test_bad_ones_are_refused_and_change_nothing(server, fallback, change, names):
    fallback(HANGUP)
    before = server.request("GET", f"/cache/{server.domain}/ivrfallback/100").raw
    body = {"mode": "onError", "expiration": "DAY", "command": HANGUP, **change}
    answer = server.request("POST", f"/cache/{server.domain}/ivrfallback/100", body)
    assert answer.status == 400 and names in answer.body["reason"], answer.raw
    assert server.request("GET", f"/cache/{server.domain}/ivrfallback/100").raw == before


def test_it_survives_a_crash(own_server, application, phone):
    server = own_server()
    path = f"/cache/{Server.domain}/ivrfallback/100"
    tone = {"format": "tone", "frequencies": [600], "seconds": 1}
    assert server.request("POST", path, {"mode": "always", "expiration": "DAY", "command": command(phrases=[tone])}).status == 200
    server.kill()
    server.start()
    caller = phone(on=server)
    caller.call()
    caller.rtp.wait_for_tone(600)
    caller.wait_request("BYE")
    application.completed("error")
