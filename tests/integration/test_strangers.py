"""What somebody can do who only sends: whose address may be forged, who never answers, who guesses. Others don't notice."""

import queue
import socket

import pytest
from support.rtp_peer import sine
from support.softphone import Message
from support.waiting import wait_until

ATTACKER, BYSTANDER = "127.0.0.9", "127.0.0.8"
IN_IVR = {"getIVRCommandAfter": 30}


@pytest.fixture
def in_ivr(application):
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = IN_IVR


def refused(server, bound):
    return server.metrics()[f'ringwright_refused_total{{bound="{bound}"}}']


def is_served(server, application, phone, **more):
    """A call of somebody else is taken, and heard."""
    other = phone(server, **more)
    other.call()
    other.rtp.wait_for_packets(5)
    other.hang_up()


def answers_of(caller):
    """All that has come so far."""
    found = []
    while True:
        try:
            found.append(caller.responses.get_nowait())
        except queue.Empty:
            return found


def wait_for_repetitions(server, phone, times=2):
    """Until the answer to a call that nobody acknowledges has been sent again so often: what is repeated has been by then."""
    clock = phone(server, address=BYSTANDER)
    clock.invite()
    for _ in range(times + 1):
        assert clock.wait_final().status == 200
    return clock


# ---- sound

def unacknowledged(server, phone, **more):
    caller = phone(server, **more)
    caller.invite()
    answer = caller.wait_final()
    assert answer.status == 200
    caller.follow(answer)
    return caller


@pytest.mark.parametrize("sign", ["ACK", "RTP"])
def test_sound_to_an_address_that_nobody_confirms_stops_and_comes_back(own_server, application, phone, in_ivr, sign):
    server = own_server({"media": {"unconfirmed": 0.4}})
    caller = unacknowledged(server, phone)
    wait_until(lambda: refused(server, "unconfirmedMedia") == 1, "it does not stop")
    assert any(one["msg"] == "sound stopped" for one in server.log_lines())
    caller.rtp.wait_until_quiet(0.5)
    assert 1 <= len(caller.rtp.packets) <= 25
    if sign == "RTP":
        caller.rtp.speak(sine(440, 0.1))
    else:
        caller.ack()
    caller.rtp.wait_for_packets(30)
    caller.ack()
    caller.hang_up()
    application.wait_for("sessionCompleted")


def test_sound_goes_on_for_a_caller_who_has_shown_a_trunks_key(own_server, application, phone, in_ivr):
    server = own_server({"media": {"unconfirmed": 0.1}}, trunks=[{"name": "carrier", "allow": ["127.0.0.0/8"], "key": "open sesame"}])
    caller = phone(server)
    caller.invite(extra="X-Trunk-Key: open sesame\r\n")
    answer = caller.wait_final()
    assert answer.status == 200
    caller.rtp.wait_for_packets(40)
    caller.ack()
    caller.hang_up()
    application.wait_for("sessionCompleted")
    assert refused(server, "unconfirmedMedia") == 0


def test_the_ringing_tone_to_nobody_stops_and_comes_back(own_server, application, phone, called_phone, calls):
    server = own_server({"media": {"unconfirmed_early": 0.4}})
    callee = called_phone(server, pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone(server)
    caller.invite()
    callee.wait_request("INVITE")
    while True:
        ringing = caller.wait_response()
        if ringing.status == 183:
            break
    caller.follow(ringing)
    wait_until(lambda: refused(server, "unconfirmedMedia") == 1, "it does not stop")
    caller.rtp.wait_until_quiet(0.5)
    assert 1 <= len(caller.rtp.packets) <= 25
    caller.rtp.speak(sine(440, 0.1))
    caller.rtp.wait_for_packets(30)
    callee.answer()
    answer = caller.wait_final()
    assert answer.status == 200
    caller.ack()
    callee.wait_request("ACK")
    caller.hang_up()
    callee.wait_request("BYE")
    application.wait_for("sessionCompleted")


# ---- places

def test_calls_that_nobody_acknowledges_take_no_place_of_others(own_server, application, phone, in_ivr):
    server = own_server({"limits": {"unconfirmed_calls_per_source": 3}})
    flood = [unacknowledged(server, phone, address=ATTACKER) for _ in range(3)]
    fourth = phone(server, address=ATTACKER).refused()
    assert (fourth.status, fourth.header("Retry-After")) == (503, "10")
    assert refused(server, "unconfirmedCalls") == 1
    assert len(application.events("newCall")) == 3
    is_served(server, application, phone)
    flood[0].ack()  # this one is there: its place is free again
    is_served(server, application, phone, address=ATTACKER)
    application.wait_for("sessionCompleted", 2)


def test_a_trunk_has_places_of_its_own_for_calls_that_nobody_acknowledges(own_server, application, phone, in_ivr):
    server = own_server({"limits": {"unconfirmed_calls_per_trunk": 2}},
                        trunks=[{"name": "one", "allow": [ATTACKER + "/32"]}, {"name": "two", "allow": ["127.0.0.1/32"]}])
    for _ in range(2):
        unacknowledged(server, phone, address=ATTACKER)
    assert phone(server, address=ATTACKER).refused().status == 503
    is_served(server, application, phone)
    application.wait_for("sessionCompleted")


# ---- answers

def test_a_call_that_is_refused_at_once_gets_one_packet(own_server, application, phone, in_ivr):
    server = own_server()
    cases = {"unknown domain": {"domain": "nobody.example"}, "no such number": {"user": "999"}}
    callers = [phone(server, **more) for more in cases.values()]
    for caller in callers:
        caller.invite()
    odd = [phone(server) for _ in range(2)]
    for caller, extra in zip(odd, ("Require: nothing-known\r\n", "Replaces: a;to-tag=b;from-tag=c\r\n")):
        caller.invite(extra=extra)
    assert server.metrics()["ringwright_sip_transactions"] == 0
    wait_for_repetitions(server, phone)
    for caller, status in zip(callers + odd, (404, 404, 420, 481)):
        answers = [one.status for one in answers_of(caller)]
        assert answers == [status]
        caller.send_text(caller.invite_text)  # it was lost, perhaps
        assert caller.wait_final().status == status
        caller.ack_refusal()
        caller.state = "over"


def test_the_same_invite_gets_the_same_tag(own_server, phone):
    caller = phone(own_server(), domain="nobody.example")
    first = caller.refused()
    caller.send_text(caller.invite_text)
    assert caller.wait_final().header("To") == first.header("To")


@pytest.mark.parametrize("known", [False, True])
def test_the_refusal_of_a_stranger_is_not_repeated(own_server, application, phone, known):
    server = own_server(trunks=[{"name": "carrier", "allow": ["127.0.0.1/32", BYSTANDER + "/32"]}] if known else [])
    application.replies["newCall"] = lambda body: {"action": "drop"} if body["srcAddr"] == "127.0.0.1" else {"action": "ivr"}
    application.replies["getIvrCommand"] = IN_IVR
    caller = phone(server)
    caller.invite()
    first = caller.wait_final()
    assert first.status >= 400
    wait_for_repetitions(server, phone, 3)
    again = [one.status for one in answers_of(caller)]
    assert again == [] if not known else set(again) == {first.status} and len(again) >= 2
    caller.send_text(caller.invite_text)
    assert caller.wait_final().status == first.status
    caller.ack_refusal()
    application.wait_for("sessionCompleted")


@pytest.mark.parametrize("method, status", [("OPTIONS", 200), ("BYE", 481), ("INFO", 481), ("REGISTER", 405), ("NOTHING", 501), ("REFER", 403), ("CANCEL", 481)])
def test_what_needs_no_state_leaves_none(server, phone, method, status):
    wait_until(lambda: server.metrics()["ringwright_sip_transactions"] == 0, "of those before", timeout=60)
    stranger = phone()
    for at in range(3):
        stranger.cseq = at + 1
        text = stranger.request_text(method, extra=("X-Long: " + "x" * 2000 + "\r\n") * 10)
        for _ in range(2):  # the second is the same again
            stranger.send_text(text)
            assert stranger.wait_final(method).status == status
    assert server.metrics()["ringwright_sip_transactions"] == 0


# ---- connections

class Idle:
    """A connection that says nothing but that it is there."""

    def __init__(self, server, host):
        self.socket = socket.create_connection(server.sip_tcp, source_address=(host, 0))
        self.socket.settimeout(20)
        self.beat()

    def beat(self):
        self.socket.sendall(b"\r\n\r\n")
        assert self.socket.recv(9) == b"\r\n"

    def wait_closed(self):
        assert self.socket.recv(9) == b""
        self.socket.close()


def test_one_client_does_not_take_the_connections_of_others(own_server, application, phone, in_ivr):
    server = own_server({"sip": {"max_connections_per_client": 4}})
    caller = phone(server, transport="tcp", address=ATTACKER)
    caller.call()  # the oldest of them all, but a call depends on it
    idle = [Idle(server, ATTACKER) for _ in range(3)]
    idle[0].beat()
    further = [Idle(server, ATTACKER)]
    idle[1].wait_closed()  # has said nothing for longest
    further.append(Idle(server, ATTACKER))
    idle[2].wait_closed()
    assert refused(server, "sipConnections") == 2
    is_served(server, application, phone, transport="tcp")
    caller.hang_up()
    for one in (idle[0], *further):
        one.beat()
        one.socket.close()
    application.wait_for("sessionCompleted", 2)


def test_a_client_whose_calls_need_all_its_connections_gets_no_more(own_server, application, phone, in_ivr):
    server = own_server({"sip": {"max_connections_per_client": 1}})
    caller = phone(server, transport="tcp", address=ATTACKER)
    caller.call()
    with socket.create_connection(server.sip_tcp, source_address=(ATTACKER, 0)) as further:
        further.settimeout(20)
        assert further.recv(9) == b""
    caller.hang_up()
    application.wait_for("sessionCompleted")


# ---- guesses

@pytest.fixture
def with_key(own_server, in_ivr):
    return own_server({"sip": {"failed_authorisations_per_minute": 3}}, trunks=[{"name": "carrier", "allow": ["127.0.0.0/8"], "key": "right"}])


def status_with(server, phone, key, address):
    caller = phone(server, address=address)
    caller.invite(extra=f"X-Trunk-Key: {key}\r\n")
    answer = caller.wait_final()
    if answer.status >= 300:
        caller.ack_refusal()
        caller.state = "over"
    else:
        caller.ack()
        caller.hang_up()
    return answer.status


def test_who_guesses_a_trunks_key_too_often_is_not_looked_at(with_key, application, phone):
    for guess in ("a", "b", "c"):
        assert status_with(with_key, phone, guess, ATTACKER) == 403
    assert refused(with_key, "sipCredentials") == 0
    assert status_with(with_key, phone, "right", ATTACKER) == 403
    assert refused(with_key, "sipCredentials") == 1
    assert status_with(with_key, phone, "right", BYSTANDER) == 200
    application.wait_for("sessionCompleted")
    assert "failed_authorisations_per_minute" in with_key.log()


def test_somebody_who_forges_a_callers_address_does_not_lock_it_out(with_key, application, phone):
    assert status_with(with_key, phone, "right", BYSTANDER) == 200
    for guess in ("a", "b", "c", "d", "e"):
        assert status_with(with_key, phone, guess, BYSTANDER) == 403
    assert status_with(with_key, phone, "right", BYSTANDER) == 200
    application.wait_for("sessionCompleted", 2)


def test_an_answer_without_a_request_is_left_aside(server):
    """Responses make no state either."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n\r\n", server.sip_udp)
        stranger.sendto(b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKy\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
                        b"Call-ID: z\r\nCSeq: 1 OPTIONS\r\n\r\n", server.sip_udp)
        stranger.settimeout(20)
        assert Message(stranger.recv(65536).decode()).status in (200, 400)
