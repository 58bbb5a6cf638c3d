"""The S3 store: what others see of it, several servers at one bucket, and an S3 that does not do what it should."""

import itertools
import pathlib
import threading
import time
import urllib.request

import pytest

from conftest import tone_wav
from support.s3_server import denied, garbled, half, late_error, reset, sdk, served_but_lost, short, slow, slow_down, storage

FILES = "/demo.example/promptfile"
A, B = tone_wav(500, 0.1), tone_wav(900, 0.2)
LARGE = tone_wav(500, 400, rate=48000)  # 38 MB: three parts
numbers = itertools.count()


@pytest.fixture
def prefix():
    return f"faults-{next(numbers)}/"


@pytest.fixture
def make(own_server, proxy, prefix):
    """Makes servers at the same part of the bucket."""
    def make(**more):
        return own_server({"storage": storage(proxy.endpoint, prefix=prefix, **more)}, second_domain=True)
    return make


@pytest.fixture
def stored(make):
    return make()


def refused(answer, status, *words):
    assert answer.status == status, answer.raw
    assert all(word in answer.body["reason"] for word in words), answer.body


def get(server, name="x.wav"):
    return server.request("GET", f"{FILES}/{name}")


def cache_of(server):
    return sorted(pathlib.Path(server.folder, "var", "s3-cache").iterdir())


# ---- what others see


def test_the_sdk_finds_what_was_stored(stored, s3, prefix):
    assert stored.upload("r%C3%A4ksm%C3%B6rg%C3%A5s%20%2B.wav", A).status == 200
    key = prefix + "demo.example/räksmörgås +.wav"
    assert {"key": key, "size": len(A)} in sdk("keys", endpoint=s3.endpoint, bucket="prompts")
    found = sdk("get", endpoint=s3.endpoint, bucket="prompts", key=key)
    assert (bytes.fromhex(found["body"]), found["type"]) == (A, "audio/wav")
    assert len(found["metadata"]["sha256"]) == 64


def test_what_the_sdk_stores_is_served(stored, s3, prefix, application, phone):
    sdk("put", endpoint=s3.endpoint, bucket="prompts", key=prefix + "demo.example/theirs.wav", body=tone_wav(700).hex(), type="audio/x-wav")
    sdk("put", endpoint=s3.endpoint, bucket="prompts", key=prefix + "demo.example/folder/x.wav", body=A.hex(), type="audio/wav")
    assert [one["name"] for one in stored.request("GET", FILES).body["files"]] == ["theirs.wav"]
    assert get(stored, "theirs").raw == tone_wav(700)
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "theirs"}]}, {"getIVRCommandAfter": 30}]
    caller = phone(on=stored)
    caller.call()
    caller.rtp.wait_for_tone(700)
    caller.hang_up()
    stored.wait_idle()


def test_a_large_file_goes_in_parts(stored, proxy, s3, prefix):
    assert stored.upload("large.wav", LARGE).status == 200
    assert proxy.count("PUT", "partNumber=") == 3 and proxy.count("POST", "uploadId=") == 1
    head = sdk("head", endpoint=s3.endpoint, bucket="prompts", key=prefix + "demo.example/large.wav")
    assert (head["size"], head["type"]) == (len(LARGE), "audio/wav")
    for one in cache_of(stored):
        one.unlink()
    assert get(stored, "large.wav").raw == LARGE


def test_the_bucket_may_stand_in_the_host_name(own_server, s3, prefix):
    server = own_server({"storage": storage(f"http://s3.localhost:{s3.port}", prefix=prefix, path_style=False)})
    assert server.upload("x.wav", A).status == 200
    assert get(server).raw == A
    url = server.request("GET", f"{FILES}/x.wav/url").body["url"]
    assert url.startswith(f"http://prompts.s3.localhost:{s3.port}/{prefix}demo.example/x.wav?")


def test_a_session_token_is_signed_and_sent(make, proxy):
    server = make(session_token="temporary/credentials==")
    assert server.upload("x.wav", A).status == 200
    put = next(headers for method, _, headers in proxy.seen if method == "PUT")
    assert put["x-amz-security-token"] == "temporary/credentials=="
    assert "x-amz-security-token" in put["Authorization"]
    url = server.request("GET", f"{FILES}/x.wav/url").body["url"]
    assert "X-Amz-Security-Token=temporary%2Fcredentials%3D%3D" in url
    with urllib.request.urlopen(url, timeout=30) as response:
        assert response.read() == A


# ---- several servers


def test_another_server_sees_what_was_stored_and_replaced(make):
    one, other = make(), make()
    for content in (A, B):
        assert one.upload("x.wav", content).status == 200
        assert get(other).raw == content
    assert one.request("DELETE", FILES + "/x.wav").status == 200
    assert get(other).status == 404


def test_many_at_once_fetch_a_file_once(make, proxy):
    assert make().upload("x.wav", A).status == 200
    other = make()
    answers = []
    proxy.fail("GET", slow)
    threads = [threading.Thread(target=lambda: answers.append(get(other).raw)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [A] * 8
    assert proxy.count("GET", "x.wav") == 1


def test_the_cache_survives_a_restart_and_what_was_half_done_does_not(stored, proxy):
    assert stored.upload("x.wav", A).status == 200
    stored.process.terminate()
    stored.process.wait(timeout=30)
    pathlib.Path(stored.folder, "var", "s3-cache", ".new-7").write_bytes(b"half")
    stored.start()
    assert get(stored).raw == A
    assert proxy.count("GET", "x.wav") == 0
    assert len(cache_of(stored)) == 1


# ---- an S3 that fails


@pytest.mark.short
@pytest.mark.parametrize("fault,times", [(slow_down, 1), (slow_down, 3), (reset, 2), (slow, 1), (served_but_lost, 1)])
def test_an_upload_gets_over_a_fault(stored, proxy, fault, times):
    proxy.fail("PUT", fault, times)
    assert stored.upload("x.wav", A).status == 200
    assert get(stored).raw == A


@pytest.mark.short
@pytest.mark.parametrize("fault,times,status", [(slow_down, 4, 503), (reset, 4, 503), (denied, 1, 502)])
def test_a_failed_upload_leaves_the_old_file(stored, proxy, fault, times, status):
    assert stored.upload("x.wav", A).status == 200
    before = proxy.count("PUT")
    proxy.fail("PUT", fault, times)
    refused(stored.upload("x.wav", B), status, "prompt storage")
    assert proxy.count("PUT") - before == times  # a 4xx is not tried again
    assert get(stored).raw == A
    assert len(cache_of(stored)) == 1


@pytest.mark.parametrize("method,fault,times", [("PUT", reset, 1), ("POST", slow_down, 2), ("POST", reset, 1), ("PUT", served_but_lost, 1)])
def test_an_upload_in_parts_gets_over_a_fault(stored, proxy, method, fault, times):
    proxy.fail(method, fault, times)
    assert stored.upload("large.wav", LARGE).status == 200
    assert get(stored, "large.wav").raw == LARGE


@pytest.mark.parametrize("fault", [slow_down, denied, reset])
def test_a_failed_upload_in_parts_is_aborted(stored, proxy, s3, fault):
    assert stored.upload("large.wav", A).status == 200
    proxy.fail("PUT", fault, 4 if fault is not denied else 1)
    refused(stored.upload("large.wav", LARGE), 502 if fault is denied else 503)
    assert proxy.count("DELETE", "uploadId=") == 1
    assert get(stored, "large.wav").raw == A


def complete(fault):
    """The fault, for the request that completes an upload in parts; others are passed on."""
    def one(faulty, handler, body):
        if "uploadId=" in handler.path:
            return fault(faulty, handler, body)
        faulty.fail("POST", one)
        return faulty.answer(handler, *faulty.forward(handler, body))
    return one


@pytest.mark.parametrize("fault", [late_error, served_but_lost, slow_down])
def test_the_end_of_an_upload_in_parts_may_fail_late(stored, proxy, fault):
    proxy.fail("POST", complete(fault))
    assert stored.upload("large.wav", LARGE).status == 200
    assert get(stored, "large.wav").raw == LARGE


@pytest.mark.short
@pytest.mark.parametrize("fault", [reset, slow_down, half, short, garbled])
def test_a_fetch_gets_over_a_fault_and_never_serves_what_is_wrong(make, proxy, fault):
    assert make().upload("x.wav", A).status == 200
    other = make()
    proxy.fail("GET", fault)
    assert get(other).raw == A
    for one in cache_of(other):
        one.unlink()
    proxy.fail("GET", fault, 20)  # curl tries on its own when a kept-alive connection breaks
    assert get(other).status == (500 if fault in (short, garbled) else 503)
    proxy.faults.clear()
    assert cache_of(other) == []
    assert get(other).raw == A


def test_a_length_that_is_a_lie_is_found_out_without_a_hash(stored, proxy, s3, prefix):
    sdk("put", endpoint=s3.endpoint, bucket="prompts", key=prefix + "demo.example/theirs.wav", body=A.hex(), type="audio/wav")
    proxy.fail("GET", short, 4)
    refused(get(stored, "theirs.wav"), 500, str(len(A)))
    assert get(stored, "theirs.wav").raw == A


def test_a_server_starts_and_answers_without_its_bucket(own_server, s3):
    unreachable = own_server({"storage": storage("http://127.0.0.1:1")})
    refused(get(unreachable), 503, "can't be reached")
    refused(unreachable.upload("x.wav", A), 503, "can't be reached")
    refused(unreachable.request("GET", FILES), 503)
    missing = own_server({"storage": storage(s3.endpoint, bucket="no-such-bucket")})
    wrong = own_server({"storage": storage(s3.endpoint, secret_access_key="wrong")})
    refused(missing.upload("x.wav", A), 502, "NoSuchBucket")
    refused(wrong.upload("x.wav", A), 502, "SignatureDoesNotMatch")
    for server in (unreachable, missing, wrong):
        deadline = time.monotonic() + 20
        while not any(line["level"] == "error" and "S3 bucket is not reachable" in line["msg"] for line in server.log_lines()):
            assert time.monotonic() < deadline, server.log()
            threading.Event().wait(0.05)
    assert "wrong" not in wrong.log() and "Signature=" not in wrong.log()


@pytest.mark.short
def test_calls_go_on_with_what_was_heard_last_while_s3_is_away(stored, proxy, application, phone):
    assert stored.upload("x.wav", tone_wav(600)).status == 200
    assert get(stored, "x").status == 200
    proxy.fail("any", reset, 1000)
    assert get(stored, "x").raw == tone_wav(600)
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "x"}]}, {"getIVRCommandAfter": 30}]
    caller = phone(on=stored)
    caller.call()
    caller.rtp.wait_for_tone(600)
    caller.hang_up()
    stored.wait_idle()
    refused(stored.upload("x.wav", B), 503)
    refused(get(stored, "never-asked-for.wav"), 503)
    proxy.faults.clear()
    assert stored.upload("x.wav", B).status == 200
    proxy.fail("any", reset, 1000)
    assert get(stored, "x").status == 503  # not the older version: what this server has replaced, it knows
    proxy.faults.clear()
    assert get(stored, "x").raw == B


def test_a_server_stops_while_it_waits_for_s3(make, proxy):
    server = make()
    held, release = threading.Event(), threading.Event()

    def hold(_, handler, __):
        held.set()
        release.wait(30)
        handler.close_connection = True

    proxy.fail("PUT", hold)

    def upload():
        try:
            server.upload("x.wav", A)
        except OSError:
            pass

    thread = threading.Thread(target=upload)
    thread.start()
    assert held.wait(10)
    server.process.terminate()
    server.process.wait(timeout=10)  # the hold lasts for longer
    release.set()
    thread.join()


def test_a_move_that_cannot_be_verified_leaves_the_file(stored, proxy):
    assert stored.upload("x.wav", A).status == 200

    def forget(faulty, handler, body):
        faulty.answer(handler, 404, [], b"") if handler.path.startswith("/archive/") else faulty.answer(handler, *faulty.forward(handler, body))

    proxy.faults = [("HEAD", lambda faulty, handler, body: faulty.answer(handler, *faulty.forward(handler, body))), ("HEAD", forget)]
    refused(stored.post("promptfile/x.wav/move", {"type": "s3", "bucketRegion": "eu-north-1", "bucketName": "archive"}), 502, "not moved")
    assert get(stored).raw == A


def test_a_file_that_is_replaced_while_it_is_moved_stays(stored, proxy):
    assert stored.upload("x.wav", A).status == 200

    def replace(faulty, handler, body):
        answer = faulty.forward(handler, body)
        assert stored.upload("x.wav", B).status == 200
        faulty.answer(handler, *answer)

    proxy.fail("PUT", replace)
    refused(stored.post("promptfile/x.wav/move", {"type": "s3", "bucketRegion": "eu-north-1", "bucketName": "archive"}), 409, "replaced")
    assert get(stored).raw == B


def test_prompt_storage_itself_is_no_place_to_move_to(stored):
    assert stored.upload("x.wav", A).status == 200
    refused(stored.post("promptfile/x.wav/move", {"type": "s3", "bucketRegion": "eu-north-1", "bucketName": "prompts", "objectKey": "other.example/x.wav"}), 400, "bucketName")
    assert get(stored).raw == A
