"""One whole call through every layer."""

import pytest


@pytest.mark.short
def test_a_call_is_answered_hears_a_prompt_and_is_hung_up(server, application, phone):
    application.replies["getIvrCommand"] = {"phrases": [{"format": "file", "fileName": "a.wav"}], "hangup": True}
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)
    caller.wait_request("BYE")
    caller.rtp.check_continuity()
    body = application.completed("normal")
    assert int(body["sessionDuration"]) >= 0
    assert [one.event for one in application.requests if one.event != "callAnswered"] == ["newCall", "getIvrCommand", "sessionCompleted"]
    answered = application.wait_for("callAnswered").body
    assert answered["callingPartyNumber"] == "alice"
    assert answered["remotePartyNumber"] == "100"


@pytest.mark.short
def test_the_same_over_tcp(server, application, phone):
    application.replies["getIvrCommand"] = {"phrases": [{"fileName": "b"}], "hangup": True}
    caller = phone(transport="tcp")
    caller.call()
    caller.rtp.wait_for_tone(900)
    caller.wait_request("BYE")
    application.completed("normal")
