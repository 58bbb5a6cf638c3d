"""Fallback entries and their database: with each kind, when their domain goes, and when the database does."""

import time

from conftest import tone_wav
from support.application import Raw
from support.waiting import wait_until

TOKEN = "operator-token"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/cache/customer.example/ivrfallback"
ENTRY = {"mode": "onError", "expiration": "DAY", "command": {"action": {"type": "hangup"}, "phrases": [{"fileName": "a"}]}}


def settings(url):
    return {"database": {"url": url}, "provisioning": {"token": TOKEN}}


def add_domain(server, application):
    service = {"id": "main", "numbers": ["*"], "callback_url": application.url, "alarm_url": application.url + "/alarms"}
    document = {"name": "customer.example", "auth": "none", "mediaservices": [service]}
    assert server.request("POST", "/provisioning/domain", document, headers=OPERATOR).status == 200
    assert server.upload("a.wav", tone_wav(500), domain="customer.example").status == 200


def remove_domain(server):
    assert server.request("DELETE", "/provisioning/domain/customer.example", headers=OPERATOR).status == 200


def hears_the_phrase(phone, server):
    caller = phone(server, domain="customer.example")
    caller.call()
    caller.rtp.wait_for_tone(500)
    caller.wait_request("BYE")


def listed(server):
    return [one.get("number") for one in server.request("GET", PATH).body["data"]]


def test_entries_are_kept_and_used(own_server, database, application, phone):
    server = own_server(settings(database))
    add_domain(server, application)
    application.replies["newCall"] = Raw(status=404)
    for number in ("", "/100", "/101"):
        assert server.request("POST", PATH + number, ENTRY).status == 200
    assert server.request("POST", PATH + "/100", {**ENTRY, "mode": "always"}).status == 200
    assert server.request("DELETE", PATH + "/101").status == 200
    server.kill()
    server.start()
    assert [(one.get("number"), one["mode"]) for one in server.request("GET", PATH).body["data"]] == [(None, "onError"), ("100", "always")]
    hears_the_phrase(phone, server)
    assert application.events("newCall") == []
    assert server.request("DELETE", PATH + "/100").status == 200
    hears_the_phrase(phone, server)
    application.wait_for("sessionCompleted", 2)
    assert len(application.events("newCall")) == 1


def test_a_domains_entries_go_with_it(own_server, database, application, phone):
    server = own_server(settings(database))
    add_domain(server, application)
    for number in ("", "/100"):
        assert server.request("POST", PATH + number, ENTRY).status == 200
    assert listed(server) == [None, "100"]
    application.replies["newCall"] = Raw(hold=30)
    caught = phone(server, domain="customer.example")
    caught.invite()
    application.wait_for("newCall")
    remove_domain(server)
    assert caught.wait_final().status == 480, "its domain has no fallback any more"
    caught.ack_refusal()
    add_domain(server, application)
    assert listed(server) == []
    application.replies["newCall"] = Raw(status=404)
    assert phone(server, domain="customer.example").refused().status == 480
    assert server.request("POST", PATH + "/100", ENTRY).status == 200  # and takes new ones
    assert listed(server) == ["100"]
    server.kill()
    server.start()
    assert listed(server) == ["100"]
    application.released.set()


def test_the_entries_go_on_every_node(own_server, postgres, application):
    url = postgres().database(f"fallback{time.monotonic_ns()}")
    one, two = own_server(settings(url)), own_server(settings(url))
    add_domain(one, application)
    assert one.request("POST", PATH + "/100", ENTRY).status == 200
    wait_until(lambda: two.request("GET", PATH + "/100").status == 200, "the other node does not know the entry")
    remove_domain(one)
    wait_until(lambda: two.request("GET", PATH).status == 404, "the other node still has the domain")
    add_domain(one, application)
    wait_until(lambda: two.request("GET", PATH).status == 200, "the other node does not have the domain again")
    assert listed(one) == listed(two) == []


def test_the_database_goes_away_and_comes_back(own_server, own_postgres, application, phone):
    server = own_server(settings(own_postgres.database("away")))
    add_domain(server, application)
    assert server.request("POST", PATH + "/100", ENTRY).status == 200
    application.replies["newCall"] = Raw(status=404)
    own_postgres.stop()
    hears_the_phrase(phone, server)
    assert listed(server) == ["100"]
    for method, number, body in (("POST", "/101", ENTRY), ("POST", "/100", {**ENTRY, "mode": "always"}), ("DELETE", "/100", None)):
        answer = server.request(method, PATH + number, body)
        assert answer.status == 503 and answer.body["reason"].startswith("the database can't be used now"), (method, number, answer.body)
    assert [(one["number"], one["mode"]) for one in server.request("GET", PATH).body["data"]] == [("100", "onError")]
    hears_the_phrase(phone, server)
    own_postgres.start()
    wait_until(lambda: server.request("POST", PATH + "/101", ENTRY).status == 200, "the database is not found again")
    assert server.request("DELETE", PATH + "/100").status == 200
    assert own_postgres.query("away", "SELECT name FROM documents WHERE kind = 'fallback'").split() == ["101"]
    application.wait_for("sessionCompleted", 2)


def test_a_removal_while_the_database_is_away_removes_nothing(own_server, own_postgres, application, phone):
    server = own_server(settings(own_postgres.database("away")))
    add_domain(server, application)
    assert server.request("POST", PATH + "/100", ENTRY).status == 200
    application.replies["newCall"] = Raw(status=404)
    own_postgres.stop()
    assert server.request("DELETE", "/provisioning/domain/customer.example", headers=OPERATOR).status == 503
    hears_the_phrase(phone, server)
    own_postgres.start()
    wait_until(lambda: server.request("DELETE", "/provisioning/domain/customer.example", headers=OPERATOR).status == 200, "the database is not found again")
    assert own_postgres.query("away", "SELECT name FROM documents WHERE kind = 'fallback'").split() == []
    application.wait_for("sessionCompleted")
