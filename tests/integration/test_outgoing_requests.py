"""What the server's own HTTP requests look like to others: their name, what they accept, where they go, and what is told of that."""

import gzip
import json

import pytest
from conftest import tone_wav
from support.application import Raw
from support.server import toml
from support.speech_servers import HttpSpeech
from support.tokens import Key
from support.web import File, Web
from test_configuration import run


@pytest.fixture
def web():
    server = Web()
    yield server
    server.close()


def up(phone, application, *replies, on=None):
    application.replies["getIvrCommand"] = [*replies, {"getIVRCommandAfter": 30}]
    caller = phone(on)
    caller.call()
    return caller


# ---- the name


def test_every_request_has_a_name(own_server, application, phone, web):
    """The application of the tests refuses a callback without one."""
    speech, key = HttpSpeech(), Key("RS256")
    web.files["/keys"] = File(json.dumps({"keys": [key.jwk(kid="1")]}).encode())
    web.files["/a.wav"] = File(tone_wav(600))
    try:
        server = own_server({"tts": {"engine": "http", "http": {"url": speech.url, "model": "neural-1", "voice": "alloy", "api_key": "key-of-the-engine"}}, "fetch": {"allow": ["127.0.0.0/8"]}},
                            domain_keys={"auth": "token", "jwks_url": web.url + "/keys"})
        assert server.request("GET", "/demo.example/promptfile", headers=key.header(kid="1")).status == 200
        caller = up(phone, application, {"phrases": [{"url": web.url + "/a.wav"}, {"text": "Hello."}]}, on=server)
        application.wait_for("getIvrCommand", 2)
        caller.hang_up()
        application.wait_for("sessionCompleted")
        names = [headers.get("User-Agent") for _, headers in web.requests] + [headers.get("User-Agent") for _, headers, _ in speech.requests]
        names += [one.headers.get("User-Agent") for one in application.requests]
        assert len(web.requests) >= 2 and speech.requests
        assert set(names) == {"Ringwright"}
    finally:
        speech.close()


def test_requests_to_s3_have_a_name(own_server, proxy, s3):
    from support.s3_server import storage
    server = own_server({"storage": storage(proxy.endpoint, prefix="named/")})
    assert server.upload("a.wav", tone_wav(500)).status == 200
    assert {headers.get("User-Agent") for _, _, headers in proxy.seen} == {"Ringwright"}


# ---- what is accepted


def test_a_host_that_serves_nothing_but_what_is_accepted_is_heard(server, application, phone, web):
    web.files["/a"] = lambda headers: File(tone_wav(600)) if "*/*" in headers["Accept"] else File(b"", status=406)
    caller = up(phone, application, {"phrases": [{"url": web.url + "/a"}]})
    caller.rtp.wait_for_tone(600)
    caller.hang_up()


def test_a_compressed_prompt_is_heard(server, application, phone, web):
    web.files["/a.wav"] = File(gzip.compress(tone_wav(600)), headers={"Content-Encoding": "gzip"})
    caller = up(phone, application, {"phrases": [{"url": web.url + "/a.wav"}]})
    caller.rtp.wait_for_tone(600)
    assert not application.events("alarms")
    caller.hang_up()


def test_a_reply_that_unfolds_to_more_than_is_allowed_is_none(server, application, phone):
    bomb = gzip.compress(b'{"action": "ivr"}' + b" " * 200_000_000)
    assert len(bomb) < 500_000
    application.replies["newCall"] = Raw(body=bomb, headers=[("Content-Encoding", "gzip")])
    phone().refused()
    assert application.wait_alarm("newCall request failed")["errorDetails"]["description"] == "the answer is larger than 1 MB"


def test_a_prompt_that_unfolds_to_more_than_is_allowed_breaks_off(server, application, phone, web):
    web.files["/a.wav"] = File(gzip.compress(tone_wav(600, 0.5) + bytes(200_000_000)), headers={"Content-Encoding": "gzip"})
    caller = up(phone, application, {"phrases": [{"url": web.url + "/a.wav"}, {"fileName": "b"}]})
    caller.rtp.wait_for_tone(900, timeout=60)
    caller.hang_up()


def test_an_unknown_compression_is_a_failure_that_is_told(server, application, phone):
    application.replies["newCall"] = Raw(body=b"{}", headers=[("Content-Encoding", "unheard-of")])
    assert phone().refused().status == 480
    assert "ncoding" in application.wait_alarm("newCall request failed")["errorDetails"]["description"]


# ---- where requests go, and what is told of it


def test_the_event_stands_before_the_query_of_the_callback_url(own_server, application, phone):
    server = own_server(service={"callback_url": application.url + "/api/?code=KEY", "alarm_url": None})
    application.replies["newCall"] = {"action": "drop", "dropCode": "nonsense"}
    phone(server).refused()
    application.wait_for("sessionCompleted")
    application.wait_for("demo.example")
    assert {(one.event, one.query) for one in application.requests} == {
        ("api/newCall", "code=KEY"), ("api/sessionCompleted", "code=KEY"), ("api/demo.example", "code=KEY")}
    for told in (server.log(), application.events("demo.example")[0].raw.decode()):
        assert "KEY" not in told


def test_user_and_password_of_the_callback_url_are_told_to_nobody(own_server, application, phone):
    server = own_server({"log": {"format": "json", "level": "debug"}},
                        service={"callback_url": application.url.replace("://", "://klaus:geheim@") + "/api?code=KEY"})
    application.replies["newCall"] = Raw(status=500)
    phone(server).refused()
    details = application.wait_alarm("newCall request failed")["errorDetails"]
    assert details["url"] == application.url + "/api/newCall"
    assert application.events("newCall")[0].headers["Authorization"].startswith("Basic ")
    application.replies["newCall"] = [{"action": "ivr"}]
    application.replies["getIvrCommand"] = Raw(body=b"no JSON")
    caller = phone(server)
    caller.call()
    assert application.wait_alarm("getIvrCommand request error")["errorDetails"]["url"] == application.url + "/api/getIvrCommand"
    for word in ("geheim", "klaus", "KEY"):
        assert word not in server.log()
        assert all(word not in one.raw.decode() for one in application.events("alarms"))


URLS = ["http://", "https:///path", "http://:80/", "http://a:99999/", "http://a:0/", "http://a:x/", "http://a b/", "http://a/ b", "http://a/#part", "http://a?x#part", "ftp://a", "a.example",
        "http://[::1/", "http://a/%zz"]
KEYS = [("[[domains.mediaservices]]", "callback_url"), ("[[domains.mediaservices]]", "secondary_callback_url"), ("[[domains.mediaservices]]", "alarm_url"),
        ("[[domains]]", "jwks_url"), ("[http]", "public_url"), ("[server]", "site_base_url"), ("[tts.http]", "url"), ("[tts.aws]", "endpoint"),
        ("[tts.google]", "endpoint"), ("[storage]", "endpoint")]


def configuration(tmp_path, where, key, url):
    tables = {"[server]": {"node_id": "n"}, "[http]": {}, "[tts.http]": {}, "[tts.aws]": {}, "[tts.google]": {}, "[storage]": {},
              "[[domains]]": {"name": "a.example", "auth": "none"},
              "[[domains.mediaservices]]": {"id": "main", "numbers": ["*"], "callback_url": "http://127.0.0.1:9000"}}
    tables[where][key] = url
    file = tmp_path / "test.toml"
    file.write_text("\n".join(line for table, keys in tables.items() if keys for line in [table, *[f"{name} = {toml(value)}" for name, value in keys.items()]]) + "\n")
    return run("check-config", file)


@pytest.mark.parametrize("where, key", KEYS)
def test_a_url_that_nothing_could_be_sent_to_stops_the_start(tmp_path, where, key):
    for url in URLS:
        result = configuration(tmp_path, where, key, url)
        assert result.returncode != 0, url
        assert key in result.stderr and "expected" in result.stderr, result.stderr
    good = configuration(tmp_path, where, key, "https://app.example:8443")
    assert good.returncode == 0, good.stderr


@pytest.mark.parametrize("key", ["callback_url", "secondary_callback_url", "alarm_url"])
def test_a_callback_url_may_have_a_user_and_a_query(tmp_path, key):
    assert configuration(tmp_path, "[[domains.mediaservices]]", key, "https://user:pass@app.example/api?code=KEY&x=%20").returncode == 0


@pytest.mark.parametrize("pattern", ["app.example", "http://a:99999", "http://a#b", "http://", "http://a?x", "http://u@a"])
def test_a_pattern_that_matches_nothing_stops_the_start(tmp_path, pattern):
    result = configuration(tmp_path, "[[domains]]", "allow_callbacks", [pattern])
    assert result.returncode != 0 and "allow_callbacks" in result.stderr
    assert configuration(tmp_path, "[[domains]]", "allow_callbacks", ["http://127.0.0.1:*/side", "https://a.example"]).returncode == 0


