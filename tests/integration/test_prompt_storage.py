"""Prompt storage behaves the same whichever store keeps the files. Moves go to S3 from both."""

import re
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest

from conftest import tone_wav
from support.s3_server import denied, late_error, reset, sdk, slow_down, storage

FILES = "/demo.example/promptfile"
A, B = tone_wav(500, 0.1), tone_wav(900, 0.2)


@pytest.fixture(params=["files", "s3"])
def stored(request, own_server, proxy, s3):
    """A server with an empty store of either kind."""
    table = storage(proxy.endpoint, prefix=f"test-{uuid.uuid4()}/")
    if request.param == "files":
        table = {key: value for key, value in table.items() if key not in ("prefix", "bucket")} | {"kind": "files"}
    server = own_server({"storage": table}, second_domain=True)
    server.kind = request.param
    return server


def fetch(url, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def refused(answer, status, *words):
    assert answer.status == status, answer.raw
    assert all(word in answer.body["reason"] for word in words), answer.body


def names(server):
    return [one["name"] for one in server.request("GET", FILES).body["files"]]


def move(server, name, **more):
    body = {"type": "s3", "bucketRegion": "eu-north-1", "bucketName": "archive", **more}
    return server.post(f"promptfile/{name}/move", {key: value for key, value in body.items() if value is not ...})


# ---- put, get, delete, list


@pytest.mark.short
def test_a_file_is_put_fetched_replaced_and_deleted(stored):
    assert stored.upload("one.wav", A).body == {"success": True}
    got = stored.request("GET", FILES + "/one.wav")
    assert (got.status, got.raw, got.headers["Content-Type"]) == (200, A, "audio/wav")
    assert stored.upload("one.wav", B).status == 200
    again = stored.request("GET", FILES + "/one.wav")
    assert again.raw == B and again.headers["ETag"] != got.headers["ETag"]
    assert stored.request("GET", FILES).body["files"] == [{"name": "one.wav", "size": len(B)}]
    part = stored.request("GET", FILES + "/one.wav", headers={"Range": "bytes=100-199"})
    assert (part.status, part.raw) == (206, B[100:200])
    assert stored.request("HEAD", FILES + "/one.wav").headers["Content-Length"] == str(len(B))
    assert stored.request("DELETE", FILES + "/one.wav").body == {"success": True}
    refused(stored.request("GET", FILES + "/one.wav"), 404, "one.wav")
    refused(stored.request("DELETE", FILES + "/one.wav"), 404, "one.wav")
    assert names(stored) == []


@pytest.mark.short
def test_what_is_refused_leaves_the_old_file(stored):
    assert stored.upload("x.wav", A).status == 200
    assert stored.upload("x.wav", b"not audio").status == 415
    with socket.create_connection(("127.0.0.1", int(stored.url.rsplit(":", 1)[1])), timeout=30) as connection:
        connection.sendall(f"PUT {FILES}/x.wav HTTP/1.1\r\nHost: x\r\nContent-Length: {len(B)}\r\n\r\n".encode() + B[:len(B) // 2])
    assert stored.request("GET", FILES + "/x.wav").raw == A


@pytest.mark.parametrize("name", ["räksmörgås.wav", "a b+c&d=e%20f;g.wav", "日本語", "..wav", "-", "a'b\"c<d>", "~$@!*(),:"])
def test_any_name_comes_back_as_it_was(stored, name):
    path = "/" + urllib.parse.quote(name, safe="")
    assert stored.upload(path[1:], A).status == 200
    assert names(stored) == [name]
    assert stored.request("GET", FILES + path).raw == A
    assert fetch(stored.request("GET", FILES + path + "/url").body["url"]) == (200, A)
    assert move(stored, path[1:]).status == 200
    assert names(stored) == []


@pytest.mark.parametrize("name", [".", "..", "a%2Fb", "a%5Cb", "a%00b", "a%0Ab", "x" * 256])
def test_a_name_that_is_none_is_400(stored, name):
    refused(stored.upload(name.replace("..", "%2E%2E") if name in (".", "..") else name, A), 400, "filename")


def test_a_name_is_found_without_its_extension(stored):
    for name, content in (("menu.v2.wav", A), ("menu.wav", B)):
        assert stored.upload(name, content).status == 200
    assert stored.request("GET", FILES + "/menu").raw == B
    assert stored.request("GET", FILES + "/menu.v2").raw == A
    refused(stored.request("GET", FILES + "/men"), 404)


def test_a_domain_sees_nothing_of_another(stored):
    assert stored.upload("secret.wav", A).status == 200
    for name in ("secret.wav", "..%2Fdemo.example%2Fsecret.wav", "%2E%2E%2Fdemo.example%2Fsecret.wav"):
        assert stored.request("GET", f"/other.example/promptfile/{name}").status in (400, 404)
        assert stored.request("DELETE", f"/other.example/promptfile/{name}").status in (400, 404)
    assert stored.request("GET", "/other.example/promptfile").body["files"] == []
    assert stored.upload("secret.wav", B, domain="other.example").status == 200
    assert stored.request("GET", FILES + "/secret.wav").raw == A


def test_lists_come_in_pages_of_1000(stored, s3):
    wanted = [f"n{number:04}.wav" for number in range(1001)]
    first, *others = wanted
    threads = [threading.Thread(target=lambda part: [stored.upload(one, A) for one in part], args=(others[at::8],)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored.upload(first, A).status == 200
    assert stored.upload("elsewhere.wav", A, domain="other.example").status == 200
    page = stored.request("GET", FILES).body
    assert [one["name"] for one in page["files"]] == wanted[:1000]
    rest = stored.request("GET", FILES + "?" + urllib.parse.urlencode({"next": page["next"]})).body
    assert ([one["name"] for one in rest["files"]], rest["next"]) == (wanted[1000:], None)
    # What is of no use here: damaged, or of another domain's list.
    refused(stored.request("GET", FILES + "?next=%21%21"), 400, "next")
    stray = stored.request("GET", "/other.example/promptfile?" + urllib.parse.urlencode({"next": page["next"]}))
    assert stray.status == 400 or not [one for one in stray.body["files"] if one["name"] in wanted]


def test_a_caller_hears_the_new_version(stored, application, phone):
    for hertz in (600, 1200):
        application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "greeting"}]}, {"getIVRCommandAfter": 30}]
        assert stored.upload("greeting.wav", tone_wav(hertz)).status == 200
        caller = phone(on=stored)
        caller.call()
        caller.rtp.wait_for_tone(hertz)
        caller.hang_up()
    stored.wait_idle()


# ---- /url


@pytest.mark.short
def test_a_url_needs_no_token_and_honours_ranges(stored):
    assert stored.upload("one.wav", A).status == 200
    answer = stored.request("GET", FILES + "/one/url")
    assert answer.status == 200 and answer.body["success"] is True
    url = answer.body["url"]
    assert fetch(url) == (200, A)
    assert fetch(url, {"Range": "bytes=10-19"}) == (206, A[10:20])
    assert stored.upload("one.wav", B).status == 200
    assert fetch(url) == (200, B)  # it stands for the name
    assert stored.request("DELETE", FILES + "/one.wav").status == 200
    assert fetch(url)[0] == 404
    refused(stored.request("GET", FILES + "/one.wav/url"), 404, "one.wav")


@pytest.mark.short
def test_a_url_that_was_tampered_with_is_403(stored):
    for name in ("one.wav", "two.wav"):
        assert stored.upload(name, A).status == 200
    assert stored.upload("one.wav", A, domain="other.example").status == 200
    url = stored.request("GET", FILES + "/one.wav/url").body["url"]
    assert fetch(url)[0] == 200
    signature = re.search(r"[sS]ignature=([A-Za-z0-9_-]+)$", url).group(1)
    other = ("a" if signature[0] != "a" else "b") + signature[1:]
    expires = re.search(r"(expires=|X-Amz-Expires=)(\d+)", url)
    for wrong in (url.replace("one.wav", "two.wav"), url.replace("demo.example", "other.example"), url.replace(signature, other),
                  url.replace(signature, ""), url.replace(signature, signature[:-1]), url.replace(expires.group(0), expires.group(1) + str(int(expires.group(2)) + 1)),
                  url.replace("expires=", "Expires=") if stored.kind == "files" else url.replace("X-Amz-Date=2", "X-Amz-Date=3")):
        assert wrong != url and fetch(wrong)[0] in (400, 403), wrong


def test_a_url_of_this_server_is_for_reading_only(own_server):
    server = own_server()
    assert server.upload("one.wav", A).status == 200
    path = server.request("GET", FILES + "/one.wav/url").body["url"].removeprefix(server.url)
    assert server.request("GET", path).raw == A and server.request("HEAD", path).status == 200
    refused(server.request("GET", path.replace("expires=1", "expires=0")), 403, "signature")
    refused(server.request("GET", path.split("?")[0] + "?signature="), 403, "signature")


def test_public_url_is_what_others_are_told(own_server):
    server = own_server({"http": {"public_url": "https://voice.example/"}})
    assert server.upload("one.wav", A).status == 200
    assert server.request("GET", FILES + "/one.wav/url").body["url"].startswith("https://voice.example/demo.example/promptfile/one.wav?expires=")


# ---- /move


@pytest.mark.short
def test_a_file_is_moved(stored, s3, proxy):
    assert stored.upload("one.wav", A).status == 200
    key = f"2026/{stored.kind}/räksmörgås one.wav"
    assert move(stored, "one.wav", kmsKey="arn:aws:kms:eu-north-1:1:key/k-1", objectKey=key).body == {"success": True}
    moved = sdk("get", endpoint=s3.endpoint, bucket="archive", key=key)
    assert (bytes.fromhex(moved["body"]), moved["type"]) == (A, "audio/wav")
    refused(stored.request("GET", FILES + "/one.wav"), 404)
    put = next(headers for method, path, headers in proxy.seen if method == "PUT" and path.startswith("/archive/"))
    assert put["x-amz-server-side-encryption"] == "aws:kms"
    assert put["x-amz-server-side-encryption-aws-kms-key-id"] == "arn:aws:kms:eu-north-1:1:key/k-1"
    assert ("x-amz-copy-source" in put) == (stored.kind == "s3")
    assert "/eu-north-1/s3/aws4_request" in put["Authorization"]


@pytest.mark.short
@pytest.mark.parametrize("fault", [denied, late_error, slow_down, reset])
def test_a_failed_move_leaves_the_file(stored, proxy, fault):
    if fault is late_error and stored.kind == "files":
        pytest.skip("only a copy can fail after its 200")
    assert stored.upload("one.wav", A).status == 200
    proxy.fail("PUT", fault, times=4)
    refused(move(stored, "one.wav"), 502, "not moved")
    assert stored.request("GET", FILES + "/one.wav").raw == A
    proxy.faults.clear()
    assert move(stored, "one.wav").status == 200


def test_a_move_to_a_bucket_that_is_not_there_leaves_the_file(stored):
    assert stored.upload("one.wav", A).status == 200
    refused(move(stored, "one.wav", bucketName="no-such-bucket"), 502, "NoSuchBucket")
    assert stored.request("GET", FILES + "/one.wav").raw == A


@pytest.mark.parametrize("field,value", [("type", ...), ("type", "ftp"), ("bucketRegion", ...), ("bucketRegion", "eu north"), ("bucketRegion", 7.5),
                                         ("bucketName", ...), ("bucketName", "a"), ("bucketName", "a/../b"), ("bucketName", "evil.example/x"),
                                         ("kmsKey", "a\r\nx: y"), ("kmsKey", {}), ("objectKey", ""), ("objectKey", "a\nb"), ("objectKey", "x" * 1025),
                                         ("objectKey", "../x")])
def test_a_move_says_which_member_is_wrong(server, field, value):
    refused(move(server, "a.wav", **{field: value}), 400, field)


def test_a_move_of_nothing_is_404_and_without_credentials_409(stored, server):
    refused(move(stored, "nothing.wav"), 404, "nothing.wav")
    refused(move(server, "a.wav"), 409, "configured")
    assert server.request("GET", FILES + "/a.wav").status == 200


def test_a_repeated_move_with_its_key_gets_the_first_answer(stored):
    for name in ("one.wav", "two.wav"):
        assert stored.upload(name, A).status == 200
    body = {"type": "s3", "bucketRegion": "eu-north-1", "bucketName": "archive"}
    for name in ("one.wav", "one.wav", "two.wav"):
        assert stored.post(f"promptfile/{name}/move", body, headers={"Idempotency-Key": "k"}).status == 200
    assert names(stored) == []
