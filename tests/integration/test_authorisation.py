"""Who may use the API: tokens whose keys are fetched, and requests that the AWS SDK has signed."""

import json
import threading
import time

import pytest
from conftest import tone_wav
from support.device import Device
from support.rtp_peer import sine
from support.sdk import AccessKey, send
from support.tokens import Key
from support.web import File, Web

# ---- what a token says

HEADER = '{"alg":"HS256"}'
FAR = 4102444800


@pytest.mark.parametrize("header, claims, taken", [
    (HEADER, f'{{"exp":{FAR},"domain":"demo.example"}}', True),
    (HEADER, f'{{"exp":{FAR},"domain":"second.example","domain":"demo.example"}}', False),
    (HEADER, f'{{"exp":{FAR},"domain":"demo.example","domain":"second.example"}}', False),
    (HEADER, f'{{"exp":{FAR},"dom\\u0061in":"second.example","domain":"demo.example"}}', False),
    (HEADER, f'{{"exp":1,"exp":{FAR}}}', False),
    (HEADER, f'{{"exp":{FAR},"other":{{"a":[{{"b":1,"b":1}}]}}}}', False),
    (HEADER, f'{{"exp":{FAR},"other":[{{"a":1}},{{"a":2}}],"a":{{"exp":1}}}}', True),
    ('{"alg":"none","alg":"HS256"}', f'{{"exp":{FAR}}}', False),
    ('{"alg":"HS256","alg":"HS256"}', f'{{"exp":{FAR}}}', False),
    ('{"alg":"HS256","jwk":{"kid":"a","kid":"b"}}', f'{{"exp":{FAR}}}', False),
])
def test_a_token_in_which_something_stands_twice_opens_nothing(own_server, header, claims, taken):
    key = Key("HS256")
    server = own_server(domain_keys={"auth": "token", "jwt_secret": key.secret}, more='[[domains]]\nname = "second.example"\n')
    answer = server.request("GET", "/demo.example/promptfile", headers={"Authorization": "Bearer " + key.token_of(header, claims)})
    assert answer.status == (200 if taken else 401), answer.raw
    assert taken or "stands twice" in answer.body["reason"]


# ---- AWS Signature Version 4


OWN = AccessKey("AKIDOWN", "the secret of the one")
OTHERS = AccessKey("AKIDOTHER", "the secret of the other", "eu-west-1")


@pytest.fixture
def signed_server(own_server):
    more = f'[[domains]]\nname = "second.example"\naccess_keys = [{{ id = "{OTHERS.id}", secret = "{OTHERS.secret}", region = "{OTHERS.region}" }}]\n'
    return own_server(domain_keys={"auth": "token", "access_keys": [OWN.toml()], "jwt_secret": Key("HS256").secret}, more=more)


PATH = "/demo.example/hangupcall"


def test_the_sdk_hangs_up_a_call(signed_server, application, phone):
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 30}
    caller = phone(signed_server)
    caller.call()
    asked = application.wait_for("getIvrCommand").body
    (answer,) = send(signed_server.url, OWN.request(PATH, json.dumps({"replyId": asked["replyId"]})))
    assert (answer.status, answer.body) == (200, {"success": True})
    caller.wait_request("BYE")
    assert application.wait_for("sessionCompleted").body["reason"] == "apiHangup"


@pytest.mark.short
def test_what_the_sdk_has_signed_is_taken(signed_server):
    for answer in send(signed_server.url, OWN.request(PATH), OWN.request(PATH, seconds=290), OWN.request(PATH, seconds=-290),
                       OWN.request(PATH, '{"text": "räksmörgås \\u0001"}'), OWN.request(PATH, headers={"idempotency-key": "1 2  3"})):
        assert answer.status == 400 and "replyId" in answer.body["reason"], answer.body


def test_what_was_not_signed_this_way_is_401(signed_server):
    stranger = AccessKey("AKIDNOBODY", "x")
    wrong = [
        {"secret": "guess"}, {"region": "eu-west-1"}, {"service": "s3"}, {"seconds": 310}, {"seconds": -310}, {"token": "of temporary credentials"},
        {"then": {"body": "[]"}}, {"then": {"headers": {"idempotency-key": "1"}}}, {"then": {"headers": {"host": "elsewhere.example"}}},
        {"then": {"headers": {"x-amz-date": "20200101T000000Z"}}}, {"then": {"headers": {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}},
        {"then": {"headers": {"authorization": "AWS4-HMAC-SHA256 Credential=x"}}}, {"headers": {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}},
    ]
    requests = [OWN.request(PATH, **one) for one in wrong] + [stranger.request(PATH)]
    unknown = [OWN.request(PATH.replace("demo", "nobody"), **one) for one in wrong] + [stranger.request(PATH.replace("demo", "nobody"))]
    answers = send(signed_server.url, *requests, *unknown)
    for known, nobody, why in zip(answers, answers[len(requests):], [*wrong, "stranger"]):
        assert known.status == 401 and known.body["error"] == "unauthorized", (why, known.body)
        for answer in (known, nobody):
            assert answer.headers["www-authenticate"] == "AWS4-HMAC-SHA256"
            answer.headers.pop("date")
        assert (known.status, known.body, known.headers) == (nobody.status, nobody.body, nobody.headers), why


def test_a_key_of_another_domain_is_403(signed_server):
    own, others, nobodys = send(signed_server.url, OTHERS.request("/second.example/hangupcall"), OTHERS.request(PATH), OTHERS.request("/nobody.example/hangupcall"))
    assert own.status == 400
    assert others.status == nobodys.status == 403
    assert others.body == nobodys.body


def test_each_path_takes_its_own_kind_of_credentials(signed_server):
    token = Key("HS256").header()
    answer = signed_server.post("hangupcall", {}, headers=token)
    assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "AWS4-HMAC-SHA256"
    assert signed_server.post("hangupcalljwt", {}, headers=token).status == 400
    (answer,) = send(signed_server.url, OWN.request(PATH + "jwt"))
    assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer"


class SignedDevice(Device):
    """A device whose commands the SDK has signed."""

    def command(self, name, body):
        (answer,) = send(self.server.url, OWN.request(f"/demo.example/{name}", json.dumps(body)))
        assert answer.status == 200 and answer.body["success"] is True, answer.body
        return answer.body


@pytest.fixture
def door(own_server):
    server = own_server(domain_keys={"auth": "token", "access_keys": [OWN.toml()], "allow_media": ["127.0.0.0/8"], "devices": ["door"]})
    device = SignedDevice(server)
    yield device
    device.close()


def hear_each_other(phone, device):
    phone.rtp.keep_speaking(sine(500, 1))
    device.rtp.keep_speaking(sine(900, 1))
    device.rtp.wait_for_tone(500)
    phone.rtp.wait_for_tone(900)


def test_a_device_rings_and_answers_by_signed_commands(application, door, phone):
    caller = phone(door.server, user="door")
    caller.invite()
    reply_id = {"replyId": application.wait_for("newRemoteCall").body["replyId"]}
    door.command("sendremotecallringback", reply_id)
    while caller.wait_response(method="INVITE").status != 180:
        pass
    door.command("answerremotecall", {**reply_id, **door.media()})
    answer = caller.wait_final()
    assert f"m=audio {door.rtp.port} RTP/AVP 8 101" in answer.body
    caller.follow(answer)
    caller.ack()
    door.follow(application.wait_for("callAnswered").body)
    hear_each_other(caller, door)
    caller.hang_up()
    application.completed("normal")


def test_a_device_calls_by_a_signed_command(application, door, called_phone):
    callee = called_phone(door.server)
    placed = door.command("placeremotecall", {"destinationUri": callee.uri, "sourceUser": "door", **door.media()})
    assert "<sip:door@demo.example>" in callee.wait_request("INVITE").header("From")
    answered = application.wait_for("callAnswered").body
    assert (answered["sessionId"], answered["traceId"]) == (placed["sessionId"], placed["traceId"])
    door.follow(answered)
    hear_each_other(callee, door)
    callee.hang_up()
    application.completed("normal")


# ---- keys that are fetched


@pytest.fixture
def web():
    server = Web()
    yield server
    server.close()


def key_set(*keys, **more):
    return File(json.dumps({"keys": list(keys)}).encode(), **more)


@pytest.fixture
def fetching(own_server, web):
    """A server whose domain has its keys at `web`."""
    def make(settings=None, path="/keys", **keys):
        server = own_server(settings, domain_keys={"auth": "token", "jwks_url": web.url + path, **keys}, more='[[domains]]\nname = "second.example"\n')

        def ask(key, domain="demo.example", **more):
            return server.request("GET", f"/{domain}/promptfile", headers=key.header(**more))

        ask.server = server
        return ask
    return make


@pytest.mark.short
@pytest.mark.parametrize("kind", ["RS256", "ES256"])
def test_the_first_request_waits_for_the_keys(fetching, web, kind):
    key, come = Key(kind), threading.Event()
    web.files["/keys"] = File(come, json.dumps({"keys": [key.jwk(kid="1")]}).encode(), length=None)
    ask = fetching()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(key, kid="1")))
    asking.start()
    web.wait_for(1)
    assert ask.server.request("GET", "/healthz").status == 200  # nobody else waits
    assert ask(Key(kind), domain="second.example").status == 401
    come.set()
    asking.join(20)
    assert answers[0].status == 200
    assert [ask(key, **more).status for more in ({"kid": "1"}, {})] == [200, 200]
    assert len(web.requests) == 1


def test_an_upload_waits_too(fetching, web):
    key, come = Key("ES256"), threading.Event()
    web.files["/keys"] = File(come, json.dumps({"keys": [key.jwk()]}).encode(), length=None)
    ask = fetching()
    sound, answers = tone_wav(500, 10), []

    def put(name, by):
        answers.append((name, ask.server.request("PUT", f"/demo.example/promptfile/{name}", raw=sound, headers=by.header()).status))

    uploads = [threading.Thread(target=put, args=("a.wav", key)), threading.Thread(target=put, args=("b.wav", Key("ES256")))]
    for one in uploads:
        one.start()
    web.wait_for(1)
    come.set()
    for one in uploads:
        one.join(20)
    assert sorted(answers) == [("a.wav", 200), ("b.wav", 401)]


def test_keys_may_be_changed(fetching, web):
    old, new = Key("RS256"), Key("RS256")
    web.files["/keys"] = key_set(old.jwk(kid="old"))
    ask = fetching()
    assert ask(old, kid="old").status == 200
    web.files["/keys"] = key_set(new.jwk(kid="new"))
    assert ask(new, kid="new").status == 200  # an unknown name: asked at once
    assert ask(old, kid="old").status == 401
    for _ in range(5):
        assert ask(Key("RS256"), kid="nobody's").status == 401
    assert len(web.requests) == 2  # but once a minute only


def test_the_old_keys_hold_while_their_address_is_away(fetching, web):
    key, stranger = Key("ES256"), Key("ES256")
    web.files["/keys"] = key_set(key.jwk(kid="1"))
    ask = fetching()
    assert ask(key, kid="1").status == 200
    for away in (File(b"", status=503), File(b"{", length=50, abort=True)):
        web.files["/keys"] = away
        assert ask(stranger, kid="2").status == 401
        assert ask(key, kid="1").status == 200


def test_an_address_that_comes_back(fetching, web):
    key = Key("ES256")
    web.files["/keys"] = File(b"away", status=500)
    ask = fetching()
    assert ask(key).status == 401
    web.files["/keys"] = key_set(key.jwk())
    deadline = time.monotonic() + 20
    while ask(key).status != 200:
        assert time.monotonic() < deadline
        threading.Event().wait(0.2)
    assert len(web.requests) == 2


@pytest.mark.parametrize("lie", ["html", "huge", "list", "secrets", "empty", "short", "twice", "key with a member twice"])
def test_what_is_no_key_set_opens_nothing(fetching, web, lie):
    key = Key("RS256")
    web.files["/keys"] = {
        "html": File(b"<html>keys</html>"), "list": File(b"[]"), "empty": File(b'{"keys":[]}'),
        "huge": File(json.dumps({"keys": [key.jwk()], "pad": "x" * 300_000}).encode()),
        "secrets": key_set({"kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "alg": "HS256"}),
        "twice": File(b'{"keys":[],"keys":[' + json.dumps(key.jwk()).encode() + b"]}"),
        "key with a member twice": File(b'{"keys":[' + json.dumps(key.jwk()).encode().replace(b"{", b'{"use":"enc",') + b"]}"),
        "short": File(json.dumps({"keys": [key.jwk()]}).encode()[:-20]),
    }[lie]
    ask = fetching()
    assert ask(key).status == 401
    assert ask(Key("HS256")).status == 401
    assert ask(Key("HS256", key.public_pem().decode())).status == 401


@pytest.mark.short
def test_redirects_are_not_followed(fetching, web):
    key = Key("RS256")
    web.files["/keys"] = File(b"", status=302, headers={"Location": web.url + "/real"})
    web.files["/real"] = key_set(key.jwk())
    ask = fetching()
    assert ask(key).status == 401
    assert [path for path, _ in web.requests] == ["/keys"]


def test_addresses_inside_are_not_asked(fetching, web):
    ask = fetching({"fetch": {"allow": []}}, path="/keys?secret=1")
    assert ask(Key("RS256")).status == 401
    assert web.requests == []
    lines = [line for line in ask.server.log_lines() if "keys can't be fetched" in json.dumps(line)]
    assert lines and "secret" not in json.dumps(lines)


def test_keys_of_the_file_hold_beside_fetched_ones(fetching, web, tmp_path):
    own, fetched = Key("RS256"), Key("ES256")
    (tmp_path / "own.pem").write_bytes(own.public_pem())
    web.files["/keys"] = key_set(fetched.jwk(kid="1"))
    ask = fetching(jwt_public_keys=[str(tmp_path / "own.pem")])
    assert ask(own, kid="any").status == 200
    assert web.requests == [] or len(web.requests) == 1
    assert ask(fetched, kid="1").status == 200


def test_a_silent_address_holds_up_nobody_for_long(fetching, web):
    never = threading.Event()
    web.files["/keys"] = File(never, b"{}", length=None)
    ask = fetching()
    assert ask(Key("RS256")).status == 401
    never.set()
