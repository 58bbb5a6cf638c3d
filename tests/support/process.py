"""A program beside the server: what it prints is awaited line by line."""

import queue
import signal
import subprocess
import threading


class Process:
    def __init__(self, command, **more):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def wait_line(self, part, timeout=60):
        while True:
            try:
                line = self.lines.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f"no line with {part!r}; got {self.seen}") from None
            self.seen.append(line)
            if part in line:
                return line

    def rest(self):
        """What it has printed and nobody has awaited."""
        return list(self.lines.queue)[-6:]

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)
