"""Clients of the API that are slow, say nothing, don't read or say much at once: each ends in time, and nobody else notices."""

import os
import select
import socket
import time

import pytest
from conftest import tone_wav
from support.server import SANITIZED
from support.waiting import wait_until

TIME = 10  # seconds for a head, and for each 32 KB of a body


def connect(server, **options):
    """`receive`: about how many bytes the kernel takes for a client that doesn't read."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    client = socket.socket()
    if "receive" in options:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receive"])
    client.settimeout(20)
    client.connect((host, int(port)))
    return client


class Slow:
    """Says `first` at once and `rest` byte by byte."""

    def __init__(self, name, server, first=b"", rest=b""):
        self.name, self.rest, self.got, self.ended = name, rest, b"", None
        self.socket = connect(server)
        self.begun = time.monotonic()
        self.socket.sendall(first)

    def say_a_byte(self):
        byte, self.rest = self.rest[:1], self.rest[1:]
        try:
            self.socket.sendall(byte)
        except OSError:
            self.end()

    def listen(self):
        try:
            got = self.socket.recv(65536)
        except OSError:
            got = b""
        self.got += got
        if not got:
            self.end()

    def end(self):
        self.ended = self.ended or time.monotonic() - self.begun
        self.socket.close()


def run(clients, meanwhile, timeout):
    """Lets them trickle until all have ended; calls `meanwhile` each time."""
    deadline = time.monotonic() + timeout
    while running := [one for one in clients if one.ended is None]:
        assert time.monotonic() < deadline, f"still open: {[one.name for one in running]}"
        next_byte = time.monotonic() + 0.25
        for one in running:
            if one.rest:
                one.say_a_byte()
        meanwhile()
        while (pause := next_byte - time.monotonic()) > 0:
            readable = select.select([one.socket for one in running if one.ended is None], [], [], pause)[0]
            for one in running:
                if one.socket in readable:
                    one.listen()


def is_quiet(server, descriptors):
    """The clients' connections and what they had open are given back."""
    wait_until(lambda: server.count_descriptors() <= descriptors, lambda: f"{server.count_descriptors()} descriptors instead of {descriptors}")


@pytest.fixture
def calm_server(own_server):
    """A server with a prompt file of 16 MB, and how many descriptors it has open."""
    server = own_server()
    assert server.upload("big.wav", tone_wav(500, 174, rate=48000)).status == 200
    assert server.request("GET", "/demo.example/promptfile/big.wav").status == 200
    return server, server.count_descriptors()


def files_of(server):
    return sorted(name for _, _, names in os.walk(server.folder / "var") for name in names)


def test_slow_clients_end_in_time_and_others_are_served(calm_server):
    server, descriptors = calm_server
    files = files_of(server)
    head = b"GET /healthz HTTP/1.1\r\nHost: h\r\n"
    body = b"POST /demo.example/hangupcall HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    upload = b"PUT /demo.example/promptfile/slow.wav HTTP/1.1\r\nHost: h\r\n"
    kinds = [("says nothing",), ("trickles its head", head, b"X-Slow: " + b"x" * 1000),
             ("trickles even the first line", b"", b"GET /" + b"x" * 1000),
             ("stops in its head", head + b"X-Slow: "),
             ("trickles its second head", head + b"\r\n", head + b"X-Slow: " + b"x" * 1000),
             ("trickles its body", body + b"Content-Length: 50000\r\n\r\n", b"{" + b" " * 1000),
             ("stops in its body", body + b"Content-Length: 50000\r\n\r\n{"),
             ("trickles chunks", body + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 200),
             ("trickles an upload", upload + b"Content-Length: 50000\r\n\r\n", tone_wav(500)[:1000]),
             ("trickles an upload after much of it", upload + b"Content-Length: 500000\r\n\r\n" + tone_wav(500, 6)[:70000], b"\0" * 1000)]
    clients = [Slow(name, server, *said) for name, *said in kinds for _ in range(10)]
    patient = Slow("is slow, but not too slow", server, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n", b"Host: h\r\n\r\n")

    def others_are_served():
        begun = time.monotonic()
        assert server.request("GET", "/healthz").status == 200
        assert server.request("GET", "/demo.example/promptfile").status == 200
        assert time.monotonic() - begun < 2

    run([*clients, patient], others_are_served, TIME + 10)
    assert patient.got.startswith(b"HTTP/1.1 200 ") and patient.ended < TIME
    for one in clients:
        assert TIME - 1 < one.ended < TIME + 4, (one.name, one.ended)
        answers = 1 if one.name == "trickles its second head" else 0
        assert one.got.count(b"HTTP/1.1") == one.got.count(b"HTTP/1.1 200 ") == answers, (one.name, one.got)
    is_quiet(server, descriptors)
    assert server.request("GET", "/demo.example/promptfile/slow.wav").status == 404
    assert files_of(server) == files, "nothing is left of the uploads"


def test_clients_that_do_not_read_hold_up_nobody(calm_server):
    server, descriptors = calm_server
    request = b"GET /demo.example/promptfile/big.wav HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    clients = [connect(server, receive=4096) for _ in range(50)]
    for one in clients:
        one.sendall(request)
        assert one.recv(12) == b"HTTP/1.1 200"
    memory = resident(server)
    for _ in range(20):
        begun = time.monotonic()
        assert server.request("GET", "/healthz").status == 200
        assert len(server.request("GET", "/demo.example/promptfile/big.wav").raw) > 16_000_000
        assert time.monotonic() - begun < 5
    assert SANITIZED or resident(server) - memory < 100, "the file isn't in memory for each of them"
    # Who reads at last gets all of it.
    late, got = clients.pop(), 0
    while piece := late.recv(1 << 20):
        got += len(piece)
    assert got > 16_000_000
    late.close()
    for one in clients:
        one.close()
    is_quiet(server, descriptors)


def resident(server):
    """The process's memory in MB."""
    with open(f"/proc/{server.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


# ---- many requests in one write


def read_answers(client):
    """Status and body of all that comes until the connection ends, which it does cleanly."""
    got = b""
    while piece := client.recv(1 << 16):
        got += piece
    answers = []
    while got:
        head, _, got = got.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        length = next(int(line.split(": ")[1]) for line in lines if line.lower().startswith("content-length: "))
        answers.append((int(lines[0].split()[1]), got[:length]))
        assert len(got) >= length, "an answer is cut short"
        got = got[length:]
    return answers


def command(name, body, more=""):
    return f"POST /demo.example/{name} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}"


def get(path, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: h\r\n{more}\r\n"


CLOSE = "Connection: close\r\n"


def test_pipelined_requests_are_answered_in_order(calm_server):
    server, _ = calm_server
    for name, hertz in (("a.wav", 500), ("b.wav", 900)):
        assert server.upload(name, tone_wav(hertz)).status == 200
    descriptors = server.count_descriptors()
    files = {name: server.request("GET", f"/demo.example/promptfile/{name}").raw for name in ("a.wav", "b.wav")}
    requests, expected = "", []
    for at in range(200):
        # Some are answered at once, some by other threads, some from files.
        requests += get(f"/nothing/{at}") + command("hangupcall", "{") + get("/demo.example/promptfile/a.wav") + get("/healthz")
        requests += command("hangupcall", '{"sessionId": "x", "replyId": "y"}') + get("/demo.example/promptfile/b.wav")
        expected += [404, 400, 200, 200, None, 200]
    with connect(server) as client:
        client.sendall((requests + get("/healthz", CLOSE)).encode())
        answers = read_answers(client)
    assert len(answers) == len(expected) + 1
    for at, status in enumerate(expected):
        assert status is None or answers[at][0] == status, at
        assert at % 6 != 2 or answers[at][1] == files["a.wav"], at
        assert at % 6 != 3 or b"ok" in answers[at][1], at
        assert at % 6 != 4 or (answers[at][0] >= 400 and b"replyId" in answers[at][1]), answers[at]
        assert at % 6 != 5 or answers[at][1] == files["b.wav"], at
    is_quiet(server, descriptors)


@pytest.mark.parametrize("last, status", [(get("/healthz", CLOSE), 200), ("rubbish\r\n\r\n", 400), (get("/healthz", "X-Long: " + "x" * 20000 + "\r\n"), 431)],
                         ids=["close", "rubbish", "large"])
def test_after_the_last_request_no_other_is_looked_at(server, last, status):
    uploads = "".join(f"PUT /demo.example/promptfile/after{at}.wav HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nRIFF" for at in range(3))
    with connect(server) as client:
        client.sendall((get("/readyz") * 3 + last + get("/healthz") * 3 + uploads).encode())
        answers = read_answers(client)
    assert [one[0] for one in answers] == [200, 200, 200, status]


def test_who_only_asks_is_stopped(calm_server):
    """The server doesn't take what it can't answer yet: the client's own kernel has to keep it."""
    server, descriptors = calm_server
    memory = resident(server)
    with connect(server, receive=4096) as client:
        client.setblocking(False)
        requests, sent, stopped = get("/metrics").encode() * 1000, 0, 0
        while stopped < 20:
            try:
                sent += client.send(requests)
                stopped = 0
            except BlockingIOError:
                stopped += 1
                assert server.request("GET", "/healthz").status == 200
            assert sent < 64 << 20, "the server reads and reads"
        assert SANITIZED or resident(server) - memory < 50
    is_quiet(server, descriptors)
