"""Sound files as encoders, editors and web servers leave them: stored and played by url, they are heard alike. The files are made by the
recipes in tests/field/files/ (docs/testing.md)."""

import pathlib
import subprocess
import tomllib

import pytest
from conftest import tone_wav
from support.rtp_peer import FRAME, tone_share
from support.web import File, Web

FOLDER = pathlib.Path(__file__).parents[1] / "field" / "files"
SOURCES = (500, 900, 1100)
BETWEEN = 1300  # the prompt "c", which is played between the two ways
SECONDS = 0.6  # of each source
RATE = 16000
KEYS = {"about", "make", "type", "hears", "seconds", "refused", "variants"}


def load(path):
    """The cases of a file, by name."""
    case = tomllib.loads(path.read_text())
    variants = case.pop("variants", None)
    for name, members in (variants or {"": {}}).items():
        own = {**case, **{key: value for key, value in members.items() if key in KEYS - {"make"}}}
        for key, value in members.items():
            own["make"] = own["make"].replace("{" + key + "}", str(value))
        assert own.keys() <= KEYS, f"{path.name}: unknown keys {own.keys() - KEYS}"
        yield pytest.param(own, id=f"{path.stem}-{name}" if name else path.stem)


CASES = [case for path in sorted(FOLDER.glob("*.toml")) for case in load(path)]


@pytest.fixture
def web():
    site = Web()
    yield site
    site.close()


def make(folder, recipe):
    """Runs a recipe in a folder with tones in it; it leaves `file` there."""
    for hertz in SOURCES:
        (folder / f"{hertz}.wav").write_bytes(tone_wav(hertz, SECONDS, rate=RATE))
    (folder / "quiet.wav").write_bytes(tone_wav(0, SECONDS, rate=RATE))
    done = subprocess.run(["bash", "-euc", recipe], cwd=folder, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return (folder / "file").read_bytes()


def heard(caller):
    """The tones of a call in order: [Hz, seconds]. A tone is there from 60 ms on."""
    runs = []
    samples = caller.rtp.audio()
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        hertz = next((one for one in (*SOURCES, BETWEEN) if tone_share(samples[at:at + FRAME], one) > 0.6), None)
        if runs and runs[-1][0] == hertz:
            runs[-1][1] += 0.02
        else:
            runs.append([hertz, 0.02])
    tones = []
    for hertz, seconds in runs:
        if hertz is None or seconds < 0.05:
            continue
        if tones and tones[-1][0] == hertz:
            tones[-1][1] += seconds
        else:
            tones.append([hertz, seconds])
    return tones


def played(application, phone, *phrases):
    """What a caller hears of the phrases."""
    application.replies["getIvrCommand"] = [{"phrases": phrases}, {"getIVRCommandAfter": 30}]
    caller = phone()
    caller.call()
    application.wait_for("getIvrCommand", 2, timeout=30)
    caller.rtp.wait_for_silence()
    caller.hang_up()
    application.wait_for("sessionCompleted")
    return heard(caller)


def check(tones, case, way):
    assert [hertz for hertz, _ in tones] == case["hears"], f"{way}: heard {tones}"
    least = case.get("seconds", SECONDS - 0.1)
    for hertz, seconds in tones:
        assert least <= seconds <= SECONDS + 0.1, f"{way}: {hertz} Hz was heard for {seconds:.2f} s"


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_heard_as_it_should_be(server, application, phone, web, tmp_path, case):
    content = make(tmp_path, case["make"])
    answer = server.upload("field", content)
    web.files["/field"] = File(content, headers={"Content-Type": "application/octet-stream"})
    url = {"url": f"{web.url}/field"}
    if "refused" in case:
        assert answer.status == 415, answer.raw
        assert answer.body["reason"].startswith(case["refused"]), answer.body
        check(played(application, phone, url), case, "by url")
        alarm = application.wait_alarm("phraseError")
        assert case["refused"] in alarm["errorDetails"]["description"]
        return
    assert answer.status == 200, answer.raw
    got = server.request("GET", f"/{server.domain}/promptfile/field")
    assert (got.headers["Content-Type"], got.raw) == (case["type"], content)
    tones = played(application, phone, url, {"fileName": "c"}, {"fileName": "field"})
    assert not application.events("alarms"), application.events("alarms")[0].body
    between = [hertz for hertz, _ in tones].index(BETWEEN)
    check(tones[:between], case, "by url")
    check(tones[between + 1:], case, "stored")
