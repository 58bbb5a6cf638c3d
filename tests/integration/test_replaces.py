"""A call can be named for a transfer by those whose it is, and by nobody else."""

import pytest

OTHER = "other.example"


def replaces(of):
    """As the header has it: the dialog as the server sees it."""
    return f"{of.call_id};to-tag={of.remote_tag};from-tag={of.local_tag}"


@pytest.fixture
def victim(application, phone):
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 30}
    caller = phone()
    caller.call()
    return caller


@pytest.mark.parametrize("more", ["", ";early-only"])
def test_a_call_of_another_domain_is_not_there_for_replaces(application, victim, phone, more):
    thief = phone(domain=OTHER)
    assert thief.refused(extra=f"Replaces: {replaces(victim)}{more}\r\n").status == 481
    unknown = phone(domain=OTHER)
    assert unknown.refused(extra=f"Replaces: nothing;to-tag=a;from-tag=b{more}\r\n").status == 481
    assert len(application.events("newCall")) == 1
    victim.request("OPTIONS")
    assert victim.wait_final("OPTIONS").status == 200  # the call is still up
    victim.hang_up()
    application.wait_for("sessionCompleted")


def test_a_call_of_the_same_domain_is(application, victim, phone):
    consulting = phone()
    assert consulting.call(extra=f"Replaces: {replaces(victim)}\r\n").status == 200
    consulting.hang_up()
    victim.hang_up()
    application.wait_for("sessionCompleted", 2)


def test_a_transfer_to_a_call_of_another_domain_tells_nothing_of_it(own_server, application, phone, called_phone):
    server = own_server(service={"allow_refer": True}, more="\n".join([
        "[[domains]]", f'name = "{OTHER}"', 'auth = "none"', "[[domains.mediaservices]]", 'id = "other"', 'numbers = ["*"]',
        f'callback_url = "{application.url}"', f'alarm_url = "{application.url}/alarms"']) + "\n")
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 30}
    victim, thief = phone(server, domain=OTHER), phone(server)
    victim.call()
    thief.call()
    named = replaces(victim).replace("@", "%40").replace(";", "%3B").replace("=", "%3D")
    application.replies["callEvent"] = {"action": "drop"}
    thief.request("REFER", extra=f"Refer-To: <sip:x@127.0.0.1?Replaces={named}>\r\n")
    assert thief.wait_final("REFER").status == 202
    event = application.wait_for("callEvent").body
    assert event["event"] == "refer" and "replacesParticipantId" not in event
    thief.wait_request("BYE")
    victim.request("OPTIONS")
    assert victim.wait_final("OPTIONS").status == 200
    victim.hang_up()
    application.wait_for("sessionCompleted", 2)
