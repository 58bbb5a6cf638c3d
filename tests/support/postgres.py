"""A PostgreSQL server of the tests' own: a cluster in a temporary folder, on a free port. As a program it prints its URL and runs until its
input ends."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from .free_port import free_port

USER = "postgres"


def programs():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda one: float(one.split("/")[4]))
    return pathlib.Path(folders[-1]) if folders else pathlib.Path(shutil.which("initdb")).parent


class Postgres:
    def __init__(self):
        self.programs = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringwright-postgres-"))
        self.as_user = {}
        if os.getuid() == 0:  # initdb refuses root
            user = pwd.getpwnam(USER)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.port = free_port()
        self.process = None
        self.start()

    def _run(self, program, *arguments):
        done = subprocess.run([self.programs / program, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60, **self.as_user)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self):
        options = ["-D", "data", "-p", str(self.port), "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=16MB"]
        self.output = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([self.programs / "postgres", *options], cwd=self.folder, stdout=self.output, stderr=self.output, **self.as_user)
        deadline = time.monotonic() + 60
        while subprocess.run([self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], timeout=30).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self):
        """At once: connections are cut."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=30)
        self.output.close()

    def database(self, name):
        """The URL of a new database."""
        self._run("psql", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-c", f'CREATE DATABASE "{name}"')
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def query(self, name, sql):
        return self._run("psql", "-qAt", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", name, "-c", sql)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


if __name__ == "__main__":
    server = Postgres()
    try:
        print(server.database("test"), server.process.pid, flush=True)
        sys.stdin.read()
    finally:
        server.close()
