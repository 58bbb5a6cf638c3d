"""What callers get while the application is away: the entries of /cache/{domain}/ivrfallback, and the calls that they are for."""

import time

import pytest
from support.application import Raw
from support.rtp_peer import sine

PATH = "/cache/demo.example/ivrfallback"
AWAY = Raw(status=404)  # at once: no retries


def hang_up(*phrases):
    return {"action": {"type": "hangup"}, "phrases": list(phrases)}


def call(phone, *phrases, **more):
    return {"action": {"type": "call", "destAddr": phone.uri, **more}, "phrases": list(phrases)}


@pytest.fixture
def fallback(server):
    """Sets entries of the shared server; at the end there are none."""
    def make(command, number="", mode="onError", expiration="DAY"):
        answer = server.request("POST", PATH + ("/" + number if number else ""), {"mode": mode, "expiration": expiration, "command": command})
        assert answer.status == 200, answer.raw
        return answer.body["data"]
    yield make
    for entry in server.request("GET", PATH).body["data"]:
        number = entry.get("number")
        assert server.request("DELETE", PATH + (f"/{number}" if number else "")).status == 200


# ---- the entries


@pytest.mark.short
def test_entries_are_set_read_and_deleted(server):
    before = int(time.time())
    command = {"action": {"type": "call", "destAddr": "sip:help@127.0.0.1", "xHeaders": {"X-A": ["1", "2"]}}, "phrases": [{"fileName": "a"}]}
    made = server.request("POST", PATH + "/100", {"mode": "onError", "expiration": "WEEK", "command": command})
    assert made.status == 200
    data = made.body["data"]
    assert data == {"number": "100", "mode": "onError", "expiration": data["expiration"], "command": command}
    assert before + 7 * 86400 <= data["expiration"] <= time.time() + 7 * 86400
    until = int(time.time()) + 1000
    assert server.request("POST", PATH, {"mode": "always", "expiration": until, "command": hang_up()}).body["data"]["expiration"] == until
    assert server.request("GET", PATH + "/100").body["data"] == data
    assert [one.get("number") for one in server.request("GET", PATH).body["data"]] == [None, "100"]
    assert server.request("GET", PATH + "/101").status == 404
    assert server.request("GET", "/cache/other.example/ivrfallback").body["data"] == []
    assert server.request("GET", "/cache/other.example/ivrfallback/100").status == 404
    assert server.request("DELETE", PATH).status == 200
    assert server.request("DELETE", PATH).status == 404
    assert server.request("DELETE", PATH + "/100").status == 200
    assert server.request("GET", PATH).body["data"] == []


@pytest.mark.parametrize("body,field", [
    ({"expiration": "DAY", "command": hang_up()}, "mode"),
    ({"mode": "sometimes", "expiration": "DAY", "command": hang_up()}, "mode"),
    ({"mode": "always", "command": hang_up()}, "expiration"),
    ({"mode": "always", "expiration": "YEAR", "command": hang_up()}, "expiration"),
    ({"mode": "always", "expiration": 1000, "command": hang_up()}, "expiration"),
    ({"mode": "always", "expiration": "DAY"}, "command"),
    ({"mode": "always", "expiration": "DAY", "command": {}}, "command.action"),
    ({"mode": "always", "expiration": "DAY", "command": {"action": {"type": "ivr"}}}, "command.action.type"),
    ({"mode": "always", "expiration": "DAY", "command": {"action": {"type": "call"}}}, "command.action.destAddr"),
    ({"mode": "always", "expiration": "DAY", "command": {"action": {"type": "call", "destAddr": "http://x"}}}, "command.action.destAddr"),
    ({"mode": "always", "expiration": "DAY", "command": hang_up({"format": "file"})}, "command.phrases[0].fileName"),
    ({"mode": "always", "expiration": "DAY", "command": hang_up(*[{"format": "tts", "text": "x" * 9000}] * 4)}, "command"),
])
def test_a_wrong_entry_names_the_field_and_changes_nothing(server, body, field):
    answer = server.request("POST", PATH + "/100", body)
    assert answer.status == 400
    assert answer.body["reason"].startswith(field + ":")
    assert server.request("GET", PATH).body["data"] == []


def test_a_token_is_needed_where_the_domain_wants_one(own_server, application):
    server = own_server(more="\n".join(["[[domains]]", 'name = "closed.example"', 'jwt_secret = "' + "s" * 32 + '"', ""]))
    for method in ("GET", "POST", "DELETE"):
        assert server.request(method, "/cache/closed.example/ivrfallback/1").status == 401
    assert server.request("OPTIONS", "/cache/closed.example/ivrfallback/1").headers["Access-Control-Allow-Methods"] == "GET, POST, DELETE, OPTIONS"


def test_entries_survive_a_crash(own_server, application, phone, called_phone):
    server = own_server()
    callee = called_phone(server)
    assert server.request("POST", PATH + "/100", {"mode": "always", "expiration": "DAY", "command": call(callee)}).status == 200
    server.kill()
    server.start()
    callee = called_phone(server)
    assert server.request("GET", PATH + "/100").body["data"]["mode"] == "always"
    assert server.request("POST", PATH + "/100", {"mode": "always", "expiration": "DAY", "command": call(callee)}).status == 200
    caller = phone(server)
    caller.call()
    caller.hang_up()
    application.completed("normal")


# ---- calls


def details(application, error):
    alarm = application.wait_alarm(error)
    assert alarm["type"] == "emergencyFallback"
    return alarm["errorDetails"]


@pytest.mark.short
@pytest.mark.parametrize("reply", [AWAY, Raw(), Raw(body=b"<html>"), {}, {"action": "fly"}])
def test_newcall_fails_and_the_caller_hears_the_phrases_and_is_connected(application, phone, called_phone, fallback, reply):
    callee = called_phone()
    fallback(call(callee, {"fileName": "a"}, sipFrom="help", xHeaders={"X-Why": "away"}), "100")
    application.replies["newCall"] = reply
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)
    invite = callee.wait_request("INVITE")
    assert invite.header("X-Why") == "away" and "help@" in invite.header("From")
    callee.wait_request("ACK")
    application.wait_for("callAnswered")
    callee.rtp.keep_speaking(sine(1700, 1))
    caller.rtp.wait_for_tone(1700)
    assert details(application, "triggeredByError")["number"] == "100"
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")
    assert application.events("callEvent") == []



def test_an_application_that_hangs(application, phone, fallback):
    application.replies["newCall"] = Raw(hold=30)
    fallback(hang_up())
    answer = phone().refused()
    assert answer.status == 480 and answer.header("Retry-After")
    assert "number" not in details(application, "triggeredByError")
    application.released.set()
    application.completed("error")


def test_getivrcommand_fails_and_the_caller_hears_the_phrases(application, phone, fallback):
    fallback(hang_up({"fileName": "b"}))
    application.replies["getIvrCommand"] = AWAY
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(900)
    caller.wait_request("BYE")
    details(application, "triggeredByError")
    application.completed("error")


def test_callevent_fails_and_the_caller_is_connected_elsewhere(connected, application, called_phone, fallback):
    caller, callee = connected()
    other = called_phone()
    fallback(call(other))
    application.replies["callEvent"] = AWAY
    callee.hang_up()
    other.wait_request("ACK")
    application.wait_for("callAnswered", 2)
    caller.hang_up()
    other.wait_request("BYE")
    application.completed("normal")


def test_always_does_not_ask(application, phone, called_phone, fallback):
    callee = called_phone()
    fallback(call(callee), "100", mode="always")
    caller = phone()
    caller.call()
    callee.wait_request("ACK")
    assert details(application, "triggeredByAlways")["mode"] == "always"
    callee.hang_up()
    caller.wait_request("BYE")
    application.completed("normal")
    assert application.events("newCall") == [] and application.events("callEvent") == []


def test_a_phrase_that_is_missing_and_a_busy_callee_are_the_end(application, phone, called_phone, fallback):
    callee = called_phone(pick_up=False, rings=False)
    fallback(call(callee, {"fileName": "nothing"}, {"fileName": "c"}))
    application.replies["newCall"] = AWAY
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(1300)
    assert application.wait_alarm("phraseError")["errorDetails"]["field"] == "ivrfallback"
    callee.wait_request("INVITE")
    callee.refuse(486)
    caller.wait_request("BYE")
    application.completed("busy")
    assert len(application.events("newCall")) == 1 and application.events("callEvent") == []


def test_an_expired_entry_is_not_used(server, application, phone, fallback):
    fallback(hang_up({"fileName": "a"}), "100", expiration=int(time.time()) + 2)
    deadline = time.monotonic() + 20
    while server.request("GET", PATH + "/100").status == 200:
        assert time.monotonic() < deadline
    application.replies["newCall"] = AWAY
    assert phone().refused().status == 480
    application.completed("error")
    application.wait_for("alarms")
    assert [one.body["error"] for one in application.events("alarms")] == ["newCall request failed"]


def test_another_domains_entries_are_not_used(server, application, phone, fallback):
    fallback(hang_up({"fileName": "a"}), "100", mode="always")
    application.replies["newCall"] = AWAY
    assert phone(domain="other.example").refused().status == 480
    application.wait_alarm("newCall request failed")
    application.completed("error")
    assert len(application.events("newCall")) == 1


@pytest.mark.parametrize("away", [AWAY, Raw(close=True)], ids=["refuses", "gone"])
def test_fifty_calls_at_once(application, phone, fallback, away):
    fallback(hang_up({"fileName": "a"}))
    application.replies["newCall"] = away
    callers = [phone() for _ in range(50)]
    for caller in callers:
        caller.invite()
    for caller in callers:
        answer = caller.wait_final(timeout=60)
        assert answer.status == 200
        caller.follow(answer)
        caller.ack()
    for caller in callers:
        caller.rtp.wait_for_tone(500)
        caller.wait_request("BYE", timeout=60)
    application.wait_for("sessionCompleted", 50)
    application.wait_for("alarms", 50)
    assert len([one for one in application.events("alarms") if one.body["error"] == "triggeredByError"]) == 50
