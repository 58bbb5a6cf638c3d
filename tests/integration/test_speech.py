"""Speech in calls: the engines, what they are asked, what they do wrong, and what is kept of what they said."""

import json
import pathlib
import threading
import time

import pytest
from support.s3_server import storage
from support.speech_servers import Google, HttpSpeech, Polly, linear, wav


@pytest.fixture
def engine():
    """Makes speech servers; they are closed at the end."""
    made = []

    def make(kind):
        made.append(kind())
        return made[-1]

    yield make
    for one in made:
        one.close()


def wait_until(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        threading.Event().wait(0.1)


def up(phone, application, server, *replies):
    application.replies["getIvrCommand"] = [*replies, {"getIVRCommandAfter": 30}]
    caller = phone(server)
    caller.call()
    return caller


def polly_server(own_server, polly, **more):
    return own_server({"tts": {"aws": {"access_key_id": polly.key_id, "secret_access_key": polly.secret, "region": polly.region, "endpoint": polly.url, **more}}})


def polly_phrase(text="Welcome to the house.", parameters=None, **more):
    return {"format": "awstts", "awsTTSParameters": {"Text": text, "VoiceId": "Joanna", "Engine": "neural", **(parameters or {})}, **more}


def google_server(own_server, google, tmp_path):
    file = tmp_path / "account.json"
    file.write_text(json.dumps(google.credentials()))
    return own_server({"tts": {"google": {"credentials_file": str(file), "endpoint": google.url}}})


def test_polly_gets_its_request_as_it_is_and_a_right_signature(own_server, application, phone, engine):
    polly = engine(Polly)
    server = polly_server(own_server, polly)
    caller = up(phone, application, server, {"phrases": [polly_phrase(parameters={"LexiconNames": ["a", "b"], "TextType": "text"})]})
    caller.rtp.wait_for_tone(700)
    assert polly.problems == []
    path, headers, body = polly.requests[0]
    asked = json.loads(body)
    assert asked["Text"] == "Welcome to the house." and asked["VoiceId"] == "Joanna" and asked["LexiconNames"] == ["a", "b"]
    assert asked["OutputFormat"] == "pcm"
    assert polly.signed_by_the_sdk(polly.requests[0]) == headers["Authorization"]
    caller.hang_up()


def test_a_phrase_may_name_its_region(own_server, application, phone, engine):
    polly = engine(Polly)
    server = polly_server(own_server, polly, region="us-east-1")
    caller = up(phone, application, server, {"phrases": [polly_phrase()]}, {"phrases": [polly_phrase(region=polly.region)]})
    assert "us-east-1" in application.wait_alarm("phraseError")["errorDetails"]["description"]  # Polly has refused what was signed for that one
    caller.rtp.wait_for_tone(700)
    assert ["/us-east-1/polly/" in headers["Authorization"] for _, headers, _ in polly.requests] == [True, False]
    caller.hang_up()


def test_the_same_speech_is_synthesised_once_and_survives_a_restart(own_server, application, phone, engine):
    polly = engine(Polly)
    server = polly_server(own_server, polly)
    phrase = {"phrases": [polly_phrase(cacheTimeToLive="WEEK")]}
    caller = up(phone, application, server, phrase, phrase)
    application.wait_for("getIvrCommand", 3)
    caller.hang_up()
    application.wait_for("sessionCompleted")
    assert len(polly.requests) == 1
    server.kill()
    server.start()
    application.reset()
    caller = up(phone, application, server, phrase)
    caller.rtp.wait_for_tone(700)
    assert len(polly.requests) == 1
    caller.hang_up()


def test_refresh_cache_synthesises_anew(own_server, application, phone, engine):
    polly = engine(Polly)
    server = polly_server(own_server, polly)
    caller = up(phone, application, server, {"phrases": [polly_phrase()]}, {"phrases": [polly_phrase(refreshCache=True)]}, {"phrases": [polly_phrase()]})
    application.wait_for("getIvrCommand", 4)
    assert len(polly.requests) == 2
    caller.hang_up()


def test_nodes_share_what_was_synthesised_through_the_bucket(own_server, application, phone, engine, s3):
    polly = engine(Polly)
    aws = {"access_key_id": polly.key_id, "secret_access_key": polly.secret, "region": polly.region, "endpoint": polly.url}
    settings = {"tts": {"aws": aws}, "storage": storage(s3.endpoint, bucket="speech")}
    phrase = {"phrases": [polly_phrase()]}
    for _ in range(2):
        application.reset()
        caller = up(phone, application, own_server(settings), phrase)
        caller.rtp.wait_for_tone(700)
        caller.hang_up()
        application.wait_for("sessionCompleted")
        wait_until(lambda: s3.objects("speech"))
    assert len(polly.requests) == 1
    assert [key for key in s3.objects("speech") if "demo.example" in key] == []  # no domain sees them


def test_two_callers_who_want_the_same_synthesise_it_once(own_server, application, phone, engine):
    polly = engine(Polly)
    server = polly_server(own_server, polly)
    both = threading.Barrier(2, timeout=20)

    def reply(body):
        if len(application.events("getIvrCommand")) <= 2:
            both.wait()
        return {"phrases": [polly_phrase()], "getIVRCommandAfter": 30}

    application.replies["getIvrCommand"] = reply
    callers = [phone(server), phone(server)]
    for one in callers:
        one.call()
    for one in callers:
        one.rtp.wait_for_tone(700)
    assert len(polly.requests) == 1
    for one in callers:
        one.hang_up()


FAULTS = {
    "401": (lambda *_: (401, {"x-amzn-ErrorType": "UnrecognizedClientException"}, b'{"message":"no such key"}'), "no such key"),
    "empty": (lambda *_: (200, {"Content-Type": "audio/pcm"}, b""), ""),
    "error 500": (lambda *_: (500, {}, b""), "500"),
    "lies about its length": (lambda *_: (200, {"Content-Type": "audio/pcm", "Content-Length": "90000"}, linear(700)[:200]), ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_is_an_alarm_the_flow_goes_on_and_nothing_is_kept(own_server, application, phone, engine, fault):
    polly = engine(Polly)
    server = polly_server(own_server, polly)
    answer, words = FAULTS[fault]
    polly.misbehave(answer)
    caller = up(phone, application, server, {"phrases": [polly_phrase(), {"format": "tone", "frequencies": [900], "seconds": 0.5}]}, {"phrases": [polly_phrase()]})
    caller.rtp.wait_for_tone(900)
    alarm = application.wait_alarm("phraseError")
    assert alarm["errorDetails"]["format"] == "awstts" and words in alarm["errorDetails"]["description"]
    caller.rtp.wait_for_tone(700)  # the second time it is well
    assert len(polly.requests) == 2
    caller.hang_up()


def test_google_gets_its_request_and_a_token(own_server, application, phone, engine, tmp_path):
    google = engine(Google)
    server = google_server(own_server, google, tmp_path)
    phrase = {"format": "googletts", "googleTTSParameters": {"input": {"ssml": "<speak>Hello</speak>"}, "voice": {"languageCode": "en-GB"}}}
    other = {"format": "googletts", "googleTTSParameters": {"input": {"text": "Another"}, "voice": {"languageCode": "en-GB"}}}
    caller = up(phone, application, server, {"phrases": [phrase, other]})
    caller.rtp.wait_for_tone(800)
    application.wait_for("getIvrCommand", 2)
    assert [path for path, *_ in google.requests] == ["/token", "/v1/text:synthesize", "/v1/text:synthesize"]  # one token for both
    assert {"ssml": "<speak>Hello</speak>"} in [json.loads(body)["input"] for *_, body in google.requests[1:]]  # two at a time
    caller.hang_up()


def test_a_token_that_was_withdrawn_is_replaced_once(own_server, application, phone, engine, tmp_path):
    google = engine(Google)
    server = google_server(own_server, google, tmp_path)

    def phrase(text):
        return {"format": "googletts", "googleTTSParameters": {"input": {"text": text}, "voice": {"languageCode": "en"}}}

    caller = up(phone, application, server, {"phrases": [phrase("one")]}, {"phrases": [phrase("two")]})
    caller.rtp.wait_for_tone(800)
    google.tokens.clear()
    application.wait_for("getIvrCommand", 3)
    assert not application.events("alarms")
    assert [path for path, *_ in google.requests].count("/token") == 2
    caller.hang_up()


@pytest.mark.parametrize("content", ["!", "QUJD", ""], ids=["no base64", "no audio", "empty"])
def test_google_audio_that_is_none_is_an_alarm(own_server, application, phone, engine, tmp_path, content):
    google = engine(Google)
    server = google_server(own_server, google, tmp_path)
    broken = json.dumps({"audioContent": content}).encode()
    google.misbehave(lambda path, body: google.answer(path, {}, body) if path == "/token" else (200, {}, broken), 2)
    caller = up(phone, application, server, {"phrases": [
        {"format": "googletts", "googleTTSParameters": {"input": {"text": "a"}, "voice": {"languageCode": "en"},
                                                        "audioConfig": {"audioEncoding": "MP3"}}},
        {"format": "tone", "frequencies": [900], "seconds": 0.5}]})
    caller.rtp.wait_for_tone(900)
    application.wait_alarm("phraseError")
    caller.hang_up()


def http_settings(speech):
    return {"tts": {"engine": "http", "http": {"url": speech.url, "model": "neural-1", "voice": "alloy", "api_key": "key-of-the-engine"}}}


LONG = "This is the first sentence, and it is long enough to stand alone. Here is a second one that follows it at once. And this is the third of them, which is also the last."


def test_an_engine_behind_http_speaks_sentence_by_sentence(own_server, application, phone, engine):
    speech = engine(HttpSpeech)
    server = own_server(http_settings(speech))
    caller = up(phone, application, server, {"phrases": [{"format": "tts", "text": LONG}]})
    caller.rtp.wait_for_tone(1000)
    application.wait_for("getIvrCommand", 2)
    said = [json.loads(body)["input"] for _, _, body in speech.requests]
    assert len(said) == 3 and " ".join(said) == LONG
    caller.hang_up()


def test_a_phrase_may_name_its_voice(own_server, application, phone, engine):
    """What one voice has said is not taken for the other's."""
    speech = engine(HttpSpeech)
    server = own_server(http_settings(speech))
    phrases = [{"format": "tts", "text": "Good morning.", **voice} for voice in ({}, {"voice": "verse"}, {"voice": "alloy"})]
    caller = up(phone, application, server, *[{"phrases": [one]} for one in phrases])
    application.wait_for("getIvrCommand", 4)
    assert [json.loads(body)["voice"] for _, _, body in speech.requests] == ["alloy", "verse"]
    assert caller.rtp.has_tone(1000)
    caller.hang_up()


def test_the_first_sentence_is_heard_while_the_next_is_synthesised(own_server, application, phone, engine):
    speech = engine(HttpSpeech)
    server = own_server(http_settings(speech))
    go_on = threading.Event()
    usual = speech.answer

    def wait_with_the_second(path, headers, body):
        if len(speech.requests) > 1:
            go_on.wait(30)
        return usual(path, headers, body)

    speech.answer = wait_with_the_second
    caller = up(phone, application, server, {"phrases": [{"format": "tts", "text": LONG}]})
    caller.rtp.wait_for_tone(1000)
    go_on.set()
    application.wait_for("getIvrCommand", 2)
    caller.hang_up()


def test_an_engine_that_breaks_off_in_the_middle_is_an_alarm_and_is_not_kept(own_server, application, phone, engine):
    speech = engine(HttpSpeech)
    server = own_server(http_settings(speech))
    usual = speech.answer
    speech.answer = lambda path, headers, body: usual(path, headers, body) if len(speech.requests) != 2 else (200, {}, wav(linear(1000), 24000)[:3000])
    caller = up(phone, application, server, {"phrases": [{"format": "tts", "text": LONG}]}, {"phrases": [{"format": "tts", "text": LONG}]})
    caller.rtp.wait_for_tone(1000)
    application.wait_alarm("phraseError")
    application.wait_for("getIvrCommand", 3)
    assert len(speech.requests) == 4  # two, then those two that have not been spoken whole
    caller.hang_up()


def test_other_languages_are_spoken_by_espeak(server, application, phone):
    application.replies["getIvrCommand"] = [{"phrases": [{"format": "tts", "text": "God morgon, det här är ett svenskt meddelande.", "language": "sv"}]},
                                            {"getIVRCommandAfter": 30}]
    caller = phone()
    caller.call()
    caller.rtp.wait_until(lambda: len(caller.rtp.packets) > 20 and max(abs(caller.rtp.audio())) > 2000, 15, "no speech was heard")
    application.wait_for("getIvrCommand", 2)
    assert not application.events("alarms")
    caller.hang_up()


def test_without_credentials_and_without_the_fallback_it_is_an_alarm(own_server, application, phone):
    server = own_server({"tts": {"fallback": False}})
    caller = up(phone, application, server, {"phrases": [polly_phrase(), {"format": "tone", "frequencies": [900], "seconds": 0.5}]})
    caller.rtp.wait_for_tone(900)
    assert "access_key_id" in application.wait_alarm("phraseError")["errorDetails"]["description"]
    caller.hang_up()


def test_what_is_broken_on_the_disk_is_synthesised_anew(own_server, application, phone, engine):
    polly = engine(Polly)
    server = polly_server(own_server, polly)
    phrase = {"phrases": [polly_phrase()]}
    caller = up(phone, application, server, phrase)
    application.wait_for("getIvrCommand", 2)
    caller.hang_up()
    application.wait_for("sessionCompleted")
    server.kill()
    (entry,) = pathlib.Path(server.folder / "var" / "speech").iterdir()
    content = bytearray(entry.read_bytes())
    content[5000] ^= 0xFF
    entry.write_bytes(content)
    server.start()
    application.reset()
    caller = up(phone, application, server, phrase)
    caller.rtp.wait_for_tone(700)
    assert len(polly.requests) == 2
    caller.hang_up()
