"""Calls that an application sends back to where they came from end, before they become many."""

import re

import pytest


@pytest.fixture
def forwards(server, application):
    """The application sends each call on to the number that the table has for the called one, or into the IVR."""
    def make(table):
        def decide(body):
            onward = table.get(body["calledParty"])
            if onward is None:
                return {"action": "ivr"}
            return {"action": "call", "destAddr": f"sip:{onward}@127.0.0.1:{server.sip_udp[1]}"}
        application.replies["newCall"] = decide
        application.replies["getIvrCommand"] = {"getIVRCommandAfter": 30}
        application.replies["callEvent"] = {"action": "drop"}
    return make


def refused(server, bound):
    return server.metrics()[f'ringwright_refused_total{{bound="{bound}"}}']


def test_a_call_to_a_number_that_forwards_to_itself_ends_at_once(server, application, forwards, phone):
    before = refused(server, "loop")
    forwards({"100": "100"})
    assert phone().refused().status >= 400
    assert application.wait_for("callEvent").body["event"] == "calledPartyFailure"
    application.wait_for("sessionCompleted")
    assert len(application.events("newCall")) == 1
    assert refused(server, "loop") == before + 1
    lines = [one for one in server.log_lines() if one["msg"] == "call refused"]
    assert lines[-1]["status"] == "482" and "goes round" in lines[-1]["why"]


def test_two_numbers_that_forward_to_each_other_end_too(server, application, forwards, phone):
    forwards({"100": "101", "101": "100"})
    assert phone().refused().status >= 400
    application.wait_for("sessionCompleted", 2)
    assert len(application.events("newCall")) == 2


def test_a_call_that_passes_here_several_times_on_its_way_arrives(server, application, forwards, phone):
    forwards({"100": "101", "101": "102"})
    caller = phone()
    caller.call()
    assert [one.body["calledParty"] for one in application.events("newCall")] == ["100", "101", "102"]
    caller.hang_up()
    application.wait_for("sessionCompleted", 3)


def invite_with(caller, hops):
    """An INVITE whose Max-Forwards is `hops`; None: without."""
    caller.invite_branch = "z9hG4bKhops" + caller.local_tag
    caller.cseq = caller.invite_cseq = 1
    caller.state = "calling"
    text = caller.request_text("INVITE", caller.sdp(), branch=caller.invite_branch)
    line = "" if hops is None else f"Max-Forwards: {hops}\r\n"
    caller.send_text(re.sub(r"Max-Forwards: 70\r\n", line, text))


@pytest.mark.parametrize("hops, left", [(20, "19"), (1, "0"), (None, "69"), (255, "69")])
def test_the_called_phone_gets_one_hop_less(application, phone, called_phone, calls, hops, left):
    callee = called_phone()
    application.replies["newCall"] = calls(callee)
    caller = phone()
    invite_with(caller, hops)
    answer = caller.wait_final()
    assert answer.status == 200
    caller.follow(answer)
    caller.ack()
    assert callee.wait_request("INVITE").header("Max-Forwards") == left
    caller.hang_up()
    application.wait_for("sessionCompleted")


def test_a_call_without_a_hop_left_is_refused_before_anybody_is_asked(server, application, phone):
    before = refused(server, "maxForwards")
    caller = phone()
    invite_with(caller, 0)
    assert caller.wait_final().status == 483
    caller.ack_refusal()
    assert application.events("newCall") == []
    assert refused(server, "maxForwards") == before + 1


def test_a_loop_that_loses_its_marks_on_the_way_ends_by_its_hops(application, phone, called_phone, calls):
    """A device between us and us may leave out what it does not know; it counts hops all the same."""
    callee = called_phone(pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone()
    invite_with(caller, 2)
    passed_on = callee.wait_request("INVITE")
    assert re.fullmatch("[0-9a-f]{16}", passed_on.header("Loop-Mark"))
    again = phone()
    invite_with(again, int(passed_on.header("Max-Forwards")) - 1)
    assert again.wait_final().status == 483
    again.ack_refusal()
    callee.refuse(486)
    assert caller.wait_final().status >= 400
    caller.ack_refusal()
