"""A scripted SIP user agent over UDP or TCP. Says what a test tells it to; answers BYE, OPTIONS and the like by itself."""

import itertools
import queue
import random
import re
import socket
import threading

from .codecs import CODECS
from .rtp_peer import RtpPeer

_numbers = itertools.count(1)


class Message:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.start = lines[0]
        self.headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        self.status = int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else None
        self.method = None if self.status else self.start.split()[0]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def all(self, name):
        return [value for one, value in self.headers if one.lower() == name.lower()]

    @property
    def cseq_method(self):
        return self.header("CSeq").split()[1]


class Softphone:
    """One call of one caller. `events` of the far side are awaited with time-outs, never slept for."""

    def __init__(self, server, transport="udp", user="100", domain=None, offer_telephone_event=True, codecs=(8,), address="127.0.0.1"):
        self.server_address = server.sip_tcp if transport == "tcp" else server.sip_udp
        self.transport = transport.upper()
        self.rtp = RtpPeer()
        self.rtp.payload_type = codecs[0] if codecs[0] in CODECS else 8
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
        self.socket.bind((address, 0))
        if transport == "tcp":
            self.socket.connect(self.server_address)
        self.host, self.port = self.socket.getsockname()
        self.target = f"sip:{user}@{domain or server.domain}"
        self.call_id = f"call-{next(_numbers)}-{random.getrandbits(40):x}@test"
        self.local_tag = f"t{random.getrandbits(40):x}"
        self.remote_tag = None
        self.remote_target = self.target
        self.cseq = 0
        self.codecs = codecs
        self.offer_telephone_event = offer_telephone_event
        self.responses, self.requests = queue.Queue(), queue.Queue()
        self.invite_branch = None
        self.invite_cseq = None
        self.auto_answer = True
        self.state = "idle"  # then calling, up, over
        self.acknowledged = False
        self.closing = False
        self.gone = threading.Event()  # the far side has closed the connection
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the call if the test has not, so that nothing of it is left for the next one."""
        try:
            self._leave()
        except (OSError, queue.Empty):
            pass  # the server has gone
        self.closing = True
        self.rtp.close()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def abandon(self):
        """The server has gone, and the call with it."""
        self.state = "over"

    def _leave(self):
        self.auto_answer = True
        if self.state == "calling":
            self.cancel()
            if self.wait_final(timeout=5).status >= 300:
                self.ack_refusal()
        if self.state == "up":
            if not self.acknowledged:
                self.ack()
            self.request("BYE")
            self.wait_final("BYE", timeout=5)

    # ---- wire

    def _read(self):
        buffer = b""
        connection = self.socket
        connection.settimeout(0.2)
        self.gone.clear()
        while not self.closing:
            try:
                data = connection.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                return
            if self.transport == "UDP":
                try:
                    self._take(data.decode(errors="surrogateescape"))
                except OSError:
                    return  # closed meanwhile
                continue
            if not data:
                self.gone.set()
                return
            buffer += data
            while b"\r\n\r\n" in buffer:
                head, _, rest = buffer.partition(b"\r\n\r\n")
                found = re.search(rb"(?im)^content-length\s*:\s*(\d+)", head)
                length = int(found.group(1)) if found else 0
                if len(rest) < length:
                    break
                self._take((head + b"\r\n\r\n" + rest[:length]).decode(errors="surrogateescape"))
                buffer = rest[length:]

    def _take(self, text):
        message = Message(text)
        if message.status:
            tag = re.search(r";tag=([^;>\s]+)", message.header("To") or "")
            if tag and message.cseq_method == "INVITE" and message.status > 100:
                self.remote_tag = tag.group(1)
            contact = message.header("Contact")
            if contact and message.status < 300:
                self.remote_target = contact.strip("<>")
            if message.cseq_method == "INVITE" and message.status >= 200 and self.state == "calling":
                self.state = "up" if message.status < 300 else "over"
            self.responses.put(message)
            return
        if message.method == "BYE":
            self.state = "over"
        if self.auto_answer and message.method in ("BYE", "CANCEL", "OPTIONS", "UPDATE", "INFO", "NOTIFY"):
            self.respond(message, 200)
        elif self.auto_answer and message.method == "INVITE":
            self.respond(message, 200, self.sdp(), extra="Contact: " + self.contact + "\r\n")
        self.requests.put(message)

    def send_text(self, text):
        data = text.encode(errors="surrogateescape")  # "\udce9" is the octet E9
        if self.transport == "UDP":
            self.socket.sendto(data, self.server_address)
        else:
            self.socket.sendall(data)

    def respond(self, request, status, body="", extra=""):
        lines = [f"SIP/2.0 {status} OK"]
        lines += [f"{name}: {value}" for name, value in request.headers if name.lower() in ("via", "from", "to", "call-id", "cseq", "record-route")]
        if body:
            lines.append("Content-Type: application/sdp")
        self.send_text("\r\n".join(lines) + "\r\n" + extra + f"Content-Length: {len(body)}\r\n\r\n" + body)

    @property
    def contact(self):
        return f"<sip:test@{self.host}:{self.port};transport={self.transport.lower()}>"

    # ---- messages

    def sdp(self, direction=None, codecs=None, port=None, host="127.0.0.1"):
        codecs = list(codecs or self.codecs)
        names = {18: "G729/8000", **{one: codec.rtpmap for one, codec in CODECS.items()}}
        lines = ["v=0", "o=test 1 1 IN IP4 127.0.0.1", "s=-", f"c=IN IP4 {host}", "t=0 0"]
        formats = codecs + ([101] if self.offer_telephone_event else [])
        lines.append(f"m=audio {self.rtp.port if port is None else port} RTP/AVP " + " ".join(map(str, formats)))
        lines += [f"a=rtpmap:{one} {names[one]}" for one in codecs]
        if self.offer_telephone_event:
            lines += ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"]
        lines.append("a=ptime:20")
        if direction:
            lines.append("a=" + direction)
        return "\r\n".join(lines) + "\r\n"

    def request_text(self, method, body="", extra="", cseq=None, branch=None, to_tag=True, content_type="application/sdp", from_header=None):
        branch = branch or f"z9hG4bK{random.getrandbits(60):x}"
        tag = f";tag={self.remote_tag}" if to_tag and self.remote_tag else ""
        sender = from_header or "<sip:alice@caller.example>"
        target = self.remote_target if tag else self.target
        text = (f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/{self.transport} {self.host}:{self.port};branch={branch};rport\r\n"
                f"From: {sender};tag={self.local_tag}\r\nTo: <{self.target}>{tag}\r\nCall-ID: {self.call_id}\r\n"
                f"CSeq: {self.cseq if cseq is None else cseq} {method}\r\nMax-Forwards: 70\r\nContact: {self.contact}\r\n{extra}")
        if body:
            text += f"Content-Type: {content_type}\r\n"
        return text + f"Content-Length: {len(body.encode())}\r\n\r\n{body}"

    def request(self, method, body="", extra="", **more):
        self.cseq += 1
        if method == "BYE":
            self.state = "over"
        self.send_text(self.request_text(method, body, extra, **more))
        return self.cseq

    def invite(self, sdp=None, extra="", from_header=None):
        """Sends an INVITE: the first, or a re-INVITE. `sdp=""`: a late offer."""
        self.cseq += 1
        self.invite_cseq = self.cseq
        if self.state == "idle":
            self.state = "calling"
        self.invite_branch = f"z9hG4bK{random.getrandbits(60):x}"
        self.invite_text = self.request_text("INVITE", self.sdp() if sdp is None else sdp, extra, branch=self.invite_branch, from_header=from_header)
        self.send_text(self.invite_text)

    def ack(self, body=""):
        self.acknowledged = True
        self.send_text(self.request_text("ACK", body, cseq=self.invite_cseq))

    def ack_refusal(self):
        """The ACK to a final response that is not 2xx belongs to the INVITE's transaction."""
        self.send_text(self.request_text("ACK", cseq=self.invite_cseq, branch=self.invite_branch))

    def cancel(self):
        self.send_text(self.request_text("CANCEL", cseq=self.invite_cseq, branch=self.invite_branch, to_tag=False))

    # ---- waiting

    def wait_response(self, timeout=20.0, method=None):
        """The next response, whatever it is."""
        while True:
            response = self.responses.get(timeout=timeout)
            if method is None or response.cseq_method == method:
                return response

    def wait_final(self, method="INVITE", timeout=20.0):
        while True:
            response = self.wait_response(timeout, method)
            if response.status >= 200:
                return response

    def wait_request(self, *methods, timeout=20.0):
        """The next request with one of the methods."""
        while True:
            request = self.requests.get(timeout=timeout)
            if request.method in methods:
                return request

    # ---- whole calls

    def follow(self, response):
        """Sends RTP where an SDP says."""
        address = re.search(r"c=IN IP4 (\S+)", response.body).group(1)
        self.rtp.remote = (address, int(re.search(r"m=audio (\d+)", response.body).group(1)))

    def call(self, **invite):
        """INVITE, 200, ACK. Returns the 200."""
        self.invite(**invite)
        answer = self.wait_final()
        assert answer.status == 200, answer.start
        self.follow(answer)
        self.ack()
        return answer

    def refused(self, **invite):
        """INVITE that is refused: the final response, acknowledged."""
        self.invite(**invite)
        answer = self.wait_final()
        assert answer.status >= 300, answer.start
        self.ack_refusal()
        return answer

    def hang_up(self):
        self.request("BYE")
        assert self.wait_final("BYE").status == 200
