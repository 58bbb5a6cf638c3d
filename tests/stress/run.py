"""200 legs of two customers are in calls while strangers and a third customer do what they can: nobody else may notice, and nothing may be left
(docs/testing.md)."""

import argparse
import asyncio
import json
import multiprocessing
import os
import pathlib
import random
import re
import sys
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import attacks  # noqa: E402
from support.server import Server, toml  # noqa: E402
from support.waiting import happens  # noqa: E402
from victims import Customer  # noqa: E402

CUSTOMERS = {"demo.example": "127.0.1.1", "second.example": "127.0.1.2"}
OPEN = "open.example"
PROMPT = {"phrases": [{"fileName": "prompt.wav"}], "bargeIn": "all", "dtmf": {"maxDigits": 1, "firstTimeout": 60}}
SETTLES = 120  # seconds: calls without ACK are over after 32, and so is what lingers behind them


class Application:
    """Answers for all three. `completed`: how sessions of the customers have ended."""

    def __init__(self):
        self.completed, self.alarms, self.lock = {}, {}, threading.Lock()
        self.phones, self.server = {}, None
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                _, whose, event = self.path.split("/")[:3]
                reply = json.dumps(application.reply(whose, event, body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        class Web(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, *_):
                pass  # the server has closed a connection

        self.web = Web(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.web.server_address[1]}"
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def reply(self, whose, event, body):
        if whose == OPEN:
            return self.bad_reply(event, body)
        with self.lock:
            if event == "sessionCompleted":
                ends = self.completed.setdefault(whose, {})
                ends[body["reason"]] = ends.get(body["reason"], 0) + 1
            if event == "alarms":
                self.alarms.setdefault(whose, []).append(body)
        if event == "newCall" and body["calledParty"].startswith("2"):
            host, port = self.phones[whose]()
            return {"action": "call", "destAddr": f"sip:{body['calledParty'][1:]}@{host}:{port}"}
        if event == "getIvrCommand":
            return {"hangup": True} if (body.get("dtmfParams") or {}).get("dtmfMatch") else PROMPT
        return {"action": "ivr"} if event == "newCall" else {"action": "drop"}

    def bad_reply(self, event, body):
        """By the number that was called."""
        number = body.get("calledParty", "")
        if event == "newCall":
            self.numbers[body["sessionId"]] = number
            if number == "loop":
                return {"action": "call", "destAddr": f"sip:loop@{OPEN}:{self.server.sip_udp[1]}"}
            if number == "slow":
                time.sleep(0.3)
            phone = re.fullmatch(r"to(\d+)at([\dx]+)", number)
            if phone:
                return {"action": "call", "destAddr": f"sip:b@{phone.group(2).replace('x', '.')}:{phone.group(1)}"}
            return {"action": "ivr"}
        if event == "getIvrCommand":
            number = self.numbers.get(body["sessionId"])
            if number == "tone":
                return {"phrases": [{"format": "tone", "frequencies": [random.randrange(300, 3000)], "seconds": 3600}] * 3}
            if number == "speech":
                return {"phrases": [{"format": "tts", "text": f"{random.random()} and so on. " * 100}]}
            return {"getIVRCommandAfter": 20}
        return {"action": "drop"}

    numbers = {}


def prompt():
    """A minute of something loud."""
    draws, file = random.Random(1), pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"stress-{os.getpid()}.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"".join(draws.randrange(-9000, 9000).to_bytes(2, "little", signed=True) for _ in range(8000 * 30)))
    content = file.read_bytes()
    file.unlink()
    return content


def start(application, legs):
    first = 10_000
    ports = [first, first + 11 * legs + 2000 - 1]
    more = "\n".join(["", "[[domains]]", 'name = "second.example"', 'auth = "none"',
                      'trunks = ' + toml([{"name": "in", "allow": [CUSTOMERS["second.example"] + "/32"], "key": ""}]).replace(', key = ""', ""),
                      "[[domains.mediaservices]]", 'id = "main"', 'numbers = ["*"]', f'callback_url = "{application.url}/second.example"',
                      f'alarm_url = "{application.url}/second.example/alarms"',
                      "[[domains]]", f'name = "{OPEN}"', 'auth = "none"', "[[domains.mediaservices]]", 'id = "main"', 'numbers = ["*"]',
                      f'callback_url = "{application.url}/{OPEN}"', f'alarm_url = "{application.url}/{OPEN}/alarms"', ""])
    server = Server(application.url + "/demo.example",
                    {"media": {"ports": ports}, "limits": {"max_calls": 40 * legs // 8 + 200}, "sip": {"failed_authorisations_per_minute": 100},
                     "callbacks": {"connect_timeout": 5.0, "answer_timeout": 10.0, "total_timeout": 30.0}},
                    service={"numbers": ["*"]}, trunks=[{"name": "in", "allow": [CUSTOMERS["demo.example"] + "/32"]}], more=more)
    for domain in CUSTOMERS:
        assert server.upload("prompt.wav", prompt(), domain).status == 200
    return server, ports


def connections_to(application):
    """How many are open: the server keeps some of them for later."""
    port = f":{application.web.server_address[1]:04X}"
    with open("/proc/net/tcp") as table:
        return sum(line.split()[2].endswith(port) and line.split()[3] in ("01", "08") for line in table)


def state_of(server, application):
    """What lives: each gauge of /metrics, handles but for connections to the application, threads, memory in MB."""
    gauges = re.findall(r"(?m)^# TYPE (\S+) gauge$", server.request("GET", "/metrics").raw.decode())
    values = server.metrics()
    lives = [one for one in gauges if not one.endswith("_bytes") and one != "ringwright_io_uring"]
    state = {name: value for name, value in values.items() if name.partition("{")[0] in lives}
    with open(f"/proc/{server.process.pid}/status") as status:
        text = status.read()
    return state | {"handles": server.count_descriptors() - connections_to(application), "threads": int(re.search(r"Threads:\s+(\d+)", text).group(1)),
                    "memory": int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) // 1024}


async def play(server, application, seconds, legs, seed):
    customers = [Customer(server, domain, host, legs // len(CUSTOMERS), random.Random(f"{seed}/{domain}")) for domain, host in CUSTOMERS.items()]
    for one in customers:
        application.phones[one.domain] = lambda one=one: (one.line.host, one.line.port)
    until = asyncio.get_running_loop().time() + seconds
    await asyncio.gather(*[one.run(until) for one in customers])
    return customers


def left_over(server, application, before):
    now = state_of(server, application)
    # Loaders that wait for others are begun when they are needed, and stay (docs/architecture.md).
    allowed = {"handles": before["handles"] + 4, "threads": before["threads"] + 48, "memory": float("inf")}
    return {name: value for name, value in now.items() if value > allowed.get(name, before.get(name, 0))}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    arguments.add_argument("--legs", type=int, default=200)
    arguments.add_argument("--attackers", type=int, default=3, help="attacks at once; 0: none")
    arguments.add_argument("--only", nargs="*", default=[], help="names of attacks")
    wanted = arguments.parse_args()
    print(f"seed {wanted.seed}, {wanted.seconds} s, {wanted.legs} legs", flush=True)
    random.seed(wanted.seed)

    application = Application()
    server, ports = start(application, wanted.legs)
    application.server = server
    problems = []
    try:
        asyncio.run(play(server, application, 8, 12, wanted.seed))  # whatever is made once is there
        few = {"handles": 10**6, "threads": 10**6}
        assert happens(lambda: not left_over(server, application, few), SETTLES), f"the first calls leave {left_over(server, application, few)}"
        application.completed.clear()
        before = state_of(server, application)

        done = multiprocessing.Queue()
        _, _, http = server.url.rpartition("/")
        host, _, port = http.partition(":")
        place = {"udp": server.sip_udp, "tcp": server.sip_tcp, "http": (host, int(port)), "ports": ports, "open": OPEN, "customers": list(CUSTOMERS)}
        attacking = multiprocessing.Process(target=attacks.run, args=(place, wanted.seed, wanted.seconds, wanted.attackers, wanted.only, done))
        attacking.start()
        customers = asyncio.run(play(server, application, wanted.seconds, wanted.legs, wanted.seed))
        print("attacks:", json.dumps(done.get(timeout=60)))
        attacking.join()

        for one in customers:
            print(f"{one.domain}: {one.done} calls, {len(one.failures)} failures; sessions ended {application.completed.get(one.domain)}")
            problems += one.failures
            expected = {"normal": sum(one.done.values())}
            if not one.failures and not happens(lambda expected=expected, one=one: application.completed.get(one.domain) == expected, 30):
                problems.append(f"{one.domain}: sessions ended {application.completed.get(one.domain)}, not {expected}")
            problems += [f"{one.domain}: alarm {alarm}" for alarm in application.alarms.get(one.domain, [])]
        print("refused:", {name[32:-2]: int(value) for name, value in server.metrics().items() if name.startswith("ringwright_refused_total") and value})
        if not happens(lambda: not left_over(server, application, before), SETTLES):
            problems.append(f"left over: {left_over(server, application, before)}; before: {before}")
        print("before:", before, "\nafter: ", state_of(server, application))
    finally:
        log = server.log()
        try:
            server.stop()
        except AssertionError as problem:
            problems.append(str(problem))
    for one in problems[:50]:
        print("PROBLEM", one)
    if problems:
        kept = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"stress-{wanted.seed}.log"
        kept.write_text(log)
        print(f"{len(problems)} problems; the log is {kept}; again with --seed {wanted.seed}")
    else:
        print("nobody has noticed, and nothing is left")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
