"""The command line and the configuration file."""

import os
import re
import subprocess

import pytest
from support.server import BINARY

GOOD = """[server]
node_id = "n"
[[domains]]
name = "a.example"
auth = "none"
[[domains.mediaservices]]
id = "main"
numbers = ["*"]
callback_url = "http://127.0.0.1:9000"
"""


def run(*arguments, **more):
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=60, **more)


@pytest.fixture
def check(tmp_path):
    def check(text, command=("check-config",)):
        file = tmp_path / "test.toml"
        file.write_text(text)
        return run(*command, file)
    return check


@pytest.mark.short
def test_a_good_file_is_ok(check):
    result = check(GOOD)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("test.toml: ok\n")


def test_a_recording_key_has_to_be_one(check, tmp_path):
    (tmp_path / "key.pem").write_text("not a key")
    result = check(f"[[domains]]\nname = 'a'\nrecording_key = '{tmp_path}/key.pem'\n")
    assert result.returncode == 2
    assert "domains[0].recording_key: " in result.stderr


@pytest.mark.parametrize("text,line,key,found,expected", [
    ("[server]\nnode = 1\n", 2, "server.node", "", "unknown key"),
    ("[sever]\nnode_id = 'x'\n", 1, "sever", "", "unknown key"),
    ("[server]\nnode_id = 7\n", 2, "server.node_id", "integer 7", "a string"),
    ("[server]\ndrain_timeout = 'long'\n", 2, "server.drain_timeout", "long", "a number from 0"),
    ("[server]\ndrain_timeout = -1\n", 2, "server.drain_timeout", "-1", "a number from 0"),
    ("[media]\nworkers = 2.5\n", 2, "media.workers", "2.5", "a whole number from 0 to 256"),
    ("[media]\nports = [9, 3]\n", 2, "media.ports", "", "FIRST < LAST"),
    ("[media]\nlatch = 'some'\n", 2, "media.latch", "some", '"any" | "same-address" | "off"'),
    ("[media]\ncodecs = ['PCMA', 'MP3']\n", 2, "media.codecs", "MP3", "PCMA, PCMU, GSM, G722 or opus"),
    ("[media]\naddress = 'here'\n", 2, "media.address", "here", "an IP address"),
    ("[media]\nio_uring = 'yes'\n", 2, "media.io_uring", "yes", "true or false"),
    ("[sip]\nlisten = ['sctp:1.2.3.4:5060']\n", 2, "sip.listen", "sctp:1.2.3.4:5060", "udp:ADDRESS:PORT or tcp:ADDRESS:PORT"),
    ("[sip]\nlisten = 'udp:127.0.0.1:5060'\n", 2, "sip.listen", "udp:127.0.0.1:5060", "an array of strings"),
    ("[http]\nlisten = ['8080']\n", 2, "http.listen", "8080", "ADDRESS:PORT"),
    ("http = 3\n", 1, "http", "3", "a table"),
    ("[limits]\nmax_calls = 0\n", 2, "limits.max_calls", "0", "a whole number from 1"),
    ("[callbacks]\nretries = 21\n", 2, "callbacks.retries", "21", "a whole number from 0 to 20"),
    ("[log]\nformat = 'xml'\n", 2, "log.format", "xml", '"text" | "json"'),
    ("[[domains]]\nauth = 'none'\n", 1, "domains[0].name", "", "missing"),
    ("[[domains]]\nname = 'a'\nauth = 'basic'\n", 3, "domains[0].auth", "basic", '"token" | "none"'),
    ("[[domains]]\nname = 'a'\n[[domains]]\nname = 'a'\n", 4, "domains[1].name", "", "used twice"),
    ("domains = 1\n", 1, "domains", "1", "an array of tables"),
    ("[[domains]]\nname = 'a'\n[[domains.mediaservices]]\nid = 'm'\n", 3, "domains[0].mediaservices[0].callback_url", "", "missing"),
    ("[[domains]]\nname = 'a'\n[[domains.mediaservices]]\nid = 'm'\ncallback_url = 'ftp://x'\n", 5,
     "domains[0].mediaservices[0].callback_url", "ftp://x", "an http:// or https:// URL"),
    ("[[domains]]\nname = 'a'\ntrunks = [{ name = 't', allow = ['everywhere'] }]\n", 3, "domains[0].trunks[0].allow", "everywhere", "a network"),
    ("[[domains]]\nname = 'a'\njwt_public_keys = ['/no/such/file.pem']\n", 3, "domains[0].jwt_public_keys", "/no/such/file.pem", "read"),
    ("[[domains]]\nname = 'a'\njwt_secret = 'env:RINGWRIGHT_NO_SUCH_VARIABLE'\n", 3, "domains[0].jwt_secret", "RINGWRIGHT_NO_SUCH_VARIABLE", "environment"),
    ("[http]\nlisten = ['0.0.0.0:8080']\n[[domains]]\nname = 'a'\nauth = 'none'\n", 5, "domains[0].auth", '"none"', '"token"'),
    ("[http]\nlisten = ['[::]:8080']\n[[domains]]\nname = 'a'\nauth = 'none'\n", 5, "domains[0].auth", '"none"', '"token"'),
    ("[http]\nlisten = ['127.0.0.1:8080', '192.0.2.1:8080']\n[[domains]]\nname = 'a'\nauth = 'none'\n", 5, "domains[0].auth", '"none"', '"token"'),
    ("[sip]\nserver_header = 'two\\r\\nlines'\n".replace("'", '"'), 2, "sip.server_header", "", "printable ASCII"),
    ("[sip]\nlisten = ['udp:0.0.0.0:5060']\n[[domains]]\nname = 'a'\n", None, "domains[0].trunks", "", "networks that calls may come from"),
])
def test_what_is_wrong_is_said_with_file_line_key_found_and_expected(check, text, line, key, found, expected):
    for command in (("check-config",), ("serve", "--config")):
        result = check(text, command)
        assert result.returncode == 2
        assert result.stdout == ""
        finding = re.search(rf"^\S*test\.toml:{line or '[0-9]+'}: {re.escape(key)}: (.*)$", result.stderr, re.M)
        assert finding, result.stderr
        assert found in finding.group(1) and expected in finding.group(1), result.stderr


def test_every_finding_is_told_at_once(check):
    result = check("[server]\nx = 1\n[media]\ny = 2\n")
    assert "server.x" in result.stderr and "media.y" in result.stderr
    assert len(result.stderr.splitlines()) == 2


@pytest.mark.short
@pytest.mark.parametrize("text,lines", [
    ("[server]\nnode_id = \n", "[23]"), ("[server]\n[=]\n", "2"), ("a = n\nb = 1\n", "1"), ("[[[[[[[[[{\"a\nb9 971= ", "1"), ("\n\n[[[[[[[[[{\"a\\nb9 971= ", "3")])
def test_what_is_not_toml_names_the_line(check, text, lines):
    for command in (("check-config",), ("serve", "--config")):
        result = check(text, command)
        assert (result.returncode, result.stdout) == (2, "")
        assert re.fullmatch(rf"\S*test\.toml:{lines}: Error while parsing .*\n", result.stderr)


def test_a_space_that_only_looks_like_one_is_told_with_its_line(check):
    result = check(GOOD + "\u00a0\u00a0auth = 'none'\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("test.toml:10: a character that is not ASCII, outside of quotes and comments\n")


def test_a_file_that_is_not_there(tmp_path):
    for command in (("check-config",), ("serve", "--config")):
        result = run(*command, tmp_path / "none.toml")
        assert result.returncode == 2 and "none.toml" in result.stderr


def test_secrets_come_from_the_environment_or_a_file(check, tmp_path):
    (tmp_path / "secret").write_text("from the file\n")
    text = GOOD.replace('auth = "none"', f'jwt_secret = "file:{tmp_path}/secret"') + 'bearer = "env:RINGWRIGHT_TEST_TOKEN"\n'
    os.environ["RINGWRIGHT_TEST_TOKEN"] = "x"
    try:
        result = check(text)
    finally:
        del os.environ["RINGWRIGHT_TEST_TOKEN"]
    assert result.returncode == 0, result.stderr


def test_version():
    result = run("version")
    assert result.returncode == 0
    assert re.fullmatch(r"ringwright \d+\.\d+\.\d+\n", result.stdout)


def test_wrong_arguments():
    assert run().returncode != 0
    assert run("dance").returncode != 0
    assert run("check-config").returncode != 0
    assert "serve" in run("--help").stdout


def test_a_port_that_is_taken_stops_the_start(own_server, tmp_path):
    server = own_server()
    for table, key, value in (("http", "listen", server.url.removeprefix("http://")), ("sip", "listen", "udp:127.0.0.1:%d" % server.sip_udp[1])):
        text = server.file.read_text().replace(f'[{table}]\nlisten = ["127.0.0.1:0"]', f'[{table}]\nlisten = ["{value}"]')
        text = text.replace('listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]', f'listen = ["{value}"]' if table == "sip" else 'listen = ["udp:127.0.0.1:0"]')
        file = tmp_path / f"{table}.toml"
        file.write_text(text.replace(str(server.folder / "var"), str(tmp_path / "var")))
        result = run("serve", "--config", file)
        assert result.returncode == 1
        assert f"{table}.{key}" in result.stderr
