"""Health, metrics and logs: what an operator sees."""

import re

import pytest
from support.server import ROOT


AT_ZERO = ["ringwright_sessions", "ringwright_participants", "ringwright_rtp_ports_in_use", "ringwright_media_legs", "ringwright_outbox_pending",
           "ringwright_sip_transactions", "ringwright_rtp_packets_sent_total", "ringwright_rtp_packets_received_total",
           "ringwright_rtp_packets_dropped_total", "ringwright_rtp_packets_lost_total", "ringwright_calls_started_total",
           'ringwright_calls_total{outcome="normal"}', 'ringwright_calls_total{outcome="error"}', 'ringwright_refused_total{bound="loop"}']


def test_healthz_and_readyz(server):
    assert server.request("GET", "/healthz").body == {"status": "ok"}
    assert server.request("GET", "/readyz").body == {"status": "ready"}
    assert server.request("HEAD", "/healthz").status == 200


def test_metrics_are_there_at_zero_from_the_start(own_server):
    values = own_server().metrics()
    for name in AT_ZERO:
        assert values[name] == 0, name
    assert "ringwright_late_ticks_total" in values


def test_metrics_have_the_form_that_prometheus_reads(server):
    answer = server.request("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    typed = set()
    for line in answer.raw.decode().splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("#"):
            match = re.fullmatch(r'([a-z_]+)(\{([a-z_]+="[^"]*",?)*\})? [-+0-9.einfa]+', line)
            assert match, line
            assert match.group(1) in typed or re.sub("_(bucket|sum|count)$", "", match.group(1)) in typed, line


@pytest.mark.short
def test_metrics_follow_a_call(own_server, application, phone):
    server = own_server()
    caller = phone(on=server)
    caller.call()
    application.wait_for("getIvrCommand")
    caller.rtp.wait_for_packets(5)
    during = server.metrics()
    for name in ("ringwright_sessions", "ringwright_participants", "ringwright_media_legs", "ringwright_rtp_ports_in_use"):
        assert during[name] == 1, name
    assert during["ringwright_calls_started_total"] == 1
    assert during["ringwright_rtp_packets_sent_total"] >= 1
    assert during['ringwright_callback_seconds_count{event="newCall",result="ok"}'] == 1
    caller.hang_up()
    application.completed("normal")
    server.wait_idle()
    after = server.metrics()
    assert after['ringwright_calls_total{outcome="normal"}'] == 1
    assert after['ringwright_sip_messages_total{transport="udp"}'] >= 3


def test_metrics_count_failures(own_server, application, phone):
    from support.application import Raw
    server = own_server()
    application.replies["newCall"] = Raw(status=404)
    assert phone(on=server).refused().status == 480
    application.wait_alarm("newCall request failed")
    application.completed("error")
    phone(on=server, domain="nobody.example").refused()
    server.wait_idle()
    values = server.metrics()
    assert values['ringwright_callback_failures_total{event="newCall",kind="refused"}'] == 1
    assert values['ringwright_alarms_total{type="newCallEventError"}'] == 1
    assert values['ringwright_calls_total{outcome="error"}'] == 1


def test_each_line_of_a_call_names_it_in_json(own_server, application, phone):
    server = own_server({"log": {"format": "json", "level": "debug"}})
    application.replies["getIvrCommand"] = {"phrases": [{"fileName": "missing"}], "hangup": True}
    caller = phone(on=server)
    caller.call(extra="X-Trace-Id: trace-of-this-call\r\n")
    caller.wait_request("BYE")
    done = application.completed("normal")
    server.wait_idle()
    assert all(line.startswith("{") for line in server.log().splitlines())
    lines = server.log_lines()
    mine = [line for line in lines if line.get("callId") == caller.call_id]
    assert {"call received", "answered", "alarm", "session completed"} <= {line["msg"] for line in mine}
    for line in mine:
        assert (line["traceId"], line["sessionId"]) == ("trace-of-this-call", done["sessionId"]), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
        assert line["level"] in ("debug", "info", "warning", "error")
    assert [line for line in lines if done["sessionId"] in line.values() and line not in mine] == []


def test_each_line_of_a_call_names_it_in_text(own_server, application, phone):
    server = own_server({"log": {"format": "text", "level": "info"}})
    application.replies["getIvrCommand"] = {"hangup": True}
    caller = phone(on=server)
    caller.call()
    caller.wait_request("BYE")
    done = application.completed("normal")
    server.wait_idle()
    lines = [line for line in server.log().splitlines() if done["sessionId"] in line]
    assert len(lines) >= 3
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) ", line)
        assert f"traceId={done['traceId']}" in line and f"callId={caller.call_id}" in line, line


def test_a_caller_can_not_forge_log_lines(own_server, application, phone):
    server = own_server({"log": {"format": "text"}})
    application.replies["newCall"] = {"action": "drop"}
    caller = phone(on=server)
    caller.call_id = 'x" level=error sessionId=forged'
    caller.refused(extra='X-Trace-Id: a" msg="forged\r\n')
    application.completed("rejected")
    assert not any(re.search(r"(^| )sessionId=forged", line.replace('\\"', "")) and 'callId="' not in line for line in server.log().splitlines())


def test_prompts_and_the_reply_secret_survive_a_restart(application, own_server, phone):
    from conftest import tone_wav
    server = own_server()
    assert server.upload("kept.wav", tone_wav(500)).status == 200
    secret = (server.folder / "var" / "reply_secret").read_text()
    server.process.terminate()
    assert server.process.wait(timeout=60) == 0
    server.start()
    assert server.request("GET", "/demo.example/promptfile/kept.wav").raw == tone_wav(500)
    assert (server.folder / "var" / "reply_secret").read_text() == secret
    application.replies["getIvrCommand"] = {"phrases": [{"fileName": "kept"}], "hangup": True}
    caller = phone(on=server)
    caller.call()
    caller.rtp.wait_for_tone(500)
    caller.wait_request("BYE")
    application.completed("normal")


def test_no_descriptor_is_left_of_a_call(own_server, application, phone):
    server = own_server()
    application.replies["getIvrCommand"] = {"hangup": True}

    def one_call():
        caller = phone(on=server)
        caller.call()
        caller.wait_request("BYE")

    one_call()
    server.wait_idle()
    before = server.count_descriptors()
    for _ in range(10):
        one_call()
    application.wait_for("sessionCompleted", 11)
    server.wait_idle()
    assert server.count_descriptors() <= before + 8, "more than the pooled connections"




def test_each_bound_is_counted_from_the_start_and_described(own_server):
    """docs/security.md has a row for each, which names a test that is there."""
    counted = {name.split('"')[1] for name in own_server().metrics() if name.startswith("ringwright_refused_total{")}
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `(tests/[^`]+)` \|$", (ROOT / "docs/security.md").read_text(), re.M))
    assert counted == set(rows)
    for place in rows.values():
        file, _, test = place.partition("::")
        assert not test or f"def {test}(" in (ROOT / file).read_text(), place
        assert (ROOT / file).exists()
