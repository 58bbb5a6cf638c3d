"""What each attack costs, and what a customer notices of it: its calls and requests beside the same without, turn about
(docs/reliability.md). Prints the table."""

import argparse
import multiprocessing
import os
import pathlib
import random
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import attacks  # noqa: E402
from run import CUSTOMERS, OPEN, Application, left_over, start, state_of  # noqa: E402
from support.waiting import happens  # noqa: E402

VICTIM = "demo.example"
PARTS = {
    "strangers' calls": ["calls_without_ack", "calls_that_nobody_lets_in", "cancelled_calls", "guesses"],
    "requests that are no calls": ["long_options", "messages", "datagrams_of_rubbish", "requests_in_a_call"],
    "connections": ["sip_connections", "http_connections", "streams_of_rubbish", "http_framing", "slow_uploads"],
    "tones": ["tones"],
    "speech": ["speech"],
    "loops": ["loops"],
    "RTP to every port": ["rtp"],
    "commands": ["commands"],
}


class Victim:
    """One call after the other, and a request with each: how long each took, in ms."""

    def __init__(self, server):
        self.server, self.draws = server, random.Random()
        self.answered, self.heard, self.requested = [], [], []
        self.failures = 0

    def run(self, until):
        host = CUSTOMERS[VICTIM]
        while time.monotonic() < until:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sound:
                for one in (phone, sound):
                    one.bind((host, 0))
                    one.settimeout(5)
                try:
                    self.call(phone, sound)
                except (TimeoutError, AssertionError):
                    self.failures += 1
            begun = time.monotonic()
            assert self.server.request("GET", f"/{VICTIM}/promptfile").status == 200
            self.requested.append((time.monotonic() - begun) * 1000)
            time.sleep(0.05)  # within what a domain may call in a second

    def call(self, phone, sound):
        host, port = phone.getsockname()
        call = {"call_id": f"{self.draws.getrandbits(64):x}", "tag": f"{self.draws.getrandbits(40):x}"}
        uri = f"sip:100@{VICTIM}"
        begun = time.monotonic()
        phone.sendto(attacks.sip("INVITE", uri, host, port, self.draws, body=attacks.sdp(host, sound.getsockname()[1]), **call), tuple(self.server.sip_udp))
        answer = ""
        while not answer.startswith("SIP/2.0 200"):
            answer = phone.recv(65536).decode("latin-1")
            assert answer[8] in "12", answer
        self.answered.append((time.monotonic() - begun) * 1000)
        call["to_tag"] = ";tag=" + next(line for line in answer.split("\r\n") if line.lower().startswith("to:")).split(";tag=")[1]
        phone.sendto(attacks.sip("ACK", uri, host, port, self.draws, **call), tuple(self.server.sip_udp))
        while sound.recv(2048)[12:].count(0xD5) > 80:
            pass
        self.heard.append((time.monotonic() - begun) * 1000)
        phone.sendto(attacks.sip("BYE", uri, host, port, self.draws, cseq=2, **call), tuple(self.server.sip_udp))
        while "BYE" not in phone.recv(65536).decode("latin-1"):
            pass


def cpu_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(server):
    return next(int(line.split()[1]) // 1024 for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines() if line.startswith("VmRSS"))


def turn(server, place, seconds, only):
    """The victim, what the server took meanwhile, and how often each attack was made."""
    victims = [Victim(server) for _ in range(4)]
    until = time.monotonic() + seconds
    before, begun = cpu_seconds(server), memory(server)
    done, counts = multiprocessing.Queue(), {}
    if only:
        attacking = multiprocessing.Process(target=attacks.run, args=(place, random.getrandbits(32), seconds, 2, only, done))
        attacking.start()
    threads = [threading.Thread(target=one.run, args=(until,)) for one in victims]
    for one in threads:
        one.start()
    most = begun
    while time.monotonic() < until:
        most = max(most, memory(server))
        time.sleep(0.2)
    for one in threads:
        one.join()
    if only:
        counts = done.get(timeout=60)
        attacking.join()
    return victims, cpu_seconds(server) - before, most - begun, counts


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def cells(plain, attacked, what):
    found = []
    for part in (0.5, 0.99):
        without, with_it = (share([value for one in victims for value in getattr(one, what)], part) for victims in (plain, attacked))
        found.append(f"{without:.1f} → {with_it:.1f} (× {with_it / without:.2f})")
    return ", ".join(found)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=10, help="of a turn")
    arguments.add_argument("--turns", type=int, default=2, help="of each attack, with as many without it")
    arguments.add_argument("--part", nargs="*", default=list(PARTS))
    wanted = arguments.parse_args()
    random.seed(1)
    application = Application()
    server, ports = start(application, 40)
    application.server = server
    host, _, port = server.url.rpartition("/")[2].partition(":")
    place = {"udp": server.sip_udp, "tcp": server.sip_tcp, "http": (host, int(port)), "ports": ports, "open": OPEN, "customers": ["nobody.example", "second.example"]}
    print("| attack | made, by name | CPU, s per s | memory | places | answered, p50, p99 | heard, p50, p99 | request, p50, p99 | failures |\n" + "| --- " * 9 + "|")
    try:
        turn(server, place, 5, None)
        for part in wanted.part:
            before = state_of(server, application)
            plain, attacked, cpu, grown, counts, usual = [], [], 0.0, 0, {}, 0.0
            for _ in range(wanted.turns):
                victims, used, _, _ = turn(server, place, wanted.seconds, None)
                plain += victims
                usual += used
                victims, used, more, made = turn(server, place, wanted.seconds, PARTS[part])
                attacked += victims
                cpu += used
                grown = max(grown, more)
                for name, count in made.items():
                    counts[name] = counts.get(name, 0) + count
                happens(lambda before=before: not left_over(server, application, before), 60)
            made = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(counts.items()))
            places = "all back" if not left_over(server, application, before) else "left: " + ", ".join(left_over(server, application, before))
            seconds = wanted.seconds * wanted.turns
            print(f"| {part} | {made} | {usual / seconds:.2f} → {cpu / seconds:.2f} | +{grown} MB | {places} | {cells(plain, attacked, 'answered')} | "
                  f"{cells(plain, attacked, 'heard')} | {cells(plain, attacked, 'requested')} | {sum(one.failures for one in plain)} → {sum(one.failures for one in attacked)} |", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
