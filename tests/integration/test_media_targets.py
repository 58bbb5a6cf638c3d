"""Where sound may go that a phone has asked for: not to this machine's services, its neighbours' or many at once. A phone behind a NAT is heard all the same."""

import re

import pytest
from support.rtp_peer import sine
from support.waiting import wait_until

IN_IVR = {"getIVRCommandAfter": 30}
FORBIDDEN = {"metadata": ("169.254.169.254", 4000), "multicast": ("224.0.1.75", 4000), "broadcast": ("255.255.255.255", 4000), "this network": ("0.1.2.3", 4000),
             "a name server": ("192.0.2.53", 53), "a low port of a phone": ("127.0.0.1", 1022)}


def refused(server):
    return server.metrics()['ringwright_refused_total{bound="mediaTargets"}']


def told(server):
    return [one["to"] for one in server.log_lines() if one["msg"] == "media target refused"]


def description(phone, host, port, level, more=""):
    """With the address in the session or in the stream."""
    text = phone.sdp(port=port, host=host)
    if level == "media":
        text = text.replace(f"c=IN IP4 {host}\r\n", "c=IN IP4 192.0.2.1\r\n", 1)
        text = re.sub(r"(m=audio .*?\r\n)", rf"\1c=IN IP4 {host}\r\n", text)
    return text + more


@pytest.fixture
def no_loopback(own_server):
    """A server that others reach: loopback is none of its networks. Phones of the test come from there all the same."""
    def make(**media):
        return own_server({"sip": {"listen": ["udp:0.0.0.0:0", "tcp:0.0.0.0:0"], "advertise": "127.0.0.1"},
                           "media": {"address": "0.0.0.0", "advertise": "127.0.0.1", **media}}, trunks=[{"name": "all", "allow": ["127.0.0.0/8"]}])
    return make


@pytest.mark.parametrize("level", ["session", "media"])
@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_caller_who_names_an_address_that_is_no_phones_is_heard_where_it_really_is(own_server, application, phone, name, level):
    server = own_server()
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = IN_IVR
    caller = phone(server)
    host, port = FORBIDDEN[name]
    caller.call(sdp=description(caller, host, port, level))
    wait_until(lambda: refused(server) == 1, "it is not counted")
    assert told(server) == [f"{host}:{port}"]
    assert server.metrics()["ringwright_rtp_packets_sent_total"] == 0
    caller.rtp.speak(sine(440, 0.2))
    caller.rtp.wait_for_packets(20)
    caller.hang_up()
    application.completed("normal")


def test_who_is_called_is_no_better(own_server, application, phone, called_phone, calls):
    server = own_server()
    callee = called_phone(server, pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone(server)
    caller.invite()
    callee.wait_request("INVITE")
    callee.answer(sdp=callee.sdp(host="169.254.169.254", port=80))
    answer = caller.wait_final()
    caller.follow(answer)
    caller.ack()
    callee.wait_request("ACK")
    assert refused(server) == 1
    caller.rtp.keep_speaking(sine(440, 1))
    application.wait_for("callAnswered")
    callee.rtp.keep_speaking(sine(700, 1))
    caller.rtp.wait_for_tone(700)
    callee.rtp.wait_for_tone(440)
    caller.hang_up()
    callee.wait_request("BYE")
    application.wait_for("sessionCompleted")


@pytest.mark.parametrize("direction", [None, "sendonly", "inactive"])
def test_a_session_that_changes_to_such_an_address_goes_on(own_server, application, phone, direction):
    """By re-INVITE, on hold or not: nothing is sent there, and the session goes on."""
    server = own_server()
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = IN_IVR
    caller = phone(server)
    caller.call()
    caller.rtp.wait_for_packets(5)
    caller.invite(sdp=caller.sdp(direction, host="169.254.169.254"))
    assert caller.wait_final().status == 200
    caller.ack()
    assert refused(server) == 1
    caller.rtp.wait_until_quiet()
    for _ in range(3):  # one line in a call is enough
        caller.invite(sdp=caller.sdp(direction, host="169.254.169.254"))
        assert caller.wait_final().status == 200
        caller.ack()
    assert len(told(server)) == 1 and refused(server) == 4
    caller.invite()
    assert caller.wait_final().status == 200
    caller.ack()
    caller.rtp.wait_for_packets(5)
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("line", ["a=rtcp:53 IN IP4 192.0.2.53", "a=rtcp:4001 IN IP4 169.254.169.254", "a=rtcp:80"])
def test_reports_do_not_go_to_such_an_address_either(own_server, application, phone, line):
    server = own_server()
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = IN_IVR
    caller = phone(server)
    caller.call(sdp=caller.sdp() + line + "\r\n")
    caller.rtp.wait_for_packets(5)
    assert refused(server) == 1
    caller.rtp.wait_until(lambda: caller.rtp.rtcp_packets, what="no report came to the usual port")
    caller.hang_up()
    application.completed("normal")


def test_this_machine_is_sent_no_sound_where_it_serves_others(no_loopback, application, phone):
    server = no_loopback()
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = IN_IVR
    caller = phone(server)
    caller.call()
    wait_until(lambda: refused(server) == 1, "it is not counted")
    caller.rtp.speak(sine(440, 0.3))  # whatever comes from there
    assert server.metrics()["ringwright_rtp_packets_sent_total"] == 0 and caller.rtp.packets == []
    caller.hang_up()
    application.completed("normal")


def test_the_operator_may_allow_it(no_loopback, application, phone):
    server = no_loopback(allow_targets=["127.0.0.0/8"])
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = IN_IVR
    caller = phone(server)
    caller.call()
    caller.rtp.wait_for_packets(5)
    caller.hang_up()
    application.completed("normal")
    assert refused(server) == 0
