"""Phrases and background prompts from the web."""

import pathlib
import subprocess
import threading

import pytest
from conftest import tone_wav
from support.web import File, Web

MP3 = (pathlib.Path(__file__).parents[1] / "support" / "tone-1100.mp3").read_bytes()


@pytest.fixture
def web():
    made = []

    def make(**more):
        made.append(Web(**more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def up(phone, application, *replies, on=None):
    application.replies["getIvrCommand"] = [*replies, {"getIVRCommandAfter": 30}]
    caller = phone(on)
    caller.call()
    return caller


def url_phrase(site, path):
    return {"format": "url", "url": site.url + path}


def test_the_sound_starts_before_the_download_ends(server, application, phone, web):
    site, rest = web(), threading.Event()
    sound = tone_wav(600, 4)
    site.files["/a.wav"] = File(sound[:20000], rest, sound[20000:])
    caller = up(phone, application, {"phrases": [url_phrase(site, "/a.wav"), {"fileName": "b"}]})
    caller.rtp.wait_for_tone(600)
    rest.set()
    caller.rtp.wait_for_tone(900)
    application.wait_for("getIvrCommand", 2)
    assert not application.events("alarms")
    caller.hang_up()


def test_mp3_is_heard_as_it_comes(server, application, phone, web):
    site, rest = web(), threading.Event()
    half = len(MP3) * 2 // 3
    site.files["/x"] = File(MP3[:half], rest, MP3[half:], length=None)
    caller = up(phone, application, {"phrases": [{"url": site.url + "/x"}]})
    caller.rtp.wait_for_tone(1100)
    rest.set()
    application.wait_for("getIvrCommand", 2)
    caller.hang_up()


def test_redirects_and_long_urls(server, application, phone, web):
    site = web()
    path = "/" + "p" * 4000
    site.files["/go"] = File(b"", status=302, headers={"Location": path + "?" + "q" * 3900})
    site.files[path] = File(tone_wav(650))
    caller = up(phone, application, {"phrases": [url_phrase(site, "/go?" + "x" * 8000)]})
    caller.rtp.wait_for_tone(650)
    caller.hang_up()


def test_what_is_known_is_asked_for_by_its_etag(server, application, phone, web):
    site = web()
    version = {"etag": '"1"', "hertz": 620}

    def file(headers):
        if headers.get("If-None-Match") == version["etag"]:
            return File(b"", status=304)
        return File(tone_wav(version["hertz"]), headers={"ETag": version["etag"]})

    site.files["/a.wav"] = file
    phrase = {"phrases": [url_phrase(site, "/a.wav")]}
    caller = up(phone, application, phrase, phrase)
    site.wait_for(2)
    application.wait_for("getIvrCommand", 3)
    assert site.requests[1][1]["If-None-Match"] == '"1"'
    caller.hang_up()
    version.update(etag='"2"', hertz=1240)
    caller = up(phone, application, phrase)
    caller.rtp.wait_for_tone(1240)
    caller.hang_up()


def test_what_is_fresh_is_not_asked_for(server, application, phone, web):
    site = web()
    site.files["/a.wav"] = File(tone_wav(640), headers={"Cache-Control": "max-age=60"})
    phrase = {"phrases": [url_phrase(site, "/a.wav")]}
    caller = up(phone, application, phrase, phrase, phrase)
    application.wait_for("getIvrCommand", 4)
    assert len(site.requests) == 1
    caller.hang_up()


def test_two_callers_fetch_it_once(server, application, phone, web):
    site, rest = web(), threading.Event()
    sound = tone_wav(660, 3)
    site.files["/a.wav"] = File(sound[:16000], rest, sound[16000:])
    application.replies["getIvrCommand"] = lambda body: {"phrases": [url_phrase(site, "/a.wav")], "getIVRCommandAfter": 30}
    callers = [phone(), phone()]
    for one in callers:
        one.call()
    for one in callers:
        one.rtp.wait_for_tone(660)
    assert len(site.requests) == 1
    rest.set()
    for one in callers:
        one.hang_up()


@pytest.mark.parametrize("file", [
    File(b"gone", status=404), File(b"broken", status=500), File(b"<html>a page of some length</html>"), File(b""),
    File(tone_wav(700)[:4000], length=100000, abort=True)], ids=["404", "500", "page", "empty", "reset"])
def test_a_failure_is_an_alarm_and_the_next_phrase_is_heard(server, application, phone, web, file):
    site = web()
    site.files["/a.wav"] = file
    caller = up(phone, application, {"phrases": [url_phrase(site, "/a.wav?secret=1"), {"fileName": "b"}]})
    caller.rtp.wait_for_tone(900)
    alarm = application.wait_alarm("phraseError")
    assert alarm["errorDetails"]["format"] == "url"
    assert site.url + "/a.wav" in alarm["errorDetails"]["description"]
    assert "secret" not in alarm["errorDetails"]["description"]
    caller.hang_up()


def test_what_breaks_off_is_heard_as_far_as_it_came_and_fetched_again(server, application, phone, web):
    site = web()
    sound = tone_wav(720, 3)
    site.files["/a.wav"] = File(sound[:24000], length=len(sound), abort=True, headers={"ETag": '"1"'})
    caller = up(phone, application, {"phrases": [url_phrase(site, "/a.wav"), {"fileName": "b"}]})
    caller.rtp.wait_for_tone(720)
    caller.rtp.wait_for_tone(900)
    application.wait_alarm("phraseError")
    caller.hang_up()
    site.files["/a.wav"] = File(tone_wav(1440))
    caller = up(phone, application, {"phrases": [url_phrase(site, "/a.wav")]})
    caller.rtp.wait_for_tone(1440)
    assert "If-None-Match" not in site.requests[-1][1]
    caller.hang_up()


def test_one_that_does_not_answer_is_given_up_after_ten_seconds(server, application, phone, web):
    site, never = web(), threading.Event()
    site.files["/a.wav"] = File(never, b"x")
    caller = up(phone, application, {"phrases": [url_phrase(site, "/a.wav"), {"fileName": "b"}]})
    application.wait_alarm("phraseRemoteCacheTimeout", timeout=20)
    caller.rtp.wait_for_tone(900)
    never.set()
    caller.hang_up()


def test_it_leads_only_where_it_may(own_server, application, phone, web):
    site = web()
    site.files["/a.wav"] = File(tone_wav(700))
    server = own_server({"fetch": {"allow": []}})
    caller = up(phone, application, {"phrases": [url_phrase(site, "/a.wav")]}, on=server)
    alarm = application.wait_alarm("phraseError")
    assert "not one that may be used" in alarm["errorDetails"]["description"]
    assert site.requests == []
    caller.hang_up()


def test_tls_is_verified(own_server, application, phone, web, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-keyout", key,
                    "-out", certificate, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    site = web(certificate=(certificate, key))
    site.files["/a.wav"] = File(tone_wav(740))
    phrase = {"phrases": [url_phrase(site, "/a.wav")]}
    server = own_server()
    caller = up(phone, application, phrase, on=server)
    application.wait_alarm("phraseError")
    caller.hang_up()
    trusting = own_server({"fetch": {"ca_file": str(certificate)}})
    caller = up(phone, application, phrase, on=trusting)
    caller.rtp.wait_for_tone(740)
    caller.hang_up()


def test_a_background_prompt_from_a_url(server, application, phone, web):
    site = web()
    site.files["/music.wav"] = File(tone_wav(760, 2), headers={"ETag": '"1"'})
    caller = up(phone, application, {"phrases": [{"fileName": "a"}], "backgroundPrompt": {"url": site.url + "/music.wav"}, "getIVRCommandAfter": 3},
                {"phrases": [{"fileName": "b"}], "getIVRCommandAfter": 1}, {"backgroundPrompt": {"stop": True}, "getIVRCommandAfter": 30})
    caller.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(760)
    caller.rtp.wait_for_tone(900)
    caller.rtp.wait_for_tone(760)
    caller.rtp.wait_for_silence()
    caller.hang_up()


def test_a_background_that_fails_is_an_alarm(server, application, phone, web):
    caller = up(phone, application, {"backgroundPrompt": {"url": web().url + "/missing"}, "getIVRCommandAfter": 30})
    assert application.wait_alarm("phraseError")["errorDetails"]["format"] == "backgroundPrompt"
    caller.hang_up()
