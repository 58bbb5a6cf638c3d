"""A new process takes over while the old one still has calls: nobody who talks notices, and nobody who calls is turned away."""

import random
import socket
import subprocess

import pytest
from support.rtp_peer import sine
from support.server import BINARY
from support.waiting import wait_until

DRAIN = {"server": {"drain_timeout": 60}}


@pytest.fixture
def running(own_server, application, phone):
    """A server with a caller in its IVR."""
    def make(settings=None, transport="udp", **more):
        server = own_server({**DRAIN, **(settings or {})}, **more)
        caller = phone(server, transport=transport)
        caller.call()
        application.wait_for("getIvrCommand")
        return server, caller
    return make


def serve(file):
    """A process that ends by itself."""
    return subprocess.run([str(BINARY), "serve", "--config", str(file)], capture_output=True, text=True, timeout=60)


def hears(caller):
    heard = len(caller.rtp.packets)
    caller.rtp.wait_for_packets(heard + 10)


def ends_by_itself(former):
    assert former.wait(timeout=30) == 0


@pytest.mark.short
@pytest.mark.parametrize("shards", [1, 3])
def test_who_talks_goes_on_and_who_calls_gets_in(running, application, phone, shards):
    application.replies["getIvrCommand"] = {"dtmf": {"maxDigits": 1}, "getIVRCommandAfter": 30}
    server, caller = running({"server": {**DRAIN["server"], "shards": shards}})
    address = server.sip_udp, server.sip_tcp, server.url
    former = server.take_over()
    assert (server.sip_udp, server.sip_tcp, server.url) == address
    fresh = phone(server)
    fresh.call()
    application.wait_for("newCall", 2)
    for one in (caller, fresh):
        hears(one)
    asked = len(application.events("getIvrCommand"))
    caller.rtp.press("5")
    application.wait_for("getIvrCommand", asked + 1)
    assert former.poll() is None
    caller.hang_up()
    application.completed("normal")
    ends_by_itself(former)
    hears(fresh)
    fresh.hang_up()
    application.wait_for("sessionCompleted", 2)
    server.wait_idle()


def test_a_connected_call_is_hung_up_by_either_side(own_server, application, connected):
    server = own_server(DRAIN)
    caller, callee = connected(on=server, caller={}, callee={})
    former = server.take_over()
    hears(caller)
    callee.hang_up()
    caller.wait_request("BYE")
    application.completed("normal")
    ends_by_itself(former)


def test_who_still_rings_is_answered_or_gives_up(own_server, application, phone, called_phone, calls):
    server = own_server(DRAIN)
    callees = [called_phone(server, pick_up=False) for _ in range(2)]
    callers = []
    for callee in callees:
        application.replies["newCall"] = calls(callee)
        callers.append(phone(server))
        callers[-1].invite()
        callee.wait_request("INVITE")
    former = server.take_over()
    callers[0].send_text(callers[0].invite_text)  # repeated, as if nothing had been heard
    callees[0].answer()
    assert callers[0].wait_final().status == 200
    callers[0].ack()
    callees[0].wait_request("ACK")
    callers[1].cancel()
    assert callers[1].wait_final().status == 487
    callers[1].ack_refusal()
    callees[1].wait_request("CANCEL")
    assert len(application.events("newCall")) == 2
    callers[0].hang_up()
    application.wait_for("sessionCompleted", 2)
    ends_by_itself(former)


@pytest.mark.parametrize("command, reason", [("hangupcalljwt", "apiHangup"), ("hangupparticipant", "apiHangup")])
def test_a_command_for_a_call_of_the_old_process_finds_it(running, application, command, reason):
    server, caller = running()
    former = server.take_over()
    asked = application.wait_for("getIvrCommand").body
    wrong = server.post("stoprecording", {"replyId": asked["replyId"]})
    assert (wrong.status, wrong.body["reason"]) == (409, "connectionId: the connection is not being recorded")
    assert server.post(command, {"replyId": asked["replyId"]}).status == 200
    caller.wait_request("BYE")
    application.completed(reason)
    ends_by_itself(former)
    gone = server.post(command, {"replyId": asked["replyId"]})
    assert (gone.status, gone.body["error"]) == (404, "notFound")


def test_a_call_that_comes_over_a_connection_of_the_old_process_gets_in(running, application, phone):
    server, staying = running()
    trunk = phone(server, transport="tcp")
    trunk.call()
    former = server.take_over()
    trunk.hang_up()
    application.wait_for("sessionCompleted")
    trunk.call_id, trunk.remote_tag, trunk.state = f"again-{random.getrandbits(40):x}@test", None, "idle"
    trunk.remote_target = trunk.target
    trunk.call()
    application.wait_for("newCall", 3)
    hears(trunk)
    trunk.hang_up()
    application.wait_for("sessionCompleted", 2)
    hears(staying)
    staying.hang_up()
    application.wait_for("sessionCompleted", 3)
    ends_by_itself(former)


def test_a_call_over_tcp_goes_on(running, application):
    server, caller = running(transport="tcp")
    former = server.take_over()
    hears(caller)
    caller.hang_up()
    application.completed("normal")
    ends_by_itself(former)


def test_a_process_that_can_not_start_changes_nothing(running, application, phone):
    server, caller = running()
    other = server.folder / "other.toml"
    with socket.create_server(("127.0.0.1", 0)) as holder:  # its last listener is taken
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        other.write_text(server.file.read_text().replace('listen = ["127.0.0.1:0"]', f'listen = ["127.0.0.1:0", "{taken}"]'))
        done = serve(other)
    assert done.returncode == 1 and taken in done.stderr
    assert server.request("GET", "/readyz").status == 200
    fresh = phone(server)
    fresh.call()
    fresh.hang_up()
    caller.hang_up()
    application.wait_for("sessionCompleted", 2)


def test_after_the_new_process_was_killed_the_old_calls_go_on_and_the_next_one_takes_over(running, application, phone):
    server, caller = running()
    former = server.take_over()
    fresh = phone(server)
    fresh.call()
    killed = server.process
    server.kill()
    fresh.abandon()
    wait_until(lambda: "the process that had taken over has gone" in (server.folder / "stderr").read_text(), "nobody notices")
    hears(caller)
    refused = phone(server).refused()
    assert (refused.status, refused.header("Retry-After") is not None) == (503, True)
    server.start()
    server.former += [former, killed]
    late = phone(server)
    late.call()
    assert application.completed("error")["sessionId"] != application.events("newCall")[0].body["sessionId"]
    for one in (caller, late):
        one.hang_up()
    application.wait_for("sessionCompleted", 3)
    ends_by_itself(former)


def test_two_restarts_while_the_first_call_runs(running, application, phone):
    server, first = running()
    former = [server.take_over()]
    second = phone(server)
    second.call()
    former.append(server.take_over())
    third = phone(server)
    third.call()
    application.wait_for("newCall", 3)
    for one in (first, second, third):
        hears(one)
    assert server.post("hangupcalljwt", {"replyId": application.events("newCall")[0].body["replyId"]}).status == 200
    first.wait_request("BYE")
    ends_by_itself(former[0])
    second.hang_up()
    ends_by_itself(former[1])
    third.hang_up()
    application.wait_for("sessionCompleted", 3)


def test_what_the_old_process_could_not_deliver_is_delivered_by_the_new_one(running, application):
    from support.application import Raw
    server, caller = running()
    application.replies["sessionCompleted"] = Raw(status=503)
    former = server.take_over()
    caller.hang_up()
    application.wait_for("sessionCompleted")
    ends_by_itself(former)
    application.replies["sessionCompleted"] = {}
    wait_until(lambda: any("notifications of another process" in line["msg"] for line in server.log_lines()), "nobody takes them in")
    server.wait_idle()


def test_a_recording_of_the_old_process_is_stored(own_server, application, connected):
    server = own_server(DRAIN)
    caller, callee = connected(on=server, callRecording=True)
    caller.rtp.speak(sine(500, 0.6))
    former = server.take_over()
    caller.rtp.speak(sine(500, 0.6))
    callee.rtp.wait_for_tone(500)
    caller.hang_up()
    ready = application.wait_for("recordingReady").body
    ends_by_itself(former)
    assert ready["event"] == "recordingSuccessful"
    assert server.request("GET", f"/{server.domain}/promptfile/{ready['recordingFileName']}").status == 200


def test_a_registered_trunk_stays_registered(own_server, application, phone, kamailio, proxied_phone):
    from support.kamailio import wait_registration
    proxy = kamailio()
    trunk = {"name": "carrier", "proxy": proxy.uri(), "username": "100", "password": proxy.password, "realm": proxy.domain, "register": True,
             "aor": f"sip:100@{proxy.domain}"}
    server = own_server(DRAIN, trunks=[trunk])
    wait_registration(server, "registered")
    former = server.take_over()
    wait_registration(server, "registered")
    ends_by_itself(former)
    caller = proxied_phone(proxy)
    caller.call()
    caller.hang_up()
    application.completed("normal")


def test_a_server_that_listens_elsewhere_is_refused(running, application):
    server, caller = running()
    other = server.folder / "other.toml"
    other.write_text(server.file.read_text().replace("127.0.0.1:0", "127.0.0.2:0"))
    done = serve(other)
    assert done.returncode == 1
    assert "another server that runs uses this data_dir" in done.stderr
    assert server.request("GET", "/readyz").status == 200
    caller.hang_up()
    application.completed("normal")
