"""What one customer has to be made to be heard is nobody else's trouble: their greetings are heard, and the memory stays bounded."""

import pathlib
import re
import subprocess
import threading

import pytest
from conftest import tone_wav
from support.web import File, Web

OTHER = "other.example"
ATTACKS = 20


@pytest.fixture
def house(own_server):
    """A server with two customers; the second one's greeting is at hand as a file."""
    server = own_server({"fetch": {"allow": ["127.0.0.0/8"]}}, second_domain=True)
    assert server.upload("greeting.wav", tone_wav(500, 2), domain=OTHER).status == 200
    return server


def attacked(application, house, phone, phrases):
    """Callers of the first customer who hang up as soon as they hear something. `phrases`: of each."""
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = lambda body: {"phrases": phrases(body), "getIVRCommandAfter": 60}
    for _ in range(ATTACKS):
        caller = phone(house)
        caller.call()
        caller.rtp.wait_for_packets(5)
        caller.hang_up()


def greeted(application, house, phone, phrase, hertz=None):
    """A caller of the second customer hears its greeting."""
    application.replies["getIvrCommand"] = [{"phrases": [phrase]}, {"getIVRCommandAfter": 60}]
    caller = phone(house, domain=OTHER)
    caller.call()
    if hertz:
        caller.rtp.wait_for_tone(hertz)
    session = application.wait_for_one("callAnswered", domain=OTHER).body["sessionId"]
    application.wait_for_one("getIvrCommand", count=2, sessionId=session)  # it was heard to its end
    assert not [one for one in application.events("alarms") if one.body.get("domain") == OTHER]
    caller.hang_up()


def memory(server):
    """Of the process, in MB."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def test_a_greeting_is_heard_while_another_customer_has_hours_of_tones(house, application, phone):
    tones = iter(range(300, 300 + ATTACKS))
    attacked(application, house, phone, lambda body: [{"format": "tone", "frequencies": [next(tones)] * 4, "seconds": 3600}])
    greeted(application, house, phone, {"fileName": "greeting"}, 500)
    assert memory(house) < 200


def test_spoken_greetings_are_heard_while_another_customer_has_books_read(house, application, phone):
    sentences = "It was the best of times, it was the worst of times, said the man with the number {}. "
    texts = iter([(sentences.format(number) * 120)[:9900] for number in range(ATTACKS)])
    attacked(application, house, phone, lambda body: [{"format": "tts", "text": next(texts)}])
    greeted(application, house, phone, {"format": "tts", "text": "Good morning."})
    assert memory(house) < 250


@pytest.fixture(scope="module")
def hour_of_silence():
    """A FLAC file of some hundred kilobytes at most."""
    raw = bytes(2 * 96000 * 60)
    command = ["flac", "-s", "-0", "-c", "--lax", "-b", "65535", "--force-raw-format", "--endian=little", "--sign=signed", "--channels=1", "--bps=16", "--sample-rate=96000", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as flac:
        threading.Thread(target=lambda: ([flac.stdin.write(raw) for _ in range(60)], flac.stdin.close()), daemon=True).start()
        return flac.stdout.read()


def test_hours_from_the_web_come_as_they_are_heard(house, application, phone, hour_of_silence):
    web = Web()
    try:
        for number in range(4):
            web.files[f"/{number}.flac"] = File(hour_of_silence, headers={"ETag": f'"{number}"'})
        before = memory(house)
        application.replies["newCall"] = {"action": "ivr"}
        application.replies["getIvrCommand"] = {"phrases": [{"format": "url", "url": f"{web.url}/{number}.flac"} for number in range(4)], "getIVRCommandAfter": 60}
        caller = phone(house)
        caller.call()
        caller.rtp.wait_for_packets(100)
        greeted(application, house, phone, {"fileName": "greeting"}, 500)
        assert memory(house) < before + 60
        caller.hang_up()
    finally:
        web.close()


@pytest.fixture(scope="module")
def slow_to_check():
    """Eight channels of one value: small to upload, much to decode."""
    command = ["flac", "-s", "-0", "-c", "--lax", "-b", "65535", "--force-raw-format", "--endian=little", "--sign=signed", "--channels=8", "--bps=16", "--sample-rate=96000", "-"]
    return subprocess.run(command, input=bytes(8 * 2 * 96000 * 60), stdout=subprocess.PIPE, check=True).stdout


def test_a_list_is_there_while_another_customers_upload_is_checked(house, slow_to_check):
    answers = []
    uploads = [threading.Thread(target=lambda number=number: answers.append(house.upload(f"{number}.flac", slow_to_check).status)) for number in range(4)]
    for one in uploads:
        one.start()
    # All that other customers do goes on: they list, upload and delete.
    assert [one["name"] for one in house.request("GET", f"/{OTHER}/promptfile").body["files"]] == ["greeting.wav"]
    assert house.upload("short.wav", tone_wav(500), domain=OTHER).status == 200
    assert house.request("DELETE", f"/{OTHER}/promptfile/short.wav").status == 200
    assert len(answers) < len(uploads), "they did not wait for all of the other's"
    for one in uploads:
        one.join()
    assert set(answers) == {200}
