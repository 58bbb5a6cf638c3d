"""A conversation between phones that other people have written."""

import pytest
from conftest import tone_wav
from support.live_peers import Baresip, Linphone, Twinkle

TRUNK = {"name": "carrier", "inbound_username": "carrier", "inbound_password": "open sesame"}


def test_linphone_and_baresip_hear_each_other(server, application):
    callee, caller = Baresip(440), Linphone(900)
    try:
        application.replies["newCall"] = {"action": "call", "destAddr": callee.uri}
        caller.call("sip:100@{}:{}".format(*server.sip_udp))
        callee.wait_for_tone(900)
        caller.wait_for_tone(440)
        caller.hang_up()
        assert application.wait_for("callEvent").body["event"] == "callingPartyDrop"
        callee.wait_for("session closed")
        application.completed("normal")
    finally:
        caller.close()
        callee.close()


@pytest.fixture
def baresip_calls(own_server, application):
    """Makes calls of a baresip to a server that wants a password."""
    callers = []

    def make(password):
        server = own_server({"sip": {"digest_algorithms": ["MD5"]}}, trunks=[TRUNK])  # it gives up at a SHA-256
        assert server.upload("a.wav", tone_wav(500, 20)).status == 200
        callers.append(Baresip(440, dials="sip:100@{}:{}".format(*server.sip_udp), username="carrier", password=password))
        return callers[-1], server

    yield make
    for one in callers:
        one.close()


def test_baresip_proves_its_password_and_is_let_in(application, baresip_calls):
    application.replies["getIvrCommand"] = {"phrases": [{"fileName": "a"}], "getIVRCommandAfter": 30}
    caller, server = baresip_calls("open sesame")
    caller.wait_for_tone(500)
    assert application.wait_for("newCall").body["calledParty"] == "100"
    assert server.post("hangupcall", {"replyId": application.wait_for("callAnswered").body["replyId"]}).status == 200
    caller.wait_for("session closed")
    application.completed("apiHangup")


def test_baresip_with_a_wrong_password_is_refused(application, baresip_calls):
    caller, _ = baresip_calls("guess")
    caller.wait_for("403")
    assert application.requests == []


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_twinkle_finds_its_way_through_a_menu(server, application, transport):
    """It hears the menu, presses keys, hears what it has chosen, and hangs up."""
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "long"}], "dtmf": {"maxDigits": 3}, "bargeIn": "all"},
                                            {"phrases": [{"fileName": "b"}] * 20, "getIVRCommandAfter": 30}]
    caller = Twinkle(440, transport)
    try:
        caller.call("sip:100@{}:{}".format(*(server.sip_tcp if transport == "tcp" else server.sip_udp)))
        caller.wait_for_tone(700)
        caller.press("123")
        assert application.wait_for("getIvrCommand", 2).body["dtmfParams"] == {"dtmfMatch": "123", "reason": "maxDigits"}
        caller.wait_for_tone(900)
        caller.hang_up()
        application.completed("normal")
    finally:
        caller.close()


def test_twinkle_holds_a_call_and_takes_it_back(server, application):
    callee, caller = Baresip(900), Twinkle(440)
    try:
        application.replies["newCall"] = {"action": "call", "destAddr": callee.uri}
        caller.call("sip:100@{}:{}".format(*server.sip_udp))
        callee.wait_for_tone(440)
        caller.wait_for_tone(900)
        caller.say("hold")
        application.wait_change("reInvite", hold=True)
        caller.retrieve(lambda: application.changes("reInvite", hold=False))
        caller.hang_up()
        callee.wait_for("session closed")
        application.completed("normal")
    finally:
        caller.close()
        callee.close()
