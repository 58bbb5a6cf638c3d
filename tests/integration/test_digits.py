"""Keys that are pressed, from whoever says them in whichever of the ways that RFC 4733 leaves open. Schedules of packets are in
tests/field/rtp."""

import re

import pytest
from support.codecs import NAMES
from support.rtp_peer import sine

KEYPAD = "0123456789*#ABCD"
PCMA, OPUS = NAMES["PCMA"].payload_type, 111


@pytest.fixture
def wideband(own_server):
    """A server that likes opus best."""
    return own_server({"media": {"codecs": ["opus", "PCMA"]}})


def description(phone, codecs, events):
    """`codecs`, `events`: encodings by payload type."""
    numbers = " ".join(map(str, [*codecs, *events]))
    maps = "".join(f"a=rtpmap:{number} {name}\r\n" for number, name in {**codecs, **events}.items())
    return f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {phone.rtp.port} RTP/AVP {numbers}\r\n{maps}"


def events_of(sdp):
    """The clocks of the telephone-events in a description, by payload type."""
    return {int(number): int(clock) for number, clock in re.findall(r"a=rtpmap:(\d+) telephone-event/(\d+)", sdp)}


def presses(rtp, payload_type):
    """The keys and their last durations."""
    found = {}
    for packet in rtp.packets:
        if packet.payload_type == payload_type:
            found[packet.timestamp] = KEYPAD[packet.payload[0]], int.from_bytes(packet.payload[2:4], "big")
    return list(found.values())


def collected(application):
    return application.wait_for("getIvrCommand", 2).body["dtmfParams"]["dtmfMatch"]


BROWSERS = {"the audio's clock alone": ({110: "telephone-event/48000"}, 110, {110: 48000}),
            "both clocks": ({126: "telephone-event/8000", 110: "telephone-event/48000"}, 110, {110: 48000, 126: 8000}),
            "8000 alone": ({126: "telephone-event/8000"}, 126, {126: 8000})}


@pytest.mark.parametrize("offered,wanted,answered", BROWSERS.values(), ids=BROWSERS)
def test_keys_of_a_browser_are_heard_and_sent_in_the_clock_that_it_offers(wideband, application, phone, offered, wanted, answered):
    application.replies["getIvrCommand"] = [{"phrases": [{"format": "digits", "digits": "8"}], "dtmf": {"maxDigits": 2, "firstTimeout": 60}}, {"getIVRCommandAfter": 60}]
    caller = phone(on=wideband)
    codecs = {OPUS: "opus/48000/2", PCMA: "PCMA/8000"}
    answer = caller.call(sdp=description(caller, codecs, offered))
    assert events_of(answer.body) == answered
    caller.rtp.wait_until(lambda: presses(caller.rtp, wanted)[-1:] == [("8", answered[wanted] // 10)], what="the digit did not come")
    caller.rtp.telephone_event = wanted
    caller.rtp.press("12")
    assert collected(application) == "12"
    caller.hang_up()


def test_without_a_clock_that_fits_keys_are_found_as_tones(server, application, phone):
    """telephone-event/48000 is of no use beside PCMA: it is not answered, and so the phone sends tones."""
    application.replies["getIvrCommand"] = [{"dtmf": {"maxDigits": 1, "firstTimeout": 60}}, {"getIVRCommandAfter": 60}]
    caller = phone()
    answer = caller.call(sdp=description(caller, {PCMA: "PCMA/8000"}, {110: "telephone-event/48000"}))
    assert events_of(answer.body) == {}
    caller.rtp.speak(sine(770, 0.2, 5000) + sine(1336, 0.2, 5000))
    assert collected(application) == "5"
    caller.hang_up()


def test_a_press_is_as_long_for_a_phone_with_another_clock(wideband, application, phone, called_phone, calls):
    callee = called_phone(wideband, pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone(on=wideband)
    caller.invite()
    offer = callee.wait_request("INVITE").body
    assert events_of(offer) == {101: 8000, 102: 48000}
    callee.answer(description(callee, {96: "opus/48000/2"}, {102: "telephone-event/48000"}))
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.rtp.press("7")
    callee.rtp.wait_until(lambda: presses(callee.rtp, 102) == [("7", 4800)], what="the press did not come")
    callee.rtp.telephone_event = 102
    callee.rtp.press("3")
    caller.rtp.wait_until(lambda: presses(caller.rtp, 101)[-1:] == [("3", 133)], what="the press did not come")
    caller.hang_up()
    application.completed("normal")


def test_who_answers_with_a_number_of_its_own_is_heard_too(application, phone, called_phone, calls):
    """We offer telephone-event as 101. The phone answers with 97, and sends 97."""
    callee = called_phone(pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone()
    caller.invite()
    assert events_of(callee.wait_request("INVITE").body) == {101: 8000}
    callee.answer(description(callee, {PCMA: "PCMA/8000"}, {97: "telephone-event/8000"}))
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.rtp.press("1")
    callee.rtp.wait_until(lambda: presses(callee.rtp, 97) == [("1", 800)], what="the press did not come with the callee's number")
    for number in (97, 101):
        callee.rtp.telephone_event = number
        callee.rtp.press("2")
    caller.rtp.wait_until(lambda: presses(caller.rtp, 101) == [("2", 800)] * 2, what="the presses of the callee did not come")
    caller.hang_up()
    application.completed("normal")


def test_a_key_that_is_still_down_is_not_heard_by_who_comes_after(server, application, phone, called_phone, calls, tone_file):
    """Who is connected while a key is down was not meant."""
    tone_file(server, "greeting.wav", 500, 3)
    callee = called_phone()
    application.replies["newCall"] = calls(callee, greeting={"caller": {"phrases": [{"fileName": "greeting"}]}})
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(500)  # the two don't hear each other before its end
    first, *others = caller.rtp.digit_packets("1")
    pressed = caller.rtp.timestamp
    caller.rtp.send(first, 101, marker=True)
    caller.rtp.keep_speaking(sine(900, 1))
    callee.rtp.wait_for_tone(900)
    caller.rtp.stop_speaking.set()
    caller.rtp.speaker.join()
    for payload in others:
        caller.rtp.send(payload, 101, timestamp=pressed)
    caller.rtp.press("2")
    callee.rtp.wait_until(lambda: presses(callee.rtp, 101)[-1:] == [("2", 800)], what="the second press did not come")
    assert [key for key, _ in presses(callee.rtp, 101)] == ["2"]
    caller.hang_up()
    application.completed("normal")
