"""Recordings of connections and of callers: what is in the file, and what the application is told."""

import threading
import time

import pytest
from support.recordings import Recording
from support.rtp_peer import sine


def fetch(server, name):
    answer = server.request("GET", f"/{server.domain}/promptfile/{name}")
    assert answer.status == 200, answer.raw
    return Recording(answer.raw, name.rsplit(".", 1)[1])


def ready(application, number=1, event="recordingReady"):
    return application.wait_for(event, number, 30).body


def speak_both(caller, callee, seconds):
    """The caller says 500 Hz and the callee 900 Hz, at the same time."""
    other = threading.Thread(target=callee.rtp.speak, args=(sine(900, seconds),))
    other.start()
    caller.rtp.speak(sine(500, seconds))
    other.join()


def talk(caller, callee, seconds=1.5):
    """They speak, and each hears the other."""
    speak_both(caller, callee, seconds)
    callee.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)


def end(application, caller):
    """The caller hangs up, and so does whoever is left."""
    application.replies["callEvent"] = {"action": "drop"}
    caller.hang_up()
    application.wait_for("sessionCompleted")


@pytest.mark.parametrize("name", ["talk.mp3", "talk.wav", "talk.ogg"])
def test_a_recorded_call(server, application, connected, name):
    caller, callee = connected(callRecording=True, recordingFileName=name)
    talk(caller, callee)
    end(application, caller)
    told = ready(application)
    assert told["event"] == "recordingSuccessful"
    assert told["recordingFileName"] == name
    assert told["connectionId"] == application.wait_for("callAnswered").body["connectionId"]
    answer = server.request("GET", f"/{server.domain}/promptfile/{name}")
    assert told["fileSize"] == len(answer.raw)
    recording = fetch(server, name)
    assert len(recording.channels) == 2
    assert recording.longest(0, 500) > 1.2 and recording.longest(1, 900) > 1.2
    assert not recording.has(0, 900, 0.1) and not recording.has(1, 500, 0.1)


@pytest.mark.parametrize("codecs", [((8,), (0,)), ((3,), (8,)), ((9,), (0,)), ((9,), (9,))], ids=["PCMA-PCMU", "GSM-PCMA", "G722-PCMU", "G722"])
def test_codecs_meet_in_one_file(own_server, application, connected, codecs):
    server = own_server({"media": {"codecs": ["PCMA", "PCMU", "GSM", "G722"]}})
    caller, callee = connected(caller={"codecs": codecs[0]}, callee={"codecs": codecs[1]}, on=server, callRecording=True, recordingFileName="talk.wav")
    talk(caller, callee)
    end(application, caller)
    ready(application)
    recording = fetch(server, "talk.wav")
    assert recording.rate == (16000 if (9,) in codecs else 8000)
    assert recording.longest(0, 500) > 1.2 and recording.longest(1, 900) > 1.2
    starts = recording.start_of(0, 500), recording.start_of(1, 900)
    assert abs(starts[0] - starts[1]) < 0.3


def test_the_channels_are_on_one_line(server, application, connected):
    """Who speaks later is later in the file, by as much."""
    caller, callee = connected(callRecording=True, recordingFileName="talk.wav")
    caller.rtp.speak(sine(500, 0.6))
    callee.rtp.wait_for_tone(500)
    before = callee.rtp.packets_with_tone(500)[0].at
    callee.rtp.speak(sine(900, 0.6))
    caller.rtp.wait_for_tone(900)
    apart = caller.rtp.packets_with_tone(900)[0].at - before
    end(application, caller)
    ready(application)
    recording = fetch(server, "talk.wav")
    assert abs(recording.start_of(1, 900) - recording.start_of(0, 500) - apart) < 0.1


def test_nobody_hears_in_a_recording_that_the_first_packets_were_late(server, application, connected):
    """The stream is placed too late by 0.3 s; who speaks keeps the pitch all the same."""
    caller, _ = connected(callRecording=True, recordingFileName="late.wav")
    caller.rtp.speak(sine(500, 6), late=15)
    end(application, caller)
    ready(application)
    recording = fetch(server, "late.wav")
    assert recording.longest(0, 500) > 5
    begin = int((recording.start_of(0, 500) + 2.3) * recording.rate)
    sound = recording.channels[0][begin:begin + 3 * recording.rate]
    periods = int(((sound[:-1] < 0) & (sound[1:] >= 0)).sum())
    assert abs(periods - 1500) <= 3, f"{periods / 3:.1f} Hz instead of 500"


def test_started_and_stopped_many_times(server, application, connected):
    caller, callee = connected()
    about = {"replyId": application.wait_for("callAnswered").body["replyId"]}
    assert server.post("stoprecording", about).status == 409
    for number, hertz in enumerate((500, 700, 1100), 1):
        assert server.post("startrecording", {**about, "recordingFileName": f"part{number}.wav"}).status == 200
        assert server.post("startrecording", about).status == 409
        caller.rtp.speak(sine(hertz, 0.8))
        callee.rtp.wait_for_tone(hertz)
        assert server.post("stoprecording", about).status == 200
        assert ready(application, number)["recordingFileName"] == f"part{number}.wav"
        recording = fetch(server, f"part{number}.wav")
        assert recording.has(0, hertz, 0.5)
        assert recording.is_silent(1)
    end(application, caller)
    assert len(application.events("recordingReady")) == 3


def test_the_connection_may_be_named(server, application, connected):
    """For a replyId that was issued before there was a connection."""
    caller, callee = connected()
    about = {"replyId": application.wait_for("newCall").body["replyId"]}
    for command in ("startrecording", "stoprecording"):
        assert server.post(command, about).status == 400
        assert server.post(command, {**about, "connectionId": "11111111-1111-1111-1111-111111111111"}).status == 404
    about["connectionId"] = application.wait_for("callAnswered").body["connectionId"]
    assert server.post("startrecording", {**about, "recordingFileName": "named.wav"}).status == 200
    talk(caller, callee, 0.8)
    assert server.post("stoprecording", about).status == 200
    told = ready(application)
    assert (told["connectionId"], told["recordingFileName"]) == (about["connectionId"], "named.wav")
    assert fetch(server, "named.wav").has(0, 500, 0.5)
    end(application, caller)


def test_without_a_name_one_is_made(server, application, connected):
    caller, callee = connected(callRecording=True)
    answered = application.wait_for("callAnswered").body
    talk(caller, callee, 0.6)
    end(application, caller)
    assert ready(application)["recordingFileName"] == f"{answered['sessionId']}-{answered['connectionId']}.mp3"


def test_split_and_connected_again(server, application, connected):
    application.replies["callEvent"] = lambda body: {"action": "connect", "participantId": body["remoteParticipantId"], "callRecording": True,
                                                     "recordingFileName": "second.wav"}
    caller, callee = connected(callRecording=True, recordingFileName="first.wav")
    talk(caller, callee, 0.8)
    answered = application.wait_for("callAnswered").body
    assert server.post("splitconnection", {"replyId": answered["replyId"]}).status == 200
    assert ready(application)["recordingFileName"] == "first.wav"
    application.wait_for("callAnswered", 2)
    talk(caller, callee, 0.8)
    end(application, caller)
    assert ready(application, 2)["recordingFileName"] == "second.wav"
    for name in ("first.wav", "second.wav"):
        recording = fetch(server, name)
        assert recording.has(0, 500, 0.5) and recording.has(1, 900, 0.5)


def test_a_connection_with_the_ivr(server, application, phone):
    application.replies["newCall"] = {"action": "ivr", "callRecording": True, "recordingFileName": "ivr.wav"}
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": "b"}]}, {"getIVRCommandAfter": 30}]
    caller = phone()
    caller.call()
    caller.rtp.speak(sine(500, 1.0))
    caller.rtp.wait_for_tone(900)
    caller.hang_up()
    ready(application)
    recording = fetch(server, "ivr.wav")
    assert recording.has(0, 500, 0.5) and recording.has(1, 900, 0.4)


def test_media_that_never_came_is_a_failure(server, application, connected):
    caller, callee = connected(callRecording=True, recordingFileName="nothing.wav")
    end(application, caller)
    told = ready(application)
    assert told["event"] == "recordingFailed"
    assert told["reason"] == "No caller or callee media received"
    assert server.request("GET", f"/{server.domain}/promptfile/nothing.wav").status == 404


@pytest.mark.parametrize("body", [{"recordingFileName": "../x.wav"}, {"recordingFileName": "a\nb"}, {"recordingFileName": "x" * 260}, {"connectionId": "x"}])
def test_unusable_requests_change_nothing(server, application, connected, body):
    caller, callee = connected()
    answer = server.post("startrecording", {"replyId": application.wait_for("callAnswered").body["replyId"], **body})
    assert answer.status == (404 if "connectionId" in body else 400)
    assert next(iter(body)) in answer.body["reason"]
    end(application, caller)
    assert application.events("recordingReady") == []


# ---- the record phrase


def leave_message(application, phone, reference=None, **record):
    phrase = {"format": "record", "fileName": "message.wav", **record}
    application.replies["newCall"] = {"action": "ivr", "sessionReferenceId": reference}
    application.replies["getIvrCommand"] = [{"phrases": [phrase, {"fileName": "c"}], "recordedCallback": True}, {"getIVRCommandAfter": 30}]
    caller = phone()
    caller.call()
    if record.get("beep", True):
        caller.rtp.wait_for_tone(1000)
    return caller


def test_a_message_is_recorded_after_the_beep(server, application, phone):
    caller = leave_message(application, phone)
    caller.rtp.speak(sine(600, 1.2))
    caller.rtp.press("#")
    caller.rtp.wait_for_tone(1300)  # the next phrase
    told = ready(application, event="fileRecorded")
    assert told["event"] == "recordingSuccessful" and told["fileName"] == "message.wav"
    recording = fetch(server, "message.wav")
    assert len(recording.channels) == 1
    assert recording.longest(0, 600) > 0.9
    assert abs(recording.seconds - told["duration"]) < 0.1
    assert "dtmfBuffer" not in application.wait_for("getIvrCommand", 2).body
    caller.hang_up()


def test_its_own_key_ends_a_message(server, application, phone):
    """Other keys do not, and are digits of the command's; the key that ends it is none."""
    caller = leave_message(application, phone, terminationKey="*5")
    caller.rtp.speak(sine(600, 0.8))
    caller.rtp.press("#")
    caller.rtp.speak(sine(700, 1.2))
    caller.rtp.press("5")
    caller.rtp.wait_for_tone(1300)
    assert ready(application, event="fileRecorded")["duration"] > 1.4
    recording = fetch(server, "message.wav")
    assert recording.has(0, 600, 0.5) and recording.has(0, 700, 0.5)
    assert application.wait_for("getIvrCommand", 2).body["dtmfBuffer"] == "#"
    caller.hang_up()


def test_the_sessions_reference_is_told_with_a_message(server, application, phone):
    caller = leave_message(application, phone, reference={"order": [7, None]})
    caller.rtp.speak(sine(600, 0.6))
    caller.rtp.press("#")
    told = ready(application, event="fileRecorded")
    assert told["sessionReferenceId"] == {"order": [7, None]}
    assert told["participantId"] == application.wait_for("newCall").body["participantId"]
    caller.hang_up()


def test_silence_ends_a_message(server, application, phone):
    caller = leave_message(application, phone, silenceTimeout=1, beep=False)
    caller.rtp.speak(sine(600, 0.8))
    caller.rtp.wait_for_tone(1300)
    assert 1.5 < ready(application, event="fileRecorded")["duration"] < 4
    caller.hang_up()


def test_its_longest_duration_ends_a_message(server, application, phone):
    caller = leave_message(application, phone, maxDuration=1, fileName="short")
    caller.rtp.keep_speaking(sine(600, 1))
    caller.rtp.wait_for_tone(1300)
    told = ready(application, event="fileRecorded")
    assert told["fileName"] == "short.mp3"
    assert abs(told["duration"] - 1) < 0.3
    caller.hang_up()


def test_a_hang_up_ends_a_message(server, application, phone):
    caller = leave_message(application, phone)
    caller.rtp.speak(sine(600, 0.8))
    caller.hang_up()
    assert ready(application, event="fileRecorded")["event"] == "recordingSuccessful"
    assert fetch(server, "message.wav").has(0, 600, 0.5)


def test_a_message_without_a_word_from_a_phone_that_sends_nothing(server, application, phone):
    caller = leave_message(application, phone, silenceTimeout=0.5)
    caller.rtp.wait_for_tone(1300)
    told = ready(application, event="fileRecorded")
    assert told["event"] == "recordingFailed" and told["reason"] == "No media received"
    caller.hang_up()
