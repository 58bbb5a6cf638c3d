"""Who may call: networks, X-Trunk-Key and digest of a domain's trunks."""

import pytest
from support.digest import authorization, challenges
from support.softphone import Softphone

DIGEST = {"name": "carrier", "inbound_username": "carrier", "inbound_password": "open sesame"}


def challenged(caller):
    """An INVITE without credentials: the challenges that it is answered with."""
    answer = caller.refused()
    assert answer.status == 401
    caller.state = "idle"
    caller.remote_tag = None
    return challenges(answer)


def proof(caller, challenge, password="open sesame", username="carrier", count=1):
    return authorization(challenge, username, password, caller.target, count)


def again(caller, line):
    """A call with these credentials: the final response."""
    caller.state, caller.remote_tag = "idle", None
    caller.invite(extra=line)
    answer = caller.wait_final()
    if answer.status >= 300:
        caller.ack_refusal()
    else:
        caller.follow(answer)
        caller.ack()
    return answer


@pytest.fixture
def server_with(own_server, application):
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 30}

    def make(*trunks, **sip):
        return own_server({"sip": sip} if sip else None, trunks=trunks)

    return make


@pytest.mark.short
@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_a_caller_proves_its_password(server_with, application, phone, algorithm):
    server = server_with(DIGEST)
    caller = phone(server)
    offered = challenged(caller)
    assert list(offered) == ["SHA-256", "MD5"]
    assert offered[algorithm]["realm"] == server.domain and offered[algorithm]["qop"] == "auth"
    assert application.events("newCall") == []
    assert again(caller, proof(caller, offered[algorithm])).status == 200
    caller.request("OPTIONS")  # what comes in the call needs no proof
    assert caller.wait_final("OPTIONS").status == 200
    caller.hang_up()
    application.wait_for("sessionCompleted")


def test_the_operator_says_how_passwords_are_proved(server_with, phone):
    server = server_with(DIGEST, digest_algorithms=["MD5"])
    caller = phone(server)
    offered = challenged(caller)
    assert list(offered) == ["MD5"]
    assert again(caller, proof(caller, offered["MD5"])).status == 200
    caller.hang_up()


def test_a_wrong_password_is_403(server_with, application, phone):
    server = server_with(DIGEST)
    for wrong in ({"password": "guess"}, {"username": "somebody"}):
        caller = phone(server)
        assert again(caller, proof(caller, challenged(caller)["SHA-256"], **wrong)).status == 403
    assert application.events("newCall") == []
    assert "open sesame" not in server.log() and "guess" not in server.log()


@pytest.mark.short
def test_a_proof_is_taken_once(server_with, application, phone):
    server = server_with(DIGEST)
    caller = phone(server)
    challenge = challenged(caller)["SHA-256"]
    line = proof(caller, challenge)
    assert again(caller, line).status == 200
    caller.hang_up()
    thief = phone(server)
    answer = again(thief, line)
    assert answer.status == 401 and challenges(answer)["MD5"]["stale"] == "true"
    assert again(caller, proof(caller, challenge, count=2)).status == 200
    caller.hang_up()
    assert len(application.events("newCall")) == 2


def test_a_lost_answer_is_not_a_second_call(server_with, phone):
    server = server_with(DIGEST)
    caller = phone(server)
    line = proof(caller, challenged(caller)["MD5"])
    caller.invite(extra=line)
    caller.send_text(caller.invite_text)  # as after a lost 100
    answer = caller.wait_final()
    assert answer.status == 200
    caller.follow(answer)
    caller.ack()
    caller.hang_up()


def test_nonces_of_a_server_that_was_started_anew_are_stale(server_with, phone):
    server = server_with(DIGEST)
    caller = phone(server)
    old = challenged(caller)["MD5"]
    port = server.sip_udp
    server.kill()
    server.file.write_text(server.file.read_text().replace("udp:127.0.0.1:0", f"udp:127.0.0.1:{port[1]}"))
    server.start()
    answer = again(caller, proof(caller, old))
    assert answer.status == 401 and challenges(answer)["SHA-256"]["stale"] == "true"
    assert again(caller, proof(caller, challenges(answer)["SHA-256"])).status == 200
    caller.hang_up()


def test_networks_keys_and_passwords_together(server_with, phone):
    server = server_with({"name": "near", "allow": ["127.0.0.2/32"], "key": "abc"}, {**DIGEST, "allow": ["127.0.0.3/32"]})
    assert phone(server).refused().status == 403
    near = phone(server, address="127.0.0.2")
    assert near.refused().status == 403
    assert again(near, "X-Trunk-Key: abd\r\n").status == 403
    assert again(near, "X-Trunk-Key: abcd\r\n").status == 403
    assert again(near, "X-Trunk-Key: abc\r\n").status == 200
    near.hang_up()
    far = phone(server, address="127.0.0.3")
    assert again(far, proof(far, challenged(far)["MD5"])).status == 200
    far.hang_up()


def test_the_key_of_a_trunk_is_not_told(server_with, application, phone):
    server = server_with({"name": "near", "allow": ["127.0.0.1/32"], "key": "the-secret"})
    caller = phone(server)
    assert again(caller, "X-Trunk-Key: the-secret\r\nX-Other: 1\r\n").status == 200
    caller.hang_up()
    application.wait_for("sessionCompleted")
    asked = application.events("newCall")[0].body
    assert asked["xHeaders"] == {"x-other": "1"}
    assert all("the-secret" not in str(one.body) for one in application.requests)
    assert "the-secret" not in server.log()


@pytest.mark.parametrize("domain", ["demo.example", "nobody.example"])
def test_an_unauthorised_caller_may_be_met_with_silence(server_with, phone, domain):
    server = server_with({"name": "near", "allow": ["127.0.0.2/32"]}, unauthorised="ignore")
    stranger = Softphone(server, domain=domain)
    stranger.invite()
    stranger.state = "over"
    stranger.send_text(stranger.request_text("OPTIONS", to_tag=False, cseq=7))
    assert stranger.wait_response().cseq_method == "OPTIONS"  # nothing came before
    stranger.close()
    near = phone(server, address="127.0.0.2")
    near.call()
    near.hang_up()


def test_strangers_take_nothing_from_the_limits(server_with, phone):
    server = server_with({"name": "near", "allow": ["127.0.0.2/32"]})
    for _ in range(20):
        assert phone(server).refused().status == 403
    assert server.metrics()["ringwright_sip_transactions"] == 0


NETWORK = {"name": "carrier", "allow": ["192.0.2.0/24"]}


@pytest.mark.short
def test_domains_can_not_be_probed(server_with, application, phone):
    server = server_with(NETWORK)
    known, unknown = (phone(server, domain=domain).refused() for domain in (server.domain, "nobody.example"))
    assert known.status == unknown.status == 403
    assert known.start == unknown.start
    assert sorted(name for name, _ in known.headers) == sorted(name for name, _ in unknown.headers)
    assert application.requests == []


def test_a_number_from_a_carrier_that_two_customers_have_is_nobodys_until_the_key_tells(own_server, application, phone):
    application.replies["newCall"] = {"action": "drop", "dropCode": "busy"}
    house = 'allow = ["127.0.0.0/8"]'
    server = own_server(service={"numbers": ["+46*"]}, trunks=[{"name": "carrier", "allow": ["127.0.0.0/8"]}], more=f"""
[[domains]]
name = "second.example"
auth = "none"
trunks = [{{ name = "a", {house}, key = "second's" }}, {{ name = "b", {house} }}]
[[domains.mediaservices]]
id = "second"
numbers = ["*"]
callback_url = "{application.url}"
""")

    def status(target, extra=""):
        caller = phone(server)
        caller.target = caller.remote_target = target
        return caller.refused(extra=extra).status

    assert status("tel:+4670123") == 416
    assert application.events("newCall") == []
    assert status("tel:+4670123;phone-context=demo.example") == 486
    assert application.wait_for("newCall").body["domain"] == "demo.example"
    assert status("tel:+4670123", "X-Trunk-Key: second's\r\n") == 486
    assert application.wait_for("newCall", 2).body["domain"] == "second.example"


def test_a_number_from_a_stranger_is_refused_as_any_call_of_his(server_with, application, phone):
    server = server_with({"name": "carrier", "allow": ["192.0.2.0/24"]})
    for target in ("tel:+4670123", "tel:+4670123;phone-context=demo.example", "tel:+4670123;phone-context=not.here", "urn:service:sos"):
        caller = phone(server)
        caller.target = caller.remote_target = target
        assert caller.refused().status == 403
    assert application.events("newCall") == []
