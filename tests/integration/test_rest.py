"""The REST API: every status, and an error body that names what was wrong. Each answer is held against the API's description."""

import threading
import uuid

import pytest
from conftest import tone_wav
from support.application import Raw
from support.server import DESCRIPTION
from support.tokens import Key

CODES = {400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "notFound", 405: "methodNotAllowed", 409: "wrongState", 411: "lengthRequired",
         413: "tooLarge", 415: "unsupportedMedia", 416: "rangeNotSatisfiable", 431: "headTooLarge"}


# The commands that are about a call, which a replyId names.
ABOUT_A_CALL = ("hangupcall", "hangupcalljwt", "hangupparticipant", "hangupremoteparticipant", "interruptivrcommand", "splitconnection")


def refused(answer, status, names):
    """The answer is an error of that status, with the stable code; its reason names the field."""
    assert answer.status == status, answer.raw
    body = answer.body
    assert body["success"] is False and body["error"] == CODES[status], body
    assert names in body["reason"], body
    return body


@pytest.fixture
def in_ivr(server, application, phone):
    """The getIvrCommand request of a caller in the IVR, whose answer the server has taken: the caller hears it."""
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "long"}]}, {"getIVRCommandAfter": 30}]
    caller = phone()
    caller.call()
    caller.rtp.wait_for_tone(700)
    return application.wait_for("getIvrCommand").body


# ---- every path


def answers_options(server, path):
    answer = server.request("OPTIONS", path.format(domain="demo.example", filename="x.wav", name="main", number="100"))
    assert (answer.status, answer.body) == (200, {})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    methods = {one.upper() for one in DESCRIPTION.document["paths"][path] if one in ("get", "put", "post", "patch", "delete", "options")}
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == methods
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("path", [one for one in DESCRIPTION.document["paths"] if not one.startswith("/provisioning/")])
def test_every_path_answers_options_for_browsers(server, path):
    answers_options(server, path)


def test_the_paths_of_operators_answer_options_too(own_server):
    server = own_server({"provisioning": {"token": "of-the-operator"}})
    for path in DESCRIPTION.document["paths"]:
        if path.startswith("/provisioning/"):
            answers_options(server, path)


def test_the_allowed_origin_is_configurable(own_server):
    server = own_server({"http": {"cors_allow_origin": "https://example.com"}})
    for answer in (server.request("OPTIONS", "/healthz"), server.request("GET", "/healthz"), server.request("GET", "/nothing/at/all/here")):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://example.com"


def test_unknown_paths_methods_and_domains(server):
    refused(server.request("GET", "/nothing/at/all/here"), 404, "path")
    wrong = server.request("GET", "/demo.example/hangupparticipant")
    refused(wrong, 405, "POST")
    assert "POST" in wrong.headers["Allow"]
    refused(server.request("POST", "/healthz", raw=b""), 405, "GET")
    refused(server.post("hangupparticipant", {"replyId": "x"}, domain="nobody.example"), 404, "domain")
    refused(server.request("GET", "/nobody.example/promptfile"), 404, "domain")


def test_what_is_not_http_is_refused(server):
    refused(server.exchange(b"GET /healthz HTTP/1.1\r\n\r\n", "GET", "/healthz/x"), 400, "Host")
    refused(server.exchange(b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/%zz"), 400, "decoded")
    head = b"GET /nothing/x/y/z HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 40000 + b"\r\n\r\n"
    assert b"431" in raw_answer(server, head)


def raw_answer(server, data):
    import socket
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(data)
        return connection.recv(4096)


# ---- commands


@pytest.mark.short
@pytest.mark.parametrize("command", ABOUT_A_CALL)
@pytest.mark.parametrize("body,names", [
    (b"", "body is empty"),
    (b"{", "not JSON"),
    (b"[1]", "expected a JSON object"),
    (b"{}", "replyId"),
    (b'{"replyId": {}}', "replyId"),
    (b'{"replyId": "nonsense"}', "replyId"),
    (b'{"replyId": "a.b.c"}', "replyId"),
    (b"[" * 5000, "JSON"),
])
def test_a_malformed_command_names_the_field(server, command, body, names):
    refused(server.request("POST", f"/demo.example/{command}", raw=body, headers={"Content-Type": "application/json"}), 400, names)


@pytest.mark.parametrize("body,names", [
    ({}, "destAddr"),
    ({"destAddr": 5}, "destAddr"),
    ({"destAddr": ["sip:a@127.0.0.1"]}, "destAddr"),
    ({"destAddr": "tel:+46850100300"}, "tel:"),
    ({"destAddr": "sip:a@127.0.0.1", "maxRingTime": 0}, "maxRingTime"),
    ({"destAddr": "sip:a@127.0.0.1", "xHeaders": {"Via": "x"}}, "xHeaders"),
    ({"destAddr": "sip:a@127.0.0.1", "pHeaders": {"P-A": "x\r\nVia: y"}}, "pHeaders.P-A"),
    ({"destAddr": "sip:a@127.0.0.1", "contactParameters": {"a b": "x"}}, "contactParameters"),
    ({"destAddr": "sip:a@127.0.0.1", "traceId": "t" * 129}, "traceId"),
])
def test_a_malformed_order_for_a_call_names_the_field(server, application, body, names):
    refused(server.post("placeivrcall", body), 400, names)
    assert application.requests == [], "no call was begun"


def test_a_call_can_not_be_placed_for_a_mediaservice_that_does_not_exist(server, application):
    refused(server.post("placeivrcall", {"destAddr": "sip:a@127.0.0.1", "mediaserviceId": "nobody"}), 404, "mediaserviceId")
    assert application.requests == []


def test_a_caller_in_the_ivr_has_no_other_party_than_that(server, application, in_ivr):
    refused(server.post("splitconnection", {"replyId": in_ivr["replyId"], "connectionId": str(uuid.uuid4())}), 404, "connectionId")
    refused(server.post("hangupremoteparticipant", {"replyId": in_ivr["replyId"], "participantId": str(uuid.uuid4())}), 404, "participantId")
    assert application.events("callEvent") == [] and application.events("sessionCompleted") == []


def test_who_has_left_the_ivr_has_no_other_party(server, application, in_ivr):
    application.replies["callEvent"] = Raw(hold=20)
    assert server.post("splitconnection", {"replyId": in_ivr["replyId"]}).status == 200
    application.wait_for("callEvent")
    for command in ("hangupremoteparticipant", "splitconnection"):
        refused(server.post(command, {"replyId": in_ivr["replyId"]}), 409, "not")
    application.released.set()
    application.wait_for("sessionCompleted")


@pytest.mark.parametrize("command", ["hangupcall", "hangupcalljwt"])
def test_a_session_is_ended(server, application, in_ivr, command):
    assert server.post(command, {"replyId": in_ivr["replyId"]}).body == {"success": True}
    application.completed("apiHangup")
    for again in ABOUT_A_CALL:
        refused(server.post(again, {"replyId": in_ivr["replyId"]}), 404, "replyId")


def test_a_command_may_not_be_large(server):
    refused(server.request("POST", "/demo.example/hangupparticipant", raw=b" " * (1 << 20) + b"{}"), 413, "larger")
    head = b"POST /demo.example/hangupparticipant HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    refused(server.exchange(head, "POST", "/demo.example/hangupparticipant"), 413, "larger")


def test_the_content_type_may_have_parameters_or_be_absent(server, in_ivr):
    wrong = {"replyId": in_ivr["replyId"], "participantId": "nobody"}
    for kind in ("application/json; charset=utf-8", "text/plain"):
        refused(server.post("hangupparticipant", wrong, headers={"Content-Type": kind}), 404, "participantId")


def test_things_that_do_not_exist_are_not_found(server, application, in_ivr):
    reply_id = in_ivr["replyId"]
    for command in ("hangupparticipant", "interruptivrcommand"):
        refused(server.post(command, {"replyId": reply_id, "sessionId": str(uuid.uuid4())}), 404, "sessionId")
    refused(server.post("hangupparticipant", {"replyId": reply_id, "participantId": str(uuid.uuid4())}), 404, "participantId")
    assert application.events("sessionCompleted") == [], "nothing was done half"
    assert server.post("hangupparticipant", {"replyId": reply_id, "sessionId": in_ivr["sessionId"]}).status == 200
    application.completed("apiHangup")
    refused(server.post("hangupparticipant", {"replyId": reply_id}), 404, "replyId")
    refused(server.post("interruptivrcommand", {"replyId": reply_id}), 404, "replyId")


@pytest.mark.short
def test_the_reply_id_of_one_domain_is_no_good_in_another(server, application, in_ivr):
    for command in ABOUT_A_CALL:
        refused(server.post(command, {"replyId": in_ivr["replyId"]}, domain="other.example"), 403, "replyId")
    assert application.events("sessionCompleted") == []


def test_a_forged_reply_id_is_refused(server, in_ivr):
    head, claims, signature = in_ivr["replyId"].split(".")
    refused(server.post("hangupparticipant", {"replyId": f"{head}.{claims}.{signature[::-1]}"}), 400, "replyId")
    refused(server.post("hangupparticipant", {"replyId": f"{head}.{claims[:-2]}.{signature}"}), 400, "replyId")


def test_a_command_that_has_not_been_answered_can_not_be_interrupted(server, application, phone):
    application.replies["getIvrCommand"] = Raw(status=200, body=b"{}", hold=5)
    phone().call()
    reply_id = application.wait_for("getIvrCommand").body["replyId"]
    refused(server.post("interruptivrcommand", {"replyId": reply_id}), 409, "replyId")
    application.released.set()


# ---- Idempotency-Key


@pytest.mark.short
def test_a_repeated_key_gets_the_first_answer(server, in_ivr):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"replyId": in_ivr["replyId"]}
    assert server.post("hangupparticipant", body, headers=key).status == 200
    again = server.post("hangupparticipant", body, headers=key)
    assert (again.status, again.body) == (200, {"success": True}), "not carried out again: it would be 404"
    refused(server.post("hangupparticipant", body, headers={"Idempotency-Key": "another"}), 404, "replyId")


def test_a_repeated_key_gets_the_first_failure_too(server, in_ivr):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    refused(server.post("hangupparticipant", {}, headers=key), 400, "replyId")
    refused(server.post("hangupparticipant", {"replyId": in_ivr["replyId"]}, headers=key), 400, "replyId")


def test_many_requests_with_one_key_at_once_do_it_once(server, application, in_ivr):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.post("hangupparticipant", {"replyId": in_ivr["replyId"]}, headers=key).status))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    application.completed("apiHangup")


def test_a_key_of_another_command_or_domain_is_another_key(server, in_ivr):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"replyId": in_ivr["replyId"]}
    refused(server.post("hangupparticipant", body, domain="other.example", headers=key), 403, "replyId")
    assert server.post("interruptivrcommand", body, headers=key).status == 200
    assert server.post("hangupparticipant", body, headers=key).status == 200


def test_an_unusable_key_is_named(server):
    refused(server.post("hangupparticipant", {}, headers={"Idempotency-Key": "k" * 256}), 400, "Idempotency-Key")


# ---- prompt files


FILES = "/demo.example/promptfile"


@pytest.mark.short
def test_a_prompt_file_is_put_fetched_replaced_and_deleted(server):
    first, second = tone_wav(500, 0.1), tone_wav(900, 0.2)
    assert server.upload("one.wav", first).body == {"success": True}
    got = server.request("GET", FILES + "/one.wav")
    assert (got.status, got.raw) == (200, first)
    assert got.headers["Content-Type"].startswith("audio/")
    assert server.upload("one.wav", second).status == 200
    again = server.request("GET", FILES + "/one.wav")
    assert again.raw == second and again.headers["ETag"] != got.headers["ETag"]
    head = server.request("HEAD", FILES + "/one.wav")
    assert (head.status, head.raw, head.headers["Content-Length"]) == (200, b"", str(len(second)))
    assert {"name": "one.wav", "size": len(second)} in server.request("GET", FILES).body["files"]
    assert server.request("DELETE", FILES + "/one.wav").body == {"success": True}
    refused(server.request("GET", FILES + "/one.wav"), 404, "one.wav")
    refused(server.request("DELETE", FILES + "/one.wav"), 404, "one.wav")
    assert "one.wav" not in [one["name"] for one in server.request("GET", FILES).body["files"]]


@pytest.mark.parametrize("wanted,first,last", [("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("bytes=10-999999", 10, None)])
def test_a_range_of_a_prompt_file(server, wanted, first, last):
    content = tone_wav(500)
    got = server.request("GET", FILES + "/a.wav", headers={"Range": wanted})
    assert got.status == 206
    assert got.raw == content[first:None if last is None else last + 1]
    start = first % len(content)
    assert got.headers["Content-Range"] == f"bytes {start}-{start + len(got.raw) - 1}/{len(content)}"


def test_ranges_that_can_not_be_served(server):
    wrong = server.request("GET", FILES + "/a.wav", headers={"Range": "bytes=999999-"})
    refused(wrong, 416, "Range")
    assert wrong.headers["Content-Range"] == f"bytes */{len(tone_wav(500))}"
    for ignored in ("bytes=0-1,5-6", "lines=1-2", "bytes=9-1"):
        assert server.request("GET", FILES + "/a.wav", headers={"Range": ignored}).status == 200


@pytest.mark.parametrize("name", ["a%2Fb.wav", "n" * 256])
def test_names_that_are_not_allowed(server, name):
    refused(server.upload(name, tone_wav(500, 0.1)), 400, "filename")


@pytest.mark.parametrize("name,shown", [("%C3%A5%20%C3%A4.wav", "å ä.wav"), ("n" * 251 + ".wav", "n" * 251 + ".wav"), ("100%25.wav", "100%.wav")])
def test_names_that_are_allowed(server, name, shown):
    assert server.upload(name, tone_wav(500, 0.1)).status == 200
    assert shown in [one["name"] for one in server.request("GET", FILES).body["files"]]
    assert server.request("DELETE", FILES + "/" + name).status == 200


@pytest.mark.parametrize("content", [b"", b"This is not audio.", b"RIFF\x24\x00\x00\x00WAVEfmt ", tone_wav(500)[:30]])
def test_what_is_not_audio_is_refused_and_leaves_nothing(server, content):
    refused(server.upload("bad.wav", content), 415, "audio")
    refused(server.request("GET", FILES + "/bad.wav"), 404, "bad.wav")


def test_a_refused_replacement_leaves_the_older_file(server):
    assert server.upload("keep.wav", tone_wav(500, 0.1)).status == 200
    refused(server.upload("keep.wav", b"nonsense"), 415, "audio")
    assert server.request("GET", FILES + "/keep.wav").raw == tone_wav(500, 0.1)
    assert server.request("DELETE", FILES + "/keep.wav").status == 200


def test_an_upload_needs_a_length(server):
    head = b"PUT /demo.example/promptfile/x.wav HTTP/1.1\r\nHost: x\r\n\r\n"
    refused(server.exchange(head, "PUT", FILES + "/x.wav"), 411, "Content-Length")


def test_an_upload_in_chunks(server):
    content = tone_wav(500, 0.1)
    data = b"PUT /demo.example/promptfile/chunks.wav HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for at in range(0, len(content), 300):
        piece = content[at:at + 300]
        data += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    assert server.exchange(data + b"0\r\n\r\n", "PUT", FILES + "/chunks.wav").status == 200
    assert server.request("GET", FILES + "/chunks.wav").raw == content
    assert server.request("DELETE", FILES + "/chunks.wav").status == 200


CHUNKS = b"PUT /demo.example/promptfile/bad.wav HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: %s\r\n\r\n"


@pytest.mark.short
@pytest.mark.parametrize("coding,status,names", [
    (b"chunked, gzip", 400, b"Transfer-Encoding"), (b"gzip", 400, b"Transfer-Encoding"), (b"xchunked", 400, b"Transfer-Encoding"),
    (b'"chunked"', 400, b"Transfer-Encoding"), (b"chunked, chunked", 400, b"Transfer-Encoding"), (b"gzip, chunked", 501, b"notImplemented"),
    (b"chunked\r\nContent-Length: 5", 400, b"invalid")])
def test_nobody_hides_a_request_in_a_body_whose_end_is_unclear(server, coding, status, names):
    """What follows is not served, and the connection is closed: a proxy in front of us may have read it as the body."""
    hidden = b"DELETE /demo.example/promptfile/kept.wav HTTP/1.1\r\nHost: x\r\n\r\n"
    assert server.upload("kept.wav", tone_wav(500, 0.1)).status == 200
    got = server.say(CHUNKS % coding + hidden)
    assert got.startswith(b"HTTP/1.1 %d " % status) and names in got and got.count(b"HTTP/1.1 ") == 1, got
    assert server.request("DELETE", FILES + "/kept.wav").status == 200


@pytest.mark.parametrize("cut", [1, 7, 10_000])
@pytest.mark.parametrize("end", [b"0\r\nabc\r\n0@\r\n\r\n", b"0@\r\n\r\n", b"0\r\n a: b\r\n\r\n", b"0\n\n", b"0 \r\n\r\n"])
def test_an_upload_whose_chunks_end_wrongly_is_refused_however_it_is_cut(server, end, cut):
    content = tone_wav(500, 0.1)
    data = CHUNKS % b"chunked" + f"{len(content):x}\r\n".encode() + content + b"\r\n"
    got = server.say(data, *(end[at:at + cut] for at in range(0, len(end), cut)))
    assert got.startswith(b"HTTP/1.1 400 ") and b"malformed" in got and got.count(b"HTTP/1.1 ") == 1
    refused(server.request("GET", FILES + "/bad.wav"), 404, "bad.wav")


def test_an_upload_that_is_too_large_is_refused_before_it_is_sent(server):
    head = b"PUT /demo.example/promptfile/x.wav HTTP/1.1\r\nHost: x\r\nContent-Length: 52428801\r\n\r\n"
    refused(server.exchange(head, "PUT", FILES + "/x.wav"), 413, "larger")


def test_an_upload_that_breaks_off_leaves_nothing(server):
    import socket
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"PUT /demo.example/promptfile/half.wav HTTP/1.1\r\nHost: x\r\nContent-Length: 9644\r\n\r\n" + tone_wav(500)[:4000])
    refused(server.request("GET", FILES + "/half.wav"), 404, "half.wav")


def test_one_domain_does_not_see_anothers_files(server):
    refused(server.request("GET", "/other.example/promptfile/a.wav"), 404, "a.wav")
    assert server.request("GET", "/other.example/promptfile").body == {"success": True, "files": [], "next": None}


def test_a_long_list_comes_in_pages(own_server):
    server = own_server()
    content = tone_wav(500, 0.02)
    names = [f"f{number:04}.wav" for number in range(1003)]

    def put(part):
        for name in part:
            assert server.upload(name, content).status == 200

    threads = [threading.Thread(target=put, args=(names[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = server.request("GET", FILES).body
    assert [one["name"] for one in first["files"]] == names[:1000]
    import urllib.parse
    last = server.request("GET", FILES + "?next=" + urllib.parse.quote(first["next"])).body
    assert [one["name"] for one in last["files"]] == names[1000:]
    assert last["next"] is None


# ---- tokens


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    keys = {"RS256": Key("RS256"), "ES256": Key("ES256"), "HS256": Key("HS256"), "stranger": Key("RS256"), "other": Key("HS256", "f" * 32)}
    for kind in ("RS256", "ES256"):
        (folder / f"{kind}.pem").write_bytes(keys[kind].public_pem())
    keys["file"] = "\n".join([
        "[[domains]]", 'name = "closed.example"', 'auth = "token"',
        f'jwt_public_keys = ["{folder}/RS256.pem", "{folder}/ES256.pem"]', f'jwt_secret = "{keys["HS256"].secret}"',
        "[[domains]]", 'name = "closed2.example"', f'jwt_secret = "{keys["other"].secret}"', ""])
    return keys


@pytest.fixture
def closed(own_server, keys):
    server = own_server(more=keys["file"])

    def get(headers=None, domain="closed.example"):
        return server.request("GET", f"/{domain}/promptfile", headers=headers)

    get.server = server
    return get


@pytest.mark.short
def test_tokens_of_each_algorithm_are_accepted(closed, keys):
    for kind in ("RS256", "ES256", "HS256"):
        assert closed(keys[kind].header()).status == 200
        assert closed(keys[kind].header(domain="closed.example", aud=["x", "closed.example"])).status == 200


def test_without_valid_credentials_it_is_401_whether_the_domain_exists_or_not(closed, keys):
    bad = [None, {"Authorization": "Basic dXNlcjpwYXNz"}, {"Authorization": "Bearer "}, {"Authorization": "Bearer x.y.z"},
           keys["stranger"].header(), keys["RS256"].header(exp=None), keys["RS256"].header(exp=1), keys["RS256"].header(nbf=4102444800),
           keys["RS256"].header(alg="none"), keys["RS256"].header(alg="HS256")]
    for headers in bad:
        answers = [closed(headers, domain) for domain in ("closed.example", "nobody.example")]
        for answer in answers:
            refused(answer, 401, "Authorization")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answers[0].body == answers[1].body, "names can't be probed"


def test_the_public_key_is_not_taken_for_a_secret(closed, keys):
    confused = Key("HS256", keys["RS256"].public_pem().decode())
    refused(closed(confused.header()), 401, "Authorization")


def test_a_token_of_another_domain_is_403(closed, keys):
    refused(closed(keys["other"].header()), 403, "another domain")
    refused(closed(keys["RS256"].header(domain="closed2.example")), 403, "another domain")
    refused(closed(keys["RS256"].header(aud="closed2.example")), 403, "another domain")


def test_every_path_of_a_closed_domain_needs_the_token(closed, keys):
    server = closed.server
    for command in (*(one for one in ABOUT_A_CALL if one != "hangupcall"), "placeivrcall"):
        refused(server.post(command, {}, domain="closed.example"), 401, "Authorization")
        missing = "destAddr" if command == "placeivrcall" else "replyId"
        refused(server.post(command, {}, domain="closed.example", headers=keys["ES256"].header()), 400, missing)
    path = "/closed.example/promptfile/t.wav"
    for method in ("GET", "DELETE"):
        refused(server.request(method, path), 401, "Authorization")
    refused(server.request("PUT", path, raw=tone_wav(500, 0.1)), 401, "Authorization")
    assert server.request("PUT", path, raw=tone_wav(500, 0.1), headers=keys["ES256"].header()).status == 200
    assert server.request("GET", path, headers=keys["HS256"].header()).status == 200
