"""Limits of a domain and of a trunk: who is over them is told so, and when to come back, before the application is asked."""

import pytest

IN_IVR = {"getIVRCommandAfter": 30}


@pytest.fixture
def waiting(application):
    """Callers who get in stay in the IVR."""
    application.replies["getIvrCommand"] = IN_IVR
    application.replies["newCall"] = {"action": "ivr"}


def is_full(response):
    assert response.status == 503, response.start
    assert int(response.header("Retry-After")) >= 1


@pytest.mark.parametrize("where", ["domain", "trunk"])
def test_calls_beyond_max_calls_are_refused_before_the_application_is_asked(own_server, application, phone, waiting, where):
    limits = {"max_calls": 1}
    trunk = {"name": "carrier", "allow": ["127.0.0.0/8"], **(limits if where == "trunk" else {})}
    server = own_server(trunks=[trunk], domain_keys=limits if where == "domain" else {})
    first = phone(server)
    first.call()
    is_full(phone(server).refused())
    assert len(application.events("newCall")) == 1
    first.hang_up()
    application.wait_for("sessionCompleted")
    second = phone(server)
    second.call()
    second.hang_up()
    application.wait_for("sessionCompleted", 2)


def test_calls_beyond_calls_per_second_are_refused(own_server, application, phone, waiting):
    server = own_server(domain_keys={"calls_per_second": 0.01})
    first = phone(server)
    first.call()
    is_full(phone(server).refused())
    assert len(application.events("newCall")) == 1
    first.hang_up()
    application.wait_for("sessionCompleted")


def test_a_call_of_the_api_beyond_the_domains_limit_is_429_and_names_it(own_server, application, phone, waiting):
    server = own_server(domain_keys={"max_calls": 1})
    caller = phone(server)
    caller.call()
    answer = server.post("placeivrcall", {"destAddr": "sip:a@127.0.0.1:9"})
    assert (answer.status, answer.body["error"]) == (429, "rateLimited")
    assert "max_calls" in answer.body["reason"]
    assert int(answer.headers["Retry-After"]) >= 1
    caller.hang_up()
    application.wait_for("sessionCompleted")


def test_a_hunt_goes_past_a_trunk_that_is_full(own_server, application, phone, called_phone, waiting):
    trunks = [{"name": "in", "allow": ["127.0.0.0/8"]},
              {"name": "out", "proxy": "sip:127.0.0.1:9", "hosts": ["full.example"], "max_calls": 1, "calls_per_second": 0.01}]
    server = own_server(trunks=trunks)
    assert server.post("placeivrcall", {"destAddr": "sip:a@full.example"}).status == 200
    callee = called_phone(server)
    application.replies["newCall"] = {"action": "call", "destAddr": ["sip:b@full.example", callee.uri]}
    caller = phone(server)
    caller.call()
    callee.wait_request("ACK")
    caller.hang_up()
