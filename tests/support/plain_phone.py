"""A SIP user agent that sends exactly the bytes it is given. It keeps what a dialog needs (tags, targets, CSeq) for those who want to use it."""

import base64
import itertools
import queue
import random
import re
import socket
import threading

from .rtp_peer import RtpPeer
from .softphone import Message

_numbers = itertools.count(1)
ECHOED = ("via", "from", "to", "call-id", "cseq", "record-route")


def bytes_of(text):
    """Text of a message as it goes over the wire: each character is one byte."""
    return text.encode("latin-1")


def lines_of(text):
    """With the line ends of SIP."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


class PlainPhone:
    """One end of one call. What comes stands in `messages`, in order; BYE and OPTIONS are answered by themselves."""

    def __init__(self, server, transport="udp", address="127.0.0.1"):
        self.server_address = server.sip_tcp if transport == "tcp" else server.sip_udp
        self.transport = transport
        self.rtp = RtpPeer()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        self.socket.bind((address, 0))
        if transport == "tcp":
            self.socket.connect(self.server_address)
        self.host, self.port = self.socket.getsockname()
        self.messages = queue.Queue()
        self.cseq = 0
        self.invite_cseq = 0
        self.invite_branch = None
        self.last_request = {}  # by method
        self.open = None        # "asked" from our INVITE on, "up" from its 2xx on, "rings" from theirs on
        self.answered = False   # a 2xx of theirs waits for our ACK
        self.names = {"host": self.host, "port": str(self.port), "transport": transport, "TRANSPORT": transport.upper(), "rtp": str(self.rtp.port),
                      "domain": server.domain, "server": "%s:%d" % self.server_address, "call_id": f"field-{next(_numbers)}-{random.getrandbits(40):x}@test",
                      "tag": f"t{random.getrandbits(40):x}", "to_tag": "", "target": f"sip:100@{server.domain}", "to": f"sip:100@{server.domain}",
                      "from": "sip:alice@caller.example", "contact": f"<sip:test@{self.host}:{self.port};transport={transport}>", "route": ""}
        self.names["sdp"] = self.sdp()
        self.names["sdp_base64"] = base64.encodebytes(self.names["sdp"].encode()).decode()
        self.closing = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def sdp(self):
        return lines_of(f"v=0\no=test 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {self.rtp.port} RTP/AVP 8 101\n"
                        "a=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\n")

    def close(self):
        """Ends the call if nobody has, so that nothing of it is left."""
        try:
            if self.open == "asked":
                self.send("CANCEL")
            elif self.open == "rings":
                self.respond("INVITE", 480)
            elif self.open == "up":
                if self.answered:
                    self.send("ACK")
                self.send("BYE")
                self.expect(range(200, 700), method="BYE", timeout=5)
        except (OSError, queue.Empty):
            pass  # the server has gone
        self.closing = True
        self.rtp.close()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    # ---- wire

    def _read(self):
        buffer = b""
        self.socket.settimeout(0.2)
        while not self.closing:
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                return
            if self.transport == "udp":
                self._take(data)
                continue
            if not data:
                self.messages.put(None)
                return
            buffer += data
            while b"\r\n\r\n" in buffer:
                head, _, rest = buffer.partition(b"\r\n\r\n")
                found = re.search(rb"(?im)^content-length\s*:\s*(\d+)", head)
                length = int(found.group(1)) if found else 0
                if len(rest) < length:
                    break
                self._take(head + b"\r\n\r\n" + rest[:length])
                buffer = rest[length:]

    def _take(self, data):
        text = data.decode("latin-1")
        if not text.strip():
            return
        message = Message(text)
        try:
            if message.status:
                self._learn(message)
            else:
                self.last_request[message.method] = message
                if message.method in ("BYE", "OPTIONS"):
                    self.respond(message.method, 200)
                if message.method == "BYE":
                    self.open = None
                elif message.method == "INVITE" and self.open is None:
                    self._be_called(message)
        except OSError:
            return  # closed meanwhile
        self.messages.put(message)

    def _learn(self, response):
        if response.cseq_method != "INVITE" or response.status == 100:
            return
        tag = re.search(r";tag=([^;>\s]+)", response.header("To") or "")
        self.names["to_tag"] = f";tag={tag.group(1)}" if tag else ""
        contact = re.search(r"<([^>]+)>", response.header("Contact") or "")
        if contact and response.status < 300:
            self.names["target"] = contact.group(1)
        if response.status >= 300:
            self.send("ACK", branch=self.invite_branch)
            if self.open == "asked":
                self.open = None
        elif response.status >= 200:
            self.open = "up"
            self.answered = True

    def _be_called(self, invite):
        self.open = "rings"
        self.names["call_id"] = invite.header("Call-ID")
        self.names["to_tag"] = re.search(r";tag=[^;>\s]+", invite.header("From")).group(0)
        self.names["to"] = re.search(r"<([^>]+)>", invite.header("From")).group(1)
        self.names["from"] = re.search(r"<([^>]+)>", invite.header("To")).group(1)
        self.names["target"] = re.search(r"<([^>]+)>", invite.header("Contact")).group(1)

    # ---- what is sent

    def fill(self, text):
        """Puts the values of the placeholders in; {branch} is a new one each time."""
        def value(found):
            name = found.group(1)
            if name == "branch":
                return f"z9hG4bK{random.getrandbits(60):x}"
            return self.names.get(name, found.group(0))
        for _ in range(4):  # values may have placeholders too
            filled = re.sub(r"\{(\w+)\}", value, text)
            if filled == text:
                break
            text = filled
        return text

    def send_bytes(self, data):
        if self.transport == "udp":
            self.socket.sendto(data, self.server_address)
        else:
            self.socket.sendall(data)

    def send_message(self, text):
        """A whole message. If it is an INVITE it opens the call, as send() does."""
        start = re.match(r"INVITE ", text)
        if start:
            branch, cseq = re.search(r"branch=([^;\s,]+)", text), re.search(r"(?im)^CSeq\s*:\s*(\d+)", text)
            self.invite_branch, self.cseq = branch and branch.group(1), int(cseq.group(1)) if cseq else 0
            self.invite_cseq = self.cseq
            self.open = self.open or "asked"
        self.send_bytes(bytes_of(text))

    def send(self, method, headers=None, body="", content_type="application/sdp", uri=None, branch=None):
        """A request as the dialog has it; `headers` replace the usual ones or stand beside them."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        branch = branch or (self.invite_branch if method == "CANCEL" else f"z9hG4bK{random.getrandbits(60):x}")
        if method == "INVITE":
            self.invite_branch, self.invite_cseq = branch, self.cseq
            self.open = self.open or "asked"
        elif method == "ACK":
            self.answered = False
        elif method == "BYE":
            self.open = None
        number = self.invite_cseq if method in ("ACK", "CANCEL") else self.cseq
        to_tag = "" if method == "CANCEL" else "{to_tag}"
        fields = {"Via": f"SIP/2.0/{{TRANSPORT}} {{host}}:{{port}};branch={branch};rport", "From": "<{from}>;tag={tag}", "To": "<{to}>" + to_tag,
                  "Call-ID": "{call_id}", "CSeq": f"{number} {method}", "Max-Forwards": "70", "Contact": "{contact}"}
        start = f"{method} {uri or ('{to}' if method == 'CANCEL' else '{target}')} SIP/2.0"
        self.send_bytes(self._message(start, fields, headers, body, content_type))

    def respond(self, method, status, headers=None, body="", content_type="application/sdp", reason="Answer"):
        """To the last request of that method."""
        request = self.last_request[method]
        fields = {}
        for name, value in request.headers:
            if name.lower() in ECHOED:
                if name.lower() == "to" and ";tag=" not in value:
                    value += ";tag={tag}"
                fields.setdefault(name, []).append(value)
        if method == "INVITE":
            fields["Contact"] = "{contact}"
            if status >= 200 and self.open == "rings":
                self.open = "up" if status < 300 else None
        self.send_bytes(self._message(f"SIP/2.0 {status} {reason}", fields, headers, body, content_type))

    def _message(self, start, fields, headers, body, content_type):
        body = lines_of(self.fill(body))
        if body:
            fields["Content-Type"] = content_type
        fields["Content-Length"] = str(len(body))
        for name, value in (headers or {}).items():
            fields[next((one for one in fields if one.lower() == name.lower()), name)] = value
        head = [start]
        for name, value in fields.items():
            head += [f"{name}: {one}" for one in (value if isinstance(value, list) else [value])]
        return bytes_of(self.fill("\r\n".join(head)) + "\r\n\r\n" + body)

    # ---- what comes

    def expect(self, what, method=None, timeout=20.0):
        """The next message that is a response with one of these statuses, or a request of that method. Another final response is the wrong one."""
        while True:
            message = self.messages.get(timeout=timeout)
            assert message is not None, "the connection was closed"
            if isinstance(what, str):
                if message.method == what:
                    return message
            elif message.status and method in (None, message.cseq_method):
                if message.status in what:
                    return message
                assert message.status < 200, f"{message.start} instead of {what}"
