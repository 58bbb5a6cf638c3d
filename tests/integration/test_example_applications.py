"""The larger examples, each in both languages: callers and called people do what they would do, and get what they expect."""

import urllib.request

import pytest
from support.called_phone import CalledPhone
from support.relayed_program import RelayedProgram
from support.rtp_peer import sine
from support.server import ROOT
from support.softphone import Softphone
from support.speech import speaks
from support.waiting import wait_until

PROGRAMS = {"python": ["/usr/bin/python3", "application.py"], "node": ["node", "application.js"]}


class Phones:
    """Those who are called, and those who call."""

    def __init__(self, server):
        self.server, self.all = server, []

    def called(self, **more):
        self.all.append(CalledPhone(self.server, **more))
        return self.all[-1]

    def caller(self):
        self.all.append(Softphone(self.server))
        return self.all[-1]

    def close(self):
        for phone in self.all:
            phone.close()


@pytest.fixture
def server(own_server):
    return own_server(service={"allow_refer": True})


@pytest.fixture
def phones(server):
    phones = Phones(server)
    yield phones
    phones.close()


@pytest.fixture(params=PROGRAMS)
def start(request, application, server):
    """Starts an example: its folder's name, and what stands behind the port."""
    programs = []

    def run(folder, *arguments):
        program, file = PROGRAMS[request.param]
        programs.append(RelayedProgram([program, str(ROOT / "examples" / folder / file)], application, server, arguments))
        return programs[-1]

    yield run
    try:
        server.wait_idle()  # the last notification has been delivered
    finally:
        for program in programs:
            program.stop()


def talk(one, other):
    for speaker, listener, hertz in ((one, other, 500), (other, one, 900)):
        first = len(listener.rtp.packets)
        speaker.rtp.keep_speaking(sine(hertz, 1))
        listener.rtp.wait_for_tone(hertz, first=first)


def quiet(*phones):
    for phone in phones:
        phone.rtp.stop_speaking.set()
        phone.rtp.speaker.join()


def stored(server):
    return [one["name"] for one in server.request("GET", f"/{server.domain}/promptfile").body["files"]]


# ---- the company's line


def test_a_caller_reaches_the_second_phone_and_is_back_in_the_menu_afterwards(server, application, phones, start):
    busy, free = phones.called(pick_up=False), phones.called()
    start("company-line", busy.uri, free.uri)
    caller = phones.caller()
    caller.call()
    speaks(caller)
    caller.rtp.press("1")
    busy.wait_request("INVITE")
    busy.refuse(486)
    free.wait_request("ACK")
    talk(caller, free)
    quiet(caller, free)
    first = len(caller.rtp.packets)
    free.hang_up()
    speaks(caller, first)  # the menu
    caller.hang_up()
    application.completed("normal")
    recording = application.wait_for("recordingReady").body
    assert recording["event"] == "recordingSuccessful" and recording["recordingFileName"] in stored(server)


def test_a_caller_whom_nobody_answers_leaves_a_message(server, application, phones, start):
    declines = phones.called(pick_up=False)
    start("company-line", declines.uri)
    caller = phones.caller()
    caller.call()
    speaks(caller)
    caller.rtp.press("1")
    declines.wait_request("INVITE")
    declines.refuse(603)
    caller.rtp.wait_for_tone(1000)  # the beep
    caller.rtp.speak(sine(600, 1))
    caller.rtp.press("#")
    caller.wait_request("BYE")
    application.completed("normal")
    message = application.wait_for("fileRecorded").body
    assert message["event"] == "recordingSuccessful" and message["fileName"] in stored(server)


def test_a_colleague_transfers_the_caller(server, application, phones, start):
    first, second = phones.called(), phones.called()
    start("company-line", first.uri)
    caller = phones.caller()
    caller.call()
    speaks(caller)
    caller.rtp.press("1")
    first.wait_request("ACK")
    talk(caller, first)
    first.request("REFER", extra=f"Refer-To: <{second.uri}>\r\n")
    second.wait_request("ACK")
    talk(caller, second)
    first.wait_request("BYE")
    caller.hang_up()
    second.wait_request("BYE")
    application.completed("normal")


# ---- reminders


def test_reminders_are_confirmed_cancelled_and_repeated(server, phones, start, tmp_path):
    confirms, cancels, busy = phones.called(), phones.called(), phones.called(pick_up=False)
    (tmp_path / "appointments.csv").write_text("".join(f"{phone.uri},tomorrow at ten\n" for phone in (confirms, cancels, busy)))
    program = start("reminder", str(tmp_path / "appointments.csv"))
    for phone, key in ((confirms, "1"), (cancels, "2")):
        phone.wait_request("ACK")
        speaks(phone)
        phone.rtp.press(key)
        phone.wait_request("BYE")
    for _ in range(2):
        invite = busy.wait_request("INVITE")
        busy.invite_request, busy.state = None, "over"  # it will be called again
        busy.respond(invite, 486)
    for phone, outcome in ((confirms, "confirmed"), (cancels, "cancelled"), (busy, "busy")):
        program.process.wait_line(f"{phone.uri} tomorrow at ten: {outcome}")
    assert program.process.process.wait(timeout=20) == 0


# ---- click to call


def test_a_click_connects_two_phones(application, phones, start):
    mine, other = phones.called(), phones.called()
    program = start("click-to-call")
    call = program.ask("call", {"from": mine.uri, "to": other.uri})
    assert call["success"], call
    mine.wait_request("ACK")
    other.wait_request("ACK")
    talk(mine, other)
    state = lambda: program.ask("state", {"sessionId": call["sessionId"]})  # noqa: E731
    wait_until(lambda: state() == {"state": "connected", "over": False}, state)
    mine.hang_up()
    other.wait_request("BYE")
    application.completed("normal")
    wait_until(lambda: state() == {"state": "over: normal", "over": True}, state)


def test_a_click_to_a_phone_that_nobody_answers(application, phones, start):
    mine, other = phones.called(), phones.called(pick_up=False)
    program = start("click-to-call")
    assert program.ask("call", {"from": mine.uri, "to": other.uri})["success"]
    mine.wait_request("ACK")
    speaks(mine)
    other.wait_request("INVITE")
    other.refuse(480)
    first = len(mine.rtp.packets)
    speaks(mine, first)  # sorry
    mine.wait_request("BYE")
    application.completed("normal")


def test_a_click_with_an_address_that_is_none_says_so(start):
    program = start("click-to-call")
    answer = program.ask("call", {"from": "nobody", "to": "nobody"})
    assert not answer["success"] and "destAddr" in answer["reason"]


def test_the_page_of_click_to_call(start):
    program = start("click-to-call")
    with urllib.request.urlopen(f"http://{program.address}/", timeout=20) as page:
        assert "<h1>Click to call</h1>" in page.read().decode()
