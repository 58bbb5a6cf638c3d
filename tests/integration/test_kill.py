"""The server is killed: what is due is delivered by the next one, every session that was cut off is completed, and calls are taken."""

import collections
import queue
import random
import threading
import time

import pytest
from support.application import Raw
from support.softphone import Softphone


def by_session(application):
    """The requests of each session in the order in which they came, without repetitions."""
    sessions = collections.defaultdict(list)
    seen = {}
    for one in list(application.requests):
        transaction = one.body["httpTransactionId"]
        if transaction in seen:
            assert seen[transaction] == one.raw, "a repetition is the same to the letter"
            continue
        seen[transaction] = one.raw
        sessions[one.body["sessionId"]].append(one)
    return sessions


def completions(application):
    """sessionCompleted of each session, by its transactions."""
    found = collections.defaultdict(dict)
    for one in application.events("sessionCompleted"):
        found[one.body["sessionId"]][one.body["httpTransactionId"]] = one.body
    return found


def check_nothing_is_lost(application):
    """Whoever heard of a session hears of its end, once, and last."""
    completed = completions(application)
    assert {session for session, ends in completed.items() if len(ends) != 1} == set()
    heard_of = {one.body["sessionId"] for one in application.events("newCall")}
    assert heard_of - set(completed) == set(), "a session was never completed"
    for requests in by_session(application).values():
        names = [one.event for one in requests if one.event in ("callAnswered", "sessionCompleted")]
        assert names in (["callAnswered", "sessionCompleted"], ["sessionCompleted"]), names


@pytest.fixture
def phones():
    made = []

    def make(server, count):
        made.extend(Softphone(server) for _ in range(count))
        return made[-count:]

    yield make
    for one in made:
        one.abandon()
        one.close()


def begin_calls(callers):
    for caller in callers:
        caller.invite()
    for caller in callers:
        assert caller.wait_final().status == 200
        caller.ack()


@pytest.mark.short
def test_a_session_that_is_cut_off_is_completed_by_the_next_process(own_server, application, phones):
    server = own_server({"server": {"site_id": "site"}})
    application.replies["newCall"] = {"action": "ivr", "sessionReferenceId": {"any": ["value", 1]}}
    begin_calls(phones(server, 1))
    application.wait_for("getIvrCommand")
    asked = application.events("newCall")[0].body
    server.kill()
    assert application.events("sessionCompleted") == []
    server.start()
    body = application.completed("error")
    assert {name: body[name] for name in ("sessionId", "traceId", "domain", "ivrServer", "siteId", "sessionReferenceId")} == {
        "sessionId": asked["sessionId"], "traceId": asked["traceId"], "domain": asked["domain"], "ivrServer": asked["ivrServer"],
        "siteId": "site", "sessionReferenceId": {"any": ["value", 1]}}
    assert set(body) == {"sessionId", "traceId", "domain", "ivrServer", "siteId", "sessionReferenceId", "sessionDuration", "reason", "httpTransactionId"}
    assert 0 <= int(body["sessionDuration"]) < 60
    assert server.metrics()['ringwright_calls_total{outcome="error"}'] == 1
    server.wait_idle()
    server.kill()
    server.start()
    server.wait_idle()
    assert len(application.events("sessionCompleted")) == 1, "it is told once"


def test_a_session_that_was_completed_is_not_completed_again(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = {"action": "drop"}
    application.replies["sessionCompleted"] = Raw(status=503)
    assert phone(on=server).refused().status == 603
    first = application.wait_for("sessionCompleted")
    server.kill()
    application.replies["sessionCompleted"] = {}
    server.start()
    server.wait_idle()
    assert {one.raw for one in application.events("sessionCompleted")} == {first.raw}
    assert len(application.events("sessionCompleted")) >= 2


@pytest.mark.short
def test_what_could_not_be_delivered_at_a_stop_is_delivered_after_the_next_start(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = Raw(status=404)
    application.replies["sessionCompleted"] = application.replies["alarms"] = Raw(status=503)
    assert phone(on=server).refused().status == 480
    first = {application.wait_for(event).body["httpTransactionId"] for event in ("sessionCompleted", "alarms")}
    server.process.terminate()
    server.process.wait(timeout=30)
    assert "notifications will be delivered after the next start" in server.log()
    application.reset()
    server.start()
    assert {application.wait_for(event).body["httpTransactionId"] for event in ("sessionCompleted", "alarms")} == first
    server.wait_idle()


def test_a_notification_of_a_mediaservice_that_has_gone_is_given_up(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = {"action": "drop"}
    application.replies["sessionCompleted"] = Raw(status=503)
    assert phone(on=server).refused().status == 603
    application.wait_for("sessionCompleted")
    server.kill()
    server.file.write_text(server.file.read_text().replace('id = "main"', 'id = "another"'))
    server.start()
    server.wait_idle()
    assert server.metrics()['ringwright_callback_failures_total{event="sessionCompleted",kind="noMediaservice"}'] == 1
    assert "notification given up" in server.log()


def test_new_credentials_are_used_for_old_notifications(own_server, application, phone):
    server = own_server(service={"bearer": "old-token"})
    application.replies["newCall"] = {"action": "drop"}
    application.replies["sessionCompleted"] = Raw(status=503)
    assert phone(on=server).refused().status == 603
    application.wait_for("sessionCompleted")
    server.kill()
    server.file.write_text(server.file.read_text().replace("old-token", "new-token"))
    application.reset()
    server.start()
    assert application.wait_for("sessionCompleted").headers["Authorization"] == "Bearer new-token"
    server.wait_idle()


def test_a_hundred_calls_are_cut_off(own_server, application, phones, phone):
    server = own_server({"callbacks": {"answer_timeout": 5.0, "total_timeout": 20.0}})
    # Away for some notifications: they wait in the outbox, and hold back what comes after them in their sessions.
    answered = set()

    def sometimes_away(body):
        answered.add(body["sessionId"])
        return Raw(status=503) if len(answered) % 3 == 0 else {}

    application.replies["callAnswered"] = sometimes_away
    begin_calls(phones(server, 100))
    application.wait_for("getIvrCommand", 100, timeout=60)
    with application.changed:
        assert application.changed.wait_for(lambda: len(answered) == 100, 60)
    server.kill()
    application.replies["callAnswered"] = {}
    begun = time.monotonic()
    server.start()
    print(f"ready after {time.monotonic() - begun:.2f} s")
    application.replies["getIvrCommand"] = {"hangup": True}
    caller = phone(on=server)
    caller.call()
    caller.wait_request("BYE")
    application.wait_for("sessionCompleted", 101, timeout=60)
    server.wait_idle()
    check_nothing_is_lost(application)
    reasons = collections.Counter(body["reason"] for ends in completions(application).values() for body in ends.values())
    assert reasons == {"error": 100, "normal": 1}


def test_killed_again_and_again_while_calls_begin_and_end(own_server, application):
    server = own_server({"callbacks": {"answer_timeout": 5.0, "total_timeout": 20.0}})
    application.replies["getIvrCommand"] = {"hangup": True}
    application.replies["callAnswered"] = lambda _: Raw(status=503) if random.random() < 0.2 else {}
    application.replies["sessionCompleted"] = lambda _: Raw(status=503) if random.random() < 0.2 else {}
    for _ in range(6):
        stop = threading.Event()

        def call_on():
            while not stop.is_set():
                with Softphone(server) as caller:
                    try:
                        caller.invite()
                        caller.wait_final(timeout=3)
                        caller.ack()
                        caller.wait_request("BYE", timeout=3)
                    except queue.Empty:
                        pass  # the server has gone
                    caller.abandon()

        callers = [threading.Thread(target=call_on) for _ in range(6)]
        before = len(application.events("newCall"))
        for one in callers:
            one.start()
        application.wait_for("newCall", before + random.randrange(5, 40), timeout=60)
        server.kill()
        stop.set()
        server.start()
        for one in callers:
            one.join()
    server.wait_idle(60)
    check_nothing_is_lost(application)
