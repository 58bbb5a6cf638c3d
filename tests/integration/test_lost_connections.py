"""TCP connections that close in the middle of a call, as proxies close idle ones: the call goes on, and what belongs to it arrives."""

import json

import pytest
from support.application import Raw
from support.reachable_phone import ReachableCallee, ReachableCaller
from support.rtp_peer import sine


@pytest.fixture
def reachable(server):
    phones = []

    def make(kind=ReachableCaller, **more):
        phones.append(kind(server, **more))
        return phones[-1]

    yield make
    for one in phones:
        one.close()


def hang_up_by_api(server, application):
    assert server.post("hangupcall", {"replyId": application.wait_for("callAnswered").body["replyId"]}).status == 200


def test_the_caller_hears_the_hang_up_though_its_connection_has_gone(server, application, reachable):
    caller = reachable()
    caller.call()
    caller.drop()
    hang_up_by_api(server, application)
    bye = caller.wait_request("BYE")
    assert bye.start.split()[1] == caller.contact.strip("<>")
    assert "SIP/2.0/TCP" in bye.header("Via")
    application.completed("apiHangup")


@pytest.mark.parametrize("allow, method", [("Allow: UPDATE\r\n", "UPDATE"), ("", "INVITE")])
def test_a_long_call_goes_on_though_the_connection_has_gone(server, application, reachable, allow, method):
    """The session timer finds the phone again."""
    caller = reachable()
    caller.invite(extra=f"{allow}Supported: timer\r\nSession-Expires: 4;refresher=uas\r\n")
    caller.follow(caller.wait_final())
    caller.ack()
    application.wait_for("callAnswered")
    caller.drop()
    caller.wait_request(method)
    if method == "INVITE":
        caller.wait_request("ACK")
    caller.drop()
    caller.wait_request(method)
    hang_up_by_api(server, application)
    caller.wait_request("BYE")
    application.completed("apiHangup")


def test_a_caller_that_nobody_can_reach_is_found_by_its_latest_connection(server, application, reachable):
    """Behind a NAT: its Contact leads nowhere, but it has come back with a re-INVITE."""
    caller = reachable(listens=False)
    caller.call()
    caller.drop()
    caller.reconnect()
    caller.invite()
    assert caller.wait_final().status == 200
    caller.ack()
    hang_up_by_api(server, application)
    caller.wait_request("BYE")
    application.completed("apiHangup")


def test_a_call_whose_phone_nobody_can_reach_ends_all_the_same(server, application, reachable):
    caller = reachable(listens=False)
    caller.call()
    caller.drop()
    hang_up_by_api(server, application)
    application.completed("apiHangup")
    server.wait_idle()
    caller.abandon()


def test_a_session_that_can_not_be_refreshed_is_told(server, application, reachable):
    caller = reachable(listens=False)
    caller.invite(extra="Allow: UPDATE\r\nSupported: timer\r\nSession-Expires: 4;refresher=uas\r\n")
    assert caller.wait_final().status == 200
    caller.ack()
    application.wait_for("callAnswered")
    caller.drop()
    application.completed("sessionExpired")
    caller.abandon()


@pytest.mark.parametrize("reply, status", [({"action": "ivr"}, 200), ({"action": "drop", "dropCode": "busy"}, 486)])
def test_the_answer_finds_a_caller_whose_connection_closed_while_the_application_was_asked(server, application, reachable, reply, status):
    application.replies["newCall"] = Raw(body=json.dumps(reply).encode(), hold=10)
    caller = reachable()
    caller.invite()
    application.wait_for("newCall")
    caller.drop()
    application.released.set()
    answer = caller.wait_final()
    assert answer.status == status, answer.start
    if status != 200:
        caller.ack_refusal()
        return
    caller.follow(answer)
    caller.ack()
    application.wait_for("getIvrCommand")
    caller.hang_up()
    application.completed("normal")


def test_the_hang_up_takes_the_route_that_the_proxy_recorded(server, application, reachable):
    caller, proxy = reachable(listens=False), reachable()
    route = f"<sip:{proxy.host}:{proxy.port};transport=tcp;lr>"
    caller.call(extra=f"Record-Route: {route}\r\n")
    caller.drop()
    hang_up_by_api(server, application)
    bye = proxy.wait_request("BYE")
    assert bye.header("Route") == route
    assert bye.start.split()[1] == caller.contact.strip("<>")
    application.completed("apiHangup")
    caller.abandon()


def test_a_contact_over_tcp_is_reached_over_tcp_though_the_invite_came_over_udp(server, application, reachable):
    caller = reachable(transport="udp")
    caller.call()
    hang_up_by_api(server, application)
    assert "SIP/2.0/TCP" in caller.wait_request("BYE").header("Via")
    application.completed("apiHangup")


@pytest.fixture
def ringing_over_tcp(application, reachable, phone, calls):
    def make(**more):
        callee = reachable(ReachableCallee, pick_up=False, rings=False, **more)
        application.replies["newCall"] = calls(callee)
        caller = phone()
        caller.invite()
        callee.wait_request("INVITE")
        return caller, callee
    return make


def hear_each_other(caller, callee):
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.keep_speaking(sine(900, 1))
    callee.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)


def test_a_phone_that_rings_may_answer_over_another_connection(ringing_over_tcp, application):
    caller, callee = ringing_over_tcp()
    callee.progress(180)
    application.wait_change("ringing")
    callee.drop()
    callee.reconnect()
    callee.answer()
    caller.follow(caller.wait_final())
    caller.ack()
    assert callee.wait_request("ACK").start.split()[1] == callee.contact.strip("<>")
    hear_each_other(caller, callee)
    caller.hang_up()
    assert callee.wait_request("BYE").start.split()[1] == callee.contact.strip("<>")
    application.completed("normal")


def test_a_phone_stops_ringing_though_its_connection_has_gone(ringing_over_tcp, application):
    caller, callee = ringing_over_tcp()
    callee.progress(180)
    application.wait_change("ringing")
    callee.drop()
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    assert callee.wait_request("CANCEL")
    application.completed("cancelled")


def test_early_media_is_acknowledged_at_the_contact(ringing_over_tcp, application):
    caller, callee = ringing_over_tcp()
    callee.progress(183, callee.sdp(), extra="Require: 100rel\r\nRSeq: 17\r\n")
    callee.drop()
    prack = callee.wait_request("PRACK")
    assert prack.start.split()[1] == callee.contact.strip("<>")
    callee.respond(prack, 200)
    callee.answer(sdp="")
    caller.follow(caller.wait_final())
    caller.ack()
    callee.wait_request("ACK")
    callee.drop()
    caller.hang_up()
    callee.wait_request("BYE")
    application.completed("normal")
