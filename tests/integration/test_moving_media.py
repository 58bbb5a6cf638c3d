"""Media that moves in a call: who is heard and who hears, whatever is still on its way from where it was, and whatever strangers send."""

import re

import pytest
from support.codecs import CODECS
from support.rtp_peer import FRAME, RtpPeer, sine
from support.waiting import wait_until


@pytest.fixture
def sockets():
    """Makes pairs of ports that no phone has yet; they are closed at the end."""
    made = []

    def make(address="127.0.0.1"):
        made.append(RtpPeer(address))
        return made[-1]

    yield make
    for one in made:
        one.close()


def moved(phone, sockets, address="127.0.0.1"):
    """The phone's audio is elsewhere from now on: returns where it was."""
    former, phone.rtp = phone.rtp, sockets(address)
    phone.rtp.remote, phone.rtp.payload_type = former.remote, former.payload_type
    return former


def settle(phone, how, direction=None, host="127.0.0.1"):
    """The phone offers where it is now, and has its answer."""
    sdp = phone.sdp(direction, host=host)
    if how == "UPDATE":
        phone.request("UPDATE", sdp)
        answer = phone.wait_final("UPDATE")
    else:
        phone.invite(sdp=sdp)
        answer = phone.wait_final()
        phone.ack()
    assert answer.status == 200, answer.start


def arrive(phone, how="INVITE", direction=None, host="127.0.0.1"):
    """The same, and audio goes there: what comes from elsewhere from now on is late."""
    settle(phone, how, direction, host)
    phone.rtp.wait_for_packets(1)


def still_on_its_way(rtp, hertz=1500, packets=12):
    """A stream in sequence, at once."""
    samples = sine(hertz, packets * 0.02)
    codec = CODECS[rtp.payload_type]()
    for at in range(0, packets * FRAME, FRAME):
        rtp.timestamp += FRAME
        rtp.send(codec.encode(samples[at:at + FRAME]))


def hush(rtp):
    rtp.stop_speaking.set()
    rtp.speaker.join()
    rtp.speaker = None


def hear_each_other(one, other):
    for rtp, hertz in ((one.rtp, 500), (other.rtp, 900)):
        if rtp.speaker is None:
            rtp.keep_speaking(sine(hertz, 1))
    other.rtp.wait_for_tone(500, first=len(other.rtp.packets))
    one.rtp.wait_for_tone(900, first=len(one.rtp.packets))


def gets_nothing_any_more(former, present):
    """Packets come to one of the two only."""
    present.wait_for_packets(5)
    count = len(former.packets)
    present.wait_for_packets(25)
    assert len(former.packets) == count, "audio still goes to where the phone was"


@pytest.mark.short
@pytest.mark.parametrize("how", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("who", ["caller", "callee"])
@pytest.mark.parametrize("latch", ["any", "same-address", "off"])
def test_a_phone_that_moves_its_audio_in_a_call_hears_and_is_heard(own_server, connected, application, sockets, who, how, latch):
    caller, callee = connected(on=own_server({"media": {"latch": latch}}))
    mover, other = (caller, callee) if who == "caller" else (callee, caller)
    hear_each_other(mover, other)
    hush(mover.rtp)
    former = moved(mover, sockets)
    arrive(mover, how)
    start = len(other.rtp.packets)
    still_on_its_way(former)
    hear_each_other(mover, other)
    gets_nothing_any_more(former, mover.rtp)
    still_on_its_way(former)
    hear_each_other(mover, other)
    assert not other.rtp.has_tone(1500, start)
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("again", [1, 3])
def test_a_phone_that_moves_to_another_host_and_back(connected, application, sockets, again):
    caller, callee = connected()
    hear_each_other(caller, callee)
    home = caller.rtp
    for _ in range(again):
        hush(home)
        moved(caller, sockets, "127.0.0.2")
        away = caller.rtp
        arrive(caller, host="127.0.0.2")
        still_on_its_way(home)
        hear_each_other(caller, callee)
        hush(away)
        caller.rtp = home
        arrive(caller)
        still_on_its_way(away)
        hear_each_other(caller, callee)
        gets_nothing_any_more(away, home)
    caller.hang_up()
    application.completed("normal")


def test_a_phone_that_comes_back_from_hold_at_another_port(connected, application, sockets):
    caller, callee = connected()
    hear_each_other(caller, callee)
    hush(caller.rtp)
    settle(caller, "INVITE", "sendonly")
    former = moved(caller, sockets)
    arrive(caller, direction="sendrecv")
    still_on_its_way(former)
    hear_each_other(caller, callee)
    caller.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("tag", ["same", "other"])
def test_an_announcement_before_the_answer_leaves_the_line_to_the_phone(ringing, application, sockets, tag):
    """183 from an announcement server, 200 from the phone that answers; the announcement's last packets are late."""
    caller, callee = ringing()
    announcement = callee.rtp
    callee.progress(183, callee.sdp())
    announcement.keep_speaking(sine(1300, 1))
    assert caller.wait_response(method="INVITE").status < 200
    wait_until(lambda: caller.responses.empty() or caller.wait_response().status == 183, "no early media was announced")
    hush(announcement)
    moved(callee, sockets)
    if tag == "other":
        callee.local_tag = "another" + callee.local_tag
        request = callee.invite_request
        request.headers = [(name, re.sub(r";tag=.*", ";tag=" + callee.local_tag, value) if name.lower() == "to" else value)
                           for name, value in request.headers]
    callee.answer()
    answer = caller.wait_final()
    assert answer.status == 200
    caller.follow(answer)
    caller.ack()
    application.wait_for("callAnswered")
    callee.rtp.wait_for_packets(1)
    still_on_its_way(announcement)
    hear_each_other(caller, callee)
    gets_nothing_any_more(announcement, callee.rtp)
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


@pytest.mark.short
@pytest.mark.parametrize("latch", ["any", "same-address"])
def test_a_stranger_who_spoke_first_does_not_keep_the_callers_audio(own_server, connected, application, sockets, latch):
    caller, callee = connected(on=own_server({"media": {"latch": latch}}))
    stranger = sockets()
    stranger.remote = caller.rtp.remote
    stranger.keep_speaking(sine(1500, 1))
    stranger.wait_for_packets(1)  # it was there first
    hear_each_other(caller, callee)
    gets_nothing_any_more(stranger, caller.rtp)
    start = len(callee.rtp.packets)
    callee.rtp.wait_for_tone(500, first=start + 50)
    assert not callee.rtp.has_tone(1500, start)
    caller.hang_up()
    application.completed("normal")


def test_a_stranger_with_a_packet_or_two_gets_nothing(connected, application, sockets):
    caller, callee = connected()
    stranger = sockets()
    stranger.remote = caller.rtp.remote
    still_on_its_way(stranger, packets=3)
    caller.rtp.wait_for_packets(25)
    assert stranger.packets == []
    hear_each_other(caller, callee)
    caller.hang_up()
    application.completed("normal")


@pytest.mark.short
@pytest.mark.parametrize("how", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("direction", ["sendrecv", "sendonly", "inactive"])
def test_a_stranger_who_sends_all_the_time_gets_nothing_at_an_offer_with_the_same_address(connected, application, sockets, how, direction):
    caller, callee = connected()
    hear_each_other(caller, callee)
    stranger = sockets()
    stranger.remote = caller.rtp.remote
    stranger.keep_speaking(sine(1500, 1))
    start = len(callee.rtp.packets)
    settle(caller, how, direction)
    settle(caller, how)
    settle(callee, how)
    hear_each_other(caller, callee)
    assert not callee.rtp.has_tone(1500, start)
    assert stranger.packets == []
    caller.hang_up()
    application.completed("normal")


def test_a_caller_behind_a_nat_stays_connected_over_hold_and_refresh(connected, application, sockets):
    """Its description names an address that nothing reaches; what it sends comes from elsewhere."""
    caller, callee = connected()
    private = sockets("127.0.0.3")
    outside, caller.rtp = caller.rtp, private
    settle(caller, "INVITE", host="127.0.0.3")
    caller.rtp = sockets("127.0.0.2")
    caller.rtp.remote = outside.remote
    hear_each_other(caller, callee)
    nat = caller.rtp
    for direction, host in (("sendrecv", "127.0.0.3"), ("inactive", "127.0.0.3"), (None, "0.0.0.0")):
        caller.rtp = private
        settle(caller, "INVITE", direction, host)
        settle(caller, "INVITE", "sendrecv", "127.0.0.3")
        caller.rtp = nat
        hear_each_other(caller, callee)
        gets_nothing_any_more(private, nat)
    caller.hang_up()
    application.completed("normal")


def test_reports_follow_the_audio(connected, application, sockets):
    caller, callee = connected()
    hear_each_other(caller, callee)
    hush(caller.rtp)
    former = moved(caller, sockets)
    arrive(caller)
    still_on_its_way(former)
    hear_each_other(caller, callee)
    count = len(former.rtcp_packets)
    caller.rtp.wait_until(lambda: len(caller.rtp.rtcp_packets) >= 2, 40, "no reports came to where the phone is now")
    assert len(former.rtcp_packets) == count
    caller.hang_up()
    application.completed("normal")


def test_a_phone_that_has_moved_and_says_nothing_is_not_kept_up_by_its_former_port(own_server, connected, application, sockets):
    caller, callee = connected(on=own_server({"media": {"rtp_timeout": 1.5}}))
    hear_each_other(caller, callee)
    former = moved(caller, sockets)  # and goes on speaking
    settle(caller, "INVITE")
    assert application.wait_alarm("RTP media timeout")["type"] == "callError"
    caller.wait_request("BYE")
    callee.wait_request("BYE")
    application.completed("rtpTimeout")
    hush(former)


def test_a_phone_that_moves_is_not_taken_for_dead(own_server, connected, application, sockets):
    caller, callee = connected(on=own_server({"media": {"rtp_timeout": 1.5}}))
    hear_each_other(caller, callee)
    hush(caller.rtp)
    former = moved(caller, sockets)
    arrive(caller)
    still_on_its_way(former)
    hear_each_other(caller, callee)
    callee.rtp.wait_for_packets(150)  # twice the time
    assert application.events("sessionCompleted") == []
    hear_each_other(caller, callee)
    caller.hang_up()
    application.completed("normal")
