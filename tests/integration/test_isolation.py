"""Two customers on one server: nothing of one is seen, or done, by the other. Walks every path of the API's description, so that new ones
are looked at by themselves."""

import json
import re

import pytest
from conftest import tone_wav
from support.sdk import AccessKey, send
from support.server import DESCRIPTION
from support.tokens import Key

A, B = "demo.example", "b.example"
KEYS = {A: Key("HS256", "a" * 32), B: Key("HS256", "b" * 32)}
ACCESS = {A: AccessKey("AKIDA", "the secret of A"), B: AccessKey("AKIDB", "the secret of B")}
COMMANDS_ABOUT_A_CALL = [path.rpartition("/")[2] for path, item in DESCRIPTION.document["paths"].items()
                         if path.startswith("/{domain}/") and "{" not in path[len("/{domain}/"):] and "post" in item
                         and not path.startswith(("/{domain}/placeivrcall", "/{domain}/placeremotecall"))]
FILE = {"filename": "a.wav", "number": "100", "id": "main", "deviceId": "alarm", "name": "carrier"}


def operations():
    """Every operation of a path that names a domain, but those that are an operator's, or open to browsers."""
    for path, item in DESCRIPTION.document["paths"].items():
        if "{domain}" not in path or path.startswith("/provisioning/"):
            continue
        for method in ("get", "post", "put", "delete"):
            if method in item:
                yield method.upper(), path, takes_signature(item[method])


def takes_signature(operation):
    return any("signature" in one for one in operation.get("security", []))


def on(domain, path):
    return re.sub(r"\{(\w+)\}", lambda one: FILE[one[1]], path.replace("{domain}", domain))


@pytest.fixture
def two(own_server, application):
    """The server, with a file of A's, and how to ask it as somebody."""
    service = f'[[domains.mediaservices]]\nid = "b"\nnumbers = ["*"]\ncallback_url = "{application.url}"\nalarm_url = "{application.url}/alarms"\n'
    server = own_server(
        domain_keys={"auth": "token", "jwt_secret": KEYS[A].secret, "access_keys": [ACCESS[A].toml()]},
        more=f'[[domains]]\nname = "{B}"\njwt_secret = "{KEYS[B].secret}"\naccess_keys = [{{ id = "AKIDB", secret = "the secret of B", region = "eu-north-1" }}]\n' + service)

    def ask(who, method, path, body=None, signed=False):
        if signed:
            return send(server.url, ACCESS[who].request(path, json.dumps(body or {})))[0]
        if method == "PUT" and "promptfile" in path:
            return server.request(method, path, raw=tone_wav(500, 0.1), headers=KEYS[who].header())
        return server.request(method, path, body if method in ("POST", "PUT") else None, headers=KEYS[who].header())

    ask.server = server
    assert ask(A, "PUT", f"/{A}/promptfile/a.wav").status == 200
    return ask


@pytest.fixture
def call_of_a(two, application, phone):
    """What is told of a caller of A's, in the IVR: the members of callAnswered and getIvrCommand."""
    application.replies["newCall"] = {"action": "ivr"}
    application.replies["getIvrCommand"] = [{}, {"getIVRCommandAfter": 60}]
    caller = phone(two.server)
    caller.call()
    told = {**application.wait_for("callAnswered").body, **application.wait_for("getIvrCommand").body}
    return {**told, "participantId": told["callerParticipantId"]}


def test_there_are_operations_to_look_at():
    assert len(list(operations())) >= 15
    assert {path for _, path, signed in operations() if signed} >= {"/{domain}/hangupcall"}


@pytest.mark.short
def test_credentials_of_b_open_nothing_of_a(two):
    for method, path, signed in operations():
        answer = two(B, method, on(A, path), {}, signed)
        assert answer.status == 403, (method, path, answer.body)
        body = json.dumps(answer.body)
        assert two(B, method, on("nobody.example", path), {}, signed).body == answer.body, "names can't be probed"
        assert A not in body and "a.wav" not in body
    assert [one["name"] for one in two(A, "GET", f"/{A}/promptfile").body["files"]] == ["a.wav"]


def test_without_credentials_a_known_and_an_unknown_domain_look_the_same(two):
    for method, path, _ in operations():
        answers = [two.server.request(method, on(domain, path), {} if method == "POST" else None, raw=b"x" if method == "PUT" else None)
                   for domain in (A, "nobody.example")]
        assert answers[0].status == 401, (method, path)
        seen = [(one.status, one.raw, sorted((name, value) for name, value in one.headers.items() if name.lower() != "date")) for one in answers]
        assert seen[0] == seen[1], (method, path)


@pytest.mark.parametrize("command", COMMANDS_ABOUT_A_CALL)
def test_a_replyid_of_a_is_not_taken_from_b(two, call_of_a, command):
    signed = takes_signature(DESCRIPTION.document["paths"]["/{domain}/" + command]["post"])
    body = {name: call_of_a[name] for name in ("replyId", "participantId", "sessionId", "connectionId") if call_of_a.get(name)}
    answer = two(B, "POST", f"/{B}/{command}", body, signed)
    assert answer.status == 403, answer.body
    without = {name: value for name, value in body.items() if name != "replyId"}
    assert two(B, "POST", f"/{B}/{command}", without, signed).status == 400


def test_ids_of_a_mean_nothing_with_a_replyid_of_b(two, call_of_a, application, phone):
    application.replies["getIvrCommand"] = {"getIVRCommandAfter": 60}
    caller = phone(two.server, domain=B)
    caller.call()
    own = application.wait_for("callAnswered", 2).body
    assert own["domain"] == B
    for command, names in (("hangupparticipant", ("participantId",)), ("hangupremoteparticipant", ("participantId",)), ("interruptivrcommand", ("sessionId",)),
                           ("splitconnection", ("connectionId",)), ("startrecording", ("connectionId",)), ("stoprecording", ("connectionId",))):
        body = {"replyId": own["replyId"], **{name: call_of_a[name] for name in names}}
        if command == "startrecording":
            body["recordingFileName"] = "x.wav"
        assert two(B, "POST", f"/{B}/{command}", body).status in (403, 404, 409), command
    assert two(A, "POST", f"/{A}/hangupcalljwt", {"replyId": call_of_a["replyId"]}).status == 200  # still there


def test_prompt_files_of_a_are_not_there_for_b(two):
    for method, path in (("GET", "a.wav"), ("GET", "a.wav/url"), ("DELETE", "a.wav"), ("GET", "..%2Fdemo.example%2Fa.wav")):
        assert two(B, method, f"/{B}/promptfile/{path}").status in (400, 404), path
    body = {"type": "s3", "bucketRegion": "eu-north-1", "bucketName": "bucket"}
    assert two(B, "POST", f"/{B}/promptfile/a.wav/move", body).status >= 400
    assert two(B, "GET", f"/{B}/promptfile").body["files"] == []
    url = two(A, "GET", f"/{A}/promptfile/a.wav/url").body["url"]
    path = url[len(two.server.url):]
    assert two.server.request("GET", path).status == 200
    assert two.server.request("GET", path.replace(A, B)).status == 403
    assert two.server.request("GET", path.replace(A, "nobody.example")).status == 403


def test_a_phrase_of_b_does_not_find_a_file_of_a(two, application, phone):
    application.replies["newCall"] = {"action": "ivr"}
    for name in ("a.wav", "../demo.example/a.wav"):
        application.replies["getIvrCommand"] = [{"phrases": [{"format": "file", "fileName": name}], "hangup": True}]
        caller = phone(two.server, domain=B)
        caller.call()
        caller.wait_request("BYE")
    application.wait_for("sessionCompleted", 2)
    application.wait_for("alarms", 4)  # for each call also that nothing of the command could be played
    assert len([one for one in application.requests if one.event == "alarms" and one.body["error"] == "phraseError"]) == 2


def test_a_caller_of_b_is_not_connected_with_a_participant_of_a(two, call_of_a, application, phone):
    application.replies["newCall"] = {"action": "connect", "participantId": call_of_a["participantId"]}
    caller = phone(two.server, domain=B)
    caller.call()
    caller.wait_request("BYE")
    application.completed("error")
    application.wait_for("alarms")
    alarms = [one.body for one in application.requests if one.event == "alarms"]
    assert [one["errorDetails"]["value"] for one in alarms] == [call_of_a["participantId"]]
    assert len(application.events("callAnswered")) == 1


def test_metrics_name_no_customer_and_no_caller(two, call_of_a):
    text = two.server.request("GET", "/metrics").raw.decode()
    for secret in (A, B, call_of_a["participantId"], call_of_a["sessionId"], "alice", "a.wav", "AKID"):
        assert secret not in text, secret
