"""RTP and RTCP: codecs, pacing, reports, and from where RTP is accepted (section by section of docs/architecture.md: media/)."""

import random
import re
import socket
import statistics
import struct

import pytest
from support.rtp_peer import FRAME, tone_share

PLAY_AND_COLLECT = {"phrases": [{"fileName": "long"}], "dtmf": {"maxDigits": 1, "firstTimeout": 60}, "bargeIn": "all"}


def up(phone, application, server=None, **more):
    application.replies["getIvrCommand"] = [PLAY_AND_COLLECT, {"getIVRCommandAfter": 60}]
    caller = phone(**more) if server is None else phone(on=server, **more)
    return caller, caller.call()


def digit_arrived(application, number=2):
    return application.wait_for("getIvrCommand", number).body["dtmfParams"]["dtmfMatch"]


# ---- codecs


@pytest.mark.short
@pytest.mark.parametrize("offer,chosen", [((8,), 8), ((0,), 0), ((3,), 3), ((18, 0), 0), ((18, 3, 8), {3, 8}), ((0, 8), {0, 8}), ((8, 0, 3), {8})])
def test_the_answer_has_a_codec_of_the_offer_and_it_is_what_is_sent(server, application, phone, offer, chosen):
    caller, answer = up(phone, application, codecs=offer)
    formats = [int(one) for one in re.search(r"m=audio \d+ RTP/AVP ([\d ]+)", answer.body).group(1).split()]
    assert set(formats) <= set(offer) | {101} and 101 in formats
    caller.rtp.wait_for_tone(700)
    sent = {packet.payload_type for packet in caller.rtp.packets}
    assert len(sent) == 1 and sent <= (chosen if isinstance(chosen, set) else {chosen}) and sent == {formats[0]}
    assert {len(packet.payload) for packet in caller.rtp.packets} == {33 if formats[0] == 3 else FRAME}
    caller.hang_up()


def test_the_configured_codecs_are_the_only_ones(own_server, application, phone):
    server = own_server({"media": {"codecs": ["PCMU"]}})
    caller, answer = up(phone, application, server, codecs=(8, 3, 0))
    assert re.search(r"m=audio \d+ RTP/AVP 0 101\r", answer.body)
    caller.hang_up()
    assert phone(on=server, codecs=(8, 3)).refused().status == 488
    application.wait_alarm("invalidSdp")


def test_a_codec_may_have_a_payload_type_of_its_own(server, application, phone):
    caller = phone()
    application.replies["getIvrCommand"] = PLAY_AND_COLLECT
    sdp = caller.sdp().replace("RTP/AVP 8 101", "RTP/AVP 97 98").replace("rtpmap:8 ", "rtpmap:97 ").replace(":101 ", ":98 ")
    answer = caller.call(sdp=sdp)
    assert "RTP/AVP 97 98" in answer.body
    caller.rtp.wait_for_packets(5)
    assert {packet.payload_type for packet in caller.rtp.packets} == {97}
    caller.rtp.telephone_event = 98
    caller.rtp.press("4")
    assert digit_arrived(application) == "4"
    caller.hang_up()


def test_a_held_caller_hears_nothing_and_is_played_to_again_when_resumed(server, application, phone):
    caller, _ = up(phone, application)
    caller.rtp.wait_for_tone(700)
    caller.invite(sdp=caller.sdp("inactive"))
    assert "a=inactive" in caller.wait_final().body
    caller.ack()
    application.wait_for("callNotify")
    caller.rtp.wait_until_quiet()
    held = len(caller.rtp.packets)
    caller.invite(sdp=caller.sdp("sendrecv"))
    assert "a=sendrecv" in caller.wait_final().body
    caller.ack()
    application.wait_for("callNotify", 2)
    caller.rtp.wait_for_packets(10)
    resumed = caller.rtp.packets[held:]
    assert any(packet.marker for packet in resumed), "a talk spurt begins"
    assert len({packet.ssrc for packet in caller.rtp.packets}) == 1
    caller.hang_up()


# ---- pacing


@pytest.mark.short
def test_packets_are_paced_and_none_is_missing(server, application, phone):
    caller, _ = up(phone, application)
    caller.rtp.wait_for_packets(150)
    packets = list(caller.rtp.packets[:150])
    caller.rtp.check_continuity()
    steps = {(after.timestamp - before.timestamp) % 2**32 for before, after in zip(packets, packets[1:])}
    assert steps == {FRAME}
    # The clock is caught up with when the machine was busy, so the whole is on time whatever the parts are.
    assert 2.7 < packets[-1].at - packets[0].at < 3.5
    assert 0.015 < statistics.median(after.at - before.at for before, after in zip(packets, packets[1:])) < 0.025
    caller.hang_up()


def test_two_legs_do_not_send_on_one_tick(server, application, phone):
    one, two = up(phone, application)[0], up(phone, application)[0]
    for caller in (one, two):
        caller.rtp.wait_for_packets(100)
    first = one.rtp.packets[-90].at
    phases = [statistics.median((packet.at - first + 0.01) % 0.02 for packet in caller.rtp.packets[-90:]) for caller in (one, two)]
    apart = abs(phases[0] - phases[1])
    assert min(apart, 0.02 - apart) > 0.0004, "1 ms slots: the two are in different ones"
    one.hang_up()
    two.hang_up()


# ---- RTCP


def blocks(packet):
    """The parts of a compound packet: (type, count, body)."""
    while packet:
        first, kind, words = struct.unpack("!BBH", packet[:4])
        assert first >> 6 == 2
        yield kind, first & 31, packet[4:4 * (words + 1)]
        packet = packet[4 * (words + 1):]


def reports(caller):
    return [list(blocks(packet)) for packet in list(caller.rtp.rtcp_packets)]


def test_sender_reports(server, application, phone):
    caller, _ = up(phone, application)
    middle = random.getrandbits(32)
    caller.rtp.speak([0] * FRAME * 20)
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, caller.rtp.ssrc, middle >> 16, (middle & 0xFFFF) << 16, 0, 20, 3200)
    host, port = caller.rtp.remote
    caller.rtp.rtcp.sendto(report, (host, port + 1))
    caller.rtp.wait_until(lambda: any(one[0][1] == 1 for one in reports(caller)), 30, "no report about what we sent")
    (kind, count, body), description = next(one for one in reports(caller) if one[0][1] == 1)[:2]
    assert kind == 200 and count == 1
    ssrc, _, _, _, packets, octets = struct.unpack("!IIIIII", body[:24])
    assert ssrc == caller.rtp.packets[0].ssrc
    assert 0 < packets <= len(caller.rtp.packets) + 5 and octets == packets * FRAME
    about, lost, highest, _, last, delay = struct.unpack("!IIIIII", body[24:48])
    assert about == caller.rtp.ssrc and lost == 0 and highest & 0xFFFF == caller.rtp.sequence
    assert last == middle and 0 <= delay / 65536 < 30
    assert description[0] == 202, "SDES with the CNAME"
    caller.hang_up()
    caller.rtp.wait_until(lambda: any(part[0] == 203 for one in reports(caller) for part in one), what="no RTCP BYE at the end")


def test_who_does_not_send_reports_as_receiver(server, application, phone):
    caller, _ = up(phone, application, )
    caller.invite(sdp=caller.sdp("sendonly"))
    assert "a=recvonly" in caller.wait_final().body
    caller.ack()
    application.wait_for("callNotify")
    seen = len(caller.rtp.rtcp_packets)
    caller.rtp.wait_until(lambda: any(one[0][0] == 201 for one in reports(caller)[seen:]), 40, "no receiver report")
    caller.hang_up()


# ---- from where RTP is accepted


@pytest.fixture
def stranger():
    """Makes sockets that RTP can come from, which no SDP has named."""
    made = []

    def make(address):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((address, 0))
        one.settimeout(20)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def press(caller, digit, sock=None):
    caller.rtp.timestamp += 20 * FRAME
    for payload in caller.rtp.digit_packets(digit):
        caller.rtp.send(payload, caller.rtp.telephone_event, sock=sock)


def wait_dropped(server, count):
    import threading
    import time
    deadline = time.monotonic() + 20
    while server.metrics()["ringwright_rtp_packets_dropped_total"] < count:
        assert time.monotonic() < deadline, "the packets were not dropped"
        threading.Event().wait(0.05)


def hears(sock):
    """Whether the server sends to that socket: audio of 20 ms."""
    return len(sock.recv(2048)) == 12 + FRAME


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_any_source_may_be_latched(own_server, application, phone, stranger, address):
    server = own_server({"media": {"latch": "any"}})
    caller, _ = up(phone, application, server)
    application.wait_for("getIvrCommand")
    behind_nat = stranger(address)
    press(caller, "3", behind_nat)
    assert digit_arrived(application) == "3"
    assert hears(behind_nat), "RTP goes to where it comes from"
    caller.hang_up()


def test_a_latched_source_is_fixed_until_the_signalled_address_speaks(own_server, application, phone, stranger):
    server = own_server({"media": {"latch": "any"}})
    application.replies["getIvrCommand"] = {"dtmf": {"maxDigits": 1, "firstTimeout": 60}}
    caller = phone(on=server)
    caller.call()
    application.wait_for("getIvrCommand")
    first, second = stranger("127.0.0.2"), stranger("127.0.0.3")
    press(caller, "3", first)
    assert digit_arrived(application) == "3"
    proving = server.metrics()["ringwright_rtp_packets_dropped_total"]
    assert proving == 3, "the packets before it was latched"
    press(caller, "4", second)
    wait_dropped(server, proving + 8)
    press(caller, "5")
    assert digit_arrived(application, 3) == "5"
    press(caller, "6", first)
    wait_dropped(server, proving + 16)
    press(caller, "7")
    assert digit_arrived(application, 4) == "7"
    caller.hang_up()


@pytest.mark.short
def test_once_the_caller_has_spoken_nobody_else_is_heard(own_server, application, phone, stranger):
    server = own_server()
    application.replies["getIvrCommand"] = {"dtmf": {"maxDigits": 1, "firstTimeout": 60}}
    caller = phone(on=server)
    caller.call()
    press(caller, "1")
    assert digit_arrived(application) == "1"
    foreign = stranger("127.0.0.1")
    press(caller, "2", foreign)
    wait_dropped(server, 8)
    press(caller, "3")
    assert digit_arrived(application, 3) == "3"
    caller.hang_up()


def test_same_address_takes_another_port_but_no_other_host(own_server, application, phone, stranger):
    server = own_server({"media": {"latch": "same-address"}})
    caller, _ = up(phone, application, server)
    application.wait_for("getIvrCommand")
    press(caller, "8", stranger("127.0.0.2"))
    wait_dropped(server, 8)
    press(caller, "9", stranger("127.0.0.1"))
    assert digit_arrived(application) == "9"
    caller.hang_up()


def test_off_takes_nothing_but_the_signalled_address(own_server, application, phone, stranger):
    server = own_server({"media": {"latch": "off"}})
    caller, _ = up(phone, application, server)
    application.wait_for("getIvrCommand")
    press(caller, "8", stranger("127.0.0.1"))
    wait_dropped(server, 8)
    press(caller, "9")
    assert digit_arrived(application) == "9"
    caller.hang_up()


def test_what_was_not_negotiated_is_dropped_and_latches_nothing(own_server, application, phone, stranger):
    server = own_server({"media": {"latch": "any"}})
    caller, _ = up(phone, application, server)
    application.wait_for("getIvrCommand")
    foreign = stranger("127.0.0.2")
    caller.rtp.send(b"x" * FRAME, payload_type=77, sock=foreign)
    foreign.sendto(b"junk", caller.rtp.remote)
    wait_dropped(server, 2)
    press(caller, "5")
    assert digit_arrived(application) == "5"
    caller.hang_up()


def test_the_sound_itself_is_right(server, application, phone):
    caller, _ = up(phone, application)
    start = caller.rtp.wait_for_tone(700)
    caller.rtp.wait_until(lambda: len(caller.rtp.packets) >= start + 60)
    assert tone_share(caller.rtp.audio(start + 8, start + 58), 700) > 0.95, "a second without a click"
    caller.hang_up()
