"""Phones that other people have written: baresip, which is called or calls, and the command lines of linphone and Twinkle, which call. Each
sends a tone from a file and records what it hears."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import wave

import numpy as np

from .free_port import free_port
from .rtp_peer import sine, tone_share
from .waiting import happens


def _write_tone(path, hertz, seconds=30):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(sine(hertz, seconds).astype("<i2").tobytes())


class _Peer:
    def __init__(self, hertz):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringwright-peer-"))
        self.tone = self.folder / "tone.wav"
        _write_tone(self.tone, hertz)
        self.output, self.changed = "", threading.Condition()

    def _start(self, *command, **more):
        self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env={**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}, **more)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while data := self.process.stdout.read1(4096):
            with self.changed:
                self.output += data.decode(errors="replace")
                self.changed.notify_all()

    def wait_for(self, text, timeout=20.0):
        """Until it has said that."""
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.output, timeout), f"no {text!r} in {self.output[-2000:]}"

    def recording(self):
        raise NotImplementedError

    def wait_for_tone(self, hertz, timeout=20.0):
        """Until it has recorded that tone. The file is read while it grows, so its header says nothing yet."""
        deadline = time.monotonic() + timeout
        while True:
            path = self.recording()
            samples = np.frombuffer(path.read_bytes()[44:], dtype=np.uint8) if path else np.zeros(0, dtype=np.uint8)
            samples = samples[:len(samples) // 2 * 2].view("<i2").astype(float)
            if any(tone_share(samples[at:at + 1600], hertz) > 0.7 for at in range(0, len(samples) - 1600, 800)):
                return
            assert time.monotonic() < deadline, f"no {hertz} Hz was recorded; {self.output[-1000:]}"
            threading.Event().wait(0.1)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Baresip(_Peer):
    """Answers every call; or makes one, to `dials`, with these credentials if it is asked for them."""

    def __init__(self, hertz, dials=None, username="", password=""):
        super().__init__(hertz)
        self.port = free_port()
        (self.folder / "config").write_text(f"""sip_listen 127.0.0.1:{self.port}
audio_source aufile,{self.tone}
audio_player aubridge,nil
audio_alert aubridge,nil
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
snd_path {self.folder}
""")
        credentials = f';auth_user={username};auth_pass="{password}"' if username else ""
        (self.folder / "accounts").write_text(f"<sip:bob@127.0.0.1>;regint=0;answermode=auto{credentials}\n")
        (self.folder / "contacts").write_text("")
        self._start("baresip", "-f", str(self.folder), *(("-e", f"/dial {dials}") if dials else ()))
        self.wait_for("baresip is ready")

    @property
    def uri(self):
        return f"sip:bob@127.0.0.1:{self.port}"

    def recording(self):
        return next(iter(self.folder.glob("dump-*-dec.wav")), None)


class Linphone(_Peer):
    def __init__(self, hertz):
        super().__init__(hertz)
        (self.folder / ".local/share/linphone").mkdir(parents=True)
        (self.folder / ".config/linphone").mkdir(parents=True)
        settings = self.folder / "linphonerc"
        settings.write_text("[sip]\nsip_port=-1\nsip_tcp_port=0\nsip_tls_port=0\nguess_hostname=0\ncontact=sip:alice@127.0.0.1\nuse_ipv6=0\n[rtp]\nprefer_ipv6=0\n")
        self.heard = self.folder / "heard.wav"
        self._start("linphonec", "-c", str(settings))
        self.say("soundcard use files")
        self.wait_for("Using wav files")
        self.say(f"play {self.tone}")
        self.say(f"record {self.heard}")

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def call(self, uri):
        self.say(f"call {uri}")
        self.wait_for("connected")

    def hang_up(self):
        self.say("terminate")

    def recording(self):
        return self.heard if self.heard.exists() else None


class Twinkle(_Peer):
    """Its sound devices are ALSA's files. The one that it reads is a pipe that is filled as fast as one speaks, else it would send as fast
    as it can read."""

    def __init__(self, hertz, transport="udp"):
        super().__init__(hertz)
        self.heard, self.microphone = self.folder / "heard.raw", self.folder / "microphone"
        os.mkfifo(self.microphone)
        self.pipe = os.open(self.microphone, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self.pipe, fcntl.F_SETPIPE_SZ, 4096)
        self.closing = threading.Event()
        self.speaker = threading.Thread(target=self._speak, args=(sine(hertz, 30).astype("<i2").tobytes(),), daemon=True)
        self.speaker.start()
        (self.folder / ".asoundrc").write_text(f'''
pcm.microphone {{ type file slave.pcm null file "/dev/null" infile "{self.microphone}" format "raw" }}
pcm.ear {{ type file slave.pcm null file "{self.heard}" format "raw" }}
''')
        settings = self.folder / ".twinkle"
        settings.mkdir()
        (settings / "twinkle.sys").write_text(f"dev_ringtone=alsa:null\ndev_speaker=alsa:ear\ndev_mic=alsa:microphone\n"
                                              f"sip_port={free_port()}\nrtp_port={free_port() & ~1}\n")
        (settings / "alice.cfg").write_text(f"user_name=alice\nuser_domain=127.0.0.1\nregister_at_startup=no\ncodecs=g711a,g711u\n"
                                            f"sip_transport={transport}\n")
        self._start("twinkle-console", "alice.cfg")
        self.wait_for("Twinkle>")

    def _speak(self, sound):
        at, due = 0, time.monotonic()
        while not self.closing.wait(max(0.0, due - time.monotonic())):
            try:
                os.write(self.pipe, sound[at:at + 320])
            except BlockingIOError:
                pass  # nobody listens
            at, due = (at + 320) % len(sound), due + 0.02

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def call(self, uri):
        self.say(f"call {uri}")
        self.wait_for("far end answered call")

    def retrieve(self, retrieved):
        """Takes the call back. It does not do so while its own hold is under way, and says nothing of either."""
        for _ in range(10):
            self.say("retrieve")
            if happens(retrieved, 2):
                return
        raise AssertionError(f"it is still on hold; {self.output[-1000:]}")

    def press(self, digits):
        self.say(f"dtmf {digits}")

    def hang_up(self):
        self.say("bye")
        self.wait_for("call ended")

    def recording(self):
        return self.heard if self.heard.exists() else None

    def close(self):
        super().close()
        self.closing.set()
        self.speaker.join()
        os.close(self.pipe)
