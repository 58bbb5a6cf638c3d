"""What is in a recording: decoded by SoX, channel by channel."""

import io
import pathlib
import subprocess
import tempfile
import wave

import numpy as np

from .rtp_peer import tone_share


class Recording:
    def __init__(self, content, extension):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / f"recording.{extension}"
            file.write_bytes(content)
            if extension == "ogg":  # SoX knows no opus
                subprocess.run(["opusdec", "--quiet", file, f"{file}.wav"], capture_output=True, check=True)
                file = pathlib.Path(f"{file}.wav")
            plain = subprocess.run(["sox", file, "-t", "wav", "-b", "16", "-e", "signed", "-"], capture_output=True, check=True)
        self.warnings = plain.stderr.decode()
        data = plain.stdout  # sox can't go back to write the length into a pipe's header
        with wave.open(io.BytesIO(data)) as sound:
            self.rate, count = sound.getframerate(), sound.getnchannels()
        samples = np.frombuffer(data[data.index(b"data") + 8:], dtype="<i2")
        samples = samples[:len(samples) // count * count].reshape(-1, count)
        self.channels = [samples[:, at].astype(float) for at in range(count)]

    @property
    def seconds(self):
        return len(self.channels[0]) / self.rate

    def has(self, channel, hertz, seconds=0.3, share=0.8):
        """Whether the tone is heard in the channel for so long at least, without a break."""
        return self.longest(channel, hertz, share) >= seconds

    def longest(self, channel, hertz, share=0.8):
        """Seconds of the longest stretch of the tone."""
        step = self.rate // 50
        sound = self.channels[channel]
        longest = current = 0
        for at in range(0, len(sound) - step + 1, step):
            current = current + 1 if tone_share(sound[at:at + step], hertz, self.rate) > share else 0
            longest = max(longest, current)
        return longest / 50

    def start_of(self, channel, hertz, share=0.8):
        """Seconds at which the tone is heard first; None if it never is."""
        step = self.rate // 50
        sound = self.channels[channel]
        for at in range(0, len(sound) - step + 1, step):
            if tone_share(sound[at:at + step], hertz, self.rate) > share:
                return at / self.rate
        return None

    def is_silent(self, channel, level=300):
        return float(np.max(np.abs(self.channels[channel]), initial=0)) < level
