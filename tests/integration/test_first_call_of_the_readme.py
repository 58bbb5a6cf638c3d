"""A newcomer copies the line of the README, or the one that the server prints, and hears the demo."""

import os
import re
import signal

import pytest
from support.server import BINARY, ROOT
from test_examples import Process, demand_free_ports

# What Debian's baresip makes for a new user, but for the sound card: there is no account.
FRESH = """audio_source aubridge,nil
audio_player aubridge,nil
audio_alert aubridge,nil
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
"""


@pytest.fixture
def newcomer(tmp_path):
    """Runs a line of a shell where `baresip` is that of a user who has never called before."""
    home = tmp_path / "newcomer"
    (home / "bin").mkdir(parents=True)
    (home / "config").write_text(FRESH)
    (home / "bin/baresip").write_text(f'#!/bin/sh\nexec /usr/bin/baresip -f "{home}" "$@"\n')
    (home / "bin/baresip").chmod(0o755)
    started = []

    def run(line):
        started.append(Process(["sh", "-c", "exec " + line], env={**os.environ, "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}))
        return started[-1]

    yield run
    for one in started:
        one.stop(signal.SIGKILL)


@pytest.mark.xdist_group("the ports of make run")
@pytest.mark.parametrize("whose", ["of the README", "that the server prints"])
def test_the_line_calls_the_demo(tmp_path, newcomer, whose):
    demand_free_ports()
    server = Process([str(BINARY), "serve"], cwd=tmp_path, env={**os.environ, "LC_ALL": "C"})
    try:
        printed = server.wait_line("  baresip ").strip()
        line = re.search(r"^ *(baresip .*)$", (ROOT / "README.md").read_text(), re.M).group(1) if whose == "of the README" else printed
        phone = newcomer(line)
        server.wait_line("call received")
        server.wait_line("answered")
        phone.stop(signal.SIGTERM)
        server.wait_line("session completed")
        assert server.stop() == 0
    finally:
        server.stop(signal.SIGKILL)
