"""What an application needs to talk with Ringwright. Python 3, nothing to install: copy it beside your own application."""

import json
import os
import sys
import traceback
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = os.environ.get("RINGWRIGHT", "http://127.0.0.1:8080/example.localhost")


def say(text):
    """A phrase that is spoken."""
    return {"format": "tts", "text": text}


def pressed(request):
    """The digits that the command before has collected; "" if nobody pressed any."""
    return request.get("dtmfParams", {}).get("dtmfMatch", "")


def command(name, **members):
    """Asks Ringwright to do something: command("placeivrcall", destAddr="sip:phone@127.0.0.1:5081"). Returns its answer, refusals as well."""
    request = urllib.request.Request(f"{API}/{name}", json.dumps(members).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def server(events, page=None):
    """An HTTP server for Ringwright's callbacks, on the port that the command line names, or 9000. `events` has a function for each
    callback that matters, from the request's JSON to the reply's; all others get {}, and alarms are printed. `page` is what a browser
    gets."""

    def other(request):
        if "errorDetails" in request:
            print("alarm:", json.dumps(request), flush=True)
        return {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept open

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                reply = events.get(self.path.strip("/"), other)(body)
            except Exception:
                traceback.print_exc()
                self.answer("text/plain", b"the application has failed", 500)
                return
            self.answer("application/json", json.dumps(reply).encode())

        def do_GET(self):
            self.answer("text/html; charset=utf-8", (page or "").encode())

        def answer(self, kind, content, status=200):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    made = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Handler)
    made.daemon_threads = True
    print(f"listening on http://127.0.0.1:{made.server_address[1]}", flush=True)
    return made
