"""Each message of RFC 4475 and RFC 5118, octet for octet, over UDP and TCP, and what those RFCs say an element does with it."""

import hashlib
import pathlib
import random
import re
import socket
from dataclasses import dataclass, field

import pytest
from support.server import Server
from support.softphone import Message, Softphone

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "data" / "torture"
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "l": "content-length"}


@dataclass
class Case:
    """`status`: of the final answer, None: there is none. `over_tcp`: another one there, or "closed". `rest`: what the stream still waits for."""

    name: str
    status: int | None
    over_tcp: int | str | None = "the same"
    rest: bytes = b""
    event: dict = field(default_factory=dict)    # members of newCall
    headers: dict = field(default_factory=dict)  # of the answer, as regular expressions
    closed_then: bool = False                    # over TCP: something follows in the same file that ends with what is no message


def called(user, by, **more):
    return {"calledParty": user, "callingParty": by, **more}


BUSY = 486  # what the application answers to each call that it is asked about
CASES = [
    # RFC 4475 3.1.1: valid
    Case("wsinv", 481),  # within a dialog that there is not
    Case("intmeth", 501, headers={"To": '^"BEL:\\\\\x07 NUL:\\\\\x00 DEL:\\\\\x7f" <sip:1_unusual', "Allow": "INVITE"}),
    Case("esc01", BUSY, event=called("sips:user@example.com", "I have spaces")),
    Case("escnull", 405),  # we are no registrar
    Case("esc02", 501),    # RE%47IST%45R is not REGISTER
    Case("lwsdisp", 200),
    Case("longreq", BUSY, event=called("user", "amazinglylongcallername" * 5)),
    Case("dblreq", 405, closed_then=True),  # what follows in the datagram is nobody's
    Case("semiuri", 200),
    Case("transports", 200),
    Case("mpart01", 405),
    Case("unreason", None),
    Case("noreason", None),
    # 3.1.2: invalid
    Case("badinv01", 400),
    Case("clerr", 400, over_tcp=BUSY, rest=b"a=" + b"x" * (9999 - 152 - 4) + b"\r\n"),  # a stream may bring the rest
    Case("ncl", 400, over_tcp="closed"),
    Case("scalar02", 400),
    Case("scalarlg", None),
    Case("quotbal", 400),
    Case("ltgtruri", 400),
    Case("lwsruri", 400),
    Case("lwsstart", 400),
    Case("trws", 400),
    Case("escruri", BUSY, event=called("user", "caller")),  # the header in the Request-URI is not heeded
    Case("baddate", BUSY, event=called("user", "caller")),  # nobody looks at Date
    Case("regbadct", 405),
    Case("badaspec", 400),
    Case("baddn", 400, over_tcp=200, rest=b"\r\n"),  # its headers have no end; the names without quotes are understood
    Case("badvers", 505),
    Case("mismatch01", 400),
    Case("mismatch02", 501),
    Case("bigcode", None),
    # 3.2 and 3.3: transactions, applications
    Case("badbranch", 200),
    Case("insuf", 400),
    Case("unkscm", 416),
    Case("novelsc", 416),
    Case("unksm2", 405, headers={"To": "^isbn:2983792873;tag=", "From": "^<http://www.example.com>"}),
    Case("bext01", 420, headers={"Unsupported": "^nothingSupportsThis, nothingSupportsThisEither$"}),
    Case("invut", 415, headers={"Accept": "application/sdp"}),
    Case("regaut01", 405),
    Case("multi01", 400),
    Case("mcl01", 400, over_tcp="closed"),
    Case("bcast", None),
    Case("zeromf", 200),
    Case("cparam01", 405),
    Case("cparam02", 405),
    Case("regescrt", 405),
    Case("sdp01", 406, headers={"Warning": "application/sdp"}),
    # 3.4: without tag, branch, Contact and Content-Length, which a stream can't do without
    Case("inv2543", BUSY, over_tcp="closed", event=called("UserB", "+13035551111")),
    # RFC 5118
    Case("ipv6-good", 405),
    Case("ipv6-bad", 400),
    Case("port-ambiguous", 405),
    Case("port-unambiguous", 405),
    Case("via-received-param-with-delim", 481),
    Case("via-received-param-no-delim", 200),
    Case("ipv6-in-sdp", 488),  # the server of the test has neither the codec nor IPv6
    Case("mult-ip-in-header", 481),
    Case("mult-ip-in-sdp", BUSY, event=called("user", "user")),
    Case("ipv4-mapped-ipv6", 488),
    Case("ipv6-bug-abnf-3-colons", 200),
    Case("ipv6-correct-abnf-2-colons", 200),
]


def on_the_wire(name):
    data = (FOLDER / f"{name}.dat").read_bytes()
    if b"\r" in data:
        return data
    head, _, body = data.partition(b"\n\n")
    head = re.sub(rb"(?m)^Content-Length: \d+$", b"Content-Length: %d" % len(body.replace(b"\n", b"\r\n")), head.rstrip(b"\n"))
    return (head + b"\n\n" + body).replace(b"\n", b"\r\n")


def headers_of(data):
    head = re.sub(r"\r\n[ \t]+", " ", data.decode("latin-1").partition("\r\n\r\n")[0])
    found = {}
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        found.setdefault(COMPACT.get(name, name), []).append(value.strip())
    return found


def hops(lines):
    """Sent-by and branch of each value of Via."""
    return [(re.sub(r"\s+", "", value.partition(";")[0]), re.findall(r"branch\s*=\s*([^;\s]*)", value)) for line in lines for value in line.split(",")]


class Sender:
    """Sends from where the message says that it comes from, as to the port, and reads what is answered."""

    def __init__(self, server, transport, via):
        address = f"127.{random.randrange(1, 250)}.{random.randrange(1, 250)}.{random.randrange(2, 250)}"
        port = re.search(r":(\d+)$", re.split(r"[;,]", via)[0].strip())
        self.server = server.sip_udp if transport == "udp" else server.sip_tcp
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.bind((address, int(port.group(1)) if port else 5060))
        self.socket.connect(self.server)
        self.transport, self.buffer = transport, b""
        self.seen = []

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next final response that is not the repetition of one; None: the connection is closed."""
        while True:
            if self.transport == "udp":
                data = self.socket.recv(65536)
            else:
                while b"\r\n\r\n" not in self.buffer:
                    more = self.socket.recv(65536)
                    if not more:
                        return None
                    self.buffer += more
                head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
                assert re.search(rb"(?im)^content-length: 0\s*$", head + b"\r\n"), head
                data = head + b"\r\n\r\n"
            message = Message(data.decode("latin-1"))
            if message.status >= 200 and data not in self.seen:
                self.seen.append(data)
                return message

    def acknowledge(self, data, response):
        names = headers_of(data)
        uri = data.decode("latin-1").split()[1]
        head = [f"ACK {uri} SIP/2.0", f"Via: {names['via'][0].split(',')[0]}", f"From: {response.header('From')}", f"To: {response.header('To')}",
                f"Call-ID: {response.header('Call-ID')}", f"CSeq: {response.header('CSeq').split()[0]} ACK", "Content-Length: 0"]
        self.send(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))

    def is_served_next(self):
        """Nothing else is answered before this request, which is a good one."""
        host, port = self.socket.getsockname()
        call_id = f"next-{random.getrandbits(40):x}"
        self.send(f"OPTIONS sip:100@demo.example SIP/2.0\r\nVia: SIP/2.0/{self.transport.upper()} {host}:{port};branch=z9hG4bK{call_id}\r\n"
                  f"From: <sip:a@b.example>;tag=1\r\nTo: <sip:100@demo.example>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n"
                  "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode())
        answer = self.receive()
        assert (answer.status, answer.header("Call-ID")) == (200, call_id), answer.start


class House:
    """A server that the RFCs' messages are for. Several of them have the same transaction, and must not be taken for one another."""

    def __init__(self, application_server):
        self.url, self.server, self.known = application_server.url, None, set()

    def get(self, data):
        top = str(hops(headers_of(data)["via"])[0]), data.split()[0]
        if self.server is None or top in self.known:
            self.stop()
            self.server, self.known = Server(self.url, more=f"""
[[domains]]
name = "example.com"
auth = "none"
aliases = ["example.net", "2001:db8::10"]
[[domains.mediaservices]]
id = "all"
numbers = ["*"]
callback_url = "{self.url}"
alarm_url = "{self.url}/alarms"
"""), set()
        self.known.add(top)
        return self.server

    def stop(self):
        if self.server is not None:
            self.server.stop()


@pytest.fixture(scope="module")
def houses(application_server):
    """One for each transport: what came by the one is not to be repeated by the other."""
    made = {transport: House(application_server) for transport in ("udp", "tcp")}
    yield made
    for one in made.values():
        one.stop()


def check_answer(data, answer, case):
    sent = headers_of(data)
    assert hops(answer.all("Via")) == hops(sent["via"])
    for name in ("from", "call-id", "cseq"):
        given = sent.get(name, [None])[0]
        assert re.sub(r"\s+", " ", answer.header(name) or "") == re.sub(r"\s+", " ", given or ""), name
    if "to" in sent:
        assert re.sub(r"\s+", " ", answer.header("To")).startswith(re.sub(r"\s+", " ", sent["to"][0]))
        assert re.search(r";\s*tag\s*=", answer.header("To"))
    for name, pattern in case.headers.items():
        assert re.search(pattern, answer.header(name) or ""), f"{name}: {answer.header(name)!r}"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_torture_message_gets_the_answer_that_the_rfc_asks_for(houses, application, case, transport):
    application.replies["newCall"] = {"action": "drop", "dropCode": "busy"}
    data = on_the_wire(case.name)
    house = houses[transport].get(data)
    status = case.status if transport == "udp" or case.over_tcp == "the same" else case.over_tcp
    sender = Sender(house, transport, headers_of(data)["via"][0])
    try:
        sender.send(data + (case.rest if transport == "tcp" else b""))
        if status == "closed":
            assert sender.receive() is None
            return
        if status is not None:
            answer = sender.receive()
            assert answer is not None and answer.status == status, answer and answer.start
            check_answer(data, answer, case)
            if data.startswith(b"INVITE"):
                sender.acknowledge(data, answer)
        if transport == "tcp" and case.closed_then:
            assert sender.receive() is None
        else:
            sender.is_served_next()
    finally:
        sender.close()
    house.wait_idle()
    if case.event and status == BUSY:
        body = application.wait_for("newCall").body
        assert {name: body.get(name) for name in case.event} == case.event
    calls = application.events("newCall")
    assert len(calls) == (1 if status == BUSY else 0)


@pytest.mark.short
def test_after_all_of_them_a_call_is_served(own_server, application):
    house = own_server()
    for case in CASES:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(on_the_wire(case.name), house.sip_udp)
        with socket.create_connection(house.sip_tcp, timeout=10) as tcp:
            tcp.sendall(on_the_wire(case.name))
    with Softphone(house) as caller:
        caller.call()
        application.wait_for("getIvrCommand")
        caller.hang_up()
        application.completed("normal")
    house.wait_idle()


def test_the_messages_are_the_rfcs_own():
    sums = dict(reversed(line.split()) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.dat")} == sums
    assert sorted(sums) == sorted(f"{case.name}.dat" for case in CASES)
    assert len(CASES) == 49 + 12
