"""What may be uploaded as a prompt: made by the usual encoders, heard by a caller as it should sound; and what is refused."""

import subprocess

import numpy as np
import pytest

from conftest import tone_wav

HERTZ, AMPLITUDE = 700, 8000


def run(*command, given=None):
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=60).stdout


def sox(rate, *encoding, channels=1, kind="wav"):
    return run("sox", "-t", "wav", "-", *encoding, "-r", str(rate), "-c", str(channels), "-t", kind, "-", given=tone_wav(HERTZ, 1.0, rate=rate))


def mp3(tmp_path, *options, rate=16000, channels=1):
    (tmp_path / "in.wav").write_bytes(tone_wav(HERTZ, 1.0, rate=rate, channels=channels))
    run("lame", "--quiet", *options, str(tmp_path / "in.wav"), str(tmp_path / "out.mp3"))
    return (tmp_path / "out.mp3").read_bytes()


FORMATS = {
    "pcm-8-8000": ("audio/wav", lambda _: sox(8000, "-e", "unsigned-integer", "-b", "8")),
    "pcm-16-8000": ("audio/wav", lambda _: sox(8000, "-b", "16")),
    "pcm-16-22050": ("audio/wav", lambda _: sox(22050, "-b", "16")),
    "pcm-24-44100-stereo": ("audio/wav", lambda _: sox(44100, "-b", "24", channels=2)),
    "pcm-32-48000": ("audio/wav", lambda _: sox(48000, "-e", "signed-integer", "-b", "32")),
    "float-32-48000": ("audio/wav", lambda _: sox(48000, "-e", "floating-point", "-b", "32")),
    "a-law": ("audio/wav", lambda _: sox(8000, "-e", "a-law")),
    "u-law": ("audio/wav", lambda _: sox(8000, "-e", "u-law")),
    "gsm": ("audio/wav", lambda _: sox(8000, "-e", "gsm-full-rate")),
    "mp3": ("audio/mpeg", lambda folder: mp3(folder, "-b", "64")),
    "mp3-vbr-stereo-id3": ("audio/mpeg", lambda folder: mp3(folder, "-V", "2", "-m", "j", "--tt", "Welcome", "--ta", "Ringwright", "--id3v2-only", rate=44100, channels=2)),
    "mp3-without-info": ("audio/mpeg", lambda folder: mp3(folder, "-t", "-V", "4")),
    "opus": ("audio/ogg", lambda _: run("opusenc", "--quiet", "-", "-", given=tone_wav(HERTZ, 1.0, rate=48000))),
    "vorbis": ("audio/ogg", lambda _: run("oggenc", "-Q", "-o", "-", "-", given=tone_wav(HERTZ, 1.0, rate=44100))),
    "flac": ("audio/flac", lambda _: run("flac", "-s", "-c", "-", given=tone_wav(HERTZ, 1.0, rate=16000))),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_taken_and_sounds_as_it_should(server, application, phone, tmp_path, name):
    content_type, make = FORMATS[name]
    content = make(tmp_path)
    answer = server.upload(f"format-{name}", content)
    assert answer.status == 200, answer.raw
    got = server.request("GET", f"/demo.example/promptfile/format-{name}")
    assert (got.headers["Content-Type"], got.raw) == (content_type, content)
    application.replies["getIvrCommand"] = [{"phrases": [{"fileName": f"format-{name}"}]}, {"getIVRCommandAfter": 30}]
    caller = phone()
    caller.call()
    at = caller.rtp.wait_for_tone(HERTZ, frames=10)
    heard = caller.rtp.audio(at + 3, at + 9)
    level = float(np.sqrt(np.mean(heard ** 2)) / (AMPLITUDE / np.sqrt(2)))
    assert 0.84 < level < 1.19, f"the level is off by a factor of {level}"  # 1.5 dB
    caller.hang_up()


def cut(content):
    return content[:len(content) * 6 // 10]


REFUSED = {
    "text": lambda _: b"This is not audio.\n" * 100,
    "empty": lambda _: b"",
    "png": lambda _: bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(2000),
    "aiff": lambda _: sox(8000, kind="aiff"),
    "wav-header-only": lambda _: tone_wav(HERTZ)[:44],
    "wav-of-nonsense": lambda _: b"RIFF\xff\x00\x00\x00WAVEfmt " + b"\xff" * 400,
    "wav-that-says-adpcm-of-nothing": lambda _: tone_wav(HERTZ)[:20] + b"\x99\x99" + tone_wav(HERTZ)[22:],
    "id3-and-nothing": lambda _: b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10) + b"nothing" * 300,
    "flac-name-only": lambda _: b"fLaC" + bytes(3000),
    "ogg-name-only": lambda _: b"OggS" + bytes(3000),
    "cut-pcm": lambda _: cut(tone_wav(HERTZ)),
    "cut-gsm": lambda _: cut(sox(8000, "-e", "gsm-full-rate")),
    "cut-mp3": lambda folder: cut(mp3(folder, "-b", "64")),
    "cut-opus": lambda _: cut(FORMATS["opus"][1](None)),
    "cut-vorbis": lambda _: cut(FORMATS["vorbis"][1](None)),
    "cut-flac": lambda _: cut(FORMATS["flac"][1](None)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_whole_audio_is_refused_with_a_reason(server, tmp_path, name):
    answer = server.upload("refused", REFUSED[name](tmp_path))
    assert answer.status == 415, answer.raw
    assert answer.body["error"] == "unsupportedMedia"
    assert any(part in answer.body["reason"] for part in ("not audio that can be decoded: ", "contains no audio", "cut off: ")), answer.body
    assert server.request("GET", "/demo.example/promptfile/refused").status == 404


def test_a_wav_whose_length_nobody_knew_is_taken(server):
    content = bytearray(tone_wav(HERTZ))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"  # as a program that writes to a pipe leaves it
    assert server.upload("streamed.wav", bytes(content)).status == 200
