"""What it costs to trust nobody: authorised commands, signed callbacks, and a neighbour that hangs."""

import datetime
import hashlib
import hmac
import http.client
import json
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness import DOMAIN, PROJECT, Application, Callees, Server, Sink, Sipp
from scenarios import latency_on, wait_until

sys.path.insert(0, str(PROJECT / "tests"))

from support.tokens import Key  # noqa: E402

REGION, ACCESS_KEY, SECRET = "eu-north-1", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CONNECTIONS = 4
HANGING = "hanging.localhost"


def aws_headers(path, host, body):
    """Signature Version 4 of a POST."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/execute-api/aws4_request"
    request = f"POST\n{path}\n\nhost:{host}\nx-amz-date:{stamp}\n\nhost;x-amz-date\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {"X-Amz-Date": stamp,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"}


class Devices:
    """Places calls over the REST API at a steady rate, on some connections that are kept alive, and hangs up when told."""

    def __init__(self, server, callee_port, media_port, scheme, key):
        self.host = f"127.0.0.1:{server.http_port}"
        self.path = f"/{DOMAIN}/placeremotecall" + ("" if scheme == "aws" else "jwt")
        self.scheme, self.bearer = scheme, {"Authorization": "Bearer " + key.token()} if scheme == "jwt" else {}
        self.body = json.dumps({"codec": "PCMA", "destinationUri": f"sip:callee@127.0.0.1:{callee_port}", "sourceUser": "device",
                                "telephoneEventPayloadType": 101, "receiveIp": "127.0.0.1", "receivePort": media_port}).encode()
        self.placed, self.failed, self.reply_ids = 0, 0, []
        self.lock = threading.Lock()

    def command(self, connection, path, body):
        headers = aws_headers(path, self.host, body) if self.scheme == "aws" else self.bearer
        connection.request("POST", path, body, {"Host": self.host, "Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def run(self, rate, seconds):
        def work(number):
            connection = http.client.HTTPConnection(self.host, timeout=20)
            due = time.monotonic() + number / rate
            for _ in range(int(rate * seconds / CONNECTIONS)):
                time.sleep(max(0, due - time.monotonic()))
                due += CONNECTIONS / rate
                status, raw = self.command(connection, self.path, self.body)
                with self.lock:
                    self.placed, self.failed = self.placed + 1, self.failed + (status != 200)
                if status == 200:
                    reply_id = json.dumps({"replyId": json.loads(raw)["replyId"]}).encode()
                    self.command(connection, self.path.replace("placeremotecall", "hangupcall"), reply_id)
            connection.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def variants(folder):
    """Name, how commands are authorised, the domain's configuration, the mediaservice's."""
    keys = {kind: Key(kind) for kind in ("RS256", "ES256")}
    for kind, key in keys.items():
        (folder / f"{kind}.pem").write_bytes(key.private_pem())
        (folder / f"{kind}.pub").write_bytes(key.public_pem())
    open_domain = 'auth = "none"'
    jwt = f'auth = "token"\njwt_public_keys = ["{folder}/RS256.pub"]'
    aws = f'auth = "token"\naccess_keys = [{{ id = "{ACCESS_KEY}", secret = "{SECRET}", region = "{REGION}" }}]'
    signed = {kind: f'signing_key = "{folder}/{kind}.pem"' for kind in keys}
    yield "without", "none", keys["RS256"], open_domain, ""
    yield "JWT (RS256)", "jwt", keys["RS256"], jwt, ""
    yield "Signature V4", "aws", keys["RS256"], aws, ""
    yield "callbacks signed with ES256", "none", keys["RS256"], open_domain, signed["ES256"]
    yield "callbacks signed with RS256", "none", keys["RS256"], open_domain, signed["RS256"]
    yield "JWT, ES256", "jwt", keys["RS256"], jwt, signed["ES256"]
    yield "Signature V4, ES256", "aws", keys["RS256"], aws, signed["ES256"]
    yield "without, again", "none", keys["RS256"], open_domain, ""


def placed_calls(rate, seconds):
    """Devices place calls and hang up at once when they are told of the answer; the server's CPU for each call."""
    results = []
    with tempfile.TemporaryDirectory(prefix="ringwright-keys-") as folder:
        for name, scheme, key, domain, service in variants(Path(folder)):
            domain += '\nallow_media = ["127.0.0.0/8"]'
            with Sink() as sink, Callees(sink.port, "PCMA") as answering, Application("hangup") as application, \
                    Server(application, domain, service) as server:
                application.counts()
                devices = Devices(server, answering.port, sink.port, scheme, key)
                devices.run(50, 1)
                warm = devices.placed
                wait_until(lambda: application.counts().get("sessionCompleted", 0) >= warm, 10)
                cpu, outbox = server.cpu_ms(), server.thread_cpu_ms("outbox")
                devices.run(rate, seconds)
                done = wait_until(lambda: application.counts().get("sessionCompleted", 0) >= devices.placed, 30)
                cpu, outbox = server.cpu_ms() - cpu, server.thread_cpu_ms("outbox") - outbox
                calls = devices.placed - warm
                results.append({"name": name, "calls": calls, "clean": done and devices.failed == 0,
                                "cpu_ms_per_call": cpu / calls, "outbox_ms_per_call": outbox / calls, "complaints": server.complaints()})
                print(f"  {results[-1]}", file=sys.stderr, flush=True)
    base = (results[0]["cpu_ms_per_call"] + results[-1]["cpu_ms_per_call"]) / 2
    for one in results:
        one["added"] = one["cpu_ms_per_call"] / base - 1
    return {"rate": rate, "variants": results}


class HangingApplication:
    """Takes connections and requests, and never answers."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.kept = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                self.kept.append(self.listener.accept()[0])
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for one in self.kept:
            one.close()


def neighbour(calls, rate):
    """INVITE to newCall of one domain's calls: alone, while another domain's application hangs, alone again."""
    hanging = HangingApplication()
    more = (f'[[domains]]\nname = "{HANGING}"\nauth = "none"\n[[domains.mediaservices]]\nid = "main"\nnumbers = ["*"]\n'
            f'callback_url = "{hanging.url}"')
    with Application("hangup") as application, Sink() as sink, Server(application, more=more) as server:
        application.counts()
        before = latency_on(server, application, sink, calls, rate)
        with Sipp("short_call", server, sink, 100_000, 50, domain=HANGING):
            time.sleep(3)
            during = latency_on(server, application, sink, calls, rate)
        time.sleep(20)  # what hangs is given up
        after = latency_on(server, application, sink, calls, rate)
        complaints = server.complaints()
    hanging.close()
    return {"calls": calls, "alone": before, "beside one that hangs": during, "alone again": after, "complaints": complaints}


def measure(quick):
    return {"placed": placed_calls(100, 3 if quick else 10), "neighbour": neighbour(100 if quick else 500, 50)}
