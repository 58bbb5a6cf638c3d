"""Phones that put more than 20 ms into a packet (RFC 3551 4.2: up to 200 ms), and what the other side gets of it."""

import pytest
from support.recordings import Recording
from support.rtp_peer import FRAME, sine


def answered(ringing, application, change=lambda sdp: sdp, **more):
    """A caller and a callee that are joined; the callee's description is changed."""
    caller, callee = ringing(**more)
    callee.answer(change(callee.sdp()))
    answer = caller.wait_final()
    assert answer.status == 200
    caller.follow(answer)
    caller.ack()
    application.wait_for("callAnswered")
    return caller, callee


def lengths(rtp, hertz):
    """Of the packets from the first on in which the tone is heard."""
    first = rtp.wait_for_tone(hertz)
    rtp.wait_until(lambda: len(rtp.packets) > first + 20)
    return {len(packet.payload) for packet in rtp.packets[first + 4:first + 20]}


@pytest.mark.short
@pytest.mark.parametrize("codecs", [((8,), (8,)), ((0,), (8,)), ((9,), (9,)), ((8,), (3,))], ids=["PCMA", "PCMU-PCMA", "G722", "PCMA-GSM"])
@pytest.mark.parametrize("milliseconds", [40, 60, 80, 100, 120, 200])
def test_both_hear_each_other_whatever_the_length_of_their_packets(long_packets_server, connected, application, milliseconds, codecs):
    caller, callee = connected({"codecs": codecs[0]}, {"codecs": codecs[1]}, on=long_packets_server)
    caller.rtp.packet_frames = milliseconds // 20
    caller.rtp.keep_speaking(sine(500, 1.2))
    callee.rtp.keep_speaking(sine(900, 1.2))
    first = callee.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)
    callee.rtp.wait_until(lambda: len(callee.rtp.packets) > first + 60)
    assert {len(packet.payload) for packet in callee.rtp.packets[first + 4:]} <= {33, FRAME}, "it has said ptime:20"
    callee.rtp.check_one_stream()
    caller.hang_up()
    application.completed("normal")


@pytest.fixture
def long_packets_server(own_server):
    return own_server({"media": {"codecs": ["PCMA", "PCMU", "GSM", "G722"]}})


@pytest.mark.parametrize("says", ["a=ptime:20", "a=maxptime:20", "a=ptime:30\r\na=maxptime:40", "a=ptime:60\r\na=maxptime:20", "a=ptime:0", "a=x"])
@pytest.mark.parametrize("milliseconds", [40, 60])
def test_no_phone_gets_longer_packets_than_it_can_take(ringing, application, says, milliseconds):
    caller, callee = answered(ringing, application, lambda sdp: sdp.replace("a=ptime:20", says))
    caller.rtp.packet_frames = milliseconds // 20
    caller.rtp.keep_speaking(sine(500, 1.2))
    assert lengths(callee.rtp, 500) == {FRAME}
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("milliseconds, says", [(40, "a=ptime:40"), (60, "a=ptime:60"), (40, "a=ptime:60\r\na=maxptime:40"), (60, "a=maxptime:60\r\na=ptime:60")])
def test_a_phone_that_wants_long_packets_gets_them_as_they_come(ringing, application, says, milliseconds):
    caller, callee = answered(ringing, application, lambda sdp: sdp.replace("a=ptime:20", says))
    caller.rtp.packet_frames = milliseconds // 20
    caller.rtp.keep_speaking(sine(500, 1.2))
    assert lengths(callee.rtp, 500) == {milliseconds // 20 * FRAME}
    callee.rtp.check_one_stream()
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("milliseconds", [60, 100, 200])
def test_long_packets_are_recorded_whole(server, application, connected, milliseconds):
    caller, callee = connected(callRecording=True, recordingFileName="long-packets.wav")
    caller.rtp.packet_frames = milliseconds // 20
    caller.rtp.speak(sine(500, 1.6))
    callee.rtp.wait_for_tone(500)
    application.replies["callEvent"] = {"action": "drop"}
    caller.hang_up()
    assert application.wait_for("recordingReady", 1, 30).body["event"] == "recordingSuccessful"
    answer = server.request("GET", f"/{server.domain}/promptfile/long-packets.wav")
    assert Recording(answer.raw, "wav").longest(0, 500) > 1.3
    application.completed("normal")


@pytest.mark.parametrize("milliseconds", [60, 100, 200])
def test_a_monitor_hears_long_packets(server, application, connected, called_phone, milliseconds):
    supervisor = called_phone(user="boss")
    caller, callee = connected(monitorDestAddr=supervisor.uri)
    caller.rtp.packet_frames = milliseconds // 20
    caller.rtp.keep_speaking(sine(500, 1.2))
    supervisor.rtp.wait_for_tone(500)
    assert {len(packet.payload) for packet in supervisor.rtp.packets} == {FRAME}
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("milliseconds", [40, 60, 200])
def test_an_echo_of_long_packets_is_as_long_as_they_were(server, application, phone, milliseconds):
    application.replies["getIvrCommand"] = [{"phrases": [{"format": "echo", "seconds": 20}]}, {"getIVRCommandAfter": 60}]
    caller = phone()
    caller.call()
    application.wait_for("getIvrCommand")
    caller.rtp.packet_frames = milliseconds // 20
    caller.rtp.keep_speaking(sine(600, 1.2))
    assert lengths(caller.rtp, 600) == {FRAME}
    caller.rtp.check_continuity()
    caller.hang_up()
    application.completed("normal")
