"""The configuration file is read again on SIGHUP, while calls run; closing the terminal drains."""

import fcntl
import os
import pty
import signal
import termios

import pytest
from support.waiting import wait_until

from test_provisioning import OPERATOR, TOKEN, ask, change


def in_a_call(server, application, phone):
    caller = phone(server)
    caller.call()
    application.wait_for("getIvrCommand")
    return caller


def said(lines, message, **fields):
    return [line for line in lines if line["msg"] == message and fields.items() <= line.items()]


@pytest.mark.short
def test_a_new_customer_of_the_file_is_served_and_running_calls_go_on(own_server, application, phone):
    server = own_server()
    caller = in_a_call(server, application, phone)
    late = phone(server, domain="new.example", user="7")
    assert late.refused().status == 404
    lines = server.reload(lambda text: text + f"""[[domains]]
name = "new.example"
auth = "none"
[[domains.mediaservices]]
id = "main"
numbers = ["7"]
callback_url = "{application.url}"
""")
    assert said(lines, "configuration reloaded", domainsChanged="1")
    application.replies["newCall"] = {"action": "drop", "dropCode": "busy"}
    assert phone(server, domain="new.example", user="7").refused().status == 486
    heard = len(caller.rtp.packets)
    caller.rtp.wait_for_packets(heard + 10)
    caller.hang_up()
    application.wait_for("sessionCompleted", 2)


def test_a_number_a_trunk_and_a_limit_that_are_changed_count_for_the_next_call(own_server, application, phone):
    server = own_server()
    caller = in_a_call(server, application, phone)
    assert phone(server, user="555").refused().status == 404
    server.reload(lambda text: text.replace('["1*", "main"]', '["5*"]'))
    application.replies["newCall"] = {"action": "drop"}
    assert phone(server, user="555").refused().status == 603
    assert phone(server).refused().status == 404
    server.reload(lambda text: text.replace("trunks = []", 'trunks = [{ name = "elsewhere", allow = ["192.0.2.0/24"] }]'))
    assert phone(server, user="555").refused().status == 403
    server.reload(lambda text: text.replace('allow = ["192.0.2.0/24"]', 'allow = ["127.0.0.0/8"]') + "[limits]\nmax_calls = 1\n")
    assert phone(server, user="555").refused().status == 503
    caller.hang_up()
    application.wait_for("sessionCompleted", 2)


def test_the_log_becomes_verbose_and_quiet_again(own_server, application, phone):
    server = own_server()
    application.replies["newCall"] = {"action": "drop"}
    server.reload(lambda text: text.replace('level = "info"', 'level = "debug"'))
    phone(server).refused()
    application.wait_for("sessionCompleted")
    wait_until(lambda: said(server.log_lines(), "session completed"), "no line of the call")
    assert [line for line in server.log_lines() if line["level"] == "debug"]
    before = len(server.reload(lambda text: text.replace('level = "debug"', 'level = "info"'))) and len(server.log_lines())
    phone(server).refused()
    application.wait_for("sessionCompleted", 2)
    wait_until(lambda: len(said(server.log_lines(), "session completed")) == 2, "no line of the call")
    assert [line for line in server.log_lines()[before:] if line["level"] == "debug"] == []


@pytest.mark.parametrize("broken, says", [("[sever]\nnode_id = 1\n", "sever: unknown key"), ("[media", "ringwright.toml"),
                                          ('[[domains]]\nname = "demo.example"\n', "used twice: demo.example"),
                                          ("[storage]\nkind = 'tape'\n", "storage.kind")])
def test_a_broken_file_changes_nothing_and_says_what_is_wrong(own_server, application, phone, broken, says):
    server = own_server()
    caller = in_a_call(server, application, phone)
    lines = server.reload(lambda text: text.replace('"1*"', '"5*"') + broken)
    refused = said(lines, "configuration not reloaded: nothing has changed", level="error")
    assert any(says in line["reason"] for line in refused), refused
    assert said(lines, "configuration reloaded") == []
    application.replies["newCall"] = {"action": "drop"}
    assert phone(server).refused().status == 603, "the number is as it was"
    caller.hang_up()
    application.wait_for("sessionCompleted", 2)


def test_what_can_not_be_changed_while_it_runs_is_named(own_server):
    server = own_server()
    lines = server.reload(lambda text: text.replace("port_rest = 0.2", "port_rest = 5").replace("[sip]", '[sip]\nserver_header = ""') +
                          "[fetch]\nallow = []\n[provisioning]\ntoken = \"secret-of-the-operator\"\n")
    keys = {line["key"] for line in said(lines, "configuration: this key counts from the next start on")}
    assert keys == {"media.port_rest", "sip.server_header", "fetch.allow", "provisioning.token"}
    assert "secret-of-the-operator" not in server.log()
    assert said(server.reload(lambda text: text), "configuration: this key counts from the next start on") == [], "it is said once"


def test_listeners_that_others_can_reach_need_a_restart(own_server):
    server = own_server()
    lines = server.reload(lambda text: text.replace('"udp:127.0.0.1:0"', '"udp:0.0.0.0:0"').replace('auth = "none"', 'jwt_secret = "' + "s" * 32 + '"')
                          .replace("trunks = []", 'trunks = [{ name = "a", allow = ["127.0.0.0/8"] }]'))
    assert "restart" in said(lines, "configuration not reloaded: nothing has changed")[0]["reason"]


@pytest.mark.short
def test_what_was_provisioned_stays_and_the_file_can_not_take_its_names(own_server):
    server = own_server({"provisioning": {"token": TOKEN}})
    change(server, "PATCH", "mediaservice/demo.example/main", {"numbers": ["9*"]})
    change(server, "POST", "domain", {"name": "a.example", "aliases": ["b.example"]})
    assert said(server.reload(lambda text: text.replace('"1*"', '"5*"')), "configuration reloaded")
    assert ask(server, "GET", "mediaservice/demo.example/main").body["mediaservice"]["numbers"] == ["9*"]
    lines = server.reload(lambda text: text + '[[domains]]\nname = "b.example"\n')
    assert "b.example" in said(lines, "configuration not reloaded: nothing has changed")[0]["reason"]
    change(server, "DELETE", "domain/a.example")
    assert said(server.reload(lambda text: text), "configuration reloaded", domainsChanged="1")
    assert ask(server, "GET", "domain/b.example", headers=OPERATOR).body["origin"] == "file"
    server.reload(lambda text: text.replace('[[domains]]\nname = "b.example"\n', ""))
    assert ask(server, "GET", "domain/b.example").status == 404


@pytest.fixture
def terminal():
    """A terminal that a server may be started in: how, and how it is closed."""
    master, slave = pty.openpty()
    ends = [master]

    def close():
        while ends:
            os.close(ends.pop())

    def enter():
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may have been started with it ignored
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    yield {"preexec_fn": enter}, close
    close()
    os.close(slave)


def test_closing_the_terminal_drains(own_server, application, phone, terminal):
    how, close = terminal
    server = own_server({"server": {"drain_timeout": 30}}, popen=how)
    caller = in_a_call(server, application, phone)
    close()
    wait_until(lambda: server.request("GET", "/readyz").status == 503, "it does not drain")
    assert phone(server).refused().status == 503
    heard = len(caller.rtp.packets)
    caller.rtp.wait_for_packets(heard + 10)
    caller.hang_up()
    application.completed("normal")
    assert server.process.wait(timeout=30) == 0


def test_a_server_in_a_terminal_reads_its_file_on_the_signal(own_server, terminal):
    how, _ = terminal
    server = own_server(popen=how)
    assert said(server.reload(lambda text: text), "configuration reloaded", domainsChanged="0")


def test_a_draining_server_ignores_the_signal(own_server, application, phone):
    server = own_server({"server": {"drain_timeout": 30}})
    caller = in_a_call(server, application, phone)
    server.drain()
    server.reload(lambda text: text)
    caller.hang_up()
    application.completed("normal")
    assert server.process.wait(timeout=30) == 0
