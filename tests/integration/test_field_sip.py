"""What real phones and carriers send: each file of tests/field/sip is a dialog, with what must come of it (docs/testing.md)."""

import pathlib
import queue
import re
import tomllib

import pytest
from support.plain_phone import PlainPhone, lines_of
from support.rtp_peer import sine

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "field" / "sip"
KEYS = {"about", "transports", "server", "replies", "variants", "repeated", "steps"}


def cases():
    for file in sorted(FOLDER.glob("*.toml")):
        case = tomllib.loads(file.read_text())
        assert set(case) <= KEYS, f"{file.name}: unknown keys {set(case) - KEYS}"
        for variant in case.get("variants", {"": {}}):
            for transport in case.get("transports", ["udp", "tcp"]):
                yield pytest.param(case, variant, transport, id="-".join(filter(None, [file.stem, variant, transport])))


def includes(expected, actual):
    """An object is expected to have these members at least; a text is a regular expression if it stands between slashes."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(includes(value, actual.get(name)) for name, value in expected.items())
    if isinstance(expected, str) and len(expected) > 1 and expected[0] == expected[-1] == "/":
        return isinstance(actual, str) and re.search(expected[1:-1], actual) is not None
    return expected == actual


class Play:
    """Goes through the steps of one case."""

    def __init__(self, case, variant, transport, server, application):
        self.case, self.application = case, application
        self.names = case.get("variants", {}).get(variant, {})
        self.phones = {name: PlainPhone(server, transport) for name in {"caller", *(step.get("phone", "caller") for step in case["steps"])}}
        self.uris = {}
        for name, phone in self.phones.items():
            self.uris[name] = f"sip:{name}@{phone.host}:{phone.port};transport={transport}"
        texts = {name: value for name, value in self.names.items() if isinstance(value, str)}
        texts |= {name: "".join(what["text"].replace("{number}", str(number)) for number in range(what["times"]))
                  for name, what in case.get("repeated", {}).items()}
        for phone in self.phones.values():
            phone.names |= {**self.uris, **texts}

    def close(self):
        for phone in self.phones.values():
            phone.close()

    def value(self, value, phone):
        """A value of the file, with the placeholders filled in. One that is only the name of a variant's value may be of any type."""
        if isinstance(value, str):
            if value[:1] == "{" and value[-1:] == "}" and value[1:-1] in self.names:
                return self.value(self.names[value[1:-1]], phone) if value != self.names[value[1:-1]] else value
            return phone.fill(value)
        if isinstance(value, list):
            return [self.value(one, phone) for one in value]
        if isinstance(value, dict):
            return {name: self.value(one, phone) for name, one in value.items()}
        return value

    def run(self):
        caller = self.phones["caller"]
        for event, reply in self.case.get("replies", {}).items():
            self.application.replies[event] = self.value(reply, caller)
        for number, step in enumerate(self.case["steps"], 1):
            step = dict(step)
            phone = self.phones[step.pop("phone", "caller")]
            kind = next(iter(step))
            try:
                getattr(self, "step_" + kind)(phone, self.value(step.pop(kind), phone), **step)
            except (AssertionError, queue.Empty) as problem:
                raise AssertionError(f"step {number} ({kind}): {problem or 'nothing came'}") from problem

    # ---- what a phone does

    def step_send(self, phone, method, headers=None, body="", type="application/sdp", uri=None):
        phone.send(method, headers=self.value(headers, phone), body=self.value(body, phone), content_type=self.value(type, phone), uri=self.value(uri, phone))

    def step_bytes(self, phone, text, exact=False):
        """A whole message. It has the line ends of SIP, unless it is `exact`; a {length} in it becomes that of the body."""
        text = text if exact else lines_of(text)
        head, gap, body = text.partition("\r\n\r\n")
        phone.send_message(head.replace("{length}", str(len(body))) + gap + body)

    def step_respond(self, phone, status, to="INVITE", headers=None, body="", type="application/sdp", reason="Answer"):
        phone.respond(to, status, headers=self.value(headers, phone), body=self.value(body, phone), content_type=self.value(type, phone), reason=reason)

    def step_speak(self, phone, hertz):
        phone.rtp.keep_speaking(sine(hertz, 1))

    def step_press(self, phone, digits, type=101):
        phone.rtp.telephone_event = type
        phone.rtp.press(digits)

    # ---- what must come of it

    def step_expect(self, phone, what, to=None, headers=None, absent=(), body=(), without=(), keep=None):
        if not isinstance(what, str):
            what = what if isinstance(what, list) else [what]
        message = phone.expect(what, method=self.value(to, phone))
        for name, pattern in self.value(headers or {}, phone).items():
            found = "\n".join(message.all(name))
            assert re.search(pattern, found), f"{message.start}: {name} is {found!r}, not {pattern!r}"
        for name in absent:
            assert message.header(name) is None, f"{message.start}: there is a {name}"
        for pattern in [body] if isinstance(body, str) else body:
            assert re.search(self.value(pattern, phone), message.body, re.M), f"{pattern!r} is not in {message.body!r}"
        for pattern in [without] if isinstance(without, str) else without:
            assert not re.search(self.value(pattern, phone), message.body, re.M), f"{pattern!r} is in {message.body!r}"
        for name, (header, pattern) in (keep or {}).items():
            phone.names[name] = re.search(pattern, message.header(header) or "").group(1)
        audio = re.search(r"^m=audio (\d+)", message.body, re.M)
        if audio and int(audio.group(1)):
            phone.rtp.remote = (re.search(r"^c=IN IP4 (\S+)", message.body, re.M).group(1).strip(), int(audio.group(1)))

    def step_event(self, phone, name, count=1, has=None):
        body = self.application.wait_for(name, count).body
        for member, expected in self.value(has or {}, phone).items():
            assert includes(expected, body.get(member)), f"{name}: {member} is {body.get(member)!r}, not {expected!r}"

    def step_no_event(self, phone, name):
        assert self.application.events(name) == [], f"{name} was asked"

    def step_alarm(self, phone, error, has=None):
        body = self.application.wait_alarm(error)
        for member, expected in self.value(has or {}, phone).items():
            assert includes(expected, body.get(member)), f"{error}: {member} is {body.get(member)!r}, not {expected!r}"

    def step_completed(self, phone, reason):
        self.application.completed(reason)

    def step_hear(self, phone, hertz):
        first = len(phone.rtp.packets)
        if isinstance(hertz, list):
            phone.rtp.wait_until(lambda: phone.rtp.has_tone_pair(*hertz), what=f"{hertz} Hz were not heard at once")
        else:
            phone.rtp.wait_for_tone(hertz, first=first)


@pytest.mark.parametrize("case, variant, transport", cases())
def test_from_the_field(request, case, variant, transport):
    application = request.getfixturevalue("application")
    settings = case.get("server")
    server = request.getfixturevalue("server") if settings is None else request.getfixturevalue("own_server")(**settings)
    play = Play(case, variant, transport, server, application)
    try:
        play.run()
    finally:
        play.close()
