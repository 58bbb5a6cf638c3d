"""Phones that say nothing for long: what shows that they are still there, and what does not."""

import socket
import struct
import threading

import pytest
from support.rtp_peer import FRAME, sine


def comfort_noise(payload_type):
    return lambda rtp: rtp.send(b"\x40", payload_type)


def report(rtp):
    host, port = rtp.remote
    rtp.rtcp.sendto(struct.pack("!BBHI", 0x80, 201, 1, rtp.ssrc) + struct.pack("!BBHIBB2x", 0x81, 202, 2, rtp.ssrc, 1, 0), (host, port + 1))


def datagram(data):
    return lambda rtp: rtp.socket.sendto(data, rtp.remote)


SIGNS = {
    "comfort noise": comfort_noise(13),
    "comfort noise of an older phone": comfort_noise(19),
    "another codec's packets": comfort_noise(18),
    "RTCP": report,
    "empty datagrams": datagram(b""),
    "line ends": datagram(b"\r\n\r\n"),
    "STUN indications": datagram(struct.pack("!HHI12s", 0x0011, 0, 0x2112A442, b"transaction!")),
    "RTP of an unknown payload type": lambda rtp: rtp.send(b"", 126),
}


class Repeating:
    """Does it again and again, several times within the time-out."""

    def __init__(self, act):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(act,), daemon=True)
        self.thread.start()

    def _run(self, act):
        while not self.over.wait(0.15):
            act()

    def stop(self):
        self.over.set()
        self.thread.join()


@pytest.mark.short
def test_a_muted_phone_keeps_its_call_as_long_as_it_shows_that_it_is_there(own_server, application, phone):
    server = own_server({"media": {"rtp_timeout": 1.5}})
    callers = {name: phone(on=server) for name in SIGNS}
    repeating = []
    for name, caller in callers.items():
        caller.call()
        repeating.append(Repeating(lambda rtp=caller.rtp, sign=SIGNS[name]: sign(rtp)))
    silent = phone(on=server)
    silent.call()
    for caller in callers.values():
        caller.rtp.wait_for_packets(150)  # 3 s
    for one in repeating:
        one.stop()
    silent.wait_request("BYE")
    assert len(application.events("sessionCompleted")) == 1, "only the one that gave no sign"
    for name, caller in callers.items():
        caller.wait_request("BYE"), name
    application.wait_for("sessionCompleted", len(callers) + 1)
    assert {one.body["reason"] for one in application.events("sessionCompleted")} == {"rtpTimeout"}


def test_nobody_else_can_keep_up_a_call_whose_phone_has_gone(own_server, application, phone):
    server = own_server({"media": {"rtp_timeout": 1.5}})
    caller = phone(on=server)
    caller.call()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        host, port = caller.rtp.remote
        rtcp = struct.pack("!BBHI", 0x80, 201, 1, 7)

        def send():
            caller.rtp.send(b"\x40", 13, sock=stranger)
            stranger.sendto(b"", (host, port))
            stranger.sendto(rtcp, (host, port + 1))
        repeating = Repeating(send)
        caller.wait_request("BYE")
        repeating.stop()
    application.completed("rtpTimeout")


def test_comfort_noise_is_silence_for_the_other_side(connected, application):
    caller, callee = connected()
    caller.rtp.speak(sine(500, 0.4))
    callee.rtp.wait_for_tone(500)
    for _ in range(10):
        caller.rtp.timestamp += 10 * FRAME
        caller.rtp.send(b"\x40", 13)
    callee.rtp.wait_for_silence(first=len(callee.rtp.packets))
    caller.rtp.speak(sine(500, 0.4))
    callee.rtp.wait_for_tone(500, first=len(callee.rtp.packets) - 20)
    callee.rtp.check_one_stream()
    assert {packet.payload_type for packet in callee.rtp.packets} == {8}
    caller.hang_up()
    application.completed("normal")


def test_comfort_noise_from_the_phone_takes_its_line_back_from_a_stranger(own_server, connected, application):
    """What a phone that is muted sends from its signalled address counts like its voice."""
    caller, callee = connected(on=own_server())

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.settimeout(20)
        caller.rtp.speak(sine(1500, 0.2), sock=stranger)
        stranger.recv(2048)
        caller.rtp.send(b"\x40", 13)
        caller.rtp.wait_for_packets(5)
        start = len(callee.rtp.packets)
        caller.rtp.speak(sine(1500, 0.5), sock=stranger)
        callee.rtp.wait_until(lambda: len(callee.rtp.packets) > start + 30)
        assert not callee.rtp.has_tone(1500, start + 5)
    caller.hang_up()
    application.completed("normal")


@pytest.mark.short
def test_audio_with_feedback_is_served(server, application, phone):
    """RTP/AVPF (RFC 4585), as browsers and many SBCs offer it."""
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "long"}], "dtmf": {"maxDigits": 1, "firstTimeout": 60}, "bargeIn": "all"}, {"getIVRCommandAfter": 60}]
    caller = phone()
    answer = caller.call(sdp=caller.sdp().replace("RTP/AVP", "RTP/AVPF") + "a=rtcp-fb:* trr-int 5000\r\n")
    assert "m=audio" in answer.body and " RTP/AVPF 8 101\r\n" in answer.body
    caller.rtp.wait_for_tone(700)
    caller.rtp.press("4")
    assert application.wait_for("getIvrCommand", 2).body["dtmfParams"]["dtmfMatch"] == "4"
    caller.hang_up()
