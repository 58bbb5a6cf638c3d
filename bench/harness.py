"""What every scenario needs: the tools, the server under test, SIPp, and what they cost.

Everything runs on loopback and ends with the `with` block that started it.
"""

import csv
import json
import math
import os
import re
import resource
import select
import socket
import subprocess
import tempfile
import time
import urllib.request
import wave
from pathlib import Path

BENCH = Path(__file__).resolve().parent
PROJECT = BENCH.parent
TOOLS = PROJECT / "build" / "bench"
DOMAIN = "bench.localhost"
PROMPT_SECONDS = 90
CANDIDATE_PORTS = iter(range(7000 + os.getpid() % 1000 * 2, 9990, 2))
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def build_tools():
    """Compiles the C++ tools that are older than their sources."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    for source in sorted(BENCH.glob("*.cpp")):
        program = TOOLS / source.stem
        newest = max(one.stat().st_mtime for one in (source, *BENCH.glob("*.h")))
        if program.exists() and program.stat().st_mtime >= newest:
            continue
        libraries = [library for header, library in (("liburing.h", "-luring"), ("opus.h", "-lopus")) if header in source.read_text()]
        subprocess.run(["g++", "-O2", "-std=c++20", "-Wall", "-Wextra", "-isystem", "/usr/include/opus", "-o", program, source, *libraries],
                       check=True)


def raise_file_limit():
    """A leg has two sockets: asks for 65536 open files, or whatever the system allows."""
    wanted = 65536
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port(kind, count=1):
    """A port of `kind` (socket.SOCK_DGRAM or SOCK_STREAM) below the server's RTP range, `count` - 1 free ones after it.

    None is given twice: a program may take a moment to bind what it was told.
    """
    for port in CANDIDATE_PORTS:
        try:
            for offset in range(count):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port + offset))
            return port
        except OSError:
            continue
    raise RuntimeError("no free port below 9990")


def cpu_ms_of(folder):
    """User and system time of a process, or of a thread, by its folder in /proc."""
    fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS_PER_SECOND


class Program:
    """A child process that is gone after the `with` block."""

    def __init__(self, arguments, **options):
        self.process = subprocess.Popen([str(a) for a in arguments], **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class RtpProgram(Program):
    """A tool on one RTP port that obeys commands; `report` gives what arrived since `reset`."""

    def __init__(self, tool, *arguments):
        self.port = free_port(socket.SOCK_DGRAM, 2)
        super().__init__([TOOLS / tool, self.port, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def reset(self):
        self.command("reset")

    def report(self):
        self.command("report")
        return json.loads(self.process.stdout.readline())


class Sink(RtpProgram):
    """The receiver of all RTP."""

    def __init__(self):
        super().__init__("rtp_sink")


class Talker(RtpProgram):
    """The phones of one side of relayed calls; `codec` is PCMA, PCMU or opus."""

    def __init__(self, codec):
        super().__init__("rtp_talker", codec)


class Application(Program):
    """The customer's application; `mode` is play, hangup or call:PORT."""

    def __init__(self, mode):
        self.port = free_port(socket.SOCK_STREAM)
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__([TOOLS / "application", self.port, mode])

    def get(self, what):
        for _ in range(50):
            try:
                with urllib.request.urlopen(f"{self.url}/{what}", timeout=10) as answer:
                    return json.load(answer)
            except OSError:  # not listening yet
                time.sleep(0.02)
        raise RuntimeError("the benchmark's application does not answer")

    def counts(self):
        return self.get("counts")


class Server(Program):
    """The real server with high limits, its data in a temporary folder. `service`, `more`: further lines of its configuration, of the
    mediaservice and after it; `domain`: in place of no authorisation."""

    def __init__(self, application, domain='auth = "none"', service="", more=""):
        self.parts = domain, service, more
        self.binary = Path(os.environ.get("RINGWRIGHT_BINARY", PROJECT / "build" / "release" / "src" / "ringwright"))
        if not self.binary.exists():
            raise SystemExit(f"{self.binary} is missing: build it first (make build) or set RINGWRIGHT_BINARY")
        self.folder = tempfile.TemporaryDirectory(prefix="ringwright-bench-")
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.http_port = free_port(socket.SOCK_STREAM)
        configuration = Path(self.folder.name) / "bench.toml"
        configuration.write_text(self.configuration(application))
        self.log = open(Path(self.folder.name) / "log", "w+")
        super().__init__([self.binary, "serve", "--config", configuration], stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.await_ready()

    def configuration(self, application):
        domain, service, more = self.parts
        extra = os.environ.get("BENCH_EXTRA_CONFIGURATION", "")
        return f"""
[server]
node_id = "bench"
data_dir = "{self.folder.name}/data"
[log]
level = "warning"
[http]
listen = ["127.0.0.1:{self.http_port}"]
[sip]
listen = ["udp:127.0.0.1:{self.sip_port}"]
[media]
ports = [10000, 59999]
codecs = ["PCMA", "PCMU", "opus"]
rtp_timeout = 600
[limits]
max_calls = 5000
calls_per_second = 2000
[[domains]]
name = "{DOMAIN}"
aliases = ["127.0.0.1"]
{domain}
[[domains.mediaservices]]
id = "main"
numbers = ["*"]
callback_url = "{application.url}"
{service}
{extra}
{more}
"""

    def await_ready(self):
        readable, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline() if readable else ""
        if not line.startswith("ready"):
            self.log.seek(0)
            problem = self.log.read()[-2000:]
            self.stop()
            raise SystemExit(f"the server did not become ready: {line.strip()} {problem}")

    def stop(self):
        self.process.kill()  # a drain would wait for the calls; what they leave is in the temporary folder
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def complaints(self):
        """How many lines the server has logged (warnings and worse), and the last of them."""
        self.log.flush()
        lines = Path(self.log.name).read_text(errors="replace").splitlines()
        return len(lines), lines[-1] if lines else ""

    def upload_prompt(self, seconds=PROMPT_SECONDS):
        path = Path(self.folder.name) / "bench.wav"
        write_prompt(path, seconds)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/{DOMAIN}/promptfile/bench.wav",
            data=path.read_bytes(), method="PUT", headers={"Content-Type": "audio/wav"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    def cpu_ms(self):
        """User and system time of all threads since the start."""
        return cpu_ms_of(Path(f"/proc/{self.process.pid}"))

    def thread_cpu_ms(self, name):
        """The same of the threads of that name."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(cpu_ms_of(one) for one in threads if (one / "comm").read_text().strip() == name)

    def memory_kb(self):
        """Resident set, and the part of it that is neither program nor file."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return {name.lower(): int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1]) for name in ("Rss", "Pss_Anon")}


def write_prompt(path, seconds):
    """A tone that glides, so that no encoder gets it cheaper than speech: 8 kHz, 16 bit."""
    rate = 8000
    samples = bytearray()
    for i in range(rate * seconds):
        value = int(8000 * math.sin(2 * math.pi * (300 + 5 * i / rate) * i / rate))
        samples += value.to_bytes(2, "little", signed=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(samples))


class Callees(Program):
    """SIPp as everybody who is called: its media go to `port`, in `codec`."""

    FORMATS = {"PCMA": (8, "PCMA/8000"), "PCMU": (0, "PCMU/8000"), "opus": (96, "opus/48000/2")}

    def __init__(self, media_port, codec):
        self.port = free_port(socket.SOCK_DGRAM)
        payload_type, rtpmap = self.FORMATS[codec]
        super().__init__(
            ["sipp", "-sf", BENCH / "sipp" / "callee.xml", "-i", "127.0.0.1", "-p", self.port, "-key", "sink_port", media_port,
             "-key", "payload_type", payload_type, "-key", "codec", rtpmap, "-nostdin", "-buff_size", 8 << 20],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Sipp(Program):
    """SIPp with one of our scenarios; `finish` waits for it and returns what it counted."""

    def __init__(self, scenario, server, sink, calls, rate, hold_ms=0, domain=DOMAIN):
        self.folder = tempfile.TemporaryDirectory(prefix="ringwright-sipp-")
        self.statistics = Path(self.folder.name) / "statistics.csv"
        self.began = time.monotonic()
        super().__init__(
            ["sipp", "-sf", BENCH / "sipp" / f"{scenario}.xml", "-i", "127.0.0.1", "-p", free_port(socket.SOCK_DGRAM),
             "-s", "100", "-key", "sink_port", sink.port, "-key", "domain", domain, "-m", calls, "-r", rate, "-l", calls, "-d", hold_ms,
             "-nostdin", "-trace_stat", "-stf", self.statistics, "-fd", "1", "-buff_size", 8 << 20,
             f"127.0.0.1:{server.sip_port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder.name)

    def finish(self, seconds):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
        self.elapsed = time.monotonic() - self.began
        with open(self.statistics) as file:
            row = list(csv.DictReader(file, delimiter=";"))[-1]
        return {"created": int(row["TotalCallCreated"]), "succeeded": int(row["SuccessfulCall(C)"]),
                "failed": int(row["FailedCall(C)"]), "retransmissions": int(row["Retransmissions(C)"])}


def floor(how, legs, seconds, port):
    """The kernel's price of a leg-second in ms, `legs` sending to `port` by send or io_uring; None where the latter is not allowed."""
    done = subprocess.run([TOOLS / "floor", how, str(legs), str(seconds), str(port)], capture_output=True, text=True)
    return json.loads(done.stdout)["ms_per_leg_second"] if done.returncode == 0 else None


def relay_floor(how, calls, seconds):
    """The kernel's price of a relayed call-second in ms; None where io_uring is not allowed."""
    with Talker("PCMA") as callers, Talker("PCMA") as callees:
        done = subprocess.run([TOOLS / "relay_floor", how, str(calls), str(seconds), str(callers.port), str(callees.port)],
                              capture_output=True, text=True)
    return json.loads(done.stdout)["ms_per_call_second"] if done.returncode == 0 else None
