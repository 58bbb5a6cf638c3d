"""A disk that is soon full, and outlives the servers that use it."""

import os
import pathlib
import subprocess

import pytest


class SmallDisk:
    """A tmpfs of so many bytes at a folder, in namespaces that a process holds: it takes no more rights than user namespaces do."""

    def __init__(self, folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        script = f'mount -t tmpfs -o size={size} tmpfs "$0" && echo mounted && exec cat'
        self.holder = subprocess.Popen(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(folder)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "mounted\n":
            self.close()
            pytest.skip("no disk can be mounted here")
        self.enter = ["nsenter", "--target", str(self.holder.pid), "--user", "--mount", "--preserve-credentials"]
        self.folder = pathlib.Path(f"/proc/{self.holder.pid}/root{folder}")  # as it is seen from here

    def free(self):
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize

    def fill(self):
        """Up to the last block."""
        with open(self.folder / "filling", "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        assert self.free() == 0

    def empty(self):
        (self.folder / "filling").unlink()

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait(timeout=20)
