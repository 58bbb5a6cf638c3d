"""What a newcomer meets first: the embedded default with its demo, and the example applications."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from support.free_port import free_port
from support.process import Process
from support.server import BINARY, ROOT, Answer
from support.softphone import Softphone
from support.speech import speaks

EXAMPLES = ROOT / "examples"


# ---- the example applications


@pytest.mark.parametrize("program", [["/usr/bin/python3", "application.py"], ["node", "application.js"]])
def test_an_example_application(own_server, program):
    assert shutil.which(program[0]), f"{program[0]} is not installed"
    example = Process([program[0], str(EXAMPLES / program[1]), "0"], env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        url = example.wait_line("listening on ").split()[-1]
        server = own_server(service={"callback_url": url})
        caller = Softphone(server)
        try:
            caller.call()
            speaks(caller)
            caller.rtp.press("42#")
            heard = len(caller.rtp.packets)
            speaks(caller, heard + 10)
            caller.wait_request("BYE", timeout=60)
        finally:
            caller.close()
        example.wait_line("alice calls 100")
        assert example.wait_line("call over").endswith(": normal")
        server.wait_idle()
    finally:
        example.stop(signal.SIGKILL)


def test_the_application_of_the_readme(own_server, tmp_path):
    page = (ROOT / "README.md").read_text()
    program = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    port = free_port()
    assert "9000" in program
    (tmp_path / "application.py").write_text(program.replace("9000", str(port)))
    example = Process(["/usr/bin/python3", str(tmp_path / "application.py")])
    try:
        server = own_server({"callbacks": {"retries": 20, "total_timeout": 60.0}}, service={"callback_url": f"http://127.0.0.1:{port}"})
        caller = Softphone(server)
        try:
            caller.invite()
            answer = caller.wait_final(timeout=70)  # until the application is up
            assert answer.status == 200
            caller.follow(answer)
            caller.ack()
            speaks(caller)
            caller.wait_request("BYE", timeout=60)
        finally:
            caller.close()
        server.wait_idle()
    finally:
        example.stop(signal.SIGKILL)


def test_the_example_configuration_is_good():
    done = subprocess.run([str(BINARY), "check-config", str(EXAMPLES / "ringwright.toml")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_toml_block_of_the_documentation_is_good(tmp_path):
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if page.name == "testing.md":  # its blocks are cases of tests
            continue
        for number, block in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(), re.S)):
            file = tmp_path / f"{page.stem}-{number}.toml"
            file.write_text(block)
            done = subprocess.run([str(BINARY), "check-config", str(file)], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{page.name}, block {number}: {done.stderr}"


# ---- the embedded default


class Default:
    """Stands in for support.server.Server: the addresses of the embedded default."""

    domain = "127.0.0.1"
    sip_udp = sip_tcp = ("127.0.0.1", 5060)


def taken_port():
    """One of the default's ports that another program holds, or None."""
    for kind, port in ((socket.SOCK_DGRAM, 5060), (socket.SOCK_STREAM, 5060), (socket.SOCK_STREAM, 8080)):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return port
    return None


def demand_free_ports(patience=60):
    """Another run of these tests may have the ports for a moment; any other program has to be stopped by somebody."""
    deadline = time.monotonic() + patience
    while (port := taken_port()) is not None:
        if time.monotonic() > deadline:
            pytest.fail(f"port {port} of 127.0.0.1 is in use: this test runs the server as `make run` does and needs 5060 and 8080. "
                        "Stop the other program and run it again.", pytrace=False)
        threading.Event().wait(0.5)


@pytest.mark.short
@pytest.mark.xdist_group("the ports of make run")
def test_the_demo_of_make_run(tmp_path):
    demand_free_ports()
    server = Process([str(BINARY), "serve"], cwd=tmp_path)
    try:
        assert server.wait_line("ready sip ") == "ready sip udp:127.0.0.1:5060,tcp:127.0.0.1:5060 http http://127.0.0.1:8080"
        server.wait_line("sip:demo@127.0.0.1")
        caller = Softphone(Default, user="demo")
        try:
            caller.call()
            speaks(caller)  # welcome
            caller.rtp.press("1")
            caller.rtp.wait_for_silence(5, timeout=60)
            said = len(caller.rtp.packets)
            speaks(caller, said)  # press some digits
            caller.rtp.press("27#")
            caller.rtp.wait_for_silence(5, timeout=60, first=len(caller.rtp.packets))
            speaks(caller, len(caller.rtp.packets))  # you pressed
            caller.rtp.check_continuity()
            caller.hang_up()
        finally:
            caller.close()
        import urllib.request
        with urllib.request.urlopen("http://127.0.0.1:8080/demo.localhost/promptfile", timeout=30) as response:
            files = json.loads(Answer(response.status, response.headers, response.read()).raw)["files"]
        assert {"demo-welcome.wav", "demo-menu.wav", "demo-goodbye.wav"} <= {one["name"] for one in files}
        assert server.stop() == 0
    finally:
        server.stop(signal.SIGKILL)
    assert (pathlib.Path(tmp_path) / "var").is_dir()
