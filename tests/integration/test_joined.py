"""Two parties in a connection: what each hears, and what happens when one of them changes something."""

import itertools

import pytest
from support.codecs import NAMES
from support.rtp_peer import sine

SPOKEN = ("PCMA", "PCMU", "GSM", "G722", "opus")
DIFFERENT = [pair for pair in itertools.permutations(SPOKEN, 2)]


@pytest.fixture
def polyglot(own_server):
    """A server that speaks every codec."""
    return own_server({"media": {"codecs": list(SPOKEN)}})


def says(name):
    return {"codecs": (NAMES[name].payload_type,)}


@pytest.mark.short
def test_every_codec_is_understood_by_every_other(polyglot, application, connected):
    for caller_codec, callee_codec in DIFFERENT:
        caller, callee = connected(says(caller_codec), says(callee_codec), on=polyglot)
        caller.rtp.keep_speaking(sine(500, 1))
        callee.rtp.keep_speaking(sine(900, 1))
        callee.rtp.wait_for_tone(500)
        caller.rtp.wait_for_tone(900)
        assert {packet.payload_type for packet in callee.rtp.packets} == {NAMES[callee_codec].payload_type}
        assert {packet.payload_type for packet in caller.rtp.packets} == {NAMES[caller_codec].payload_type}
        caller.hang_up()
        callee.wait_request("BYE")
        application.completed("normal")
        application.reset()


def test_the_codec_of_the_caller_is_preferred_for_the_callee(connected, application):
    both = {"codecs": (8, 0)}
    caller, callee = connected({"codecs": (0,)}, both)
    offer = callee.invite_request.body
    assert offer.index("PCMU") < offer.index("PCMA")
    caller.hang_up()
    application.completed("normal")


def test_payloads_go_through_untouched(connected, application):
    """With one codec on both sides nothing is decoded: any bytes come out as they went in."""
    caller, callee = connected()
    caller.rtp.wait_for_packets(1)
    sent = [bytes((at * 7 + frame) % 256 for at in range(160)) for frame in range(20)]
    for payload in sent:
        caller.rtp.timestamp += 160
        caller.rtp.send(payload, 8)
    callee.rtp.wait_until(lambda: any(packet.payload == sent[-1] for packet in callee.rtp.packets))
    heard = [packet for packet in callee.rtp.packets if packet.payload in sent]
    assert [packet.payload for packet in heard] == sent
    assert [packet.sequence for packet in heard] == [(heard[0].sequence + at) % 65536 for at in range(20)]
    assert [packet.timestamp for packet in heard] == [(heard[0].timestamp + 160 * at) % 2 ** 32 for at in range(20)]
    assert len({packet.ssrc for packet in callee.rtp.packets}) == 1
    caller.hang_up()
    application.completed("normal")


def heard_events(rtp):
    """The digits that came as RFC 4733 events."""
    seen = []
    for packet in rtp.packets:
        if packet.payload_type == rtp.telephone_event and (packet.timestamp, packet.payload[0]) not in seen:
            seen.append((packet.timestamp, packet.payload[0]))
    return "".join("0123456789*#ABCD"[event] for _, event in seen)


def test_digits_as_events_go_through(connected, application):
    caller, callee = connected()
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.wait_for_tone(500)
    caller.rtp.stop_speaking.set()
    caller.rtp.speaker.join()
    caller.rtp.press("158")
    callee.rtp.wait_until(lambda: heard_events(callee.rtp) == "158")
    caller.hang_up()
    application.completed("normal")


def test_events_become_tones_for_a_side_that_has_none(connected, application):
    caller, callee = connected(callee={"offer_telephone_event": False})
    caller.rtp.wait_for_packets(1)
    caller.rtp.press("5")

    def both_frequencies():
        return callee.rtp.has_tone_pair(770, 1336)
    callee.rtp.wait_until(both_frequencies, what="the tones of 5 were not heard")
    caller.hang_up()
    application.completed("normal")


def test_info_digits_reach_the_other_side(connected, application):
    caller, callee = connected()
    caller.request("INFO", "Signal=7\r\nDuration=160\r\n", content_type="application/dtmf-relay")
    assert caller.wait_final("INFO").status == 200
    callee.rtp.wait_until(lambda: heard_events(callee.rtp) == "7")
    caller.hang_up()
    application.completed("normal")


def change(phone, direction, **more):
    """A re-INVITE of the phone."""
    phone.invite(sdp=phone.sdp(direction, **more))
    answer = phone.wait_final()
    assert answer.status == 200, answer.start
    phone.ack()
    return answer


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_hold_and_resume(connected, application, who):
    caller, callee = connected()
    holder, held = (caller, callee) if who == "caller" else (callee, caller)
    holder.rtp.keep_speaking(sine(500, 1))
    held.rtp.wait_for_tone(500)
    assert "a=recvonly" in change(holder, "sendonly").body
    notify = application.wait_for("callNotify", 2).body
    assert notify["event"] == "reInvite" and notify["hold"] is True
    holder.rtp.stop_speaking.set()
    holder.rtp.speaker.join()
    held.rtp.wait_for_silence(first=len(held.rtp.packets))
    holder.rtp.wait_until_quiet()
    change(holder, "sendrecv")
    notify = application.wait_for("callNotify", 3).body
    assert notify["hold"] is False
    holder.rtp.keep_speaking(sine(500, 1))
    held.rtp.wait_for_tone(500, first=len(held.rtp.packets))
    holder.rtp.wait_for_packets(3)
    held.rtp.check_one_stream()
    holder.hang_up()
    application.completed("normal")


def test_a_refresh_is_told_apart_from_a_change(connected, application):
    caller, callee = connected()
    count = len(application.events("callNotify"))
    for step, (direction, changed) in enumerate(((None, False), ("sendonly", True), ("sendonly", False), (None, True)), 1):
        change(caller, direction)
        notify = application.wait_for("callNotify", count + step).body
        assert (notify["event"], notify["changed"], "hold" in notify) == ("reInvite", changed, changed)
    caller.invite(sdp="")  # the ACK says that nothing has changed
    caller.follow(caller.wait_final())
    caller.ack(caller.sdp())
    assert application.wait_for("callNotify", count + 5).body["changed"] is False
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


def test_music_while_on_hold(own_server, connected, application, tone_file):
    server = own_server(service={"hold_music": "music.wav"})
    tone_file(server, "music.wav", 1300)
    caller, callee = connected(on=server)
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.wait_for_tone(500)
    change(caller, "sendonly")
    callee.rtp.wait_for_tone(1300)
    change(caller, "sendrecv")
    callee.rtp.wait_for_tone(500, first=len(callee.rtp.packets))
    callee.rtp.check_one_stream()
    caller.hang_up()
    application.completed("normal")


def test_a_codec_changes_in_the_call(connected, application):
    caller, callee = connected({"codecs": (8, 0)})
    caller.rtp.payload_type = 0
    change(caller, None, codecs=(0,))
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.keep_speaking(sine(900, 1))
    callee.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)
    assert callee.rtp.packets[-1].payload_type == 8
    caller.hang_up()
    application.completed("normal")


def test_a_reinvite_without_an_offer(connected, application):
    caller, callee = connected()
    caller.invite(sdp="")
    answer = caller.wait_final()
    assert answer.status == 200 and "m=audio" in answer.body
    caller.ack(caller.sdp())
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.wait_for_tone(500)
    caller.hang_up()
    application.completed("normal")


def test_a_reinvite_that_can_not_be_served_changes_nothing(connected, application):
    caller, callee = connected()
    caller.invite(sdp=caller.sdp(codecs=(18,)))
    assert caller.wait_final().status == 488
    caller.ack_refusal()
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.wait_for_tone(500)
    caller.hang_up()
    application.completed("normal")


def test_update_is_told_too(connected, application):
    caller, callee = connected()
    caller.request("UPDATE", caller.sdp("sendonly"))
    assert caller.wait_final("UPDATE").status == 200
    notify = application.wait_for("callNotify", 2).body
    assert notify["event"] == "update" and notify["hold"] is True
    caller.hang_up()
    application.completed("normal")


def test_nothing_is_heard_of_a_strange_source(connected, application, phone):
    caller, callee = connected()
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.wait_for_tone(500)
    stranger = phone()
    stranger.rtp.remote = caller.rtp.remote
    start = len(callee.rtp.packets)
    stranger.rtp.speak(sine(1500, 0.5))
    callee.rtp.wait_for_tone(500, first=start + 25)
    assert not callee.rtp.has_tone(1500, start)
    caller.hang_up()
    application.completed("normal")
