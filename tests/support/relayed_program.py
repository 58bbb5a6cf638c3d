"""A program that is an application: it runs as a user would run it, and the tests' application passes each callback on to it, so that what
is asked and answered is known and checked like everything else."""

import http.client
import json
import os
import queue
import signal
import urllib.parse

from .application import SCHEMAS, Raw
from .process import Process


class RelayedProgram:
    """`command`, with a port behind it. `said`: what was asked and answered, in that order."""

    def __init__(self, command, application, server, arguments=(), environment=None):
        self.said = []
        self.url = queue.Queue()
        application.replies = {event: self._pass_on(event) for event in SCHEMAS}
        self.process = Process([*command, "0", *arguments], env={
            **os.environ, "PYTHONUNBUFFERED": "1", "RINGWRIGHT": f"{server.url}/{server.domain}", **(environment or {})})
        self.address = urllib.parse.urlsplit(self.process.wait_line("listening on ").split()[-1]).netloc
        self.url.put(self.address)

    def _pass_on(self, event):
        def reply(body):
            self.url.put(self.url.get(timeout=20))  # a program may place a call before it has said where it listens
            answer = self.ask(event, body)
            self.said.append((event, body, answer))
            return answer if isinstance(answer, dict) else Raw(500)
        return reply

    def ask(self, path, body):
        """What the program answers to a POST of its own."""
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request("POST", "/" + path, json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException) as problem:
            raise AssertionError(f"the program did not answer {path} {body}: {problem!r}; it said {self.process.rest()}") from problem
        finally:
            connection.close()

    def stop(self):
        self.process.stop(signal.SIGKILL)
