"""A real S3 server that checks signatures (tests/node/s3_server.mjs), the AWS SDK for JavaScript, and a proxy that stands between and
misbehaves."""

import hashlib
import http.client
import http.server
import json
import pathlib
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time

NODE = pathlib.Path(__file__).resolve().parents[1] / "node"
KEY_ID, SECRET, REGION = "S3RVER", "S3RVER", "eu-north-1"  # the server knows these credentials, and any region


class S3Server:
    """With these buckets, which are empty at the start."""

    def __init__(self, *buckets):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringwright-s3-"))
        self.process = subprocess.Popen(["node", "--openssl-legacy-provider", str(NODE / "s3_server.mjs"), str(self.folder), *buckets], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        lines = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in self.process.stdout], daemon=True).start()
        said = []
        while not said or "listening" not in said[-1]:
            try:
                said.append(lines.get(timeout=60))
            except queue.Empty:
                raise AssertionError(f"the S3 server does not start: {said}; is tests/node installed (npm ci)?") from None
        self.port = int(said[-1].split()[1])
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def objects(self, bucket):
        """What is stored: key and bytes."""
        return {one["key"]: bytes.fromhex(one["body"]) for one in sdk("dump", endpoint=self.endpoint, bucket=bucket)}

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


def sdk(job, **arguments):
    """One job of tests/node/s3_sdk.mjs; its answer."""
    ended = subprocess.run(["node", str(NODE / "s3_sdk.mjs"), job], input=json.dumps({"region": REGION, "keyId": KEY_ID, "secret": SECRET, **arguments}),
                           capture_output=True, text=True, timeout=120, cwd=NODE, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def storage(endpoint, bucket="prompts", **more):
    """The table [storage] of a server that uses it."""
    return {"kind": "s3", "endpoint": endpoint, "region": REGION, "bucket": bucket, "access_key_id": KEY_ID, "secret_access_key": SECRET,
            "path_style": True, **more}


class FaultyS3:
    """Passes requests on to an S3 server, but for those that `faults` takes: a list of (method, fault), the first that fits a request is
    used up by it. A fault is a function of the handler and the request's body. `seen`: method, path and headers of each request."""

    def __init__(self, upstream):
        self.upstream, self.faults, self.seen, self.lock = upstream, [], [], threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                owner.handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def fail(self, method, fault, times=1):
        with self.lock:
            self.faults += [(method, fault)] * times

    def count(self, method, part=""):
        with self.lock:
            return sum(1 for one in self.seen if one[0] == method and part in one[1])

    def handle(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self.lock:
            self.seen.append((handler.command, handler.path, dict(handler.headers)))
            fault = next((one for one in self.faults if one[0] in (handler.command, "any")), None)
            if fault:
                self.faults.remove(fault)
        if fault:
            fault[1](self, handler, body)
        else:
            self.answer(handler, *self.forward(handler, body))

    def forward(self, handler, body):
        # The Host header is signed: it has to be the one that the client has sent.
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream.port, timeout=60)
        connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        response = connection.getresponse()
        content = response.read()
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in ("connection", "transfer-encoding", "keep-alive")]
        connection.close()
        return response.status, headers, content

    @staticmethod
    def answer(handler, status, headers, content):
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length" or handler.command == "HEAD":
                handler.send_header(name, value)
        if handler.command != "HEAD":
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content if handler.command != "HEAD" else b"")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def slow_down(faulty, handler, _):
    faulty.answer(handler, 503, [("Content-Type", "application/xml")], b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")


def denied(faulty, handler, _):
    faulty.answer(handler, 403, [("Content-Type", "application/xml")], b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")


def late_error(faulty, handler, _):
    """200, and the failure in the body."""
    faulty.answer(handler, 200, [("Content-Type", "application/xml")], b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>")


def reset(_, handler, __):
    """The connection breaks without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    handler.connection.close()
    handler.close_connection = True


def half(faulty, handler, body):
    """Half of the answer's body, then a closed connection."""
    status, headers, content = faulty.forward(handler, body)
    handler.send_response_only(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content[:len(content) // 2])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def short(faulty, handler, body):
    """Lies: a Content-Length, and a body, that are shorter than the object."""
    status, headers, content = faulty.forward(handler, body)
    faulty.answer(handler, status, headers, content[:-100])


def garbled(faulty, handler, body):
    """The right length, other bytes."""
    status, headers, content = faulty.forward(handler, body)
    faulty.answer(handler, status, headers, content[:-4] + bytes(one ^ 0xff for one in content[-4:]))


def slow(faulty, handler, body):
    """An answer that takes its time."""
    status, headers, content = faulty.forward(handler, body)
    time.sleep(1.5)
    faulty.answer(handler, status, headers, content)


def served_but_lost(faulty, handler, body):
    """The request is served, but the answer never comes."""
    faulty.forward(handler, body)
    reset(faulty, handler, body)


def etag_of(content):
    return hashlib.md5(content).hexdigest()
