"""Calls per second: who floods, or is refused anyway, takes nothing from those who call as people do."""

import pytest
from support.waiting import wait_until

ATTACKER, BYSTANDER = "127.0.0.9", "127.0.0.8"


@pytest.fixture(autouse=True)
def busy(application):
    application.replies["newCall"] = {"action": "drop", "dropCode": "busy"}


def statuses(server, phone, count, **more):
    return [phone(server, **more).refused().status for _ in range(count)]


def lines(server, why):
    return [one for one in server.log_lines() if one["msg"] == "call refused" and why in one["why"]]


@pytest.mark.parametrize("where", ["server", "domain"])
def test_one_sources_flood_leaves_calls_for_others(own_server, application, phone, where):
    few = {"calls_per_second": 4}
    server = own_server({"limits": few} if where == "server" else {}, domain_keys=few if where == "domain" else {})
    flood = []
    wait_until(lambda: flood.extend(statuses(server, phone, 1, address=ATTACKER)) or 503 in flood, "the flood has no bound")
    assert statuses(server, phone, 1, address=BYSTANDER) == [486]
    assert lines(server, "share")
    assert server.metrics()['ringwright_refused_total{bound="callShare"}'] >= 1


def test_one_domains_flood_leaves_calls_for_others(own_server, application, phone):
    server = own_server({"limits": {"calls_per_second": 4}}, second_domain=True, trunks=[{"name": "all", "allow": ["127.0.0.0/8"]}])
    flood = []
    wait_until(lambda: flood.extend(statuses(server, phone, 1)) or 503 in flood, "the flood has no bound")
    assert [one["domain"] for one in lines(server, "its domain has had its share")] == [server.domain]
    assert statuses(server, phone, 1, domain="other.example", address=BYSTANDER) == [486]


def test_calls_that_are_refused_anyway_take_nothing_from_others(own_server, application, phone):
    server = own_server({"limits": {"calls_per_second": 0.01}}, trunks=[{"name": "in", "allow": [BYSTANDER + "/32"], "key": "right"}])
    key = "X-Trunk-Key: right\r\n"
    cases = {"no credentials": {}, "a wrong key": {"extra": "X-Trunk-Key: wrong\r\n"}, "no such number": {"extra": key}, "no such domain": {"extra": key}}
    for name, more in cases.items():
        callee = {"no such number": {"user": "999"}, "no such domain": {"domain": "nobody.example"}}.get(name, {})
        for _ in range(3):
            assert phone(server, address=BYSTANDER, **callee).refused(**more).status in (403, 404), name
    assert phone(server, address=BYSTANDER).refused(extra=key).status == 486
    assert phone(server, address=BYSTANDER).refused(extra=key).status == 503  # that was the one


def test_a_trunk_that_is_over_its_limit_takes_nothing_from_its_domain(own_server, application, phone):
    server = own_server(domain_keys={"calls_per_second": 2},
                        trunks=[{"name": "flood", "allow": [ATTACKER + "/32"], "calls_per_second": 0.01}, {"name": "other", "allow": [BYSTANDER + "/32"]}])
    assert statuses(server, phone, 6, address=ATTACKER) == [486] + [503] * 5
    assert statuses(server, phone, 1, address=BYSTANDER) == [486]


def test_a_flood_of_calls_to_nobody_is_no_flood_of_lines(own_server, phone):
    server = own_server()
    caller = phone(server, user="999")
    for at in range(1000):
        caller.call_id = f"flood-{at}"
        caller.send_text(caller.request_text("INVITE", caller.sdp(), cseq=1, to_tag=False))
    left_out = 'ringwright_refused_total{bound="logLines"}'

    def written():
        return [one for one in server.log_lines() if one["msg"] == "call refused"]
    wait_until(lambda: server.metrics()[left_out] + len(written()) == 1000, "not all of them are accounted for")
    assert 50 <= len(written()) < 700
