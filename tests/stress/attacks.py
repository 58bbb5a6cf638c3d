"""What strangers and one bad customer do meanwhile, drawn from a seed. Each attack lasts about a second; they care for no answer."""

import contextlib
import http.client
import random
import socket
import struct
import threading
import time

PCMA = bytes([0x55]) * 160


def sip(method, uri, host, port, draws, body="", extra="", transport="UDP", call_id=None, cseq=1, to_tag="", branch=None, tag=None, kind="application/sdp"):
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {host}:{port};branch={branch or 'z9hG4bK%x' % draws.getrandbits(60)};rport\r\n"
            f"From: <sip:x@{host}>;tag={tag or '%x' % draws.getrandbits(40)}\r\nTo: <{uri}>{to_tag}\r\nCall-ID: {call_id or '%x' % draws.getrandbits(64)}\r\n"
            f"CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: <sip:x@{host}:{port}>\r\n{extra}"
            + (f"Content-Type: {kind}\r\n" if body else "") + f"Content-Length: {len(body)}\r\n\r\n{body}").encode("latin-1")


def sdp(host, port):
    return (f"v=0\r\no=x 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
            "a=rtpmap:101 telephone-event/8000\r\n")


class Attacker:
    """`place`: what is attacked. Counts what it has done, by name."""

    def __init__(self, place, seed, only=()):
        self.place, self.draws = place, random.Random(seed)
        self.done = {}
        self.attacks = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("attack_") and (not only or name[7:] in only)]

    def run(self, until):
        while time.monotonic() < until:
            attack = self.draws.choice(self.attacks)
            with contextlib.suppress(OSError, http.client.HTTPException):
                attack()
            name = attack.__name__.removeprefix("attack_")
            self.done[name] = self.done.get(name, 0) + 1
            time.sleep(self.draws.uniform(0.1, 0.5))

    # ---- tools

    def host(self):
        return f"127.0.9.{self.draws.randrange(1, 250)}"

    @contextlib.contextmanager
    def udp(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind((self.host(), 0))
            one.settimeout(0.5)
            yield one

    @contextlib.contextmanager
    def tcp(self, to, host=None):
        with socket.create_connection(to, timeout=2, source_address=(host or self.host(), 0)) as one:
            yield one

    def request(self, one, method, user="100", domain=None, **more):
        host, port = one.getsockname()
        return sip(method, f"sip:{user}@{domain or self.place['open']}", host, port, self.draws, **more)

    def send(self, one, data):
        one.sendto(data, tuple(self.place["udp"]))

    def answer(self, one, status=200):
        """The first response of that class or a refusal, as text."""
        for _ in range(10):
            text = one.recv(65536).decode("latin-1")
            if text.startswith("SIP/2.0 ") and not text.startswith("SIP/2.0 1"):
                return text
        return ""

    def in_call(self, one, user):
        """INVITE, 200, ACK: what a request in the dialog takes, or None."""
        call = {"call_id": f"{self.draws.getrandbits(64):x}", "tag": f"{self.draws.getrandbits(40):x}"}
        host, port = one.getsockname()
        self.send(one, self.request(one, "INVITE", user, body=sdp(host, port + 1), **call))
        answer = self.answer(one)
        if not answer.startswith("SIP/2.0 200"):
            return None
        to = next(line for line in answer.split("\r\n") if line.lower().startswith("to:"))
        call["to_tag"] = ";tag=" + to.split(";tag=")[1]
        self.send(one, self.request(one, "ACK", user, **call))
        return call

    def short_calls(self, user, count, seconds=0.3):
        with self.udp() as one:
            calls = [self.in_call(one, user) for _ in range(count)]
            time.sleep(seconds)
            for call in filter(None, calls):
                self.send(one, self.request(one, "BYE", user, cseq=2, **call))

    # ---- SIP

    def attack_calls_without_ack(self):
        with self.udp() as one:
            for _ in range(self.draws.randrange(10, 60)):
                self.send(one, self.request(one, "INVITE", body=sdp("192.0.2.1", 4000)))

    def attack_calls_that_nobody_lets_in(self):
        with self.udp() as one:
            for _ in range(100):
                self.send(one, self.request(one, "INVITE", domain=self.draws.choice(self.place["customers"]), body=sdp("192.0.2.1", 4000)))

    def attack_long_options(self):
        with self.udp() as one:
            for _ in range(50):
                self.send(one, self.request(one, "OPTIONS", extra=("X: " + "x" * 7000 + "\r\n") * 8))

    def attack_messages(self):
        with self.udp() as one:
            for _ in range(50):
                method = self.draws.choice(["MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REGISTER", "REFER", "INFO", "XYZ"])
                self.send(one, self.request(one, method, body="x" * self.draws.choice([0, 100, 60_000]), kind="text/plain, a/b"))

    def attack_guesses(self):
        with self.udp() as one:
            for _ in range(150):
                self.send(one, self.request(one, "INVITE", domain=self.place["customers"][1], extra=f"X-Trunk-Key: {self.draws.getrandbits(40):x}\r\n"))

    def attack_sip_connections(self):
        host = self.host()
        with contextlib.ExitStack() as stack:
            for _ in range(self.draws.randrange(50, 300)):
                one = stack.enter_context(self.tcp(tuple(self.place["tcp"]), host))
                one.sendall(self.draws.choice([b"\r\n\r\n", b"", b"INVITE sip:x SIP/2.0\r\n", b"A" * 1000]))
            time.sleep(0.3)

    def attack_streams_of_rubbish(self):
        with self.tcp(tuple(self.place["tcp"])) as one:
            for _ in range(20):
                one.sendall(self.mutated(self.request(one, "INVITE", body=sdp("127.0.0.1", 4000), transport="TCP")))

    def mutated(self, data):
        data = bytearray(data)
        for _ in range(self.draws.randrange(1, 6)):
            at = self.draws.randrange(len(data))
            what = self.draws.randrange(3)
            if what == 0:
                data[at] = self.draws.randrange(256)
            elif what == 1:
                del data[at:at + self.draws.randrange(1, 40)]
            else:
                data[at:at] = self.draws.choice([b"\0", b";" * 100, b",", b"\r\n ", b"%00", b"999999999999"])
            data = data or bytearray(b"x")
        return bytes(data)

    def attack_datagrams_of_rubbish(self):
        with self.udp() as one:
            for _ in range(100):
                self.send(one, self.mutated(self.request(one, self.draws.choice(["INVITE", "OPTIONS", "BYE", "ACK", "CANCEL"]), body=sdp("127.0.0.1", 4000))))

    def attack_addresses_in_descriptions(self):
        with self.udp() as one:
            for host, port in (("169.254.169.254", 80), ("224.0.0.1", 4000), ("255.255.255.255", 4000), ("127.0.0.1", 53), ("0.0.0.0", 9)):
                self.send(one, self.request(one, "INVITE", body=sdp(host, port)))

    def attack_requests_in_a_call(self):
        with self.udp() as one:
            call = self.in_call(one, "100")
            if call is None:
                return
            host, port = one.getsockname()
            for at in range(300):
                method = self.draws.choice(["UPDATE", "INFO", "INVITE", "OPTIONS", "MESSAGE", "REFER", "PRACK"])
                body = self.draws.choice(["", sdp(host, port + 1), "Signal=5\r\nDuration=100\r\n"])
                kind = "application/dtmf-relay" if body.startswith("Signal") else "application/sdp"
                self.send(one, self.request(one, method, body=body, kind=kind, cseq=2 + at, extra="Refer-To: <sip:x@127.0.0.1:9>\r\n" if method == "REFER" else "", **call))
            self.send(one, self.request(one, "BYE", cseq=400, **call))

    def attack_loops(self):
        self.short_calls("loop", 3)

    def attack_tones(self):
        self.short_calls("tone", 10)

    def attack_speech(self):
        self.short_calls("speech", 5)

    def attack_cancelled_calls(self):
        with self.udp() as one:
            for _ in range(30):
                call = {"call_id": f"{self.draws.getrandbits(64):x}", "tag": f"{self.draws.getrandbits(40):x}", "branch": f"z9hG4bK{self.draws.getrandbits(60):x}"}
                self.send(one, self.request(one, "INVITE", "slow", body=sdp("192.0.2.1", 4000), **call))
                self.send(one, self.request(one, "CANCEL", "slow", **call))

    def attack_a_phone_that_rings_without_end(self):
        """The bad customer calls a phone of its own, which sends 183 after 183."""
        with self.udp() as one, self.udp() as phone:
            host, port = phone.getsockname()
            self.send(one, self.request(one, "INVITE", f"to{port}at{host.replace('.', 'x')}", body=sdp(*one.getsockname())))
            invite = phone.recv(65536).decode("latin-1")
            lines = [line for line in invite.split("\r\n") if line.lower().startswith(("via:", "from:", "to:", "call-id:", "cseq:"))]
            for at in range(300):
                answer = [line + f";tag={at % 50}" if line.lower().startswith("to:") else line for line in lines]
                body = sdp(host, port + 1)
                phone.sendto(("SIP/2.0 183 P\r\n" + "\r\n".join(answer) + f"\r\nRequire: 100rel\r\nRSeq: {at + 1}\r\nContact: <sip:b@{host}:{port}>\r\n"
                              f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode(), tuple(self.place["udp"]))
            phone.sendto(("SIP/2.0 486 Busy\r\n" + "\r\n".join(answer) + "\r\nContent-Length: 0\r\n\r\n").encode(), tuple(self.place["udp"]))
            self.answer(one)

    # ---- RTP

    def attack_rtp(self):
        first, last = self.place["ports"]
        with self.udp() as one:
            for at in range(2000):
                kind = self.draws.choice([8, 101, 8 | 0x80, 72, 100])
                data = struct.pack("!BBHII", 0x80, kind, at, at * 160, 7) + (PCMA if kind & 8 else struct.pack("!BBH", at % 16, 0x8A, 160))
                if at % 5 == 0:
                    data = self.draws.randbytes(self.draws.randrange(0, 300))
                one.sendto(data, ("127.0.0.1", self.draws.randrange(first, last)))

    # ---- HTTP

    def http(self, *pieces, pause=0.0):
        with self.tcp(tuple(self.place["http"])) as one:
            for piece in pieces:
                one.sendall(piece)
                time.sleep(pause)
            one.settimeout(0.3)
            with contextlib.suppress(OSError):
                one.recv(65536)

    def attack_http_framing(self):
        line = b"POST /%s/hangupcall HTTP/1.1\r\nHost: x\r\n" % self.place["open"].encode()
        hidden = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
        for coding in (b"chunked, gzip", b"gzip", b"xchunked", b'"chunked"', b"chunked"):
            for length in (b"", b"Content-Length: 4\r\n"):
                self.http(line + length + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + b"0\r\n\r\n" + hidden)

    def attack_slow_uploads(self):
        """Begun, and left."""
        with contextlib.ExitStack() as stack:
            for _ in range(40):
                one = stack.enter_context(self.tcp(tuple(self.place["http"])))
                one.sendall(b"PUT /%s/promptfile/slow.wav HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\nRIFF" % self.place["open"].encode())
            time.sleep(1)

    def attack_http_connections(self):
        host = self.host()
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                one = stack.enter_context(self.tcp(tuple(self.place["http"]), host))
                one.sendall(self.draws.choice([b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 9000]))
            time.sleep(0.3)

    def attack_commands(self):
        for _ in range(30):
            path = self.draws.choice(["placeivrcall", "hangupcall", "splitconnection", "interruptivrcommand", "nothing"])
            domain = self.draws.choice([self.place["open"], "nobody.example"])
            body = self.draws.choice([b"{}", b"{", b'{"destAddr":"sip:x@127.0.0.1:9"}', b'{"replyId":"' + b"x" * 5000 + b'"}', b"[" * 5000])
            self.http(b"POST /%s/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %x\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                      % (domain.encode(), path.encode(), self.draws.getrandbits(60), len(body), body))


def run(place, seed, seconds, threads, only, done):
    """In a process of its own: as many at once. What they have done is put into the queue `done`."""
    until = time.monotonic() + seconds
    attackers = [Attacker(place, f"{seed}/{at}", only) for at in range(threads)]
    running = [threading.Thread(target=one.run, args=(until,)) for one in attackers]
    for one in running:
        one.start()
    for one in running:
        one.join()
    total = {}
    for one in attackers:
        for name, count in one.done.items():
            total[name] = total.get(name, 0) + count
    done.put(total)
