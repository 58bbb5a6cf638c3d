#!/usr/bin/env python3
"""A Ringwright application: greets the caller, asks for a number, says it, hangs up. Python 3, nothing to install.

Run: python3 application.py [PORT]; Ringwright's callback_url is then http://127.0.0.1:PORT
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def say(text):
    return {"format": "tts", "text": text}


def new_call(call):
    """Somebody calls. Take the call to the IVR; sessionReferenceId comes back with every later request of the call."""
    print(f"{call['callingParty']} calls {call['calledParty']}")
    return {"action": "ivr", "sessionReferenceId": "greeted"}


def next_command(request):
    """The IVR asks what to do next."""
    if request.get("sessionReferenceId") == "greeted":
        return {
            "sessionReferenceId": "asked",
            "phrases": [say("Hello. Please enter your customer number, and then the hash key.")],
            "dtmf": {"maxDigits": 8, "terminationKey": "#", "firstTimeout": 10},
            "bargeIn": "all",
            "bargeInOn": "digit",
        }
    digits = request.get("dtmfParams", {}).get("dtmfMatch", "")
    text = "You entered " + ", ".join(digits) if digits else "You entered nothing"
    return {"phrases": [say(text + ". Goodbye.")], "hangup": True}


def completed(session):
    print(f"call over after {session['sessionDuration']} s: {session['reason']}")
    return {}


EVENTS = {"/newCall": new_call, "/getIvrCommand": next_command, "/sessionCompleted": completed}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept open

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps(EVENTS.get(self.path, lambda _: {})(body)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Handler)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
