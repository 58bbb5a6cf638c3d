"""What a domain is told in the configuration file means the same when it is provisioned.

The tests of these settings run here once more, with a server that has none of them when it starts and is told over HTTP.
"""

import pathlib

import pytest
from test_alarms import test_identify_calls  # noqa: F401
from test_authorisation import fetching, signed_server, test_the_first_request_waits_for_the_keys, test_the_sdk_hangs_up_a_call, web  # noqa: F401
from test_callbacks import (  # noqa: F401
    another_application, certificates, closed_port, guarded_application, test_mutual_tls, test_requests_are_signed,
    test_requests_carry_the_configured_credentials, test_the_secondary_is_asked_when_the_first_can_not_be_reached,
    test_without_its_certificate_or_trust_nothing_is_said)
from test_connections import test_a_blind_transfer  # noqa: F401
from test_joined import test_music_while_on_hold  # noqa: F401
from test_limits import (  # noqa: F401
    is_full, test_a_call_of_the_api_beyond_the_domains_limit_is_429_and_names_it, test_a_hunt_goes_past_a_trunk_that_is_full,
    test_calls_beyond_calls_per_second_are_refused, test_calls_beyond_max_calls_are_refused_before_the_application_is_asked, waiting)
from test_recording_faults import test_encrypted_for_the_domain  # noqa: F401
from test_remote_calls import door, lab, test_callbacks_of_one_call_go_elsewhere  # noqa: F401
from test_shares import test_many_small_files_count_by_what_they_take_of_the_disk  # noqa: F401
from test_trunk_auth import (  # noqa: F401
    server_with, test_a_caller_proves_its_password, test_a_wrong_password_is_403, test_networks_keys_and_passwords_together)

OPERATOR = {"Authorization": "Bearer the-operators-token-of-the-tests"}
FILES = ("recording_key", "signing_key", "client_certificate", "client_key", "ca")


def with_contents(settings):
    """Files are the operator's: what is provisioned has their contents."""
    return {name: pathlib.Path(value).read_text() if name in FILES else value for name, value in settings.items()}


def provision(server, path, body, method="PUT"):
    answer = server.request(method, "/provisioning/" + path, body, headers=OPERATOR)
    assert answer.status == 200, answer.body


@pytest.fixture
def own_server(own_server, application):
    """The usual one, but what is the domain's is provisioned once it runs."""

    def make(settings=None, service=None, trunks=(), domain_keys=None, **more):
        settings = {**(settings or {}), "provisioning": {"token": OPERATOR["Authorization"].split()[1]}}
        server = own_server(settings, **more)
        usual = {"id": "main", "numbers": ["1*", "main"], "callback_url": application.url, "alarm_url": application.url + "/alarms"}
        provision(server, f"domain/{server.domain}", {
            "name": server.domain, "auth": "none", "aliases": ["127.0.0.1"], "trunks": list(trunks), **with_contents(domain_keys or {}),
            "mediaservices": [{**usual, **with_contents(service or {})}]})
        return server

    return make


@pytest.mark.short
def test_each_kind_can_be_made_at_its_path(own_server, application, phone):
    server = own_server()
    at = "new.example"
    provision(server, f"domain/{at}", {"auth": "none"}, method="POST")
    provision(server, f"mediaservice/{at}/main", {"numbers": ["*"], "callback_url": application.url}, method="POST")
    provision(server, f"device/{at}/door", {"mediaservice": "main"}, method="POST")
    application.replies["newCall"] = {"action": "drop"}
    assert phone(server, domain=at).refused().status == 603
    caller = phone(server, user="door", domain=at)
    caller.invite()
    application.wait_for("newRemoteCall")
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    provision(server, f"trunk/{at}/carrier", {"allow": ["192.0.2.0/24"]}, method="POST")
    assert phone(server, domain=at).refused().status == 403
    application.wait_for("sessionCompleted", 2)


def test_the_ringback_is_that_of_the_country(own_server, application, phone, called_phone, calls):
    server = own_server(service={"tone_plan": "us"})
    callee = called_phone(server, pick_up=False)
    application.replies["newCall"] = calls(callee)
    caller = phone(server)
    caller.invite()
    while (progress := caller.wait_response()).status != 183:
        pass
    caller.follow(progress)
    caller.rtp.wait_until(lambda: caller.rtp.has_tone_pair(440, 480, frames=6), what="the tones of the USA are not heard")
    caller.cancel()
    assert caller.wait_final().status == 487
    caller.ack_refusal()
    application.completed("cancelled")


def test_media_addresses_are_those_that_are_allowed(lab, door):  # noqa: F811
    refused = door.place("sip:bob@127.0.0.1:9", receiveIp="192.0.2.1")
    assert (refused.status, refused.body["reason"].split(":")[0]) == (403, "receiveIp")
    provision(lab, f"domain/{lab.domain}", {"name": lab.domain, "auth": "none", "devices": ["door"]})
    assert door.place("sip:bob@127.0.0.1:9").status == 403, "without a list only public addresses are allowed"


@pytest.mark.parametrize("trusted", [False, True])
def test_a_trusted_trunk_is_told_who_wants_to_stay_unknown(own_server, application, called_phone, trusted):
    application.replies["getIvrCommand"] = {"hangup": True}
    server = own_server()
    callee = called_phone(server)
    provision(server, f"trunk/{server.domain}/out", {"proxy": f"sip:127.0.0.1:{callee.port};transport=udp", "hosts": ["carrier.example"], "trusted": trusted})
    assert server.post("placeivrcall", {"destAddr": "sip:bob@carrier.example", "sipPAI": "300", "callerPrivacy": True}).status == 200
    assert callee.wait_request("INVITE").all("P-Asserted-Identity") == (["<sip:300@demo.example>"] if trusted else [])
    callee.wait_request("BYE")
    application.completed("normal")


def test_a_call_takes_the_trunk_of_its_host(own_server, application, called_phone):
    application.replies["getIvrCommand"] = {"hangup": True}
    server = own_server()
    callees = {host: called_phone(server) for host in ("one.example", "two.example")}
    trunks = [{"name": host, "proxy": f"sip:127.0.0.1:{callee.port};transport=udp", "hosts": [host]} for host, callee in callees.items()]
    provision(server, f"domain/{server.domain}", {"name": server.domain, "auth": "none", "trunks": trunks})
    for count, host in enumerate(reversed(callees), 1):
        assert server.post("placeivrcall", {"destAddr": f"sip:bob@{host}"}).status == 200
        assert callees[host].wait_request("INVITE").start.startswith(f"INVITE sip:bob@{host}")
        callees[host].wait_request("BYE")
        application.wait_for("sessionCompleted", count)


def test_a_trunk_lets_in_as_many_calls_per_second_as_it_may(own_server, application, phone, waiting):  # noqa: F811
    server = own_server(trunks=[{"name": "carrier", "allow": ["127.0.0.0/8"], "calls_per_second": 0.01}])
    first = phone(server)
    first.call()
    is_full(phone(server).refused())
    assert len(application.events("newCall")) == 1
    first.hang_up()
    application.completed("normal")


@pytest.mark.parametrize("limits", [{"max_calls": 1}, {"calls_per_second": 0.01}])
def test_a_full_trunk_is_not_asked(own_server, application, phone, called_phone, waiting, limits):  # noqa: F811
    server = own_server()
    carrier, callee = called_phone(server), called_phone(server)
    trunk = {"proxy": f"sip:127.0.0.1:{carrier.port};transport=udp", "hosts": ["full.example"], **limits}
    provision(server, f"trunk/{server.domain}/out", trunk)
    assert server.post("placeivrcall", {"destAddr": "sip:a@full.example"}).status == 200
    carrier.wait_request("ACK")
    application.replies["newCall"] = {"action": "call", "destAddr": ["sip:b@full.example", callee.uri]}
    caller = phone(server)
    caller.call()
    callee.wait_request("ACK")
    assert carrier.requests.empty(), "the trunk was asked although it is full"
    caller.hang_up()
    carrier.hang_up()
    application.wait_for("sessionCompleted", 2)


@pytest.mark.parametrize("word", [{"bearer": "of-the-service"}, {"basic": "user:of-the-service"}])
def test_secrets_are_not_read_back(own_server, certificates, word):  # noqa: F811
    certificate, key = certificates("ringwright")
    server = own_server(trunks=[{"name": "in", "allow": ["127.0.0.0/8"], "key": "of-the-trunk", "inbound_username": "a", "inbound_password": "pass-word"},
                                {"name": "out", "proxy": "sip:127.0.0.1:9", "username": "b", "password": "of-the-carrier"}],
                        domain_keys={"jwt_secret": "s" * 32, "access_keys": [{"id": "AKID", "secret": "of-the-key", "region": "eu-north-1"}]},
                        service={**word, "client_certificate": certificate, "client_key": key})
    provision(server, f"mediaservice/{server.domain}/signing", {"callback_url": "http://127.0.0.1:9", "signing_key": pathlib.Path(key).read_text()})
    seen = [server.request("GET", f"/provisioning/{path}", headers=OPERATOR) for path in
            (f"domain/{server.domain}", f"trunk/{server.domain}/in", f"trunk/{server.domain}/out", f"mediaservice/{server.domain}/main",
             f"mediaservice/{server.domain}/signing", f"mediaservice/{server.domain}", f"trunk/{server.domain}", "domain", "audit")]
    assert [one.status for one in seen] == [200] * len(seen)
    shown = [seen[0].body["domain"]["access_keys"][0]["secret"], seen[0].body["domain"]["jwt_secret"], seen[1].body["trunk"]["key"],
             seen[1].body["trunk"]["inbound_password"], seen[2].body["trunk"]["password"], seen[3].body["mediaservice"]["client_key"],
             *[seen[3].body["mediaservice"][name] for name in word], seen[4].body["mediaservice"]["signing_key"]]
    assert shown == ["***"] * len(shown)
    text = b"".join(one.raw for one in seen).decode() + server.log()
    assert [secret for secret in ("of-the-trunk", "pass-word", "of-the-carrier", "s" * 32, "of-the-key", "of-the-service", "PRIVATE KEY") if secret in text] == []
