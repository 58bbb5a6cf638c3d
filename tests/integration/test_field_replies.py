"""What real applications answer: each file of tests/field/replies is one reply, octet for octet, with what must come of it (docs/testing.md)."""

import gzip
import pathlib
import re
import tomllib

import pytest
from support.application import Octets
from support.waiting import wait_until
from test_field_sip import includes

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "field" / "replies"
KEYS = {"about", "event", "reply", "gzip", "server", "replies", "variants", "then"}


def cases():
    for file in sorted(FOLDER.glob("*.toml")):
        case = tomllib.loads(file.read_text())
        assert set(case) <= KEYS, f"{file.name}: unknown keys {set(case) - KEYS}"
        for name, more in case.get("variants", {"": {}}).items():
            assert set(more) <= KEYS, f"{file.name}: unknown keys {set(more) - KEYS}"
            yield pytest.param({**case, **more}, id="-".join(filter(None, [file.stem, name])))


def octets(case):
    """The reply as it goes over the wire: each character is one byte. Without a length it gets that of its body."""
    text, interim = case["reply"], b""
    while re.match(r"HTTP/\S+ 1\d\d", text):
        head, _, text = text.partition("\n\n")
        interim += head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n"
    head, _, body = text.partition("\n\n") if text.startswith("HTTP/") else ("HTTP/1.1 200 OK\nContent-Type: application/json", "", text)
    body = body.encode("latin-1")
    if case.get("gzip"):
        body = gzip.compress(body)
        head += "\nContent-Encoding: gzip"
    if not re.search(r"(?im)^(content-length|transfer-encoding|connection: close)", head):
        head += f"\nContent-Length: {len(body)}"
    return interim + head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body


class Play:
    def __init__(self, caller, server, application):
        self.caller, self.server, self.application = caller, server, application
        self.taken_before = self.taken()

    def taken(self):
        """How many commands for the IVR the server has read."""
        return self.server.metrics().get('ringwright_callback_seconds_count{event="getIvrCommand",result="ok"}', 0)

    def run(self, steps):
        for number, step in enumerate(steps, 1):
            step = dict(step)
            kind = next(iter(step))
            try:
                getattr(self, "step_" + kind)(step.pop(kind), **step)
            except AssertionError as problem:
                raise AssertionError(f"step {number} ({kind}): {problem}") from problem

    def answered(self):
        answer = self.caller.wait_final()
        if answer.status == 200:
            self.caller.follow(answer)
            self.caller.ack()
        else:
            self.caller.ack_refusal()
        return answer.status

    def step_status(self, expected):
        status = self.answered()
        assert status == expected, f"{status} instead of {expected}"

    def step_hear(self, hertz):
        self.caller.rtp.wait_for_tone(hertz)

    def step_press(self, digits):
        """Not before the menu runs: a command may flush what has been pressed until then."""
        self.application.wait_for("getIvrCommand")
        wait_until(lambda: self.taken() > self.taken_before, "no command has been read")
        self.caller.rtp.press(digits)

    def step_event(self, name, count=1, has=None, octets=None, absent=()):
        request = self.application.wait_for(name, count)
        for member, expected in (has or {}).items():
            assert includes(expected, request.body.get(member)), f"{name}: {member} is {request.body.get(member)!r}, not {expected!r}"
        for member in absent:
            assert member not in request.body, f"{name}: there is {member}"
        assert octets is None or octets.encode() in request.raw, f"{name}: {octets} is not in {request.raw!r}"

    def step_alarm(self, error, has=None):
        body = self.application.wait_alarm(error)
        for member, expected in (has or {}).items():
            assert includes(expected, body.get(member)), f"{error}: {member} is {body.get(member)!r}, not {expected!r}"

    def step_no_alarm(self, _):
        assert self.application.events("alarms") == [], [one.body for one in self.application.events("alarms")]

    def step_log(self, pattern, count=1):
        lines = [line for line in self.server.log().splitlines() if re.search(pattern, line)]
        assert len(lines) == count, f"{len(lines)} lines have {pattern!r}"

    def step_completed(self, reason):
        self.application.completed(reason)

    def step_hang_up(self, _):
        self.caller.hang_up()


@pytest.mark.parametrize("case", cases())
def test_a_reply_from_the_field(request, case):
    application = request.getfixturevalue("application")
    settings = case.get("server")
    server = request.getfixturevalue("server") if settings is None else request.getfixturevalue("own_server")(**settings)
    caller = request.getfixturevalue("phone")(server)
    application.replies |= {name: reply for name, reply in case.get("replies", {}).items()}
    event = case["event"]
    after = {"getIvrCommand": [{"getIVRCommandAfter": 30}]}.get(event, [])
    application.replies[event] = [Octets(octets(case)), *after]
    play = Play(caller, server, application)
    caller.invite()
    if event not in ("newCall", "callEvent"):
        assert play.answered() == 200
    play.run(case["then"])
