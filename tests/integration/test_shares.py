"""One customer takes all it can get of something that all share. The other customers have theirs as before."""

import http.client
import json

import pytest

GREEDY, OTHER = "other.example", "demo.example"


def refused(server, bound):
    return server.metrics()[f'ringwright_refused_total{{bound="{bound}"}}']


class KeptConnection:
    """Many commands of one customer, one after the other."""

    def __init__(self, server, domain):
        self.domain = domain
        self.connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)

    def post(self, command, body, key):
        self.connection.request("POST", f"/{self.domain}/{command}", json.dumps(body), {"Idempotency-Key": key})
        answer = self.connection.getresponse()
        answer.text = answer.read().decode()
        return answer


def test_a_domain_with_many_idempotency_keys_makes_nobody_elses_call_a_second_time(own_server, application, called_phone):
    server = own_server(second_domain=True)
    callee = called_phone(server)
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 60}
    call = {"destAddr": callee.uri}
    first = server.post("placeivrcall", call, headers={"Idempotency-Key": "once"})
    assert first.status == 200
    callee.wait_request("ACK")
    greedy = KeptConnection(server, GREEDY)
    statuses = [greedy.post("hangupparticipant", {}, str(number)).status for number in range(10_100)]
    assert statuses == [400] * 10_000 + [429] * 100
    over = greedy.post("hangupparticipant", {}, "10000")
    assert 1 <= int(over.headers["Retry-After"]) <= 60 and "Idempotency-Key" in over.text
    assert greedy.post("hangupparticipant", {"replyId": 1}, "0").status == 400, "what it had been promised is kept"
    assert refused(server, "idempotencyKeys") == 101
    again = server.post("placeivrcall", call, headers={"Idempotency-Key": "once"})
    assert again.body == first.body
    assert server.metrics()["ringwright_sessions"] == 1
    callee.hang_up()
    application.wait_for("sessionCompleted")


def test_a_domain_has_as_many_keys_as_its_rate_allows(own_server):
    server = own_server(domain_keys={"requests_per_second": 1000})
    own = KeptConnection(server, OTHER)
    statuses = {own.post("hangupparticipant", {}, str(number)).status for number in range(10_100)}
    assert 400 in statuses and refused(server, "idempotencyKeys") == 0
