import io
import pathlib
import sys
import time
import wave

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.application import Application  # noqa: E402
from support.called_phone import CalledPhone  # noqa: E402
from support.kamailio import Kamailio, ProxiedPhone  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.rtp_peer import sine  # noqa: E402
from support.s3_server import FaultyS3, S3Server  # noqa: E402
from support.server import ROOT, Server  # noqa: E402
from support.softphone import Softphone  # noqa: E402


def wav(samples, rate=8000, channels=1):
    """A WAV file's bytes; the same in each channel."""
    data = np.repeat(np.asarray(samples, dtype="<i2"), channels)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(data.tobytes())
    return file.getvalue()


def tone_wav(hertz, seconds=0.6, rate=8000, channels=1):
    return wav(sine(hertz, seconds, rate=rate), rate, channels)


@pytest.fixture(scope="session")
def application_server():
    application = Application()
    yield application
    application.close()


class SharedServer:
    """The server that most tests use. One that a test has left in disorder is replaced, so that the next test starts afresh."""

    def __init__(self, callback_url):
        self.callback_url = callback_url
        self.server = None

    def get(self):
        if self.server is None or self.server.process.poll() is not None:
            self.server = Server(self.callback_url, second_domain=True)
            for name, hertz in (("a", 500), ("b", 900), ("c", 1300)):
                assert self.server.upload(f"{name}.wav", tone_wav(hertz)).status == 200
            assert self.server.upload("long.wav", tone_wav(700, 20)).status == 200
        return self.server

    def drop(self):
        server, self.server = self.server, None
        if server is not None:
            server.stop()


@pytest.fixture(scope="session")
def shared_server(application_server):
    shared = SharedServer(application_server.url)
    yield shared
    shared.drop()


@pytest.fixture
def application(application_server):
    """The application, with its usual replies; at the end every request was as described."""
    application_server.reset()
    yield application_server
    assert application_server.problems == []


@pytest.fixture
def server(shared_server, application):
    """The usual server; at the end nothing of the test's calls is left."""
    yield shared_server.get()
    application.released.set()
    try:
        shared_server.get().wait_idle()
    except BaseException:
        shared_server.drop()
        raise
    completed = [one.body["sessionId"] for one in application.events("sessionCompleted")]
    assert len(completed) == len(set(completed)), "a session was completed twice"
    asked = {one.body["sessionId"] for one in application.events("newCall")}
    assert asked <= set(completed), "a session was never completed"


@pytest.fixture
def own_server(application):
    """Makes servers with settings of their own; they are stopped and checked at the end."""
    servers = []

    def make(settings=None, **more):
        server = Server(application.url, settings, **more)
        servers.append(server)
        return server

    yield make
    application.released.set()
    problems = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as problem:
            problems.append(problem)
    assert not problems, problems


@pytest.fixture(scope="session")
def postgres():
    """Starts PostgreSQL when a test wants it."""
    made = []

    def get():
        if not made:
            made.append(Postgres())
        return made[0]

    yield get
    for one in made:
        one.close()


@pytest.fixture
def own_postgres():
    """One that the test may stop."""
    own = Postgres()
    yield own
    own.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, postgres):
    """The URL of a database of the test's own, of each kind."""
    if request.param == "sqlite":
        return "sqlite:provisioning.db"
    return postgres().database(f"test{time.monotonic_ns()}")


@pytest.fixture(scope="session")
def s3():
    """An S3 server. Tests that look into a bucket take a prefix, or a bucket, of their own."""
    server = S3Server("prompts", "archive", "other-bucket", "speech", "recordings")
    yield server
    server.stop()


@pytest.fixture
def proxy(s3):
    """What stands between a server and the S3 server, and misbehaves when told."""
    faulty = FaultyS3(s3)
    yield faulty
    faulty.stop()


@pytest.fixture
def phone(request):
    """Makes softphones; they hang up and are closed at the end. They call the test's own server, or the shared one."""
    phones = []
    usual = request.getfixturevalue("server") if "own_server" not in request.fixturenames else None

    def make(on=None, **more):
        one = Softphone(on or usual, **more)
        phones.append(one)
        return one

    yield make
    for one in phones:
        one.close()


@pytest.fixture
def kamailio():
    """Makes Kamailios; they are stopped at the end."""
    made = []

    def make(**more):
        made.append(Kamailio(**more))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def proxied_phone():
    phones = []

    def make(proxy, **more):
        phones.append(ProxiedPhone(proxy, **more))
        return phones[-1]

    yield make
    for one in phones:
        one.close()


@pytest.fixture
def called_phone(request):
    """Makes phones that are called by the test's own server, the shared one, or a proxy; they are closed at the end."""
    phones = []
    usual = request.getfixturevalue("server") if "own_server" not in request.fixturenames else None

    def make(by=None, **more):
        phones.append(CalledPhone(by or usual, **more))
        return phones[-1]

    yield make
    for one in phones:
        one.close()


@pytest.fixture
def calls():
    """The reply that rings the phones."""
    def make(*phones, **more):
        address = phones[0].uri if len(phones) == 1 else [one.uri for one in phones]
        return {"action": "call", "destAddr": address, **more}
    return make


@pytest.fixture
def ringing(application, phone, called_phone, calls):
    """A caller whose callee has been invited and rings, or only listens so far; it says more when the test wants it. `more`: further
    members of the reply."""
    def make(rings=False, **more):
        callee = called_phone(pick_up=False, rings=rings)
        application.replies["newCall"] = calls(callee, **more)
        caller = phone()
        caller.invite()
        callee.wait_request("INVITE")
        return caller, callee
    return make


@pytest.fixture
def connected(application, phone, called_phone, calls):
    """A caller and a callee that are joined. `caller`, `callee`: what the phones are like; `more`: further members of the reply."""
    def make(caller=None, callee=None, on=None, **more):
        callee = called_phone(on, **(callee or {}))
        application.replies["newCall"] = calls(callee, **more)
        caller = phone(on, **(caller or {}))
        caller.call()
        callee.wait_request("ACK")
        application.wait_for("callAnswered")
        return caller, callee
    return make


@pytest.fixture
def tone_file():
    """Puts a file with a tone into a server's prompt storage."""
    def make(server, name, hertz, seconds=0.6):
        assert server.upload(name, tone_wav(hertz, seconds)).status == 200
    return make
