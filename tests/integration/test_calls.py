"""Calls that ring somebody: two phones and the application."""

import pytest
from support.rtp_peer import sine


def calls(*phones, **more):
    """The reply that rings the phones."""
    address = phones[0].uri if len(phones) == 1 else [phone.uri for phone in phones]
    return {"action": "call", "destAddr": address, **more}


@pytest.fixture
def connected(application, phone, called_phone):
    """A caller and a callee that are joined."""
    def make(caller=None, callee=None, **more):
        callee = called_phone(**(callee or {}))
        application.replies["newCall"] = calls(callee, **more)
        caller = phone(**(caller or {}))
        caller.call()
        callee.wait_request("ACK")
        application.wait_for("callAnswered")
        return caller, callee
    return make


def test_two_phones_hear_each_other(connected, application):
    caller, callee = connected()
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.keep_speaking(sine(900, 1))
    callee.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)
    caller.hang_up()
    event = application.wait_for("callEvent").body
    callee.wait_request("BYE")
    assert event["event"] == "callingPartyDrop"
    application.completed("normal")


def test_x(connected, application, server):
    try:
        caller, callee = connected()
    finally:
        import time; time.sleep(1)
        print(server.log()[-3000:])
        for r in application.requests: print(r.event, r.body)
