"""How much is asked of the API: by a domain, by a client with bad credentials, by a client with many connections."""

import http.client
import json
import socket

import pytest
from support.server import DESCRIPTION, Answer
from support.tokens import Key
from support.waiting import wait_until

KEY = Key("HS256")
COMMAND = "/demo.example/hangupcalljwt"


def ask(server, source="127.0.0.1", path=COMMAND, **headers):
    """Sends a command without its replyId, from an address: 400 if it is let in."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10, source_address=(source, 0))
    connection.request("POST", path, json.dumps({}), {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}})
    response = connection.getresponse()
    answer = Answer(response.status, response.headers, response.read())
    connection.close()
    DESCRIPTION.check_answer("POST", path, answer)
    return answer


def good(key=KEY):
    return key.header()["Authorization"]


def bad():
    return Key("HS256", secret="another secret, which is long enough")


@pytest.mark.short
def test_requests_beyond_the_rate_of_their_domain_are_429(own_server):
    server = own_server(domain_keys={"requests_per_second": 2}, second_domain=True)
    answers = [ask(server) for _ in range(4)]
    assert [one.status for one in answers][:2] == [400, 400]
    assert answers[-1].status == 429 and answers[-1].body["error"] == "rateLimited" and "requests_per_second" in answers[-1].body["reason"]
    assert answers[-1].headers["Retry-After"] == "1"
    assert ask(server, path="/other.example/hangupcalljwt").status == 400
    wait_until(lambda: ask(server).status == 400, "the domain is not served again")
    assert server.metrics()['ringwright_api_refused_total{limit="requestsPerSecond"}'] >= 1


def test_who_has_no_right_to_a_domain_does_not_use_up_its_requests(own_server):
    server = own_server(domain_keys={"auth": "token", "jwt_secret": KEY.secret, "requests_per_second": 1})
    assert [ask(server, Authorization=good(bad())).status for _ in range(20)] == [401] * 20
    assert ask(server, Authorization=good()).status == 400


@pytest.mark.short
def test_a_client_that_shows_bad_credentials_again_and_again_is_barred(own_server):
    server = own_server({"http": {"failed_authorisations_per_minute": 3}}, domain_keys={"auth": "token", "jwt_secret": KEY.secret})
    token = good(bad())
    assert [ask(server, Authorization=token).status for _ in range(3)] == [401] * 3
    answer = ask(server, Authorization=good())
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= 60
    assert ask(server).status == 401, "without credentials there is nothing to look at"
    assert ask(server, source="127.0.0.2", Authorization=good()).status == 400
    assert server.metrics()['ringwright_api_refused_total{limit="credentials"}'] == 1
    (line,) = [one for one in server.log_lines() if one["msg"].startswith("too many bad credentials")]
    assert line["client"] == "127.0.0.1" and token.split()[1] not in server.log()


def test_the_operators_token_can_not_be_guessed_for_long(own_server):
    server = own_server({"http": {"failed_authorisations_per_minute": 3}, "provisioning": {"token": "the-operators-token-of-the-test-00001"}})
    statuses = [server.request("GET", "/provisioning/domain", headers={"Authorization": f"Bearer guess-{at}"}).status for at in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_behind_a_trusted_proxy_the_client_counts(own_server):
    server = own_server({"http": {"failed_authorisations_per_minute": 2, "max_connections_per_client": 1, "trusted_proxies": ["127.0.0.3"]}},
                        domain_keys={"auth": "token", "jwt_secret": KEY.secret})

    def through_proxy(client, credentials):
        return ask(server, source="127.0.0.3", Authorization=credentials, X_Forwarded_For=client).status

    assert [through_proxy(f"198.51.100.{at}, 203.0.113.7", good(bad())) for at in range(3)] == [401, 401, 429]
    assert through_proxy("203.0.113.8", good()) == 400
    assert ask(server, source="127.0.0.2", Authorization=good(), X_Forwarded_For="203.0.113.7").status == 400, "it is no proxy, and not believed"
    held = [connect(server, "127.0.0.3") for _ in range(5)]
    assert through_proxy("203.0.113.8", good()) == 400
    for one in held:
        one.close()


def connect(server, source):
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10, source_address=(source, 0))


def is_served(connection):
    """Whether a connection is answered on, rather than closed."""
    try:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


@pytest.mark.short
def test_a_client_has_only_so_many_connections(own_server):
    server = own_server({"http": {"max_connections_per_client": 3}})
    held = [connect(server, "127.0.0.2") for _ in range(3)]
    assert all(is_served(one) for one in held)
    with connect(server, "127.0.0.2") as further:
        assert not is_served(further)
    with connect(server, "127.0.0.4") as other:
        assert is_served(other)
    held.pop().close()

    def is_room():
        with connect(server, "127.0.0.2") as again:
            return is_served(again)

    wait_until(is_room, "the place is not free again")
    assert server.metrics()['ringwright_api_refused_total{limit="connections"}'] >= 1
    for one in held:
        one.close()


def test_a_provisioned_rate_counts_at_once(own_server):
    token = "the-operators-token-of-the-test-00001"
    server = own_server({"provisioning": {"token": token}})
    domain = {"name": "new.example", "auth": "none"}
    headers = {"Authorization": f"Bearer {token}"}
    assert server.request("POST", "/provisioning/domain", domain, headers).status == 200
    path = "/new.example/hangupcalljwt"
    wait_until(lambda: ask(server, path=path).status == 400, "the new domain is not served")
    assert {ask(server, path=path).status for _ in range(10)} == {400}
    assert server.request("PUT", "/provisioning/domain/new.example", {**domain, "requests_per_second": 0.1}, headers).status == 200
    wait_until(lambda: ask(server, path=path).status == 429, "the rate does not count")
    assert int(ask(server, path=path).headers["Retry-After"]) in range(1, 11)
