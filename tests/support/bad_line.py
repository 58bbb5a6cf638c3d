"""A network that loses, doubles, reorders, delays and bunches packets, between a phone and the server. What becomes of a packet is drawn from
a seed and the packet's number alone: whenever a test runs, and however busy the machine is, the same packets are lost and the same
ones come late."""

import random
import socket
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Weather:
    """What a line does to its packets. The shares are of all packets, 0 to 1."""

    loss: float = 0.0
    burst: float = 0.0  # of packets at which `burst_length` packets in a row begin to be lost
    burst_length: int = 3
    duplicates: float = 0.0  # that come a second time, directly behind the first or a few packets later
    reordered: float = 0.0  # that come 1 to 3 packets later
    late: float = 0.0  # that come 8 to 20 packets later
    bunched: float = 0.0  # at which up to 5 packets begin to be held, to come all at once
    jitter: float = 0.0  # seconds that a packet may be delayed without being overtaken


BAD = Weather(loss=0.05, duplicates=0.05, reordered=0.05, jitter=0.015)
VERY_BAD = Weather(loss=0.15, burst=0.01, duplicates=0.1, reordered=0.1, late=0.02, bunched=0.03, jitter=0.03)
WEATHERS = {
    "loss": Weather(loss=0.2),
    "bursts": Weather(burst=0.03, burst_length=4),
    "duplicates": Weather(duplicates=0.5),
    "reordering": Weather(reordered=0.3),
    "late packets": Weather(late=0.1),
    "bunches": Weather(bunched=0.1),
    "jitter": Weather(jitter=0.05),
    "all of it": VERY_BAD,
}


class Fate:
    """What becomes of the packets of one direction, one after the other."""

    def __init__(self, seed, weather):
        self.random, self.weather = random.Random(seed), weather
        self.losing = self.bunching = 0

    def next(self):
        """Of the next packet: with how many packets later each of its copies comes (0: in its turn; a half more: behind that one), and
        seconds of delay."""
        draw, weather = self.random, self.weather
        # As many numbers are drawn for each packet, so that one kind of trouble does not change what another one hits.
        loss, burst, double, swap, late, bunch, delay = (draw.random() for _ in range(7))
        apart, behind, far, together = draw.randint(0, 3), draw.randint(1, 3), draw.randint(8, 20), draw.randint(2, 5)
        if burst < weather.burst:
            self.losing = weather.burst_length
        if self.losing:
            self.losing -= 1
            return [], 0.0
        if loss < weather.loss:
            return [], 0.0
        first = 0.0
        if late < weather.late:
            first = far + 0.5
        elif swap < weather.reordered:
            first = behind + 0.5
        elif self.bunching:
            first = self.bunching
            self.bunching -= 1
        elif bunch < weather.bunched:
            self.bunching = together - 1
            first = together
        copies = [first, first + apart] if double < weather.duplicates else [first]
        return copies, delay * weather.jitter


class _Direction:
    """One direction: takes packets, and hands them on by `forward` on a thread of its own."""

    longest_wait = 0.3  # seconds, for packets that never come

    def __init__(self, seed, weather, forward):
        self.fate, self.forward = Fate(seed, weather), forward
        self.changed = threading.Condition()
        self.waiting = []  # (number of the packet with which it comes, order, seconds by when at the latest, data)
        self.ready = []  # (when, data)
        self.number = self.order = 0
        self.lost = self.sent = 0
        self.closed = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def put(self, data):
        with self.changed:
            copies, delay = self.fate.next()
            now = time.monotonic()
            self.number += 1
            self.sent += 1
            self.lost += not copies
            for behind in copies:
                self.order += 1
                self.waiting.append((self.number + behind, self.order, now + self.longest_wait, data))
            self._take_due(now, delay)
            self.changed.notify()

    def _release(self, at, data):
        if self.ready:
            at = max(at, self.ready[-1][0])  # jitter alone does not reorder
        self.ready.append((at, data))

    def _take_due(self, now, delay=0.0):
        due = sorted(one for one in self.waiting if one[0] < self.number + 1 or one[2] <= now)
        for one in due:
            self.waiting.remove(one)
            self._release(now + delay, one[3])

    def _run(self):
        with self.changed:
            while not self.closed:
                now = time.monotonic()
                self._take_due(now)
                while self.ready and self.ready[0][0] <= now:
                    self.forward(self.ready.pop(0)[1])
                times = [one[0] for one in self.ready[:1]] + [one[2] for one in self.waiting]
                self.changed.wait(max(0.0, min(times) - now) if times else None)

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.notify()
        self.thread.join()


class BadLine:
    """Stands between a phone's RTP and the server: `port` is what the phone's description has to name. `there`: what happens on the
    way to the server; `back`: on the way to the phone."""

    def __init__(self, rtp, seed, there=Weather(), back=Weather(), address="127.0.0.1"):
        self.rtp = rtp
        self.outer, self.inner = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (self.outer, self.inner):
            one.bind((address, 0))
            one.settimeout(0.2)
        self.port = self.outer.getsockname()[1]
        self.server = None
        self.there = _Direction(f"{seed} there", there, lambda data: self._send(self.outer, data, self.server))
        self.back = _Direction(f"{seed} back", back, lambda data: self._send(self.inner, data, ("127.0.0.1", self.rtp.port)))
        self.closing = False
        self.threads = [threading.Thread(target=self._listen, args=pair, daemon=True)
                        for pair in ((self.inner, self.there), (self.outer, self.back))]
        for thread in self.threads:
            thread.start()

    def connect(self):
        """The phone knows where the server's port is: from now on it speaks through this line."""
        self.server, self.rtp.remote = self.rtp.remote, self.inner.getsockname()

    def _send(self, sock, data, to):
        try:
            if to is not None:
                sock.sendto(data, to)
        except OSError:
            pass  # closed meanwhile

    def _listen(self, sock, direction):
        while not self.closing:
            try:
                direction.put(sock.recv(2048))
            except socket.timeout:
                continue
            except OSError:
                return

    def close(self):
        self.closing = True
        for one in (self.there, self.back):
            one.close()
        for one in (self.outer, self.inner):
            one.close()
        for thread in self.threads:
            thread.join()
