"""URLs that tenants name lead to no address of the inside, whatever form it has: the connection is refused before it is made."""

import socket
import threading
import time

import pytest
from conftest import tone_wav
from support.application import Application
from support.device import Device
from support.server import Server
from support.tokens import Key
from support.waiting import wait_until
from support.web import File, Web

OPERATOR = {"Authorization": "Bearer operator-token"}
REFUSED = "its address is not one that may be used"
# This is this machine; a connection would be seen.
LOOPBACK = ["127.0.0.1", "127.1", "0.0.0.0", "0", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "localhost", "%31%32%37.0.0.1",
            "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"]
# This is not; the error says that no connection was tried.
INSIDE = ["169.254.169.254", "0xa9fea9fe", "2852039166", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[fe80::1]", "10.0.0.1", "172.16.0.1", "192.168.0.1",
          "100.64.0.1", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]"]


class Trap:
    """Listens at a port of all addresses of this machine, and tells whether anybody came."""

    def __init__(self):
        self.socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def url(self, host, path=""):
        return f"http://{host}:{self.port}{path}"

    def sprung(self):
        try:
            self.socket.accept()[0].close()
            return True
        except BlockingIOError:
            return False


@pytest.fixture
def trap():
    made = Trap()
    yield made
    assert not made.sprung(), "something has connected"
    made.socket.close()


@pytest.fixture
def allowed():
    """An application at an address that the tenants' URLs may lead to (127.1.0.1)."""
    made = Application("127.1.0.1")
    yield made
    made.close()
    assert made.problems == []


@pytest.fixture
def web():
    made = Web(host="127.1.0.1")
    yield made
    made.close()


@pytest.fixture
def server(application, allowed):
    """Its operator's application is on loopback, where the URLs of tenants don't lead."""
    made = Server(application.url, {"provisioning": {"token": "operator-token"}, "fetch": {"allow": ["127.1.0.0/16"]}, "callbacks": {"retries": 0}},
                  domain_keys={"allow_media": ["127.0.0.0/8"], "devices": ["door"], "allow_callbacks": [f"http://{host}:*" for host in LOOPBACK + INSIDE]})
    yield made
    made.stop()


def provision(server, body):
    answer = server.request("POST", "/provisioning/domain", body, headers=OPERATOR)
    assert answer.status == 200, answer.body


def alarms(application, count):
    application.wait_for("alarms", count)
    return [one.body for one in application.events("alarms")]


def bad_phrases(phrases):
    """Replies with no more of them than their alarms can describe, which are heard to their ends."""
    short = {"format": "tone", "frequencies": [500], "seconds": 0.1}
    return [{"phrases": [*phrases[at:at + 6], short]} for at in range(0, len(phrases), 6)]


def described(application):
    """What alarms have said of phrases."""
    details = [one.body["errorDetails"] for one in application.events("alarms") if one.body["error"] == "phraseError"]
    return sorted(text for one in details for text in (one["description"], *one.get("further", [])))


def wait_failures(server, event, count):
    """Until as many requests of that event have failed. Nothing but the metrics tells of them."""
    name = f'ringwright_callback_seconds_count{{event="{event}",result="failed"}}'
    deadline = time.monotonic() + 20
    while (failures := server.metrics().get(name, 0)) < count:
        assert time.monotonic() < deadline, f"{failures} of {count}"
        threading.Event().wait(0.05)


def test_callbacks_of_a_provisioned_mediaservice(server, allowed, phone, trap):
    urls = [trap.url(host) for host in LOOPBACK] + [f"http://{host}" for host in INSIDE]
    services = [{"id": f"s{at}", "numbers": [f"2{at:02}"], "callback_url": url, "alarm_url": allowed.url + "/alarms"} for at, url in enumerate(urls)]
    services.append({**services[0], "id": "second", "numbers": ["300"], "callback_url": "http://192.0.2.1", "secondary_callback_url": urls[0]})
    provision(server, {"name": "tenant.example", "auth": "none", "mediaservices": services})
    for service in services:
        assert phone(server, user=service["numbers"][0], domain="tenant.example").refused().status == 480
    told = {(one["error"], one["errorDetails"]["url"]): one["errorDetails"]["description"] for one in alarms(allowed, len(services))}
    assert told == {("newCall request failed", url + "/newCall"): REFUSED for url in urls}
    # Their sessionCompleted waits in the outbox, which tries and tries.
    wait_failures(server, "sessionCompleted", 2 * len(urls))


def test_alarms_of_a_provisioned_mediaservice(server, allowed, phone, trap):
    allowed.replies["newCall"] = "not an object"
    services = [{"id": f"s{at}", "numbers": [f"2{at:02}"], "callback_url": allowed.url, "alarm_url": trap.url(host, "/alarms")}
                for at, host in enumerate(LOOPBACK)]
    provision(server, {"name": "tenant.example", "auth": "none", "mediaservices": services})
    for service in services:
        phone(server, user=service["numbers"][0], domain="tenant.example").refused()
    allowed.wait_for("sessionCompleted", len(services))
    wait_failures(server, "alarm", 2 * len(services))


def test_a_redirect_of_a_callback_is_a_refusal(server, allowed, web, phone, trap):
    service = {"id": "main", "numbers": ["*"], "callback_url": web.url, "alarm_url": allowed.url + "/alarms"}
    provision(server, {"name": "tenant.example", "auth": "none", "mediaservices": [service]})
    for location in (trap.url("127.0.0.1", "/newCall"), "http://169.254.169.254/latest/meta-data/"):
        for status in (301, 302, 303, 307, 308):
            web.files["/newCall"] = File(b"", status=status, headers={"Location": location})
            allowed.reset()
            assert phone(server, domain="tenant.example").refused().status == 480
            details = allowed.wait_alarm("newCall request failed")["errorDetails"]
            assert (details["status"], details["url"]) == (status, web.url + "/newCall")


def test_a_user_and_a_password_in_a_callback_url_are_refused(server, allowed, phone):
    service = {"id": "main", "numbers": ["*"], "callback_url": allowed.url.replace("//", "//user:pw@"), "alarm_url": allowed.url + "/alarms"}
    provision(server, {"name": "tenant.example", "auth": "none", "mediaservices": [service]})
    assert phone(server, domain="tenant.example").refused().status == 480
    allowed.wait_alarm("newCall request failed")
    assert allowed.events("newCall") == []


def test_phrases(server, application, phone, web, trap):
    urls = [trap.url(host, "/a.wav") for host in LOOPBACK] + [f"http://{host}/a.wav" for host in INSIDE]
    hops = []
    for at, url in enumerate(urls):
        web.files[f"/hop{at}"] = File(b"", status=(301, 302, 303, 307, 308)[at % 5], headers={"Location": url})
        hops.append(f"{web.url}/hop{at}")
    web.files["/end.wav"] = File(tone_wav(900))
    phrases = [{"format": "url", "url": url} for url in urls + hops]
    application.replies["getIvrCommand"] = [*bad_phrases(phrases), {"phrases": [{"url": web.url + "/end.wav"}], "getIVRCommandAfter": 30}]
    caller = phone(server, user="main")
    caller.call()
    caller.rtp.wait_for_tone(900, timeout=30)
    wait_until(lambda: len(described(application)) == len(phrases), lambda: described(application))
    assert described(application) == sorted(f"{one['url']}: {REFUSED}" for one in phrases)
    caller.hang_up()
    application.completed("normal")


def test_a_background_prompt(server, application, phone, trap):
    application.replies["getIvrCommand"] = {"backgroundPrompt": {"url": trap.url("localhost", "/a.wav")}, "getIVRCommandAfter": 30}
    caller = phone(server, user="main")
    caller.call()
    assert REFUSED in application.wait_alarm("phraseError")["errorDetails"]["description"]
    caller.hang_up()


def test_keys_of_a_provisioned_domain(server, trap):
    urls = [trap.url(host, "/keys") for host in LOOPBACK] + [f"http://{host}/keys" for host in INSIDE]
    for at, url in enumerate(urls):
        provision(server, {"name": f"t{at}.example", "jwks_url": url})
        assert server.request("GET", f"/t{at}.example/promptfile", headers=Key("ES256").header()).status == 401
    lines = [one for one in server.log_lines() if one["msg"] == "keys can't be fetched"]
    assert [(one["url"], one["problem"]) for one in lines] == [(url, REFUSED) for url in urls]


def test_callbacks_of_one_remote_call(server, application, called_phone, trap):
    device = Device(server)
    placed = 0
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"):
        callee = called_phone(server)
        assert device.place(callee.uri, callbackBaseUrl=trap.url(host)).status == 200
        callee.wait_request("ACK")
        callee.hang_up()
        placed += 1
    # The outbox tries again and again, and begins anew after a restart.
    wait_failures(server, "callNotify", 3 * placed)
    assert {one.event for one in application.requests} <= {"alarms"}, "and the mediaservice's own application is not told in its place"
    device.close()
    server.kill()
    server.start()
    wait_failures(server, "callNotify", placed)


def test_names_that_become_parts_of_a_host(own_server, application, phone, trap):
    key = {"access_key_id": "AKID", "secret_access_key": "secret"}
    server = own_server({"tts": {"aws": {**key, "region": "eu-north-1"}}, "fetch": {"allow": []}})
    names = [f"{before}{host}:{trap.port}{after}" for host in ("127.0.0.1", "[::1]") for before, after in (("@", "/"), ("x@", "#"), ("x:y@", "?"))]
    names += ["x/", "x.y.", "x\\y"]
    speech = {"format": "awstts", "awsTTSParameters": {"Text": "Hello", "VoiceId": "Joanna"}}
    application.replies["getIvrCommand"] = [*bad_phrases([{**speech, "region": one} for one in names]), {"getIVRCommandAfter": 30}]
    caller = phone(server, user="main")
    caller.call()
    wait_until(lambda: len(described(application)) == len(names), lambda: described(application))
    assert all("region: found" in one for one in described(application))
    caller.hang_up()
    application.completed("normal")
    assert server.upload("x.wav", tone_wav(500)).status == 200
    for one in names:
        for field in ("bucketRegion", "bucketName"):
            answer = server.post("promptfile/x.wav/move", {"type": "s3", "bucketRegion": "eu-north-1", "bucketName": "archive", field: one})
            assert answer.status == 400 and field in answer.body["reason"], (field, one, answer.body)


def test_what_is_allowed_works_in_every_form(own_server, application, phone):
    site = Web()
    try:
        server = own_server({"fetch": {"allow": ["127.0.0.0/8"]}})
        site.files["/a.wav"] = File(tone_wav(700, 0.1), headers={"Cache-Control": "no-store"})
        hosts = [host for host in LOOPBACK if host not in ("0", "0.0.0.0", "[::1]", "[0:0:0:0:0:0:0:1]")]
        port = site.url.rpartition(":")[2]
        application.replies["getIvrCommand"] = [{"phrases": [{"url": f"http://{host}:{port}/a.wav"} for host in hosts]}, {"getIVRCommandAfter": 30}]
        caller = phone(server, user="main")
        caller.call()
        caller.rtp.wait_for_tone(700)
        application.wait_for("getIvrCommand", 2)
        assert len(site.requests) == len(hosts)
        assert application.events("alarms") == []
        caller.hang_up()
    finally:
        site.close()
