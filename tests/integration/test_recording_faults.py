"""Recordings that meet a crash, a full disk, a store that is away; recordings that the server itself can't read."""

import random
import subprocess
import threading

import pytest
from support.recordings import Recording
from support.rtp_peer import sine
from support.s3_server import denied, storage


def fetch(server, name):
    answer = server.request("GET", f"/{server.domain}/promptfile/{name}")
    assert answer.status == 200, answer.raw
    return answer.raw


def wait_ready(application, name, timeout=30):
    """The notification about that file."""
    with application.changed:
        def there():
            return [one.body for one in application.requests if one.event == "recordingReady" and one.body["recordingFileName"] == name]
        assert application.changed.wait_for(there, timeout), f"nothing was told of {name}"
        return there()[0]


def end(application, caller):
    application.replies["callEvent"] = {"action": "drop"}
    caller.hang_up()
    application.wait_for("sessionCompleted")


@pytest.fixture
def crashed_call(application, phone, called_phone, calls):
    """A recorded call that the server leaves by a crash, some time after both have begun to speak."""
    def make(server, name, seconds):
        callee = called_phone(server)
        application.replies["newCall"] = calls(callee, callRecording=True, recordingFileName=name)
        caller = phone(server)
        caller.call()
        application.wait_for("callAnswered", len(application.events("callAnswered")) or 1)
        callee.rtp.keep_speaking(sine(900, 1))
        caller.rtp.keep_speaking(sine(500, 1))
        callee.rtp.wait_for_tone(500)
        caller.rtp.wait_for_tone(900)
        heard = len(callee.rtp.packets)
        callee.rtp.wait_until(lambda: len(callee.rtp.packets) >= heard + seconds * 50)
        server.kill()
        for one in (caller, callee):
            one.rtp.stop_speaking.set()
            one.abandon()
    return make


def test_a_recording_survives_a_crash_at_any_moment(own_server, application, crashed_call):
    server = own_server()
    names = []
    for number in range(20):
        extension = ("wav", "mp3", "ogg")[number % 3]
        seconds = 1.3 + random.random()
        names.append((f"crash{number}.{extension}", seconds))
        crashed_call(server, names[-1][0], seconds)
        server.start()
    for name, seconds in names:
        told = wait_ready(application, name)
        assert told["event"] == "recordingSuccessful", told
        recording = Recording(fetch(server, name), name[-3:])
        # All but the last second is there, and a little for the buffers.
        assert recording.longest(0, 500, 0.7) > seconds - 1.3, name
        assert recording.longest(1, 900, 0.7) > seconds - 1.3, name
    assert len(application.events("recordingReady")) == 20
    application.released.set()


def test_what_is_told_once_is_not_told_again(own_server, application, connected):
    server = own_server()
    caller, callee = connected(on=server, callRecording=True, recordingFileName="once.wav")
    caller.rtp.speak(sine(500, 0.5))
    end(application, caller)
    wait_ready(application, "once.wav")
    server.wait_idle()
    server.kill()
    server.start()
    server.wait_idle()
    assert len(application.events("recordingReady")) == 1


def test_an_application_that_was_away_hears_of_it_after_a_crash(own_server, application, connected):
    from support.application import Raw
    server = own_server()
    application.replies["recordingReady"] = Raw(status=503)
    caller, callee = connected(on=server, callRecording=True, recordingFileName="late.wav")
    caller.rtp.speak(sine(500, 0.5))
    end(application, caller)
    wait_ready(application, "late.wav")
    server.kill()
    application.replies["recordingReady"] = {}
    server.start()
    application.wait_for("recordingReady", 2)
    server.wait_idle()


def test_uploads_are_repeated_across_a_restart(own_server, application, connected, proxy):
    away = threading.Event()

    def refuse(*request):
        away.set()
        denied(*request)

    server = own_server({"storage": storage(proxy.endpoint, bucket="recordings")})
    proxy.fail("PUT", refuse, 500)
    caller, callee = connected(on=server, callRecording=True, recordingFileName="patient.wav")
    caller.rtp.speak(sine(500, 0.6))
    end(application, caller)
    assert away.wait(20)
    server.kill()
    server.start()
    assert application.events("recordingReady") == []
    proxy.faults.clear()
    assert wait_ready(application, "patient.wav", 60)["event"] == "recordingSuccessful"
    assert Recording(fetch(server, "patient.wav"), "wav").has(0, 500, 0.3)


def test_a_full_disk_fails_the_recording_and_not_the_call(own_server, application, connected):
    server = own_server(small_disk=("recordings", 65536))
    caller, callee = connected(on=server, callRecording=True, recordingFileName="full.wav")
    callee.rtp.keep_speaking(sine(900, 1))
    caller.rtp.keep_speaking(sine(500, 1))
    told = wait_ready(application, "full.wav")
    assert told["event"] == "recordingFailed"
    assert "No space left" in told["reason"]
    before = len(caller.rtp.packets)
    caller.rtp.wait_for_packets(50)
    caller.rtp.wait_for_tone(900, first=before)  # the call goes on
    end(application, caller)


def test_encrypted_for_the_domain(own_server, application, connected, tmp_path):
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    server = own_server(domain_keys={"recording_key": str(public)})
    caller, callee = connected(on=server, callRecording=True, recordingFileName="secret.wav")
    caller.rtp.speak(sine(500, 0.8))
    end(application, caller)
    with application.changed:
        assert application.changed.wait_for(lambda: application.events("recordingReady"), 30)
    told = application.events("recordingReady")[0].body
    assert told["recordingFileName"] == "secret.wav.enc"
    content = fetch(server, "secret.wav.enc")
    assert len(content) == told["fileSize"] and b"RIFF" not in content
    (tmp_path / "secret.enc").write_bytes(content)
    from support.server import BINARY
    subprocess.run([BINARY, "decrypt-recording", "--key", private, tmp_path / "secret.enc", tmp_path / "plain.wav"], check=True, timeout=60)
    assert Recording((tmp_path / "plain.wav").read_bytes(), "wav").has(0, 500, 0.5)
