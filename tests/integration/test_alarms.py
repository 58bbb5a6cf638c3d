"""The alarms that no other test of a flow provokes, and where alarms go."""

import pytest
from support.application import Raw


def the_alarm(application, error, kind, timeout=20.0):
    alarm = application.wait_alarm(error, timeout=timeout)
    assert alarm["type"] == kind and alarm["domain"] == "demo.example" and alarm["sessionId"], alarm
    return alarm


@pytest.mark.parametrize("reply, error, details", [
    ({}, "No action provided in callEvent response", {"field": "action"}),
    ({"action": "sing"}, "callEvent response with unknown action", {"action": "sing"}),
    (Raw(body=b""), "No response to callEvent request", {"status": 200}),
    (Raw(status=403), "No response to callEvent request", {"status": 403}),
    ({"action": "drop", "dropCode": "x"}, "No response to callEvent request", {"field": "dropCode"}),
    ({"action": "call", "destAddr": "http://nowhere"}, "Invalid sip address: http://nowhere", {"field": "destAddr"})])
def test_call_event(application, connected, reply, error, details):
    caller, callee = connected()
    application.replies["callEvent"] = reply
    callee.hang_up()
    caller.wait_request("BYE")
    alarm = the_alarm(application, error, "callEventError")
    assert details.items() <= alarm["errorDetails"].items()
    application.completed("error")


def test_a_command_of_which_nothing_can_be_played(application, phone):
    application.replies["getIvrCommand"] = [{"phrases": [{"format": "file", "fileName": "none.wav"}, {"format": "file", "fileName": "nor-this.wav"}]}, {"hangup": True}]
    caller = phone()
    caller.call()
    caller.wait_request("BYE")
    the_alarm(application, "phraseError", "ivrCommandError")
    the_alarm(application, "IVR command failed", "ivrCommandError")
    application.completed("normal")


def test_no_port_is_left_for_a_callers_media(own_server, application, phone):
    """The range has room for one call."""
    server = own_server()
    first = server.file.read_text()
    port = int(first.split("ports = [")[1].split(",")[0])
    server.stop_and_change(lambda text: text.replace(f"ports = [{port}, {port + 399}]", f"ports = [{port}, {port + 1}]"))
    one, other = phone(on=server), phone(on=server)
    one.call()
    assert other.refused().status == 503
    alarm = the_alarm(application, "mediaServerError", "ivrCommandError")
    assert alarm["errorDetails"]["description"]
    one.hang_up()
    application.wait_for("sessionCompleted", 2)


def test_a_refresh_that_is_refused(own_server, application, phone):
    server = own_server({"sip": {"session_expires": 4, "min_session_expires": 2}})
    caller = phone(on=server)
    caller.auto_answer = False
    caller.call(extra="Supported: timer\r\n")
    refresh = caller.wait_request("UPDATE", "INVITE")
    caller.respond(refresh, 400)
    alarm = the_alarm(application, "unexpectedReinviteResponse", "callError")
    assert alarm["status"] == "400" and alarm["participantId"] and alarm["callId"] == caller.call_id and alarm["user"]
    caller.auto_answer = True
    caller.hang_up()
    application.wait_for("sessionCompleted")


def test_a_cancel_that_is_never_answered(application, ringing):
    caller, callee = ringing(rings=True)
    callee.auto_answer = False
    callee.abandon()
    caller.cancel()
    alarm = the_alarm(application, "cancelFailed", "callError", timeout=60)
    assert alarm["errorDetails"]["user"]
    application.completed("cancelled")


def test_without_an_alarm_url_alarms_go_to_the_callback_url_and_the_domain(own_server, application, phone):
    server = own_server()
    server.stop_and_change(lambda text: "\n".join(line for line in text.splitlines() if not line.startswith("alarm_url")))
    application.replies["newCall"] = {"action": "sing"}
    assert phone(on=server).refused().status == 480
    assert application.wait_for("demo.example").body["error"] == "newCall response with unknown action"
    application.completed("error")
