"""Calls over a network that loses, doubles, reorders, delays and bunches packets: what is heard and received in spite of it. Seeds are fixed:
each run loses the same packets."""

import pytest
from support.bad_line import BAD, WEATHERS, BadLine
from support.codecs import CODECS, FRAME
from support.recordings import Recording
from support.rtp_peer import sine, tone_share

KEYS = "1234567890*#ABCD"
KEYS_BY_EVENT = "0123456789*#ABCD"
every_weather = pytest.mark.parametrize("weather", WEATHERS.values(), ids=WEATHERS.keys())


@pytest.fixture
def lines():
    made = []

    def make(rtp, seed, there, back=BAD):
        made.append(BadLine(rtp, seed, there, back))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def called_over(lines, phone):
    """A caller whose audio goes over a bad line; it has been answered."""
    def make(weather, seed=1, on=None, **more):
        caller = phone(on, **more)
        line = lines(caller.rtp, seed, weather)
        caller.call(sdp=caller.sdp(port=line.port))
        line.connect()
        caller.rtp.wait_for_packets(1)
        return caller, line
    return make


@pytest.fixture
def connected_over(called_over, called_phone, calls, application):
    """The same, joined with a callee whose line is good."""
    def make(weather, callee=None, on=None, caller=None, **more):
        callee = called_phone(on, **(callee or {}))
        application.replies["newCall"] = calls(callee, **more)
        caller, line = called_over(weather, on=on, **(caller or {}))
        application.wait_for("callAnswered")
        return caller, callee, line
    return make


def press_in_time(rtp, keys, frames=5):
    """Each key for so many frames, its end three times, and a pause of audio: one packet in 20 ms, as a phone does it."""
    silence = CODECS[rtp.payload_type]().encode([0] * FRAME)
    for key in keys:
        start = rtp.timestamp = rtp.timestamp + FRAME
        for at, payload in enumerate(rtp.digit_packets(key, frames)):
            rtp.send(payload, rtp.telephone_event, at == 0, start)
            rtp.closing.wait(0.02)
        rtp.timestamp += (frames + 3) * FRAME
        for _ in range(4):
            rtp.timestamp += FRAME
            rtp.send(silence)
            rtp.closing.wait(0.02)


def heard_keys(rtp):
    """One for each event, which is one timestamp, in the order of their first packets."""
    events = {packet.timestamp: packet.payload[0] for packet in reversed(rtp.packets) if packet.payload_type == rtp.telephone_event}
    first = {}
    for packet in rtp.packets:
        if packet.payload_type == rtp.telephone_event:
            first.setdefault(packet.timestamp, len(first))
    return "".join(KEYS_BY_EVENT[events[timestamp]] for timestamp in sorted(first, key=first.get))


def share_of(expected, rtp, hertz):
    """How many of the packets that were expected carry the tone; those that came twice count once."""
    return len({packet.sequence for packet in rtp.packets_with_tone(hertz)}) / expected


@pytest.mark.short
@every_weather
def test_every_key_arrives_once_and_in_order(server, application, called_over, weather):
    application.replies["getIvrCommand"] = [{"dtmf": {"maxDigits": len(KEYS), "firstTimeout": 60, "betweenTimeout": 60}}, {"getIVRCommandAfter": 60}]
    caller, _ = called_over(weather)
    application.wait_for("getIvrCommand")
    press_in_time(caller.rtp, KEYS)
    assert application.wait_for("getIvrCommand", 2).body["dtmfParams"]["dtmfMatch"] == KEYS
    caller.hang_up()


@every_weather
def test_every_key_reaches_the_other_side_once(server, application, connected_over, weather):
    """As events with one timestamp each, whatever becomes of their packets (RFC 4733 2.5.1.2)."""
    caller, callee, _ = connected_over(weather)
    press_in_time(caller.rtp, KEYS)
    callee.rtp.wait_until(lambda: KEYS[-1] in heard_keys(callee.rtp), what="the last key did not come")
    caller.rtp.speak(sine(500, 0.6))  # what is late is here when this is
    callee.rtp.wait_for_tone(500)
    assert heard_keys(callee.rtp) == KEYS
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


@pytest.mark.short
@every_weather
def test_what_is_not_lost_on_the_way_reaches_the_other_side(server, application, connected_over, weather):
    caller, callee, line = connected_over(weather)
    caller.rtp.speak(sine(500, 3))
    callee.rtp.wait_for_silence(first=callee.rtp.wait_for_tone(500))
    arrived = line.there.sent - line.there.lost
    assert share_of(arrived, callee.rtp, 500) > 0.9
    contents = {}
    for packet in callee.rtp.packets:
        assert contents.setdefault(packet.sequence, packet.payload) == packet.payload, "two packets have one number"
    assert len({packet.ssrc for packet in callee.rtp.packets}) == 1
    callee.rtp.speak(sine(900, 1))
    caller.rtp.wait_for_tone(900)
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


@every_weather
def test_a_voice_that_is_converted_is_heard_all_the_time(server, application, connected_over, weather):
    caller, callee, _ = connected_over(weather, callee={"codecs": (3,)})
    caller.rtp.keep_speaking(sine(500, 1))
    first = callee.rtp.wait_for_tone(500)
    callee.rtp.wait_until(lambda: len(callee.rtp.packets) > first + 150)
    audio = callee.rtp.audio(first, first + 150)
    heard = [tone_share(audio[at:at + FRAME], 500) > 0.5 for at in range(0, len(audio), FRAME)]
    assert sum(heard) > 0.75 * len(heard)
    assert max(len(one) for one in "".join("x" if one else " " for one in heard).split("x")) < 20, "no gap of 400 ms"
    callee.rtp.check_one_stream()
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


@every_weather
def test_a_recording_is_as_long_as_what_was_said(server, application, connected_over, weather):
    caller, callee, line = connected_over(weather, callRecording=True, recordingFileName="bad-line.wav")
    caller.rtp.speak(sine(500, 3))
    callee.rtp.wait_for_silence(first=callee.rtp.wait_for_tone(500))
    caller.hang_up()
    callee.wait_request("BYE")
    assert application.wait_for("recordingReady", 1, 30).body["event"] == "recordingSuccessful"
    answer = server.request("GET", f"/{server.domain}/promptfile/bad-line.wav")
    recording = Recording(answer.raw, "wav")
    sound, step = recording.channels[0], recording.rate // 50
    with_tone = [at for at in range(0, len(sound) - step, step) if tone_share(sound[at:at + step], 500, recording.rate) > 0.6]
    assert 2.7 < (with_tone[-1] - with_tone[0]) / recording.rate < 3.3, "nothing is said twice, nothing moves together"
    assert len(with_tone) > 0.9 * (line.there.sent - line.there.lost)
    assert recording.is_silent(1)
    application.completed("normal")
