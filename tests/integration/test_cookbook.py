"""Each flow of docs/cookbook.md runs as it is printed there; what Ringwright asks and what the program answers is what the table says."""

import json
import re
import subprocess

import pytest
from support.application import Raw
from support.called_phone import CalledPhone
from support.relayed_program import RelayedProgram
from support.rtp_peer import sine
from support.server import ROOT
from support.softphone import Softphone
from support.speech import speaks

PAGE = (ROOT / "docs" / "cookbook.md").read_text()
FLOWS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M))
QUESTIONS = ("newCall", "getIvrCommand", "callEvent")


class Kitchen:
    """The phones that a flow names, and those who call."""

    def __init__(self, server, text):
        self.server = server
        self.phones = {}
        for port in sorted(set(re.findall(r"sip:phone@127\.0\.0\.1:(508\d)", text))):
            self.phones[port] = CalledPhone(server, pick_up=False)
            text = text.replace(f"sip:phone@127.0.0.1:{port}", self.phones[port].uri)
        self.text = text
        self.callers = []

    def dial(self, number="100"):
        self.callers.append(Softphone(self.server, user=number))
        return self.callers[-1]

    def answers(self, port):
        """The phone of that port is rung, and picks up."""
        phone = self.phones[port]
        phone.wait_request("INVITE")
        phone.answer()
        phone.wait_request("ACK")
        return phone

    def connected(self):
        """A caller and the first phone, which has picked up."""
        caller = self.dial()
        caller.invite()
        phone = self.answers("5081")
        caller.follow(caller.wait_final())
        caller.ack()
        return caller, phone

    def close(self):
        for phone in [*self.phones.values(), *self.callers]:
            phone.close()


def talk(one, other):
    """Each hears what the other says."""
    for speaker, listener, hertz in ((one, other, 500), (other, one, 900)):
        first = len(listener.rtp.packets)
        speaker.rtp.keep_speaking(sine(hertz, 1))
        listener.rtp.wait_for_tone(hertz, first=first)


def menu_to_a_phone_and_back(kitchen):
    caller = kitchen.dial()
    caller.call()
    speaks(caller)
    caller.rtp.press("1")
    phone = kitchen.answers("5081")
    talk(caller, phone)
    first = len(caller.rtp.packets)
    phone.hang_up()
    speaks(caller, first)
    caller.hang_up()


def one_phone_after_the_other(kitchen):
    caller = kitchen.dial()
    caller.invite()
    kitchen.phones["5081"].wait_request("INVITE")
    kitchen.phones["5081"].refuse(486)
    phone = kitchen.answers("5083")
    answer = caller.wait_final()
    caller.follow(answer)
    caller.ack()
    talk(caller, phone)
    caller.hang_up()
    phone.wait_request("BYE")


def mailbox(kitchen):
    caller = kitchen.dial()
    caller.call()
    caller.rtp.wait_for_tone(1000)  # the beep
    caller.rtp.speak(sine(600, 1))
    caller.rtp.press("#")
    caller.wait_request("BYE")


def call_and_ask(kitchen):
    phone = kitchen.answers("5081")
    speaks(phone)
    phone.rtp.press("1")
    phone.wait_request("BYE")


def click_to_call(kitchen):
    first = kitchen.answers("5081")
    second = kitchen.answers("5083")
    talk(first, second)
    first.hang_up()
    second.wait_request("BYE")


def queue(kitchen):
    caller = kitchen.dial()
    caller.call()
    speaks(caller)
    agent = kitchen.dial("200")
    agent.call()
    talk(caller, agent)
    agent.hang_up()
    caller.wait_request("BYE")


def transfer(kitchen):
    caller, phone = kitchen.connected()
    talk(caller, phone)
    phone.request("REFER", extra=f"Refer-To: <{kitchen.phones['5083'].uri}>\r\n")
    third = kitchen.answers("5083")
    talk(caller, third)
    phone.wait_request("BYE")
    caller.hang_up()
    third.wait_request("BYE")


def recorded_call(kitchen):
    caller, phone = kitchen.connected()
    talk(caller, phone)
    caller.hang_up()
    phone.wait_request("BYE")


def somebody_listens(kitchen):
    caller, phone = kitchen.connected()
    listener = kitchen.answers("5083")
    talk(caller, phone)
    listener.rtp.wait_until(lambda: listener.rtp.has_tone_pair(500, 900))
    caller.hang_up()
    phone.wait_request("BYE")
    listener.wait_request("BYE")


DRIVERS = {
    "From the menu to a phone and back": menu_to_a_phone_and_back,
    "First this phone, then that one": one_phone_after_the_other,
    "A mailbox": mailbox,
    "Call somebody and ask": call_and_ask,
    "Click to call": click_to_call,
    "Callers wait until somebody is free": queue,
    "The phone transfers the caller": transfer,
    "Record a call": recorded_call,
    "Somebody listens": somebody_listens,
}


def rows(text):
    """(event, with, gets) of the flow's table."""
    for event, members, reply in re.findall(r"^\| `(\w+)` \| (?:`(.+?)` )?\| (?:`(.+?)` )?\|$", text, re.M):
        yield event, json.loads(members or "{}"), json.loads(reply) if reply else None


def contains(whole, part):
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and contains(whole[name], value) for name, value in part.items())
    return whole == part


def check_table(text, said):
    """Every row happened; the questions in that order."""
    left = list(said)
    for event, members, reply in rows(text):
        found = next((one for one in left if one[0] == event and contains(one[1], members) and (reply is None or contains(one[2], reply))), None)
        assert found, f"the table has {event} {members} → {reply}, which is not in {left}"
        at = left.index(found)
        left = [one for one in left[:at] if event not in QUESTIONS or one[0] not in QUESTIONS] + left[at + 1:]


def test_every_flow_of_the_cookbook_is_run():
    assert set(FLOWS) == {*DRIVERS, "While the application is away"}


@pytest.mark.parametrize("title", DRIVERS)
def test_a_flow_of_the_cookbook(own_server, application, tmp_path, title):
    server = own_server(service={"allow_refer": True, "numbers": ["*"]})
    kitchen = Kitchen(server, FLOWS[title])
    program = None
    try:
        (tmp_path / "flow.py").write_text(re.search(r"```python\n(.*?)```", kitchen.text, re.S).group(1))
        program = RelayedProgram(["/usr/bin/python3", str(tmp_path / "flow.py")], application, server, environment={"PYTHONPATH": str(ROOT / "examples")})
        DRIVERS[title](kitchen)
        for event in {event for event, _, _ in rows(kitchen.text)} | {"sessionCompleted"}:
            application.wait_for(event, max(1, sum(one == event for one, _, _ in rows(kitchen.text))))
        server.wait_idle()
        check_table(kitchen.text, program.said)
    finally:
        kitchen.close()
        if program:
            program.stop()


def test_while_the_application_is_away_a_phone_rings(own_server, application):
    server = own_server(service={"numbers": ["*"]})
    kitchen = Kitchen(server, FLOWS["While the application is away"])
    command = re.search(r"```sh\n(.*?)```", kitchen.text, re.S).group(1)
    command = command.replace("http://127.0.0.1:8080", server.url).replace("example.localhost", server.domain)
    try:
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
        assert json.loads(done.stdout)["success"], done.stdout + done.stderr
        application.replies["newCall"] = Raw(503)
        caller = kitchen.dial()
        caller.call()
        speaks(caller)
        phone = kitchen.answers("5081")
        talk(caller, phone)
        application.wait_alarm("triggeredByError")
        caller.hang_up()
        phone.wait_request("BYE")
        server.wait_idle()
    finally:
        kitchen.close()
