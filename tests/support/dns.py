"""A small DNS server on a free loopback port: NAPTR, SRV, A and AAAA records, as a test says them."""

import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "NAPTR": 35}


def _name(text):
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _text(text):
    return bytes([len(text)]) + text.encode()


class DnsServer:
    """Names nobody has told it about do not exist. `questions`: what was asked, as (name, type)."""

    def __init__(self):
        self.records = {}
        self.questions = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.closing = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.closing = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()

    def _add(self, name, kind, data, ttl):
        self.records.setdefault((name, TYPES[kind]), []).append((ttl, data))

    def address_of(self, name, address, ttl=60):
        packed = ipaddress.ip_address(address).packed
        self._add(name, "A" if len(packed) == 4 else "AAAA", packed, ttl)

    def srv(self, name, target, port, priority=10, weight=10, ttl=60):
        self._add(name, "SRV", struct.pack("!HHH", priority, weight, port) + _name(target), ttl)

    def naptr(self, name, service, replacement, order=10, preference=10, ttl=60):
        self._add(name, "NAPTR", struct.pack("!HH", order, preference) + _text("s") + _text(service) + _text("") + _name(replacement), ttl)

    def _serve(self):
        while True:
            query, sender = self.socket.recvfrom(4096)
            if self.closing:
                return
            at, labels = 12, []
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            name = ".".join(labels).lower()
            kind = struct.unpack("!H", query[at + 1:at + 3])[0]
            self.questions.append((name, next((one for one, number in TYPES.items() if number == kind), kind)))
            found = self.records.get((name, kind), [])
            flags = 0x8580 if any(known == name for known, _ in self.records) else 0x8583  # or NXDOMAIN
            answer = query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + query[12:at + 5]
            for ttl, data in found:
                answer += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data
            self.socket.sendto(answer, sender)
