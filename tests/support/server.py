"""The real server, as a process, with a configuration of its own."""

import http.client
import json
import os
import pathlib
import queue
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from .description import Description
from .small_disk import SmallDisk

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("RINGWRIGHT_BINARY", ROOT / "build/release/src/ringwright")).resolve()
SANITIZED = any(name in str(BINARY) for name in ("asan", "tsan"))
DESCRIPTION = Description()


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    return json.dumps(value)


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def body(self):
        return json.loads(self.raw)


class Server:
    """`settings`: tables of the configuration that add to or replace the usual ones; `service`: the same for the mediaservice (None: without that key);
    `trunks`: of the domain; `domain_keys`: further keys of it; `more`: text for the end of the file; `small_disk`: a folder of the data
    and how many bytes fit into it; `disk_size`: the same for all data, and for all its processes; `popen`: how the process is started."""

    domain = "demo.example"

    def __init__(self, callback_url, settings=None, service=None, second_domain=False, trunks=(), more="", domain_keys=None, small_disk=None, disk_size=None, popen=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringwright-test-"))
        first = random.randrange(10000, 30000, 2)
        tables = {
            "server": {"node_id": "test", "data_dir": str(self.folder / "var"), "drain_timeout": 2},
            "log": {"format": "json", "level": "info"},
            "http": {"listen": ["127.0.0.1:0"]},
            "sip": {"listen": ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"], "min_session_expires": 2},
            "media": {"address": "127.0.0.1", "ports": [first, first + 399], "port_rest": 0.2},
            "callbacks": {"connect_timeout": 1.0, "answer_timeout": 1.0, "total_timeout": 4.0},
        }
        for name, table in (settings or {}).items():
            tables.setdefault(name, {}).update(table)
        lines = []
        for name, table in tables.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {toml(value)}" for key, value in table.items()]
        self.small_disk = small_disk
        self.disk = SmallDisk(self.folder / "var", disk_size) if disk_size else None
        self.popen = popen or {}
        self.former = []
        lines += self._domain(self.domain, callback_url, {"id": "main", "numbers": ["1*", "main"], **(service or {})}, ["127.0.0.1"], trunks, domain_keys or {})
        if second_domain:
            lines += self._domain("other.example", callback_url, {"id": "other", "numbers": ["*"]}, [])
        self.file = self.folder / "ringwright.toml"
        self.file.write_text("\n".join(lines) + "\n" + more)
        self.start()

    @staticmethod
    def _domain(name, callback_url, service, aliases, trunks=(), keys={}):
        service = {"callback_url": callback_url, "alarm_url": callback_url + "/alarms", **service}
        keys = {"auth": "none", **keys}
        return ["[[domains]]", f'name = "{name}"', f"aliases = {toml(aliases)}", f"trunks = {toml(list(trunks))}",
                *[f"{key} = {toml(value)}" for key, value in keys.items()],
                "[[domains.mediaservices]]",
                *[f"{key} = {toml(value)}" for key, value in service.items() if value is not None]]

    def start(self):
        self.errors = open(self.folder / "stderr", "ab")
        command = [str(BINARY), "serve", "--config", str(self.file)]
        if self.small_disk:
            folder = self.folder / "var" / self.small_disk[0]
            folder.mkdir(parents=True, exist_ok=True)
            mount = f'mount -t tmpfs -o size={self.small_disk[1]} tmpfs "$0" && exec "$@"'
            command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(folder), *command]
        if self.disk:
            command = [*self.disk.enter, *command]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, text=True, **self.popen)
        lines = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in self.process.stdout], daemon=True).start()
        try:
            self.ready_line = lines.get(timeout=60)
        except queue.Empty:
            raise AssertionError("the server did not say ready: " + self.log()) from None
        words = self.ready_line.split()
        assert words[0] == "ready", self.ready_line
        addresses = words[words.index("sip") + 1].split(",")
        self.sip_udp = self._address(next(one for one in addresses if one.startswith("udp:")))
        self.sip_tcp = self._address(next(one for one in addresses if one.startswith("tcp:")))
        self.url = words[words.index("http") + 1].split(",")[0]
        self.descriptors = self.count_descriptors()

    @staticmethod
    def _address(text):
        _, host, port = text.split(":")
        return host, int(port)

    def count_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def request(self, method, path, body=None, headers=None, raw=None):
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            answer = Answer(error.code, error.headers, error.read())
        if method != "HEAD":
            DESCRIPTION.check_answer(method, path, answer)
            if body is not None and answer.status == 200:
                DESCRIPTION.check_request(method, path, body)
        return answer

    def post(self, command, body, domain=None, **more):
        return self.request("POST", f"/{domain or self.domain}/{command}", body, **more)

    def upload(self, name, content, domain=None):
        return self.request("PUT", f"/{domain or self.domain}/promptfile/{name}", raw=content, headers={"Content-Type": "application/octet-stream"})

    def exchange(self, data, method, path):
        """Sends bytes as they are and reads one answer. For requests that no library would send."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(data)
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            answer = Answer(response.status, response.headers, response.read())
        DESCRIPTION.check_answer(method, path, answer)
        return answer

    def say(self, *pieces):
        """Sends bytes as they are, each piece in a packet of its own, and reads until the server closes the connection."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except ConnectionError:
                pass  # it has heard enough
            got = b""
            while data := connection.recv(65536):
                got += data
            return got

    def metrics(self):
        values = {}
        for line in self.request("GET", "/metrics").raw.decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name] = float(value)
        return values

    def wait_idle(self, timeout=15.0):
        """Nothing is left of any call: sessions, participants, ports, undelivered notifications."""
        names = ("ringwright_sessions", "ringwright_participants", "ringwright_rtp_ports_in_use", "ringwright_media_legs", "ringwright_outbox_pending",
                 "ringwright_recordings_pending")
        deadline = time.monotonic() + timeout
        while True:
            values = self.metrics()
            left = {name: values[name] for name in names if values[name] != 0}
            if not left:
                return
            assert time.monotonic() < deadline, f"left over: {left}"
            threading.Event().wait(0.05)

    def drain(self, timeout=20.0):
        """SIGTERM, and waits until the server has noticed."""
        self.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while self.request("GET", "/readyz").status != 503:
            assert time.monotonic() < deadline, "the server does not drain"
            threading.Event().wait(0.02)

    def log(self):
        self.errors.flush()
        return (self.folder / "stderr").read_text(errors="replace")

    def log_lines(self):
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    def kill(self):
        """As a crash does it."""
        self.process.kill()
        self.process.wait(timeout=30)
        self.errors.close()

    def take_over(self, change=lambda text: text):
        """Starts another process, perhaps with another configuration, that takes over from the one that runs; that one is returned."""
        former, errors = self.process, self.errors
        self.file.write_text(change(self.file.read_text()))
        self.start()
        errors.close()
        self.former.append(former)
        return former

    def reload(self, change):
        """Another configuration, and SIGHUP; waits until the log says what came of it. The lines that it has said."""
        before = len(self.log_lines())
        self.file.write_text(change(self.file.read_text()))
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while not any(line["msg"].startswith(("configuration reloaded", "configuration not reloaded")) for line in self.log_lines()[before:]):
            assert time.monotonic() < deadline and self.process.poll() is None, "the configuration is not read again: " + self.log()[-2000:]
            threading.Event().wait(0.02)
        return self.log_lines()[before:]

    def stop_and_change(self, change):
        """Starts anew with another configuration."""
        self.kill()
        self.file.write_text(change(self.file.read_text()))
        self.start()

    def stop(self):
        """Ends the process by SIGTERM and checks that it ended well."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the server did not stop: " + self.log()[-2000:]) from None
        for former in self.former:  # they end by themselves, when their calls have ended
            try:
                assert former.wait(timeout=30) in (0, -signal.SIGKILL), f"a former process: exit code {former.returncode}: {self.log()[-2000:]}"
            except subprocess.TimeoutExpired:
                former.kill()
                raise AssertionError("a former process did not end: " + self.log()[-2000:]) from None
        log = self.log()
        self.errors.close()
        if self.disk:
            self.disk.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert "Sanitizer" not in log, log[log.index("Sanitizer") - 200:][:6000]
        assert code == 0, f"exit code {code}: {log[-2000:]}"
