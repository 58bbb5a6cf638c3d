"""One end of an RTP stream: hears what the server plays, and speaks."""

import random
import socket
import struct
import threading
import time
from dataclasses import dataclass

import numpy as np

from .codecs import CODECS, FRAME

SO_TIMESTAMPNS = 35  # not in the socket module


@dataclass
class Packet:
    at: float  # seconds, by the kernel's clock when it came in
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def tone_share(samples, hertz, rate=8000):
    """How much of the signal's power is at `hertz`: 1 for a pure tone, about 0 for anything else."""
    samples = np.asarray(samples, dtype=float)
    power = float(np.dot(samples, samples))
    if power < len(samples) * 100:
        return 0.0
    angle = 2 * np.pi * hertz * np.arange(len(samples)) / rate
    re, im = np.dot(samples, np.cos(angle)), np.dot(samples, np.sin(angle))
    return float(2 * (re * re + im * im) / (power * len(samples)))


def sine(hertz, seconds, amplitude=8000, rate=8000):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


class RtpPeer:
    """Binds an even port and its RTCP neighbour; listens from the start, on a thread of its own."""

    def __init__(self, address="127.0.0.1"):
        self.socket, self.rtcp = self._bind_pair(address)
        self.port = self.socket.getsockname()[1]
        self.packets = []
        self.rtcp_packets = []
        self.changed = threading.Condition()
        self.remote = None
        self.payload_type = 8
        self.telephone_event = 101
        self.packet_frames = 1  # of 20 ms, in each packet of speech
        self.ssrc = random.getrandbits(32)
        self.sequence = random.getrandbits(16)
        self.timestamp = random.getrandbits(32)
        self.closing = threading.Event()
        self.speaker = None
        self.threads = [threading.Thread(target=self._listen, args=(self.socket, self._take), daemon=True),
                        threading.Thread(target=self._listen, args=(self.rtcp, self._take_rtcp), daemon=True)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _bind_pair(address):
        for _ in range(200):
            port = random.randrange(40000, 60000, 2)
            pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            for one in pair:
                one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            try:
                pair[0].bind((address, port))
                pair[1].bind((address, port + 1))
                return pair
            except OSError:
                for one in pair:
                    one.close()
        raise RuntimeError("no free pair of ports")

    def close(self):
        self.closing.set()
        for one in (self.socket, self.rtcp):
            one.close()
        if self.speaker:
            self.speaker.join()

    def _listen(self, sock, take):
        sock.settimeout(0.2)
        while not self.closing.is_set():
            try:
                data, notes, _, _ = sock.recvmsg(2048, 64)
            except socket.timeout:
                continue
            except OSError:
                return
            seconds, nanoseconds = struct.unpack("qq", next(note for level, kind, note in notes if kind == SO_TIMESTAMPNS))
            with self.changed:
                take(data, seconds + nanoseconds / 1e9)
                self.changed.notify_all()

    def _take(self, data, at):
        if len(data) < 12 or data[0] >> 6 != 2:
            return
        sequence, timestamp, ssrc = struct.unpack("!HII", data[2:12])
        self.packets.append(Packet(at, data[1] & 0x7F, bool(data[1] & 0x80), sequence, timestamp, ssrc, data[12:]))

    def _take_rtcp(self, data, _):
        self.rtcp_packets.append(data)

    # ---- hearing

    def wait_until(self, condition, timeout=20.0, what="what was waited for did not come"):
        with self.changed:
            assert self.changed.wait_for(condition, timeout), what

    def wait_for_packets(self, count, timeout=20.0):
        goal = len(self.packets) + count
        self.wait_until(lambda: len(self.packets) >= goal, timeout, f"fewer than {count} packets came")

    def wait_until_quiet(self, seconds=0.3, timeout=20.0):
        """Nothing has come for so long."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while self.changed.wait(seconds):
                assert time.monotonic() < deadline, "packets still come"

    def audio(self, first=0, last=None):
        """The samples of the packets from `first` on, decoded by their payload type."""
        decoders, parts = {}, []
        for packet in self.packets[first:last]:
            if packet.payload_type in CODECS:
                if packet.payload_type not in decoders:
                    decoders[packet.payload_type] = CODECS[packet.payload_type]()
                parts.append(decoders[packet.payload_type].decode(packet.payload))
        return np.concatenate(parts) if parts else np.zeros(0)

    def wait_for_tone(self, hertz, timeout=20.0, frames=6, first=0):
        """Returns the number of the packet at which the tone was found."""
        found = []

        def heard():
            start = max(first, len(self.packets) - frames - 20)
            samples = self.audio(start)  # decoded once: this runs with every packet
            for at in range(start, len(self.packets) - frames + 1):
                if tone_share(samples[(at - start) * FRAME:(at - start + frames) * FRAME], hertz) > 0.7:
                    found.append(at)
                    return True
            return False

        self.wait_until(heard, timeout, f"no {hertz} Hz was heard")
        return found[0]

    def wait_for_silence(self, frames=10, timeout=20.0, first=0):
        def silent():
            if len(self.packets) < first + frames:
                return False
            samples = self.audio(len(self.packets) - frames)
            return len(samples) > 0 and float(np.max(np.abs(samples))) < 100

        self.wait_until(silent, timeout, "it did not become silent")

    def has_tone(self, hertz, first=0, last=None, frames=6):
        last = len(self.packets) if last is None else last
        return any(tone_share(self.audio(at, at + frames), hertz) > 0.7 for at in range(first, last - frames + 1, frames))

    def packets_with_tone(self, hertz):
        """The packets that carry nothing but that tone."""
        samples = self.audio()
        return [packet for at, packet in enumerate(self.packets) if tone_share(samples[at * FRAME:(at + 1) * FRAME], hertz) > 0.9]

    def has_tone_pair(self, low, high, frames=3):
        """Two tones at once, as of a DTMF digit."""
        return any(tone_share(self.audio(at, at + frames), low) > 0.3 and tone_share(self.audio(at, at + frames), high) > 0.3
                   for at in range(max(0, len(self.packets) - 30), len(self.packets) - frames + 1))

    def check_one_stream(self):
        """One source whose numbers and timestamps only grow, without a gap."""
        assert len({packet.ssrc for packet in self.packets}) == 1
        for before, after in zip(self.packets, self.packets[1:]):
            assert (after.sequence - before.sequence) % 65536 == 1, "a sequence number is missing"
            assert 0 < ((after.timestamp - before.timestamp) & 0xFFFFFFFF) < 2 ** 31, "a timestamp goes back"

    def check_continuity(self):
        """One source, no number missing, timestamps in step."""
        packets = [packet for packet in self.packets if packet.payload_type != self.telephone_event]
        assert len({packet.ssrc for packet in self.packets}) == 1
        for before, after in zip(self.packets, self.packets[1:]):
            assert (after.sequence - before.sequence) % 65536 == 1, "a sequence number is missing"
        for before, after in zip(packets, packets[1:]):
            frames = ((after.timestamp - before.timestamp) & 0xFFFFFFFF) / FRAME
            assert frames == int(frames) and frames >= 1, "timestamps are out of step"

    # ---- speaking

    def send(self, payload, payload_type=None, marker=False, timestamp=None, sequence=None, sock=None):
        if sequence is None:
            self.sequence = (self.sequence + 1) % 65536
            sequence = self.sequence
        header = struct.pack("!BBHII", 0x80, (self.payload_type if payload_type is None else payload_type) | (0x80 if marker else 0),
                             sequence, (self.timestamp if timestamp is None else timestamp) & 0xFFFFFFFF, self.ssrc)
        (sock or self.socket).sendto(header + payload, self.remote)

    def speak(self, samples, sock=None, late=0):
        """Sends audio in real time; the first `late` packets come together with the next one."""
        codec = CODECS[self.payload_type]()
        start = time.monotonic()
        frames = self.packet_frames
        for number, at in enumerate(range(0, len(samples) - frames * FRAME + 1, frames * FRAME)):
            self.closing.wait(max(0.0, start + max(number, late) * frames * 0.02 - time.monotonic()))
            self.timestamp += frames * codec.frame_clock
            self.send(b"".join(codec.encode(samples[part:part + FRAME]) for part in range(at, at + frames * FRAME, FRAME)), sock=sock)

    def keep_speaking(self, samples):
        """Speaks on a thread of its own, so that the line is not dead."""
        def loop():
            try:
                while not self.closing.is_set() and not self.stop_speaking.is_set():
                    self.speak(samples)
            except OSError:
                pass
        self.stop_speaking = threading.Event()
        self.speaker = threading.Thread(target=loop, daemon=True)
        self.speaker.start()

    def digit_packets(self, digit, frames=5):
        """The payloads of one digit (RFC 4733): growing, then the end three times."""
        event = "0123456789*#ABCD".index(digit)
        growing = [struct.pack("!BBH", event, 10, (at + 1) * FRAME) for at in range(frames)]
        return growing + [struct.pack("!BBH", event, 0x8A, frames * FRAME)] * 3

    def press(self, digits, with_marker=True, with_end=True, twice=False, shuffled=False):
        """Sends telephone events, one packet per 20 ms of stream time but as fast as the wire takes them."""
        for digit in digits:
            self.timestamp += 20 * FRAME
            payloads = self.digit_packets(digit)
            if not with_end:
                payloads = payloads[:-3]
            packets = []
            for at, payload in enumerate(payloads):
                self.sequence = (self.sequence + 1) % 65536
                packets += [(payload, with_marker and at == 0, self.sequence)] * (2 if twice else 1)
            if shuffled:
                packets.reverse()
            for payload, marker, sequence in packets:
                self.send(payload, self.telephone_event, marker, sequence=sequence)
