"""getIvrCommand: what is heard, what is collected, when the next question comes."""

import hashlib
import pathlib

import pytest
from support.rtp_peer import tone_share


def up(phone, application, replies, **more):
    """A caller in the IVR, which has got the first of `replies`."""
    application.replies["getIvrCommand"] = replies if isinstance(replies, list) else [replies, {"getIVRCommandAfter": 30}]
    caller = phone(**more)
    caller.call()
    return caller


def next_question(application, number=2, timeout=20.0):
    return application.wait_for("getIvrCommand", number, timeout).body


# ---- what is heard


@pytest.mark.parametrize("codec", [8, 0, 3])
def test_a_prompt_is_heard_in_each_codec(server, application, phone, codec):
    caller = up(phone, application, {"phrases": [{"fileName": "a"}]}, codecs=(codec,))
    caller.rtp.wait_for_tone(500)
    assert {packet.payload_type for packet in caller.rtp.packets} == {codec}
    caller.hang_up()


@pytest.mark.short
def test_phrases_follow_each_other_without_a_gap(server, application, phone):
    caller = up(phone, application, {"phrases": [{"fileName": "a"}, {"fileName": "b"}, {"fileName": "c"}]})
    first = caller.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(1300)
    caller.rtp.wait_for_silence()
    start = next(at for at in range(first, len(caller.rtp.packets)) if tone_share(caller.rtp.audio(at, at + 1), 500) > 0.9)
    # Three prompts of 30 frames each: their middles are where they must be if nothing stands between them.
    for number, hertz in enumerate((500, 900, 1300)):
        middle = start + 30 * number + 12
        assert tone_share(caller.rtp.audio(middle, middle + 6), hertz) > 0.7
    caller.rtp.check_continuity()
    next_question(application)
    caller.hang_up()


def test_stereo_and_other_rates_are_heard(server, application, phone):
    from conftest import tone_wav
    assert server.upload("stereo.wav", tone_wav(600, rate=44100, channels=2)).status == 200
    caller = up(phone, application, {"phrases": [{"fileName": "stereo.wav"}]})
    caller.rtp.wait_for_tone(600)
    caller.hang_up()


def test_mp3_is_heard(server, application, phone):
    assert server.upload("x.mp3", (pathlib.Path(__file__).parents[1] / "support" / "tone-1100.mp3").read_bytes()).status == 200
    caller = up(phone, application, {"phrases": [{"format": "file", "fileName": "x"}]})
    caller.rtp.wait_for_tone(1100)
    caller.hang_up()


@pytest.mark.short
def test_tones_silence_and_digits(server, application, phone):
    caller = up(phone, application, {"phrases": [{"format": "tone", "frequencies": [800], "seconds": 0.4}, {"format": "silence", "seconds": 0.3},
                                                 {"format": "tone", "name": "busy", "seconds": 0.5}, {"format": "digits", "digits": "5#"}]})
    caller.rtp.wait_for_tone(800)
    caller.rtp.wait_for_silence()
    caller.rtp.wait_for_tone(425)
    caller.rtp.wait_until(lambda: {p.payload[0] for p in caller.rtp.packets if p.payload_type == 101} == {5, 11}, what="the digits were not sent")
    next_question(application)
    caller.rtp.check_continuity()
    caller.hang_up()


def test_a_tone_with_a_cadence(server, application, phone):
    caller = up(phone, application, {"phrases": [{"format": "tone", "frequencies": [800], "on": 0.2, "off": "0.3", "seconds": 1.5}, {"fileName": "a"}]})
    end = caller.rtp.wait_for_tone(500)
    start = next(at for at in range(end) if tone_share(caller.rtp.audio(at, at + 1), 800) > 0.9)
    loud = "".join("#" if max(abs(caller.rtp.audio(at, at + 1))) > 1000 else "." for at in range(start, start + 75))
    assert loud == ("#" * 10 + "." * 15) * 3
    caller.hang_up()


@pytest.mark.parametrize("phrase", [
    {"format": "tts", "text": "This is the embedded engine."},
    {"format": "tts", "ssml": "<speak>This is <break time='200ms'/> markup.</speak>"},
    {"format": "awstts", "awsTTSParameters": {"Text": "Spoken without credentials.", "VoiceId": "Astrid"}},
    {"format": "googletts", "googleTTSParameters": {"input": {"text": "The same here."}}},
])
def test_speech_is_heard(server, application, phone, phrase):
    caller = up(phone, application, {"phrases": [phrase]})
    caller.rtp.wait_until(lambda: len(caller.rtp.packets) > 20 and max(abs(caller.rtp.audio())) > 2000, 10, "no speech was heard")
    next_question(application, timeout=15)
    caller.hang_up()


@pytest.mark.parametrize("phrase", [{"fileName": "missing"}, {"format": "nonsense"}, {"format": "tone"}, {"format": "tts", "text": ""}])
def test_a_phrase_that_fails_is_an_alarm_and_the_next_one_is_heard(server, application, phone, phrase):
    caller = up(phone, application, {"phrases": [phrase, {"fileName": "b"}]})
    caller.rtp.wait_for_tone(900)
    alarm = application.wait_alarm("phraseError")
    assert alarm["type"] == "ivrCommandError"
    assert alarm["errorDetails"]["description"]
    caller.hang_up()


@pytest.mark.short
def test_echo(server, application, phone):
    from support.rtp_peer import sine
    caller = up(phone, application, {"phrases": [{"format": "echo", "seconds": 2}]})
    caller.rtp.speak(sine(650, 1.0))
    caller.rtp.wait_for_tone(650)
    caller.hang_up()


def test_something_is_always_sent(server, application, phone):
    caller = up(phone, application, {"getIVRCommandAfter": 20})
    caller.rtp.wait_for_packets(30)
    caller.rtp.check_continuity()
    assert max(abs(caller.rtp.audio())) < 100
    caller.hang_up()


def test_the_ids_of_a_reply_are_not_needed_and_not_read(server, application, phone):
    ids = {"sessionId": "11111111-1111-1111-1111-111111111111", "replyId": "of.another.command"}
    caller = up(phone, application, [{"phrases": [{"fileName": "a"}], **ids}, {"phrases": [{"fileName": "b"}], "sessionId": 5, "replyId": 7}, {"getIVRCommandAfter": 30}])
    caller.rtp.wait_for_tone(500)
    caller.rtp.wait_for_tone(900)
    asked = [next_question(application, number) for number in (1, 2, 3)]
    assert len({one["sessionId"] for one in asked}) == 1
    interrupt = {one["replyId"]: server.post("interruptivrcommand", {"replyId": one["replyId"]}).status for one in asked[::2]}
    assert list(interrupt.values()) == [404, 200]
    caller.hang_up()


# ---- when the next question comes


def test_an_empty_command_asks_again_after_a_second(server, application, phone):
    caller = up(phone, application, {})
    first = application.wait_for("getIvrCommand").at
    second = application.wait_for("getIvrCommand", 2).at
    assert second - first > 0.9
    caller.hang_up()


def test_get_ivr_command_after_counts_from_the_last_prompt(server, application, phone):
    caller = up(phone, application, {"phrases": [{"fileName": "a"}], "getIVRCommandAfter": 0.5})
    first = application.wait_for("getIvrCommand").at
    second = application.wait_for("getIvrCommand", 2).at
    assert second - first > 1.0
    caller.hang_up()


@pytest.mark.short
def test_interrupt_triggers_the_next_question(server, application, phone):
    caller = up(phone, application, [{"phrases": [{"fileName": "long"}]}, {"phrases": [{"fileName": "b"}]}, {"getIVRCommandAfter": 30}])
    caller.rtp.wait_for_tone(700)
    asked = application.wait_for("getIvrCommand").body
    answer = server.post("interruptivrcommand", {"replyId": asked["replyId"], "sessionId": asked["sessionId"]})
    assert (answer.status, answer.body) == (200, {"success": True})
    caller.rtp.wait_for_tone(900)
    assert server.post("interruptivrcommand", {"replyId": asked["replyId"]}).status == 404
    caller.hang_up()


def test_interrupt_of_somebody_elses_command_is_refused(server, application, phone):
    caller = up(phone, application, {"getIVRCommandAfter": 30})
    asked = application.wait_for("getIvrCommand").body
    assert server.post("interruptivrcommand", {"replyId": asked["replyId"]}, domain="other.example").status == 403
    assert server.post("interruptivrcommand", {"replyId": "garbage"}).status == 400
    wrong = server.post("interruptivrcommand", {"sessionId": asked["sessionId"]})
    assert wrong.status == 400 and "replyId" in wrong.body["reason"]
    assert server.post("interruptivrcommand", {"replyId": application.wait_for("newCall").body["replyId"]}).status == 400
    caller.hang_up()


# ---- the background


@pytest.mark.short
def test_the_background_is_heard_between_commands_and_loops(server, application, phone):
    caller = up(phone, application, [{"phrases": [{"fileName": "a"}], "backgroundPrompt": {"fileName": "b", "repeatPause": 0.3}, "getIVRCommandAfter": 2.5},
                                     {"phrases": [{"fileName": "c"}], "getIVRCommandAfter": 1.5},
                                     {"backgroundPrompt": {"stop": True}, "getIVRCommandAfter": 20}])
    caller.rtp.wait_for_tone(500)
    start = caller.rtp.wait_for_tone(900)
    caller.rtp.wait_for_silence(8, first=start)
    again = caller.rtp.wait_for_tone(900, first=start + 45)
    prompt = caller.rtp.wait_for_tone(1300, first=again)
    caller.rtp.wait_for_tone(900, first=prompt)
    next_question(application, 3)
    caller.rtp.wait_for_silence(60)
    caller.rtp.check_continuity()
    caller.hang_up()


# ---- digits


def dtmf(application, number=2):
    body = next_question(application, number)
    return body["dtmfParams"], body.get("dtmfBuffer")


@pytest.mark.short
def test_max_digits(server, application, phone):
    caller = up(phone, application, {"phrases": [{"fileName": "a"}], "dtmf": {"maxDigits": 3}})
    caller.rtp.press("123")
    assert dtmf(application) == ({"dtmfMatch": "123", "reason": "maxDigits"}, "123")
    caller.hang_up()


def test_the_termination_key_is_not_part_of_the_match(server, application, phone):
    caller = up(phone, application, {"dtmf": {"terminationKey": "#*", "maxDigits": 10}})
    caller.rtp.press("42*")
    assert dtmf(application) == ({"dtmfMatch": "42", "reason": "terminationKey", "matchedTerminationKey": "*"}, "42*")
    caller.hang_up()


def test_a_pin_with_the_key_behind_it_is_one_entry(server, application, phone):
    """Callers press 1234# where four digits would do: the # does not answer the next question."""
    command = {"dtmf": {"maxDigits": 4, "terminationKey": "#"}}
    caller = up(phone, application, [command, command, {"getIVRCommandAfter": 30}])
    caller.rtp.press("1234")
    assert dtmf(application) == ({"dtmfMatch": "1234", "reason": "maxDigits"}, "1234")
    caller.rtp.press("#")
    caller.rtp.press("56#")
    assert dtmf(application, 3) == ({"dtmfMatch": "56", "reason": "terminationKey", "matchedTerminationKey": "#"}, "1234#56#")
    caller.hang_up()


def test_first_and_between_time_outs(server, application, phone):
    caller = up(phone, application, [{"dtmf": {"maxDigits": 4, "firstTimeout": 0.4}}, {"dtmf": {"maxDigits": 4, "firstTimeout": 5, "betweenTimeout": 0.4}},
                                     {"getIVRCommandAfter": 30}])
    assert dtmf(application)[0] == {"dtmfMatch": "", "reason": "firstTimeout"}
    caller.rtp.press("7")
    assert dtmf(application, 3)[0] == {"dtmfMatch": "7", "reason": "betweenTimeout"}
    caller.hang_up()


def test_type_ahead_counts_unless_flushed(server, application, phone):
    caller = up(phone, application, [{"phrases": [{"fileName": "a"}]}, {"dtmf": {"maxDigits": 1}},
                                     {"phrases": [{"fileName": "a"}]}, {"dtmf": {"maxDigits": 1, "flush": True, "firstTimeout": 0.3}}, {"getIVRCommandAfter": 30}])
    caller.rtp.wait_for_tone(500)
    caller.rtp.press("5")
    assert dtmf(application, 3)[0]["dtmfMatch"] == "5"
    caller.rtp.press("6")
    assert dtmf(application, 5)[0]["reason"] == "firstTimeout"
    caller.hang_up()


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_encrypted_digits_leave_only_as_a_hash(server, application, phone, kind):
    caller = up(phone, application, {"dtmf": {"maxDigits": 10, "encryption": {"type": kind, "salt": "pepper"}}})
    caller.rtp.press("9341607258")
    parameters, buffer = dtmf(application)
    assert parameters["dtmfMatch"] == buffer == hashlib.new(kind, b"pepper9341607258").hexdigest()
    assert parameters["encryption"] == {"type": kind, "salt": "pepper"}
    assert "9341607258" not in server.log()
    caller.hang_up()


def test_without_barge_in_everything_is_heard(server, application, phone):
    caller = up(phone, application, {"phrases": [{"fileName": "a"}, {"fileName": "b"}], "dtmf": {"maxDigits": 1}})
    caller.rtp.wait_for_tone(500)
    caller.rtp.press("1")
    assert dtmf(application)[0]["dtmfMatch"] == "1"
    assert caller.rtp.has_tone(900)
    caller.hang_up()


def test_barge_in_current_goes_on_with_the_next_phrase(server, application, phone):
    caller = up(phone, application, {"phrases": [{"fileName": "long"}, {"fileName": "b"}], "dtmf": {"maxDigits": 1}, "bargeIn": "current"})
    caller.rtp.wait_for_tone(700)
    caller.rtp.press("1")
    caller.rtp.wait_for_tone(900)
    assert dtmf(application)[0]["dtmfMatch"] == "1"
    caller.hang_up()


def test_barge_in_all_ends_the_command(server, application, phone):
    caller = up(phone, application, {"phrases": [{"fileName": "long"}, {"fileName": "b"}], "dtmf": {"maxDigits": 1}, "bargeIn": "all"})
    caller.rtp.wait_for_tone(700)
    caller.rtp.press("1")
    assert dtmf(application)[0]["dtmfMatch"] == "1"
    caller.rtp.wait_for_silence()
    assert not caller.rtp.has_tone(900)
    caller.hang_up()


def test_barge_in_on_digit_stops_the_phrases_and_collects_on(server, application, phone):
    caller = up(phone, application, {"phrases": [{"fileName": "long"}], "dtmf": {"maxDigits": 2}, "bargeIn": "all", "bargeInOn": "digit"})
    caller.rtp.wait_for_tone(700)
    caller.rtp.press("1")
    caller.rtp.wait_for_silence()
    caller.rtp.press("2")
    assert dtmf(application)[0]["dtmfMatch"] == "12"
    caller.hang_up()


@pytest.mark.parametrize("how", [{"with_marker": False}, {"with_end": False}, {"twice": True}, {"shuffled": True}])
def test_telephone_events_are_neither_lost_nor_doubled(server, application, phone, how):
    caller = up(phone, application, {"dtmf": {"terminationKey": "#"}})
    caller.rtp.press("1122#", **how)
    assert dtmf(application)[0]["dtmfMatch"] == "1122"
    caller.hang_up()


@pytest.mark.short
def test_in_band_digits_where_telephone_event_was_not_negotiated(server, application, phone):
    import numpy as np
    from support.rtp_peer import sine
    caller = up(phone, application, {"dtmf": {"maxDigits": 2}}, offer_telephone_event=False)
    digits = {"5": (770, 1336), "9": (852, 1477)}
    parts = [np.zeros(800)]
    for low, high in (digits["5"], digits["9"]):
        parts += [sine(low, 0.12, 5000) + sine(high, 0.12, 5000), np.zeros(800)]
    caller.rtp.speak(np.concatenate(parts + [np.zeros(1600)]))
    assert dtmf(application)[0]["dtmfMatch"] == "59"
    caller.hang_up()


@pytest.mark.short
@pytest.mark.parametrize("content_type,body", [("application/dtmf-relay", "Signal=8\r\nDuration=160\r\n"), ("application/dtmf", "8")])
def test_digits_by_info(server, application, phone, content_type, body):
    caller = up(phone, application, {"dtmf": {"maxDigits": 1}})
    application.wait_for("getIvrCommand")
    caller.request("INFO", body, content_type=content_type)
    assert caller.wait_final("INFO").status == 200
    assert dtmf(application)[0]["dtmfMatch"] == "8"
    caller.hang_up()


def test_a_wrong_member_names_the_field(server, application, phone):
    caller = up(phone, application, {"dtmf": {"maxDigits": "many"}})
    caller.wait_request("BYE")
    assert "dtmf.maxDigits" in application.wait_alarm("getIvrCommand request error")["errorDetails"]["description"]
    application.completed("error")


def test_numbers_may_be_text_and_unknown_members_are_ignored(server, application, phone):
    caller = up(phone, application, {"dtmf": {"maxDigits": "2", "colour": "red"}, "whatever": [1]})
    caller.rtp.press("31")
    assert dtmf(application)[0]["dtmfMatch"] == "31"
    caller.hang_up()
