"""One customer takes all it can get of something that all share. The other customers have theirs as before."""

import http.client
import json
import socket

from conftest import tone_wav
from support.rtp_peer import sine
from support.waiting import wait_until

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


# ---- the disk

MB = 1024 * 1024
KB60 = tone_wav(500, 3.75)  # 60 KB


def no_room(answer, why):
    assert (answer.status, answer.body["error"]) == (507, "insufficientStorage"), answer.raw
    assert why in answer.body["reason"]


def test_a_domain_that_has_filled_its_share_takes_no_room_of_others(own_server):
    server = own_server(domain_keys={"max_storage": 100_000}, second_domain=True)
    assert server.upload("a.wav", KB60).status == 200
    no_room(server.upload("b.wav", KB60), "max_storage is 100000")
    no_room(server.upload("a.wav", KB60), "max_storage")  # the one before counts until the new one is in its place
    chunked = b"PUT /demo.example/promptfile/c.wav HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" \
        + b"%x\r\n" % len(KB60) + KB60 + b"\r\n0\r\n\r\n"
    no_room(server.exchange(chunked, "PUT", "/demo.example/promptfile/c.wav"), "max_storage")
    assert refused(server, "storage") == 3
    assert server.upload("b.wav", KB60, domain=GREEDY).status == 200
    server.kill()
    server.start()
    no_room(server.upload("b.wav", KB60), "max_storage")  # what there was counts
    assert [one["name"] for one in server.request("GET", "/demo.example/promptfile").body["files"]] == ["a.wav"]
    assert server.request("DELETE", "/demo.example/promptfile/a.wav").status == 200
    assert server.upload("b.wav", KB60).status == 200
    assert refused(server, "storageReserve") == 0


def test_many_small_files_count_by_what_they_take_of_the_disk(own_server):
    server = own_server(domain_keys={"max_storage": 5 * 4096})
    small = tone_wav(500, 0.05)
    assert [server.upload(f"{number}.wav", small).status for number in range(6)] == [200] * 5 + [507]


def test_a_recording_ends_where_the_share_does_and_is_told(own_server, application, connected):
    server = own_server(domain_keys={"max_storage": 65536})
    caller, callee = connected(on=server, callRecording=True, recordingFileName="long.wav")
    caller.rtp.keep_speaking(sine(500, 1))
    callee.rtp.keep_speaking(sine(900, 1))
    told = application.wait_for("recordingReady").body
    assert told["event"] == "recordingSuccessful" and told["fileSize"] > 40_000, told
    alarm = application.wait_alarm("mediaServerError")
    assert "ended before its time" in alarm["errorDetails"]["description"] and "max_storage" in alarm["errorDetails"]["description"]
    assert alarm["errorDetails"]["fileName"] == "long.wav"
    before = len(caller.rtp.packets)
    caller.rtp.wait_for_tone(900, first=before)  # the call goes on
    about = {"replyId": application.wait_for("callAnswered").body["replyId"]}
    server.post("stoprecording", about)
    answer = server.post("startrecording", {**about, "recordingFileName": "more.wav"})
    if answer.status == 200:
        told = application.wait_for("recordingReady", 2).body
        assert told["event"] == "recordingFailed" and "max_storage" in told["reason"]
    else:
        assert "max_storage" in answer.body["reason"]
    application.replies["callEvent"] = {"action": "drop"}
    caller.hang_up()
    application.wait_for("sessionCompleted")
    assert server.request("GET", "/demo.example/promptfile/long.wav").status == 200


def test_customers_leave_the_server_what_it_needs_of_the_disk(own_server, application, phone):
    server = own_server(disk_size=24 * MB, second_domain=True)
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 60}
    assert "disk" not in server.request("GET", "/readyz").body
    large, number = tone_wav(500, 60), 0  # 960 KB
    while (answer := server.upload(f"{number}.wav", large, domain=GREEDY)).status == 200:
        number += 1
        assert number < 30
    no_room(answer, "the server's disk is nearly full")
    assert server.disk.free() >= 3 * MB
    assert refused(server, "storageReserve") >= 1
    assert server.request("GET", "/readyz").body["disk"] == "nearlyFull"
    values = server.metrics()
    assert values["ringwright_disk_reserve_bytes"] == 3 * MB and 3 * MB <= values["ringwright_disk_free_bytes"] < 6 * MB
    wait_until(lambda: any(line["msg"] == "the disk is nearly full" for line in server.log_lines()), "the log does not say it")
    caller = phone(server)
    caller.call()
    caller.hang_up()
    application.wait_for("sessionCompleted")
    assert server.metrics()['ringwright_write_failures_total{what="outbox"}'] == 0


def test_what_is_on_a_disk_without_any_room_can_be_deleted(own_server):
    server = own_server(disk_size=24 * MB)
    for name in ("a", "b", "c"):
        assert server.upload(f"{name}.wav", KB60).status == 200
    server.disk.fill()
    assert server.request("GET", "/readyz").body["disk"] == "full"
    no_room(server.upload("d.wav", KB60), "the server's disk is")
    for name in ("a", "b"):
        assert server.request("DELETE", f"/demo.example/promptfile/{name}.wav").status == 200
        server.disk.fill()
    assert [one["name"] for one in server.request("GET", "/demo.example/promptfile").body["files"]] == ["c.wav"]
    server.disk.empty()
    wait_until(lambda: server.upload("d.wav", KB60).status == 200, "there is room again")


def test_a_server_that_was_killed_on_a_full_disk_starts_and_tells_what_it_can(own_server, application, phone):
    server = own_server(disk_size=24 * MB)
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 60}
    callers = [phone(server) for _ in range(30)]
    for caller in callers:
        caller.call()
    application.wait_for("getIvrCommand", len(callers))
    server.disk.fill()
    second = phone(server)
    second.call()
    second.hang_up()
    application.wait_for("sessionCompleted")
    wait_until(lambda: server.metrics()['ringwright_write_failures_total{what="outbox"}'] > 0
               or server.metrics()['ringwright_write_failures_total{what="sessions"}'] > 0, "no metric tells of it")
    server.kill()
    for caller in callers:
        caller.abandon()
    server.disk.fill()
    server.start()
    application.wait_for("sessionCompleted", 1 + len(callers))
    assert [one.body["reason"] for one in application.events("sessionCompleted")] == ["normal"] + ["error"] * len(callers)
    assert any("sessions that were cut off can't be stored" in line["msg"] for line in server.log_lines())
    assert server.request("GET", "/readyz").body["disk"] == "full"


# ---- uploads

class Drip:
    """An upload that does not get on."""

    def __init__(self, server, domain, number):
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.socket.sendall(f"PUT /{domain}/promptfile/drip{number}.wav HTTP/1.1\r\nHost: x\r\nContent-Length: {len(KB60)}\r\n\r\n".encode() + KB60[:100])


def test_a_domain_whose_uploads_drip_leaves_places_to_others(own_server):
    server = own_server(second_domain=True)
    drips = [Drip(server, GREEDY, number) for number in range(32)]
    wait_until(lambda: server.upload("x.wav", KB60, domain=GREEDY).status == 429, "it has more places than its own")
    answer = server.upload("x.wav", KB60, domain=GREEDY)
    assert (answer.status, answer.body["error"]) == (429, "rateLimited") and int(answer.headers["Retry-After"]) >= 1
    assert refused(server, "uploads") >= 2
    for number in range(5):
        assert server.upload(f"{number}.wav", KB60).status == 200
    for one in drips:
        one.socket.close()
    wait_until(lambda: server.upload("x.wav", KB60, domain=GREEDY).status == 200, "the places do not come back")
