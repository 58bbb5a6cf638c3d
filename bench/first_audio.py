"""From the application's reply to the first packet of what it wants heard: one call after the other, on an idle server."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import DOMAIN, PROJECT, Server

sys.path.insert(0, str(PROJECT / "tests"))

from support.softphone import Softphone  # noqa: E402

SILENCE = bytes([0xD5]) * 160
SENTENCE = "Your call is number {} in the queue. Please hold the line, and somebody will be with you as soon as possible. Thank you."


class Application:
    """Answers getIvrCommand with `phrase`, once for each call, and notes when."""

    def __init__(self):
        self.phrase, self.replied, self.played = None, None, threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                event = self.path.rsplit("/", 1)[-1]
                first = event == "getIvrCommand" and owner.replied is None
                reply = {"newCall": {"action": "ivr"}, "getIvrCommand": {"getIVRCommandAfter": 60}}.get(event, {})
                if first:
                    reply = {"phrases": [owner.phrase]}
                body = json.dumps(reply).encode()
                self.send_response_only(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if first:
                    owner.replied = time.time()
                self.wfile.write(body)
                if event == "getIvrCommand" and not first:
                    owner.played.set()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Phone(Softphone):
    """A softphone of the tests, for the server of a benchmark."""

    class Target:
        domain = DOMAIN

        def __init__(self, server):
            self.sip_udp = ("127.0.0.1", server.sip_port)

    def __init__(self, server):
        super().__init__(Phone.Target(server))


def one_call(server, application, phrase, to_the_end=False):
    """Milliseconds from the reply to the first packet that is not silence, by the kernel's time stamp."""
    application.phrase, application.replied = phrase, None
    application.played.clear()
    with Phone(server) as phone:
        phone.call()

        def sounds():
            return application.replied is not None and any(packet.payload != SILENCE for packet in phone.rtp.packets)

        phone.rtp.wait_until(sounds, 30)
        first = next(packet.at for packet in phone.rtp.packets if packet.payload != SILENCE)
        if to_the_end:  # so that it is in the cache
            application.played.wait(30)
        phone.hang_up()
    return (first - application.replied) * 1000


def percentiles(times):
    times = sorted(times)
    return {"p50": times[len(times) // 2], "p99": times[min(len(times) - 1, int(len(times) * 0.99))]}


def measure(calls):
    application = Application()
    with Server(application) as server:
        server.upload_prompt(seconds=1)
        file = {"format": "file", "fileName": "bench.wav"}
        speech = {"format": "tts", "text": "Welcome."}
        one_call(server, application, file, to_the_end=True)
        one_call(server, application, speech, to_the_end=True)
        results = {"calls": calls,
                   "cached file": percentiles([one_call(server, application, file) for _ in range(calls)]),
                   "cached speech": percentiles([one_call(server, application, speech) for _ in range(calls)])}
        results["new speech"] = percentiles([one_call(server, application, {"format": "tts", "text": SENTENCE.format(number)})
                                             for number in range(calls)])
    application.server.shutdown()
    return results
