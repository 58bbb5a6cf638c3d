"""What real phones send when a key is pressed: each file of tests/field/rtp is a schedule of RTP packets, with what must come of it
(docs/testing.md)."""

import pathlib
import socket
import threading
import time
import tomllib

import numpy as np
import pytest
from support.codecs import FRAME, Pcma
from support.rtp_peer import tone_share

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "field" / "rtp"
KEYS = {"about", "digits", "presses", "packets"}
KEYPAD = "0123456789*#ABCD"
LAST = "D"  # the runner presses it behind the schedule, to know that all has arrived
PAIRS = {key: (low, high) for low, row in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D")) for key, high in zip(row, (1209, 1336, 1477, 1633))}
SILENCE = Pcma().encode(np.zeros(FRAME))


def cases():
    for file in sorted(FOLDER.glob("*.toml")):
        case = tomllib.loads(file.read_text())
        assert set(case) <= KEYS, f"{file.name}: unknown keys {set(case) - KEYS}"
        yield pytest.param(case, id=file.stem)


def payload_of(text):
    return SILENCE if text == "audio" else bytes.fromhex(text)


class Sources:
    """The sockets that a phone sends from: its own, and others by name."""

    def __init__(self):
        self.others = {}

    def socket(self, phone, name):
        if name is None:
            return phone.rtp.socket
        key = phone, name
        if key not in self.others:
            self.others[key] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.others[key].bind(("127.0.0.1", 0))
        return self.others[key]

    def close(self):
        for one in self.others.values():
            one.close()


def play(packets, phones):
    """The schedule, from all phones at once, in real time."""
    sources = Sources()
    pause = threading.Event()
    start = time.monotonic()
    try:
        for at, sequence, timestamp, ssrc, payload_type, marker, payload, *source in packets:
            pause.wait(max(0.0, start + at / 1000 - time.monotonic()))
            for phone in phones:
                phone.rtp.ssrc = ssrc
                phone.rtp.send(payload_of(payload), payload_type, marker == "M", timestamp, sequence, sources.socket(phone, *source or [None]))
    finally:
        sources.close()


def press_last(phone):
    phone.rtp.ssrc = 0xFFFFFFFF
    phone.rtp.press(LAST)


def presses(rtp):
    """The events that came, as those count them who go by the timestamp; each packet of one says more than the one before."""
    found = {}
    for packet in rtp.packets:
        if packet.payload_type == rtp.telephone_event:
            event, flags, duration = packet.payload[0], packet.payload[1], int.from_bytes(packet.payload[2:4], "big")
            state = found.setdefault(packet.timestamp, {"key": KEYPAD[event], "duration": 0, "ended": False, "marks": 0})
            assert state["key"] == KEYPAD[event], "two keys at one timestamp"
            assert duration >= state["duration"], "a duration goes back"
            assert flags & 0x80 or not state["ended"], "an event goes on behind its end"
            state.update(duration=duration, ended=state["ended"] or bool(flags & 0x80), marks=state["marks"] + packet.marker)
    assert all(state["marks"] == 1 for state in found.values()), "a marker belongs to the beginning, and only there"
    return "".join(state["key"] for state in found.values())


def tones(rtp):
    """The keys that are heard as tones: each burst once."""
    samples, keys, last = rtp.audio(), "", None
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        frame = samples[at:at + FRAME]
        key = next((one for one, (low, high) in PAIRS.items() if tone_share(frame, low) > 0.3 and tone_share(frame, high) > 0.3), None)
        if key and key != last:
            keys += key
        last = key
    return keys


@pytest.fixture
def callers(application, phone, called_phone, calls):
    """One caller in the IVR, and three that talk to phones: with the caller's own codec, with another one, without telephone-event."""
    application.replies["getIvrCommand"] = [{"dtmf": {"terminationKey": LAST, "firstTimeout": 60, "betweenTimeout": 60}}, {"getIVRCommandAfter": 60}]
    in_ivr = phone()
    in_ivr.call()
    application.wait_for("getIvrCommand")
    pairs = []
    for like in ({}, {"codecs": (3,)}, {"offer_telephone_event": False}):
        callee = called_phone(**like)
        application.replies["newCall"] = calls(callee)
        caller = phone()
        caller.call()
        callee.wait_request("ACK")
        application.wait_for("callAnswered", len(pairs) + 2)  # the IVR's was the first
        pairs.append((caller, callee))
    return in_ivr, pairs


@pytest.mark.parametrize("case", cases())
def test_rtp_from_the_field(server, application, callers, case):
    in_ivr, pairs = callers
    (_, same), (_, other), (_, without) = pairs
    phones = [in_ivr, *(caller for caller, _ in pairs)]
    play(case["packets"], phones)
    for phone in phones:
        press_last(phone)

    assert application.wait_for("getIvrCommand", 2).body["dtmfParams"]["dtmfMatch"] == case["digits"], "digits in the IVR"
    expected = case.get("presses", case["digits"]) + LAST
    for how, callee in (("the same codec", same), ("another codec", other)):
        callee.rtp.wait_until(lambda callee=callee: presses(callee.rtp)[-1:] == LAST, what=f"{how}: the last press did not come")
        assert presses(callee.rtp) == expected, how
    without.rtp.wait_until(lambda: tones(without.rtp)[-1:] == LAST, what="the tones of the last press were not heard")
    assert tones(without.rtp) == expected, "as tones"
    for phone in phones:
        phone.hang_up()
