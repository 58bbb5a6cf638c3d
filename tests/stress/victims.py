"""Two customers' phones: 200 legs that are in calls all the time, as people use them. Each notes what went wrong."""

import asyncio
import random
import re
import struct

from support.softphone import Message

T1, T2, GIVE_UP = 0.5, 4.0, 32.0
SILENCE = 0xD5
LOUD_SHARE = 0.3    # of what is heard of a prompt, whatever else the machine does
PASSED_SHARE = 0.5  # of what the other party says


def number_of(pattern, text, what):
    found = re.search(pattern, text)
    assert found, f"no {what}"
    return int(found.group(1))


class Sound(asyncio.DatagramProtocol):
    """One phone's RTP: counts what it hears, and says a pattern of its own."""

    def __init__(self, mark):
        self.mark = bytes([mark]) * 160
        self.heard = self.loud = self.of_other = self.sent = 0
        self.other_mark = None
        self.remote = None
        self.sequence, self.timestamp, self.ssrc = random.getrandbits(16), random.getrandbits(32), random.getrandbits(32)

    def connection_made(self, transport):
        self.transport = transport
        self.host, self.port = transport.get_extra_info("sockname")

    def datagram_received(self, data, _):
        if len(data) < 172 or data[1] & 0x7F != 8:
            return
        payload = data[12:]
        self.heard += 1
        if payload == self.other_mark:
            self.of_other += 1
        elif payload.count(SILENCE) < 80:
            self.loud += 1

    def error_received(self, _):
        pass

    def _packet(self, kind, payload, marker=0, timestamp=None):
        self.sequence = (self.sequence + 1) & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind | marker, self.sequence, (self.timestamp if timestamp is None else timestamp) & 0xFFFFFFFF, self.ssrc)
        self.transport.sendto(head + payload, self.remote)

    def say(self):
        self.timestamp += 160
        self._packet(8, self.mark)
        self.sent += 1

    def press(self, digit):
        self.timestamp += 1600
        for at in range(1, 9):
            self._packet(101, struct.pack("!BBH", digit, 10 if at < 6 else 0x8A, min(at, 6) * 160), marker=0x80 if at == 1 else 0)


class Call:
    """One leg. What comes for it stands in `messages`."""

    def __init__(self, line, call_id, sound):
        self.line, self.call_id, self.sound = line, call_id, sound
        self.messages = asyncio.Queue()
        self.last = {}  # our last response, by CSeq
        self.waiting = {}  # futures for final responses, by CSeq
        self.cseq = 0
        self.over = asyncio.Event()
        self.tag, self.to_tag, self.target = f"v{random.getrandbits(40):x}", "", None

    # ---- what comes

    def take(self, message):
        if message.status:
            waiting = self.waiting.get(message.header("CSeq"))
            if message.cseq_method == "INVITE" and 200 <= message.status < 300 and waiting is None:
                self.ack()  # it has come again
            elif waiting and not waiting.done() and message.status >= 200:
                waiting.set_result(message)
            elif waiting and message.cseq_method == "INVITE":
                waiting.provisional = True
            return
        key = message.header("CSeq")
        if key in self.last:
            self.line.send(self.last[key])
        elif message.method == "BYE":
            self.respond(message, 200)
            self.over.set()
        elif message.method == "ACK":
            self.last = {one: text for one, text in self.last.items() if "INVITE" not in one}
            self.acknowledged.set()
        elif message.method != "CANCEL":
            self.messages.put_nowait(message)

    # ---- what is said

    def sdp(self):
        return ("v=0\r\no=v 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
                .format(self.sound.host, self.sound.port))

    def request(self, method, body="", cseq=None, branch=None):
        text = (f"{method} {self.target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.line.host}:{self.line.port};branch={branch or 'z9hG4bK%x' % random.getrandbits(60)};rport\r\n"
                f"From: {self.us};tag={self.tag}\r\nTo: {self.them}{self.to_tag}\r\nCall-ID: {self.call_id}\r\nCSeq: {cseq or self.cseq} {method}\r\n"
                f"Max-Forwards: 70\r\nContact: <sip:v@{self.line.host}:{self.line.port}>\r\n")
        return text + (f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}" if body else "Content-Length: 0\r\n\r\n")

    def respond(self, request, status, body=""):
        lines = [f"SIP/2.0 {status} Answer"]
        for name, value in request.headers:
            if name.lower() in ("via", "from", "call-id", "cseq", "record-route"):
                lines.append(f"{name}: {value}")
            elif name.lower() == "to":
                lines.append(f"To: {value}" + ("" if ";tag=" in value else f";tag={self.tag}"))
        lines.append(f"Contact: <sip:v@{self.line.host}:{self.line.port}>")
        if body:
            lines.append("Content-Type: application/sdp")
        text = "\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        self.last[request.header("CSeq")] = text
        self.line.send(text)
        return text

    async def ask(self, method, body=""):
        """The final response; sent again as RFC 3261 has it, since a flood may cost datagrams."""
        self.cseq += 1
        key = f"{self.cseq} {method}"
        waiting = self.waiting[key] = asyncio.get_running_loop().create_future()
        waiting.provisional = False
        self.branch = "z9hG4bK%x" % random.getrandbits(60)
        text = self.request(method, body, branch=self.branch)
        wait, spent = T1, 0.0
        self.line.send(text)
        try:
            while True:
                done, _ = await asyncio.wait([waiting], timeout=wait)
                if done:
                    return waiting.result()
                spent += wait
                assert spent < GIVE_UP or waiting.provisional, f"no answer to {method}"
                assert spent < 4 * GIVE_UP, f"no final answer to {method}"
                if not waiting.provisional:
                    self.line.send(text)
                wait = min(2 * wait, T2)
        finally:
            del self.waiting[key]

    def ack(self):
        self.line.send(self.request("ACK", cseq=self.invite_cseq))

    # ---- whole calls

    async def place(self, number):
        self.us, self.them = f"<sip:v@{self.line.host}>", f"<sip:{number}@{self.line.domain}>"
        self.target = f"sip:{number}@{self.line.domain}"
        answer = await self.ask("INVITE", self.sdp())
        self.invite_cseq = self.cseq
        if answer.status >= 300:
            self.line.send(self.request("ACK", cseq=self.invite_cseq, branch=self.branch))
        assert answer.status == 200, f"INVITE: {answer.start}"
        self.to_tag = ";tag=" + re.search(r";tag=([^;>\s]+)", answer.header("To")).group(1)
        self.target = re.search(r"<([^>]+)>", answer.header("Contact")).group(1)
        self.ack()
        self.sound.remote = (re.search(r"c=IN IP4 (\S+)", answer.body).group(1), number_of(r"m=audio (\d+)", answer.body, "audio"))

    async def be_called(self, invite):
        self.us, self.them = invite.header("To"), invite.header("From")
        self.to_tag = ""
        self.target = re.search(r"<([^>]+)>", invite.header("Contact")).group(1)
        self.us = f"<{re.search(r'<([^>]+)>', self.us).group(1)}>"
        self.sound.remote = (re.search(r"c=IN IP4 (\S+)", invite.body).group(1), number_of(r"m=audio (\d+)", invite.body, "audio"))
        self.acknowledged = asyncio.Event()
        self.respond(invite, 180)
        await asyncio.sleep(random.uniform(0.05, 0.5))
        text = self.respond(invite, 200, self.sdp())
        wait, spent = T1, 0.0
        while spent < GIVE_UP:
            try:
                return await asyncio.wait_for(self.acknowledged.wait(), wait)
            except asyncio.TimeoutError:
                spent += wait
                wait = min(2 * wait, T2)
                self.line.send(text)
        raise AssertionError("no ACK")

    async def hang_up(self):
        answer = await self.ask("BYE")
        assert answer.status == 200, f"BYE: {answer.start}"

    async def speak(self, seconds):
        """Ten packets a second, so that the line is not dead."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end and not self.over.is_set():
            self.sound.say()
            await asyncio.sleep(0.1)


class Line(asyncio.DatagramProtocol):
    """The SIP side of all phones of one customer."""

    def __init__(self, server, domain):
        self.server, self.domain = server.sip_udp, domain
        self.calls, self.invited = {}, {}

    def connection_made(self, transport):
        self.transport = transport
        self.host, self.port = transport.get_extra_info("sockname")

    def error_received(self, _):
        pass

    def send(self, text):
        self.transport.sendto(text.encode("latin-1"), self.server)

    def datagram_received(self, data, _):
        message = Message(data.decode("latin-1"))
        call = self.calls.get(message.header("Call-ID"))
        if call:
            call.take(message)
        elif message.method == "INVITE":
            callee = re.search(r"sip:(\w+)@", message.start).group(1)
            if callee in self.invited and not self.invited[callee].done():
                self.invited[callee].set_result(message)


class Customer:
    """All phones of one domain. `failures`: sentences."""

    def __init__(self, server, domain, host, legs, draws):
        self.server, self.domain, self.host, self.legs = server, domain, host, legs
        self.draws = draws
        self.failures, self.done = [], {"menu": 0, "pair": 0}
        self.until = 0

    async def run(self, until):
        loop = asyncio.get_running_loop()
        self.until = until
        _, self.line = await loop.create_datagram_endpoint(lambda: Line(self.server, self.domain), local_addr=(self.host, 0))
        pairs = self.legs // 3
        menus = self.legs - 2 * pairs
        await asyncio.gather(*[self._again(self._menu, "menu", at) for at in range(menus)], *[self._again(self._pair, "pair", at) for at in range(pairs)])
        self.line.transport.close()

    async def _again(self, scene, name, at):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.draws.uniform(0, 5))
        while loop.time() < self.until:
            try:
                await scene(at)
                self.done[name] += 1
            except (AssertionError, AttributeError, asyncio.TimeoutError) as problem:
                self.failures.append(f"{self.domain} {name}: {problem!r}")
            await asyncio.sleep(self.draws.uniform(0.1, 1))

    async def _call(self, call_id, mark):
        _, sound = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Sound(mark), local_addr=(self.host, 0))
        call = Call(self.line, call_id, sound)
        if call_id:
            self.line.calls[call_id] = call
        return call

    def _close(self, call):
        call.sound.transport.close()
        # What comes again is still answered for a while.
        asyncio.get_running_loop().call_later(40, self.line.calls.pop, call.call_id, None)

    async def _menu(self, at):
        """Hears a prompt, and presses 5 or hangs up."""
        call = await self._call(f"menu-{at}-{random.getrandbits(48):x}", 0x11)
        try:
            await call.place("100")
            await call.speak(self.draws.uniform(2, 12))
            heard, loud = call.sound.heard, call.sound.loud
            assert heard and loud >= LOUD_SHARE * heard, f"heard {heard} packets, {loud} of the prompt"
            if self.draws.random() < 0.5:
                call.sound.press(5)
                await asyncio.wait_for(call.over.wait(), 20)
            else:
                await call.hang_up()
        finally:
            self._close(call)

    async def _pair(self, at):
        """Calls somebody, and both hear each other; either hangs up."""
        name = f"bob{at}x{random.getrandbits(32):x}"
        invited = self.line.invited[name] = asyncio.get_running_loop().create_future()
        caller = await self._call(f"pair-{at}-{random.getrandbits(48):x}", 0x22)
        callee = await self._call("", 0x33)
        caller.sound.other_mark, callee.sound.other_mark = callee.sound.mark, caller.sound.mark

        async def be_called():
            invite = await asyncio.wait_for(invited, 30)
            callee.call_id = invite.header("Call-ID")
            self.line.calls[callee.call_id] = callee
            await callee.be_called(invite)
        try:
            await asyncio.gather(caller.place("2" + name), be_called())
            callee.cseq = 1
            callee.tag, callee.to_tag = callee.tag, ";tag=" + re.search(r";tag=([^;>\s]+)", callee.them).group(1)
            callee.them = callee.them.split(";tag=")[0]
            seconds = self.draws.uniform(2, 12)
            await asyncio.gather(caller.speak(seconds), callee.speak(seconds))
            for one, other in ((caller, callee), (callee, caller)):
                assert one.sound.of_other >= PASSED_SHARE * other.sound.sent, f"heard {one.sound.of_other} of {other.sound.sent}"
            first, second = (caller, callee) if self.draws.random() < 0.5 else (callee, caller)
            await first.hang_up()
            await asyncio.wait_for(second.over.wait(), 20)
        finally:
            del self.line.invited[name]
            self._close(caller)
            self._close(callee)
