"""SIP towards a callee, and between the two: what may cross, fork, come late or not at all."""

import re
import socket

import pytest
from support.rtp_peer import sine


def answered(caller):
    caller.follow(caller.wait_final())
    caller.ack()


def test_a_reliable_provisional_response_of_the_callee(ringing, application):
    caller, callee = ringing()
    assert "100rel" in callee.invite_request.header("Supported")
    callee.progress(183, callee.sdp(), extra="Require: 100rel\r\nRSeq: 17\r\n")
    prack = callee.wait_request("PRACK")
    assert re.match(r"17 \d+ INVITE", prack.header("RAck"))
    callee.respond(prack, 200)
    callee.answer(sdp="")
    answered(caller)
    callee.wait_request("ACK")
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.wait_for_tone(500)
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")


def test_a_fork_answers_and_another_one_too(ringing, application):
    """Two phones behind one address answer: the first is kept, the second is hung up."""
    caller, callee = ringing()
    invite, first = callee.invite_request, callee.local_tag
    to = invite.header("To").partition(";tag=")[0]

    def as_fork(tag, status, sdp=""):
        callee.local_tag = tag
        invite.headers = [(name, f"{to};tag={tag}" if name.lower() == "to" else value) for name, value in invite.headers]
        callee.respond(invite, status, sdp, extra=f"Contact: {callee.contact}\r\n")
    as_fork("one", 180)
    as_fork("two", 180)
    as_fork("two", 200, callee.sdp())
    assert "tag=two" in callee.wait_request("ACK").header("To")
    as_fork("one", 200, callee.sdp())
    assert "tag=one" in callee.wait_request("ACK").header("To")
    assert "tag=one" in callee.wait_request("BYE").header("To")
    answered(caller)
    callee.local_tag = first
    application.wait_for("callAnswered")
    caller.hang_up()
    assert "tag=two" in callee.wait_request("BYE").header("To")
    application.completed("normal")


def test_a_redirect_is_not_followed(ringing, application, called_phone):
    other = called_phone()
    caller, callee = ringing()
    callee.refuse(302, extra=f"Contact: <{other.uri}>\r\n")
    event = application.wait_for("callEvent").body
    assert event["event"] == "calledPartyFailure" and event["sipResponseCode"] == 302
    caller.wait_final()
    caller.ack_refusal()
    application.completed("rejected")
    assert other.invite_request is None


def test_a_redirect_is_followed_if_that_is_wanted(own_server, application, phone, called_phone, calls):
    server = own_server({"sip": {"follow_redirects": True}})
    first, other = called_phone(server, pick_up=False, rings=False), called_phone(server)
    application.replies["newCall"] = calls(first)
    caller = phone(on=server)
    caller.invite()
    first.wait_request("INVITE")
    first.refuse(302, extra=f"Contact: <{other.uri}>\r\n")
    other.wait_request("ACK")
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.hang_up()
    other.wait_request("BYE")
    application.completed("normal")


def test_a_caller_without_an_offer(application, phone, called_phone, calls):
    callee = called_phone()
    application.replies["newCall"] = calls(callee)
    caller = phone()
    caller.invite(sdp="")
    answer = caller.wait_final()
    assert answer.status == 200 and "m=audio" in answer.body
    caller.follow(answer)
    caller.ack(caller.sdp())
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.keep_speaking(sine(900, 1))
    callee.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)
    caller.hang_up()
    application.completed("normal")


def test_the_callees_offer_comes_while_ours_is_under_way(connected, application):
    """Both sides change the call at once: each is answered, and both still hear each other."""
    caller, callee = connected()
    caller.invite(sdp=caller.sdp())
    callee.invite(sdp=callee.sdp())
    for one in (caller, callee):
        assert one.wait_final().status == 200
        one.ack()
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.wait_for_tone(500)
    caller.hang_up()
    application.completed("normal")


def test_two_offers_of_one_side_at_once(connected, application):
    caller, _ = connected()
    caller.invite(sdp="")  # our offer is open until the ACK
    assert caller.wait_final().status == 200
    first = caller.invite_cseq
    caller.request("UPDATE", caller.sdp())
    assert caller.wait_final("UPDATE").status in (491, 500)
    caller.invite_cseq = first
    caller.ack(caller.sdp())
    caller.hang_up()
    application.completed("normal")


@pytest.mark.short
def test_a_cancel_that_crosses_the_answer(server, application, phone, called_phone, calls):
    """The caller gives up at the moment the callee answers. Whoever comes first, the call ends in good order."""
    outcomes = set()
    for round_ in range(12):
        application.reset()
        callee = called_phone(pick_up=False)
        application.replies["newCall"] = calls(callee)
        caller = phone()
        caller.invite()
        callee.wait_request("INVITE")
        callee.answer() if round_ % 2 else caller.cancel()
        caller.cancel() if round_ % 2 else callee.answer()
        final = caller.wait_final()
        outcomes.add(final.status)
        if final.status == 200:
            caller.ack()
            caller.hang_up()
        else:
            assert final.status == 487
            caller.ack_refusal()
        callee.wait_request("BYE", "CANCEL")
        application.wait_for("sessionCompleted")
        server.wait_idle()
    assert outcomes <= {200, 487}


def test_a_callee_that_never_says_anything(own_server, application, phone, calls):
    """Not even 100: maxRingTime ends it."""
    server = own_server()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        application.replies["newCall"] = {"action": "call", "destAddr": f"sip:bob@127.0.0.1:{deaf.getsockname()[1]}", "maxRingTime": 0.5}
        caller = phone(on=server)
        assert caller.refused().status == 603
        assert application.wait_for("callEvent").body["sipResponseCode"] == 408
        application.completed("rejected")
