"""An application for the server to ask: scripted replies, every request kept and checked against the API's description."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema

from .description import Description

SCHEMAS = {"newCall": "NewCallRequest", "getIvrCommand": "GetIvrCommandRequest", "callAnswered": "CallAnsweredRequest",
           "callNotify": "CallNotifyRequest", "sessionCompleted": "SessionCompletedRequest",
           "getCallIdentifier": "GetCallIdentifierRequest", "alarms": "AlarmRequest", "demo.example": "AlarmRequest", "callEvent": "CallEventRequest",
           "newRemoteCall": "NewRemoteCallRequest", "recordingReady": "RecordingReadyRequest", "fileRecorded": "FileRecordedRequest"}


class Raw:
    """A reply that is not a JSON object: a status, headers, a body, a pause before it."""

    def __init__(self, status=200, body=b"", hold=None, close=False, headers=()):
        self.status, self.body, self.hold, self.close, self.headers = status, body, hold, close, headers


class Octets:
    """A reply as it goes over the wire, status line and all. The connection is closed behind it."""

    def __init__(self, octets):
        self.octets = octets


class Request:
    def __init__(self, event, body, headers, raw, query=""):
        self.event, self.body, self.headers, self.raw, self.query, self.at = event, body, headers, raw, query, time.monotonic()


class Application:
    """`replies[event]`: an object, a list of them (the last one stays), a function of the body, Raw, or Octets.

    It is as strict as an application may be: what is no UTF-8, no JSON, not as openapi/ringwright.yaml describes it, or comes
    without a name of its sender, it answers 400, and the test that let it come about fails."""

    def __init__(self, host="127.0.0.1"):
        self.description = Description()
        self.changed = threading.Condition()
        self.requests = []
        self.problems = []
        self.connections = 0
        self.released = threading.Event()
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                with application.changed:
                    application.connections += 1
                super().setup()

            def do_POST(self):
                application._serve(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server((host, 0), Handler)
        self.url = f"http://{host}:{self.server.server_address[1]}"
        self.reset()
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self.thread.start()

    def reset(self):
        with self.changed:
            self.replies = {"newCall": {"action": "ivr"}, "getIvrCommand": {"getIVRCommandAfter": 30}, "callEvent": {"action": "drop"}}
            self.requests.clear()
            self.problems.clear()
            self.connections = 0
            self.released.set()
            self.released = threading.Event()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def _serve(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        raw = handler.rfile.read(length)
        path, _, query = handler.path.lstrip("/").partition("?")
        event = path.rstrip("/").rsplit("/", 1)[-1]
        released = self.released
        with self.changed:
            body, problem = self._read(event, raw, handler.headers)
            if problem:
                self.problems.append(f"{event}: {problem}")
            self.requests.append(Request(path, body, dict(handler.headers), raw, query))
            reply = self.replies.get(event, {})
            if isinstance(reply, list):
                reply = reply.pop(0) if len(reply) > 1 else reply[0]
            self.changed.notify_all()
        if problem:
            self._write(handler, 400, problem.encode())
            return
        if callable(reply):
            reply = reply(body)
        self.description.trace_callback("alarm" if event == "alarms" else event, reply)
        if isinstance(reply, Octets):
            handler.close_connection = True
            try:
                handler.wfile.write(reply.octets)
            except OSError:
                pass  # the server has had enough of it
        elif isinstance(reply, Raw):
            if reply.hold:
                released.wait(reply.hold)
            if reply.close:
                handler.close_connection = True
                return
            self._write(handler, reply.status, reply.body, reply.headers)
        else:
            self._write(handler, 200, json.dumps(reply).encode())

    def _read(self, event, raw, headers):
        """The body, and what is wrong with the request, or None."""
        try:
            body = json.loads(raw.decode("utf-8"))
        except ValueError as problem:
            return {}, str(problem)[:400]
        if event not in SCHEMAS:
            return body, "unknown event"
        try:
            self.description.check(SCHEMAS[event], body)
        except jsonschema.ValidationError as problem:
            return body, str(problem)[:400]
        if headers.get("Content-Type") != "application/json":
            return body, f"Content-Type {headers.get('Content-Type')}"
        if not headers.get("User-Agent"):
            return body, "no User-Agent"
        return body, None

    @staticmethod
    def _write(handler, status, body, headers=()):
        try:
            handler.send_response(status)
            for name, value in headers:
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            pass

    def events(self, name):
        with self.changed:
            return [request for request in self.requests if request.event.rsplit("/", 1)[-1] == name]

    def wait_for(self, name, count=1, timeout=20.0):
        """The `count`-th request of that event (from 1)."""
        with self.changed:
            def there():
                return len([one for one in self.requests if one.event.rsplit("/", 1)[-1] == name]) >= count
            assert self.changed.wait_for(there, timeout), f"no {name} number {count}; got {[one.event for one in self.requests]}"
        return self.events(name)[count - 1]

    def wait_for_one(self, name, count=1, timeout=20.0, **members):
        """The `count`-th request of that event (from 1) that has these members."""
        with self.changed:
            def there():
                return [one for one in self.requests if one.event.rsplit("/", 1)[-1] == name
                        and all(one.body.get(member) == value for member, value in members.items())]
            assert self.changed.wait_for(lambda: len(there()) >= count, timeout), \
                f"no {name} {members} number {count}; got {[(one.event, one.body) for one in self.requests]}"
            return there()[count - 1]

    def wait_alarm(self, error, timeout=20.0):
        with self.changed:
            def there():
                return [one for one in self.requests if one.event == "alarms" and one.body.get("error") == error]
            assert self.changed.wait_for(there, timeout), f"no alarm {error}; got {[one.body for one in self.requests if one.event == 'alarms']}"
            return there()[0].body

    def changes(self, event, **members):
        """Of each callNotify of that event that has these members, the body."""
        return [one.body for one in self.events("callNotify")
                if one.body["event"] == event and all(one.body.get(name) == value for name, value in members.items())]

    def wait_change(self, event, timeout=20.0, **members):
        """The first of changes()."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.changes(event, **members), timeout), (
                f"no {event} {members}; got {[one.body for one in self.requests]}")
            return self.changes(event, **members)[0]

    def completed(self, reason, timeout=20.0):
        """Waits for sessionCompleted and checks its reason."""
        body = self.wait_for("sessionCompleted", timeout=timeout).body
        assert body["reason"] == reason, body
        return body
